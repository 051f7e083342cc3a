"""What a symbol's background market is going to do: planned prints, numbered from 0, known minute by minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from simulator.market.expansion import Columns, Grid, Prints, expand
from simulator.market.intervals import MINUTE
from simulator.market.loaders import TradeSeries
from simulator.market.minutes import MinuteTable, tabulate
from simulator.market.normalise import print_counts, to_minutes
from simulator.market.regular import is_regular, tabulate_bars
from simulator.market.tables import Integers


class Plan(Protocol):
    """A series of planned prints. Minutes count from the epoch, prints from 0; outside the plan nothing prints."""

    grid: Grid
    first_minute: int
    initial_price: int
    """Price in ticks before the first print."""

    @property
    def end_minute(self) -> int | None:
        """First minute after the plan; None when it never ends."""

    def count_before(self, minute: int) -> int:
        """How many prints happen before a minute begins."""

    def minute_of(self, number: int) -> int | None:
        """The minute in which a print happens; None after the last."""

    def prints(self, first: int, end: int) -> Prints:
        """The prints of the minutes from `first` up to, not including, `end`."""

    def table(self, first: int, end: int) -> MinuteTable:
        """The minute rows that the same prints make."""

    def group_of(self, number: int) -> int:
        """Number, from 0, of the taker order that a print belongs to; also valid one past the last print."""

    def print_of(self, group: int) -> int:
        """Number of the first print of a taker order; also valid one past the last."""


class BarPlan:
    """Prints expanded from bars of `minutes` minutes: replayed klines, or a generator's endless blocks.

    `more` gives the next block of bars, or None when there are no more.
    """

    def __init__(
        self,
        key: int,
        grid: Grid,
        first_minute: int,
        rows: Columns,
        minutes: int = 1,
        prints_per_minute: int = 20,
        more: Callable[[], Columns] | None = None,
    ) -> None:
        self.grid = grid
        self.first_minute = first_minute
        self.initial_price = int(rows.open[0])
        self._key = key
        self._rows = rows
        self._minutes = minutes
        self._prints = prints_per_minute
        self._more = more
        self._totals = np.zeros(1, np.int64)
        self._made: tuple[int, int, Columns] = (0, 0, rows.slice(0, 0))
        self._count(rows)

    @property
    def end_minute(self) -> int | None:
        """First minute after the last row."""
        return None if self._more else self.first_minute + len(self._rows) * self._minutes

    def _count(self, rows: Columns) -> None:
        counts = np.cumsum(print_counts(rows.volume, self._minutes, self._prints)) + self._totals[-1]
        self._totals = np.concatenate((self._totals, counts))

    def _grow(self, enough: Callable[[], bool]) -> None:
        """Make further blocks until there are enough."""
        while self._more is not None and not enough():
            block = self._more()
            joined = (np.concatenate(pair) for pair in zip(self._rows.arrays(), block.arrays(), strict=True))
            self._rows = Columns(*joined)
            self._count(block)

    def count_before(self, minute: int) -> int:
        """Closed form: whole rows before the minute, and the trading minutes before it in its own row."""
        row, inside = divmod(max(minute - self.first_minute, 0), self._minutes)
        self._grow(lambda: row < len(self._rows))
        if row >= len(self._rows):
            return int(self._totals[-1])
        total = int(self._totals[row])
        if not inside:
            return total
        active, prints = self._shape(row)
        return total + -(-inside * active // self._minutes) * prints

    def minute_of(self, number: int) -> int | None:
        """The row by search, the minute in it by the closed form."""
        self._grow(lambda: number < self._totals[-1])
        if number >= self._totals[-1]:
            return None
        row = int(np.searchsorted(self._totals, number, side="right")) - 1
        active, prints = self._shape(row)
        place = (number - int(self._totals[row])) // prints
        return self.first_minute + row * self._minutes + place * self._minutes // active

    def _shape(self, row: int) -> tuple[int, int]:
        """In how many minutes a row trades, and how many prints each of them has; see `normalise.active_minutes`."""
        volume = int(self._rows.volume[row])
        return min(max(volume // self._prints, 1 if volume else 0), self._minutes), min(self._prints, volume)

    def bars(self, first: int, end: int) -> Columns:
        """One-minute bars of a range of minutes inside the plan."""
        row, inside = divmod(first - self.first_minute, self._minutes)
        last_row = -(-(end - self.first_minute) // self._minutes)
        start, stop, made = self._made
        if not (start <= row and last_row <= stop):
            made = to_minutes(self._key, row, self._rows.slice(row, last_row), self._minutes, self._prints)
            start = row
            self._made = (row, last_row, made)
        offset = (row - start) * self._minutes + inside
        return made.slice(offset, offset + end - first)

    def prints(self, first: int, end: int) -> Prints:
        """Expanded on demand; minutes outside the plan are empty."""
        self._grow(lambda: end <= self.first_minute + len(self._rows) * self._minutes)
        begin = max(first, self.first_minute)
        stop = max(min(end, self.first_minute + len(self._rows) * self._minutes), begin)
        bars = self.bars(begin, stop)
        inner = expand(self._key, begin, bars, np.minimum(bars.volume, self._prints))
        return _padded(inner, begin - first, end - first)

    def table(self, first: int, end: int) -> MinuteTable:
        """Ordinary stretches without making the prints."""
        self._grow(lambda: end <= self.first_minute + len(self._rows) * self._minutes)
        if self.first_minute <= first < end <= self.first_minute + len(self._rows) * self._minutes:
            bars = self.bars(first, end)
            if is_regular(bars, self._prints):
                return tabulate_bars(self._key, first, bars, self._prints, self.grid)
        return tabulate(self.prints(first, end), self.grid)

    def group_of(self, number: int) -> int:
        """Every print is a taker order of its own."""
        return number

    def print_of(self, group: int) -> int:
        """Every print is a taker order of its own."""
        return group


class TradePlan:
    """Recorded prints replayed as they were; prints of one moment, price and side are one taker order."""

    def __init__(self, grid: Grid, series: TradeSeries) -> None:
        self.grid = grid
        self._time = series.time_ms
        self._price = series.price // grid.tick
        self._quantity = series.quantity // grid.lot
        self._is_buy = series.is_buy
        self.first_minute = int(self._time[0]) // MINUTE
        self.initial_price = int(self._price[0])
        minutes = self._time // MINUTE - self.first_minute
        self._end = int(minutes[-1]) + 1
        self._before = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(minutes, minlength=self._end))))
        continues = (np.diff(self._time) == 0) & (np.diff(self._price) == 0) & (self._is_buy[1:] == self._is_buy[:-1])
        self._starts_group = np.concatenate((np.ones(1, np.bool_), ~continues))
        self._group = np.append(np.cumsum(self._starts_group) - 1, int(self._starts_group.sum()))
        self._first = np.append(np.flatnonzero(self._starts_group), len(self._time))

    @property
    def end_minute(self) -> int | None:
        """The minute after the last print's."""
        return self.first_minute + self._end

    def count_before(self, minute: int) -> int:
        """Looked up."""
        return int(self._before[min(max(minute - self.first_minute, 0), self._end)])

    def minute_of(self, number: int) -> int | None:
        """Looked up."""
        return int(self._time[number]) // MINUTE if number < len(self._time) else None

    def prints(self, first: int, end: int) -> Prints:
        """A slice of the recording."""
        begin = min(max(first - self.first_minute, 0), self._end)
        stop = max(min(end - self.first_minute, self._end), begin)
        start, last = int(self._before[begin]), int(self._before[stop])
        inner = Prints(
            self._time[start:last],
            self._price[start:last],
            self._quantity[start:last],
            self._is_buy[start:last],
            self._starts_group[start:last],
            np.diff(self._before[begin : stop + 1]),
        )
        return _padded(inner, max(self.first_minute - first, 0), end - first)

    def table(self, first: int, end: int) -> MinuteTable:
        """Sums of the slice."""
        return tabulate(self.prints(first, end), self.grid)

    def group_of(self, number: int) -> int:
        """Looked up."""
        return int(self._group[min(number, len(self._time))])

    def print_of(self, group: int) -> int:
        """Looked up."""
        return int(self._first[min(group, len(self._first) - 1)])


def _padded(prints: Prints, before: int, size: int) -> Prints:
    """The same prints for a wider range of minutes: `before` empty ones first, `size` in all."""
    before = min(before, size)
    if len(prints.counts) == size:
        return prints
    counts: Integers = np.zeros(size, np.int64)
    counts[before : before + len(prints.counts)] = prints.counts
    return Prints(prints.time_ms, prints.price, prints.quantity, prints.is_buy, prints.starts_group, counts)
