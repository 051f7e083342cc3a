"""Orders that wait for a price: stops by their stop price, trailing stops by what they have seen."""

from __future__ import annotations

from bisect import bisect_left, insort

from simulator.spot.types import SpotOrder

CONTINGENT = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
"""Order types that wait for a price; the venue counts them as "algo" orders."""
_BASIS_POINTS = 10_000


def waits_for_rise(order: SpotOrder) -> bool:
    """Whether the stop condition is a price at or above the stop price (else at or below)."""
    return order.type.startswith("STOP_LOSS") == (order.side == "BUY")


def is_met(order: SpotOrder, last: int) -> bool:
    """Whether the stop price has been reached by the last price."""
    return last >= order.stop_price if waits_for_rise(order) else last <= order.stop_price


class Triggers:
    """Waiting orders of one symbol. Fixed stops stand sorted by price, so that a trade looks at two of them only."""

    def __init__(self) -> None:
        self._rise: list[tuple[int, int]] = []
        self._fall: list[tuple[int, int]] = []
        self._orders: dict[int, SpotOrder] = {}
        self._trailing: dict[int, SpotOrder] = {}

    def __bool__(self) -> bool:
        return bool(self._orders)

    def add(self, order: SpotOrder, last: int, now_ms: int) -> None:
        """Let an order wait; a trailing one without stop price follows the market from `last` on."""
        self._orders[order.order_id] = order
        if order.trailing_delta:
            self._trailing[order.order_id] = order
            if not order.stop_price or is_met(order, last):
                _begin(order, last, now_ms)
        elif waits_for_rise(order):
            insort(self._rise, (order.stop_price, order.order_id))
        else:
            insort(self._fall, (-order.stop_price, order.order_id))

    def remove(self, order: SpotOrder) -> None:
        """Let an order wait no longer; one that does not wait here is passed over."""
        if self._orders.pop(order.order_id, None) is None:
            return
        if self._trailing.pop(order.order_id, None) is not None:
            return
        if waits_for_rise(order):
            _drop(self._rise, (order.stop_price, order.order_id))
        else:
            _drop(self._fall, (-order.stop_price, order.order_id))

    def due(self, last: int, now_ms: int) -> SpotOrder | None:
        """The next order that a trade at `last` sets off, no longer waiting; None when there is none."""
        found = self._first(last) or self._first_trailing(last, now_ms)
        if found is not None:
            self.remove(found)
        return found

    def _first(self, last: int) -> SpotOrder | None:
        if self._rise and self._rise[0][0] <= last:
            return self._orders[self._rise[0][1]]
        if self._fall and -self._fall[0][0] >= last:
            return self._orders[self._fall[0][1]]
        return None

    def _first_trailing(self, last: int, now_ms: int) -> SpotOrder | None:
        found = None
        for order in self._trailing.values():
            if not order.extreme_price:
                if is_met(order, last):
                    _begin(order, last, now_ms)
            elif _follow(order, last) and found is None:
                found = order
        return found


def _begin(order: SpotOrder, last: int, now_ms: int) -> None:
    order.extreme_price = last
    order.trailing_time_ms = now_ms


def _follow(order: SpotOrder, last: int) -> bool:
    """Remember the best price; tells whether the market has come back from it by trailingDelta."""
    if order.side == "SELL":
        order.extreme_price = max(order.extreme_price, last)
        return last * _BASIS_POINTS <= order.extreme_price * (_BASIS_POINTS - order.trailing_delta)
    order.extreme_price = min(order.extreme_price, last)
    return last * _BASIS_POINTS >= order.extreme_price * (_BASIS_POINTS + order.trailing_delta)


def _drop(entries: list[tuple[int, int]], entry: tuple[int, int]) -> None:
    del entries[bisect_left(entries, entry)]
