"""Looking up an account's ordinary orders, fills, amendments and liquidations."""

from __future__ import annotations

from simulator.futures.liquidation import Liquidator
from simulator.futures.order_store import OrderStore
from simulator.futures.refusals import refuse
from simulator.futures.reports import Amendment
from simulator.futures.state import Core
from simulator.futures.trading import Trading
from simulator.futures.types import Fill, FuturesOrder


class History:
    """Reads only. Lists come oldest first: the oldest when they start somewhere, else the newest."""

    def __init__(self, core: Core, orders: OrderStore, trading: Trading, liquidator: Liquidator) -> None:
        self._core = core
        self._orders = orders
        self._trading = trading
        self._liquidator = liquidator

    def order(self, account_id: int, symbol: str, order_id: int | None, client_order_id: str | None) -> FuturesOrder:
        """One order in any status; -2013 when there is none."""
        self._core.listing(symbol)
        order = self._orders.find(account_id, symbol, order_id, client_order_id)
        if order is None:
            raise refuse(-2013)
        return order

    def open_order(
        self, account_id: int, symbol: str, order_id: int | None, client_order_id: str | None
    ) -> FuturesOrder:
        """One open order; -2013 when it is not open."""
        order = self.order(account_id, symbol, order_id, client_order_id)
        if not order.is_open:
            raise refuse(-2013)
        return order

    def open_orders(self, account_id: int, symbol: str | None = None) -> list[FuturesOrder]:
        """Open orders, of one symbol if asked."""
        if symbol is not None:
            self._core.listing(symbol)
        return list(self._orders.open_of(account_id, symbol))

    def all_orders(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[FuturesOrder]:
        """Orders of a symbol in any status, from `order_id` or `start_ms` on."""
        self._core.listing(symbol)
        found = [
            order
            for order in self._orders.all_of(account_id, symbol)
            if (order_id is None or order.order_id >= order_id) and _within(order.time_ms, start_ms, end_ms)
        ]
        return found[-limit:] if order_id is None and start_ms is None else found[:limit]

    def trades(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        from_id: int | None = None,
        limit: int = 500,
    ) -> list[Fill]:
        """Fills on a symbol, of one order if asked, from `from_id` (a trade id) or `start_ms` on."""
        self._core.listing(symbol)
        found = [
            fill
            for fill in self._orders.fills(account_id, symbol)
            if (order_id is None or fill.order_id == order_id)
            and (from_id is None or fill.trade_id >= from_id)
            and _within(fill.time_ms, start_ms, end_ms)
        ]
        return found[-limit:] if from_id is None and start_ms is None else found[:limit]

    def amendments(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None = None,
        client_order_id: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 50,
    ) -> list[Amendment]:
        """Changes of orders on a symbol, newest first as the venue gives them."""
        self._core.listing(symbol)
        found = [
            change
            for change in self._trading.amendments(account_id, symbol)
            if (order_id is None or change.order_id == order_id)
            and (client_order_id is None or change.client_order_id == client_order_id)
            and _within(change.time_ms, start_ms, end_ms)
        ]
        return found[::-1][:limit]

    def force_orders(
        self,
        account_id: int,
        symbol: str | None = None,
        kind: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 50,
    ) -> list[FuturesOrder]:
        """Liquidation orders of an account; kind ADL has none (this venue does not deleverage)."""
        found = [
            order
            for order in self._liquidator.orders
            if order.account_id == account_id
            and (symbol is None or order.symbol == symbol)
            and kind in (None, "LIQUIDATION")
            and _within(order.time_ms, start_ms, end_ms)
        ]
        return found[-limit:]


def _within(time_ms: int, start_ms: int | None, end_ms: int | None) -> bool:
    return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)
