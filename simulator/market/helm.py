"""The operator's hand on one market: moves, gaps and frozen prices on top of what the data does."""

from __future__ import annotations

from collections.abc import Callable

from simulator.market.steering import Steering


class Helm:
    """Steers one market."""

    def __init__(
        self,
        steering: Steering,
        begins_ms: Callable[[], int],
        replan: Callable[[Callable[[int], None]], None],
        price: Callable[[], int],
        planned_price: Callable[[], int],
    ) -> None:
        """Of the market: the first moment that may still be steered, a way to plan anew from there, and in ticks the
        last price and the price that the data, unsteered, would show."""
        self._steering = steering
        self._begins_ms = begins_ms
        self._replan = replan
        self._price = price
        self._planned_price = planned_price

    def move(self, percent_ppm: int, over_ms: int) -> None:
        """Move the price by millionths of itself (10,000 is 1 %) evenly over a time, on top of what the data does."""
        self._replan(lambda start: self._steering.move(start, percent_ppm, over_ms))

    def check_move(self, percent_ppm: int, over_ms: int) -> None:
        """Raise `BadSteering` where `move` would; change nothing."""
        self._steering.check_move(self._begins_ms(), percent_ppm, over_ms)

    def gap(self, percent_ppm: int) -> None:
        """Let the next print be that much away."""
        self.move(percent_ppm, 0)

    def freeze(self, on: bool) -> None:
        """Let every print happen at the last price; or let the price move again from where it stood."""
        if on == self._steering.is_frozen:
            return
        price = self._price()
        if on:
            self._replan(lambda start: self._steering.freeze(start, price))
        else:
            self._replan(lambda start: self._steering.thaw(start, price, self._planned_price()))
