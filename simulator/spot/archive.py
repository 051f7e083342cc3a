"""What one account did on one symbol: all its orders and fills, kept for ever and found by id, client id or time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

from simulator.spot.types import Amendment, Fill, PreventedMatch, SpotOrder

T = TypeVar("T")


def window(
    items: Sequence[T], time: Callable[[T], int], start_ms: int | None, end_ms: int | None, limit: int
) -> list[T]:
    """At most `limit` items of a time span, oldest first.

    With a start: the oldest from there on; without: the newest up to the end, as the venue's lists do.
    """
    if start_ms is None and end_ms is None:
        return list(items[-limit:]) if limit else []
    low, high = 0, len(items)
    if start_ms is not None:
        low = bisect_left(items, start_ms, key=time)
    if end_ms is not None:
        high = bisect_left(items, end_ms + 1, key=time)
    if start_ms is not None:
        return list(items[low : min(high, low + limit)])
    return list(items[max(low, high - limit) : high])


class Archive:
    """Orders and fills of one account on one symbol; both lists grow by id and by time."""

    __slots__ = ("_by_client", "_by_id", "amendments", "fills", "open", "open_clients", "orders", "prevented")

    def __init__(self) -> None:
        self.orders: list[SpotOrder] = []
        self.fills: list[Fill] = []
        self.amendments: list[Amendment] = []
        self.prevented: list[PreventedMatch] = []
        self.open: dict[int, SpotOrder] = {}
        self.open_clients: dict[str, SpotOrder] = {}
        self._by_id: dict[int, SpotOrder] = {}
        self._by_client: dict[str, SpotOrder] = {}

    def add(self, order: SpotOrder) -> None:
        """Take in an accepted order."""
        self.orders.append(order)
        self._by_id[order.order_id] = order
        self._by_client[order.client_order_id] = order
        self.open[order.order_id] = order
        self.open_clients[order.client_order_id] = order

    def close(self, order: SpotOrder) -> None:
        """The order is open no longer: its client id may be used again."""
        self.open.pop(order.order_id, None)
        self.open_clients.pop(order.client_order_id, None)

    def rename(self, order: SpotOrder, client_order_id: str) -> None:
        """Give an order another client id; it is found under both."""
        if self.open_clients.pop(order.client_order_id, None) is not None:
            self.open_clients[client_order_id] = order
        order.original_client_order_id = order.client_order_id
        order.client_order_id = client_order_id
        self._by_client[client_order_id] = order

    def by_id(self, order_id: int) -> SpotOrder | None:
        """The order with this id."""
        return self._by_id.get(order_id)

    def by_client(self, client_order_id: str) -> SpotOrder | None:
        """The open order with this client id, else the latest that had it."""
        return self.open_clients.get(client_order_id) or self._by_client.get(client_order_id)

    def find_orders(
        self, order_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[SpotOrder]:
        """Orders from an id on, or of a time span, oldest first."""
        if order_id is not None:
            low = bisect_left(self.orders, order_id, key=lambda order: order.order_id)
            return self.orders[low : low + limit]
        return window(self.orders, lambda order: order.time_ms, start_ms, end_ms, limit)

    def find_fills(
        self, order_id: int | None, start_ms: int | None, end_ms: int | None, from_id: int | None, limit: int
    ) -> list[Fill]:
        """Fills of an order, from a trade id on, or of a time span, oldest first."""
        fills: Sequence[Fill] = self.fills
        if order_id is not None:
            fills = [fill for fill in fills if fill.order_id == order_id]
        if from_id is not None:
            low = bisect_left(fills, from_id, key=lambda fill: fill.trade_id)
            return list(fills[low : low + limit])
        return window(fills, lambda fill: fill.time_ms, start_ms, end_ms, limit)
