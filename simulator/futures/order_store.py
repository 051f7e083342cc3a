"""Ordinary orders of all accounts: by id, by client id, open ones apart, with what they would add to a position."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.futures.types import Fill, FuturesOrder, PositionSide
from simulator.units import ONE


@dataclass(slots=True)
class Exposure:
    """Notional of the open orders that would open or add, by side, for one position."""

    bids: int = 0
    asks: int = 0


class OrderStore:
    """Every ordinary order since the start. Client ids are unique among an account's open orders only."""

    def __init__(self) -> None:
        self._by_id: dict[int, FuturesOrder] = {}
        self._by_client: dict[tuple[int, str, str], FuturesOrder] = {}
        self._of: dict[tuple[int, str], list[FuturesOrder]] = {}
        self._open: dict[int, dict[int, FuturesOrder]] = {}
        self._exposure: dict[int, dict[tuple[str, PositionSide], Exposure]] = {}
        self._deadlines: list[tuple[int, int]] = []
        self._fills: dict[tuple[int, str], list[Fill]] = {}
        self._open_in: dict[str, int] = {}

    def accept(self, order: FuturesOrder) -> None:
        """Take a new order in; it counts as open from now on."""
        self._by_id[order.order_id] = order
        self._by_client[order.account_id, order.symbol, order.client_order_id] = order
        self._of.setdefault((order.account_id, order.symbol), []).append(order)
        self._open.setdefault(order.account_id, {})[order.order_id] = order
        self._open_in[order.symbol] = self._open_in.get(order.symbol, 0) + 1
        if order.good_till_ms:
            heapq.heappush(self._deadlines, (order.good_till_ms, order.order_id))

    def close(self, order: FuturesOrder) -> None:
        """The order is no longer open."""
        del self._open[order.account_id][order.order_id]
        self._open_in[order.symbol] -= 1

    def expose(self, order: FuturesOrder, quantity: int) -> None:
        """Count `quantity` more (less, below zero) of a resting order into the exposure; reduce-only adds nothing."""
        if order.reduce_only:
            return
        key = (order.symbol, order.position_side)
        exposure = self._exposure.setdefault(order.account_id, {}).setdefault(key, Exposure())
        amount = order.price * quantity // ONE
        if order.side == "BUY":
            exposure.bids += amount
        else:
            exposure.asks += amount

    def exposures(self, account_id: int) -> dict[tuple[str, PositionSide], Exposure]:
        """Exposure of open orders by symbol and position side."""
        return self._exposure.get(account_id, {})

    def add_fill(self, account_id: int, fill: Fill) -> None:
        """Keep a fill for the account's trade history."""
        self._fills.setdefault((account_id, fill.symbol), []).append(fill)

    def fills(self, account_id: int, symbol: str) -> list[Fill]:
        """An account's fills on a symbol, oldest first."""
        return self._fills.get((account_id, symbol), [])

    def all_of(self, account_id: int, symbol: str) -> list[FuturesOrder]:
        """Every order of an account on a symbol, oldest first."""
        return self._of.get((account_id, symbol), [])

    def open_of(self, account_id: int, symbol: str | None = None) -> Iterator[FuturesOrder]:
        """Open orders of an account, oldest first."""
        for order in list(self._open.get(account_id, {}).values()):
            if symbol is None or order.symbol == symbol:
                yield order

    def open_count(self, account_id: int, symbol: str) -> int:
        """How many orders an account has open on a symbol."""
        return sum(order.symbol == symbol for order in self._open.get(account_id, {}).values())

    def has_open(self, symbol: str) -> bool:
        """Whether anybody has an open order on the symbol."""
        return self._open_in.get(symbol, 0) > 0

    def is_client_id_free(self, account_id: int, symbol: str, client_order_id: str) -> bool:
        """Whether no open order of the account on the symbol has this client id."""
        order = self._by_client.get((account_id, symbol, client_order_id))
        return order is None or not order.is_open

    def find(
        self, account_id: int, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> FuturesOrder | None:
        """The account's order on the symbol with this id, or client id; with both, they must mean the same order."""
        if order_id is not None:
            order = self._by_id.get(order_id)
            if order is None or order.account_id != account_id or order.symbol != symbol:
                return None
            return order if client_order_id in (None, order.client_order_id) else None
        return self._by_client.get((account_id, symbol, client_order_id or ""))

    def next_deadline(self) -> int | None:
        """When the next GTD order may have to expire."""
        while self._deadlines and not self._by_id[self._deadlines[0][1]].is_open:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def due(self, now_ms: int) -> Iterator[FuturesOrder]:
        """GTD orders whose time has come, one by one."""
        while (deadline := self.next_deadline()) is not None and deadline <= now_ms:
            yield self._by_id[heapq.heappop(self._deadlines)[1]]
