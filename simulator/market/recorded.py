"""The recorded book as the background: snapshot, depth changes and best prices, brought up to each print's time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from simulator.market.frames import BookEvent, Recording
from simulator.market.types import Side


class _HalfBook:
    """One side: quantities by price, and the prices sorted from the best outward (as signed keys)."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.quantities: dict[int, int] = {}
        self.keys: list[int] = []

    def set(self, price: int, quantity: int) -> None:
        """Put a quantity at a price; 0 takes the level away."""
        key = price * self.sign
        if quantity:
            if price not in self.quantities:
                insort(self.keys, key)
            self.quantities[price] = quantity
        elif self.quantities.pop(price, 0):
            del self.keys[bisect_left(self.keys, key)]

    def set_best(self, price: int, quantity: int) -> None:
        """This is the best level: whatever stood before it is gone."""
        place = bisect_left(self.keys, price * self.sign)
        for key in self.keys[:place]:
            del self.quantities[key * self.sign]
        del self.keys[:place]
        self.set(price, quantity)

    def drop_through(self, price: int) -> None:
        """Take away every level at or better than a price."""
        place = bisect_right(self.keys, price * self.sign)
        for key in self.keys[:place]:
            del self.quantities[key * self.sign]
        del self.keys[:place]

    def clear(self) -> None:
        """Take everything away."""
        self.quantities.clear()
        self.keys.clear()


class RecordedLadder:
    """`Liquidity` of a recording. Before its first depth frame the first snapshot is shown, if there is one."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._sides: dict[Side, _HalfBook] = {"BUY": _HalfBook(-1), "SELL": _HalfBook(1)}
        self._taken: dict[tuple[Side, int], int] = {}
        self._next = 0
        self._update_id = 0
        snapshot = next((event for event in recording.events if event.kind == "snapshot"), None)
        if snapshot is not None:
            self._apply(snapshot)

    def anchor(self, price: int, taker: Side, time_ms: int) -> None:
        """Apply what was recorded up to a moment; the print's price and side are already in it."""
        for (side, level), quantity in self._taken.items():
            self._sides[side].set(level, quantity)
        self._taken.clear()
        events = self._recording.events
        while self._next < len(events) and events[self._next].time_ms <= time_ms:
            self._apply(events[self._next])
            self._next += 1

    def _apply(self, event: BookEvent) -> None:
        if event.update_id <= self._update_id:
            return
        if event.kind == "snapshot":
            for half in self._sides.values():
                half.clear()
        self._apply_side(event, "BUY", "SELL", event.first, event.asks)
        self._apply_side(event, "SELL", "BUY", event.asks, event.end)
        self._update_id = event.update_id

    def _apply_side(self, event: BookEvent, side: Side, other: Side, first: int, end: int) -> None:
        half = self._sides[side]
        prices = self._recording.price[first:end].tolist()
        quantities = self._recording.quantity[first:end].tolist()
        for price, quantity in zip(prices, quantities, strict=True):
            if event.kind == "best":
                half.set_best(price, quantity)
                self._sides[other].drop_through(price)
            else:
                half.set(price, quantity)

    def best(self, side: Side) -> int | None:
        """Best price of a side; None when it is empty."""
        half = self._sides[side]
        return half.keys[0] * half.sign if half.keys else None

    def quantity(self, side: Side, price: int) -> int:
        """What is offered at a price."""
        return self._sides[side].quantities.get(price, 0)

    def walk(self, side: Side) -> Iterator[tuple[int, int]]:
        """Levels from the best outward."""
        half = self._sides[side]
        return iter([(key * half.sign, half.quantities[key * half.sign]) for key in half.keys])

    def consume(self, side: Side, price: int, quantity: int) -> None:
        """Take away until the next print; raises ValueError for more than is there."""
        half = self._sides[side]
        offered = half.quantities.get(price, 0)
        if quantity > offered:
            raise ValueError(f"cannot consume {quantity} of {offered} quanta offered at {price}")
        self._taken.setdefault((side, price), offered)
        half.set(price, offered - quantity)
