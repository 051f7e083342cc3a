"""One-minute bars into prints: from the open through both extremes to the close, volumes summing exactly.

Everything is computed from (key, minute, number of the print), so a minute gives the same prints whoever asks, in
whatever order. Prices are in ticks and volumes in lots here; the grid turns them into quanta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.market.hashing import mix_range
from simulator.market.intervals import MINUTE
from simulator.market.tables import Integers
from simulator.units import ONE

MOST_PRINTS = 1000
"""Highest number of prints in a minute that still leaves each its own millisecond."""
FEWEST_PRINTS = 4
NUMBERS = 1024
"""Numbers of chance that a minute has at its disposal, one for each print."""
_FULL = 1 << 16


@dataclass(frozen=True, slots=True)
class Grid:
    """Price tick and quantity lot of a plan, in quanta."""

    tick: int
    lot: int

    @property
    def unit(self) -> int:
        """Quote quanta of one lot at one tick; whole by the rule every instrument obeys."""
        return self.tick * self.lot // ONE


@dataclass(frozen=True, slots=True)
class Prints:
    """Prints of a stretch of minutes in time order: ticks, lots; `counts` tells how many each minute has."""

    time_ms: Integers
    price: Integers
    quantity: Integers
    is_buy: NDArray[np.bool_]
    starts_group: NDArray[np.bool_]
    """False where a print continues the taker order of the print before it."""
    counts: Integers


@dataclass(frozen=True, slots=True)
class Columns:
    """Bars as arrays: ticks and lots."""

    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers

    def __len__(self) -> int:
        return len(self.open)

    def slice(self, start: int, stop: int) -> Columns:
        """A stretch of the bars."""
        return Columns(*(column[start:stop] for column in self.arrays()))

    def arrays(self) -> tuple[Integers, ...]:
        """Open, high, low, close and volume."""
        return self.open, self.high, self.low, self.close, self.volume


def expand(key: int, first_minute: int, bars: Columns, counts: Integers) -> Prints:
    """The prints of consecutive one-minute bars, `counts` of each (0 where the volume is 0)."""
    row = np.repeat(np.arange(len(bars)), counts)
    first = np.cumsum(counts) - counts
    number = np.arange(len(row)) - first[row]
    size = counts[row]
    chance = mix_range(key, (first_minute + row) * NUMBERS + number)
    price = _prices(key, first_minute, bars, counts, row, number, chance)
    return Prints(
        time_ms=(first_minute + row) * MINUTE
        + (number * 1000 + _bits(chance, 0, 10) % 900) * 60 // np.maximum(size, 1),
        price=price,
        quantity=_quantities(bars.volume, counts, row, first, chance),
        is_buy=_takers(price, number, chance),
        starts_group=np.ones(len(row), np.bool_),
        counts=counts,
    )


def _bits(chance: NDArray[np.uint64], low: int, width: int) -> Integers:
    return ((chance >> np.uint64(low)) & np.uint64((1 << width) - 1)).astype(np.int64)


def _legs(first: Integers, second: Integers, third: Integers) -> Integers:
    """Something of each bar's three legs, one after the other."""
    legs: Integers = np.stack((first, second, third), axis=1).reshape(-1)
    return legs


def turning_points(bars: Columns, chance: NDArray[np.uint64]) -> tuple[Integers, Integers]:
    """Which extreme a bar visits first and which second: the one nearer to the open, by chance when equally near."""
    above, below = bars.high - bars.open, bars.open - bars.low
    high_first = (above < below) | ((above == below) & ((chance & np.uint64(1)) == 1))
    return np.where(high_first, bars.high, bars.low), np.where(high_first, bars.low, bars.high)


def between(start: Integers, end: Integers, step: Integers, steps: Integers, chance: Integers) -> Integers:
    """A wobbling point on the way from `start` to `end`, never outside, exact at both ends. `chance` has 16 bits."""
    length = np.maximum(steps, 1)
    wobble = np.where((step == 0) | (step >= length), 0, (chance - _FULL // 2) * 3)
    part = np.clip((step * (2 * _FULL) + wobble) // (2 * length), 0, _FULL)
    point: Integers = start + ((end - start) * part >> 16)
    return point


def _prices(
    key: int,
    first_minute: int,
    bars: Columns,
    counts: Integers,
    row: Integers,
    number: Integers,
    chance: NDArray[np.uint64],
) -> Integers:
    own = mix_range(key, first_minute + np.arange(len(bars)), salt=1)
    one, two = turning_points(bars, own)
    last = np.maximum(counts - 1, 3)
    turn = 1 + _bits(own, 8, 20) % (last - 2)
    back = turn + 1 + _bits(own, 28, 20) % np.maximum(last - 1 - turn, 1)
    leg = 3 * row + (number > turn[row]) + (number > back[row])
    start, end = _legs(bars.open, one, two)[leg], _legs(one, two, bars.close)[leg]
    begun, ended = _legs(np.zeros_like(turn), turn, back)[leg], _legs(turn, back, last)[leg]
    price = between(start, end, number - begun, ended - begun, _bits(chance, 26, 16))
    for short in np.flatnonzero((counts > 0) & (counts < FEWEST_PRINTS)):
        opened, high, low, close, _ = (int(column[short]) for column in bars.arrays())
        price[row == short] = short_path(opened, high, low, close, int(counts[short]))
    return price


def short_path(opened: int, high: int, low: int, close: int, count: int) -> list[int]:
    """The prices of a bar with fewer than four prints; raises ValueError when they cannot visit both extremes."""
    for extremes in ((low, high), (high, low)):
        path = [opened]
        path += [
            price for price, before in zip((*extremes, close), (opened, *extremes), strict=True) if price != before
        ]
        if len(path) <= count:
            return path + [close] * (count - len(path))
    raise ValueError(f"{count} lots cannot visit open {opened}, high {high}, low {low} and close {close} (in ticks)")


def _quantities(
    volume: Integers, counts: Integers, row: Integers, first: Integers, chance: NDArray[np.uint64]
) -> Integers:
    weight = 8 + (_bits(chance, 42, 8) * _bits(chance, 50, 8) >> 6)
    running = np.cumsum(weight)
    sums = np.concatenate((np.zeros(1, np.int64), running))
    base = sums[first]
    return 1 + portions(volume - counts, row, running - base[row], sums[first + counts] - base, first)


def portions(amount: Integers, row: Integers, done: Integers, total: Integers, first: Integers) -> Integers:
    """Whole parts of each row's amount by running weights, `done` of the row's `total`; they sum up exactly."""
    total = np.maximum(total, 1)
    whole, rest = np.divmod(amount, total)
    reached = whole[row] * done + rest[row] * done // total[row]
    before = np.concatenate((np.zeros(1, np.int64), reached[:-1])) if len(reached) else reached
    before[first[first < len(before)]] = 0
    return reached - before


def _takers(price: Integers, number: Integers, chance: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """A rise was bought, a fall was sold; an unchanged price or a minute's first print is decided by chance."""
    step = np.diff(price, prepend=price[:1])
    tossed = _bits(chance, 60, 1) == 1
    decided: NDArray[np.bool_] = np.where((number == 0) | (step == 0), tossed, step > 0)
    return decided
