"""Moves that an operator adds to the market: later prints are scaled, so bars still equal the trades.

The scale is a function of market time alone, made of stretches: constant, on a slope, or frozen at a price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.market.expansion import Prints
from simulator.market.tables import Integers

SCALE_ONE = 10**8
"""The scale that changes nothing."""
PPM = 1_000_000
_LONGEST = 30 * 86_400_000
_LARGEST = 90 * SCALE_ONE
_SMALLEST = SCALE_ONE // 10_000


class BadSteering(ValueError):
    """A move that cannot be made; the text says why and what is possible."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start_ms` on the scale goes evenly from `start` to `end` within `length_ms`, then stays there."""

    start_ms: int
    start: int
    end: int
    length_ms: int = 0
    frozen: int = 0
    """A price in ticks at which every print happens; 0 when not frozen."""

    def scale_at(self, time_ms: int) -> int:
        """The scale at a moment of this stretch."""
        if time_ms >= self.start_ms + self.length_ms:
            return self.end
        return self.start + (self.end - self.start) * (time_ms - self.start_ms) // self.length_ms


class Steering:
    """The stretches of one symbol, oldest first."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []

    @property
    def is_idle(self) -> bool:
        """Whether nobody has ever steered."""
        return not self._stretches

    @property
    def since_ms(self) -> int:
        """Where the first stretch begins."""
        return self._stretches[0].start_ms

    @property
    def is_frozen(self) -> bool:
        """Whether the price stands still from now on."""
        return bool(self._stretches) and self._stretches[-1].frozen > 0

    def move(self, start_ms: int, change_ppm: int, over_ms: int) -> None:
        """From `start_ms` on, move the price by millionths of itself within `over_ms` (0: at once)."""
        begun, end = self.check_move(start_ms, change_ppm, over_ms)
        frozen = self._stretches[-1].frozen if self.is_frozen else 0
        self._add(Stretch(start_ms, begun, end, over_ms, frozen * (PPM + change_ppm) // PPM))

    def check_move(self, start_ms: int, change_ppm: int, over_ms: int) -> tuple[int, int]:
        """The scale before and after a move; raises `BadSteering` for one that cannot be made."""
        if not 0 <= over_ms <= _LONGEST:
            raise BadSteering(f"a move over {over_ms} ms is not possible; use 0 (a gap) to {_LONGEST}")
        begun = self._scale(start_ms)
        end = begun * (PPM + change_ppm) // PPM
        if not _SMALLEST <= end <= _LARGEST:
            raise BadSteering(
                f"a move by {change_ppm} ppm would take the price to {end / SCALE_ONE:g} times the data's; "
                "stay between 0.0001 and 90 times"
            )
        return begun, end

    def freeze(self, start_ms: int, price: int) -> None:
        """From `start_ms` on every print happens at `price` (ticks)."""
        scale = self._scale(start_ms)
        self._add(Stretch(start_ms, scale, scale, frozen=price))

    def thaw(self, start_ms: int, price: int, planned: int) -> None:
        """Let the price move again, from `price` where the data stands at `planned` (both in ticks)."""
        scale = min(max(price * SCALE_ONE // max(planned, 1), _SMALLEST), _LARGEST)
        self._add(Stretch(start_ms, scale, scale))

    def _add(self, stretch: Stretch) -> None:
        if self._stretches and self._stretches[-1].start_ms == stretch.start_ms:
            self._stretches.pop()
        self._stretches.append(stretch)

    def _scale(self, time_ms: int) -> int:
        return self._stretches[-1].scale_at(time_ms) if self._stretches else SCALE_ONE

    def apply(self, prints: Prints) -> Prints:
        """The prints as they will happen; quantities and times stay."""
        if self.is_idle or not len(prints.time_ms) or int(prints.time_ms[-1]) < self.since_ms:
            return prints
        price = prints.price.copy()
        starts = [stretch.start_ms for stretch in self._stretches]
        edges = [*np.searchsorted(prints.time_ms, starts).tolist(), len(price)]
        for stretch, begin, end in zip(self._stretches, edges, edges[1:], strict=False):
            if begin < end:
                price[begin:end] = _scaled(stretch, prints.time_ms[begin:end], price[begin:end])
        return replace(prints, price=price)


def _scaled(stretch: Stretch, time_ms: Integers, price: Integers) -> Integers:
    if stretch.frozen:
        return np.full(len(price), stretch.frozen, np.int64)
    gone = np.clip(time_ms - stretch.start_ms, 0, stretch.length_ms)
    scale = np.full(len(price), stretch.end, np.int64)
    if stretch.length_ms:
        slope, left = divmod(stretch.end - stretch.start, stretch.length_ms)
        scale = stretch.start + slope * gone + left * gone // stretch.length_ms
    whole, rest = np.divmod(price, SCALE_ONE)
    steered: Integers = np.maximum(whole * scale + (rest * scale + SCALE_ONE // 2) // SCALE_ONE, 1)
    return steered
