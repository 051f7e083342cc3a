"""Minute rows computed from prints, and their exact sums: the one way from trades to klines and statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.market.expansion import Grid, Prints
from simulator.market.tables import Integers
from simulator.market.types import Trade

_HALF = 32
_LOW = (1 << _HALF) - 1
_SAFE = 1 << 62
AMOUNTS = 4
"""Volume, taker's buy volume, quote volume, taker's buy quote volume."""


@dataclass(frozen=True, slots=True)
class MinuteTable:
    """One row per minute (or longer stretch), in quanta; where `count` is 0 the prices mean nothing.

    `sums` has two rows for each of the four amounts, its upper part and its lower 32 bits: sums of products outgrow
    64 bits.
    """

    count: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    sums: Integers

    def slice(self, start: int, stop: int) -> MinuteTable:
        """Some of the rows (views, not copies)."""
        columns = (self.count, self.open, self.high, self.low, self.close)
        count, opened, high, low, close = (column[start:stop] for column in columns)
        return MinuteTable(count, opened, high, low, close, self.sums[:, start:stop])

    def copy(self) -> MinuteTable:
        """The same rows, to be changed."""
        columns = (self.count, self.open, self.high, self.low, self.close, self.sums)
        return MinuteTable(*(column.copy() for column in columns))

    def set_row(self, row: int, values: Row) -> None:
        """Overwrite one row."""
        self.count[row], self.open[row], self.high[row], self.low[row], self.close[row] = values[:5]
        for number, amount in enumerate(values[5:]):
            self.sums[2 * number, row] = amount >> _HALF
            self.sums[2 * number + 1, row] = amount & _LOW

    def row(self, row: int) -> Row:
        """One row as exact integers."""
        prices = (self.count, self.open, self.high, self.low, self.close)
        count, opened, high, low, close = (int(column[row]) for column in prices)
        amounts = self.sums[:, row].tolist()
        volume, taker, quote, taker_quote = ((amounts[i] << _HALF) + amounts[i + 1] for i in range(0, 2 * AMOUNTS, 2))
        return count, opened, high, low, close, volume, taker, quote, taker_quote

    def __len__(self) -> int:
        return len(self.count)


Row = tuple[int, int, int, int, int, int, int, int, int]
"""count, open, high, low, close, volume, taker's buy volume, quote volume, taker's buy quote volume."""

NO_ROW: Row = (0, 0, 0, 0, 0, 0, 0, 0, 0)


def empty(size: int) -> MinuteTable:
    """Rows without trades."""
    count, opened, high, low, close = (np.zeros(size, np.int64) for _ in range(5))
    return MinuteTable(count, opened, high, low, close, np.zeros((2 * AMOUNTS, size), np.int64))


def join(tables: Sequence[MinuteTable]) -> MinuteTable:
    """Tables one after the other."""
    if len(tables) == 1:
        return tables[0]
    return MinuteTable(
        np.concatenate([table.count for table in tables]),
        np.concatenate([table.open for table in tables]),
        np.concatenate([table.high for table in tables]),
        np.concatenate([table.low for table in tables]),
        np.concatenate([table.close for table in tables]),
        np.concatenate([table.sums for table in tables], axis=1),
    )


def tabulate(prints: Prints, grid: Grid) -> MinuteTable:
    """The minute rows of some prints (as many rows as `prints.counts`)."""
    counts = prints.counts
    table = empty(len(counts))
    table.count[:] = counts
    filled = np.flatnonzero(counts)
    if not len(filled):
        return table
    first = (np.cumsum(counts) - counts)[filled]
    bought = np.where(prints.is_buy, prints.quantity, 0)
    table.open[filled] = prints.price[first] * grid.tick
    table.high[filled] = np.maximum.reduceat(prints.price, first) * grid.tick
    table.low[filled] = np.minimum.reduceat(prints.price, first) * grid.tick
    table.close[filled] = prints.price[first + counts[filled] - 1] * grid.tick
    amounts = (
        np.add.reduceat(prints.quantity, first),
        np.add.reduceat(bought, first),
        _products(prints.price, prints.quantity, first),
        _products(prints.price, bought, first),
    )
    fill_sums(table, filled, amounts, grid)
    return table


def fill_sums(table: MinuteTable, rows: Integers | slice, amounts: Sequence[NDArray[np.generic]], grid: Grid) -> None:
    """Write the four amounts of some rows, given in lots (volumes) and lots x ticks (quote volumes)."""
    for number, (sums, unit) in enumerate(zip(amounts, (grid.lot, grid.lot, grid.unit, grid.unit), strict=True)):
        table.sums[2 * number, rows], table.sums[2 * number + 1, rows] = _times(sums, unit)


def _products(price: Integers, quantity: Integers, first: Integers) -> NDArray[np.generic]:
    """Sums of price x quantity; Python's integers where 64 bits could overflow."""
    largest = int(price.max()) * int(np.add.reduceat(quantity, first).max())
    if largest < _SAFE:
        return np.asarray(np.add.reduceat(price * quantity, first))
    return np.asarray(np.add.reduceat(price.astype(object) * quantity.astype(object), first))


def _times(sums: NDArray[np.generic], unit: int) -> tuple[Integers, Integers]:
    """Exact halves of sums x unit."""
    if sums.dtype == object or unit >= 1 << 30:
        exact = sums.astype(object) * unit
        return (exact >> _HALF).astype(np.int64), (exact & _LOW).astype(np.int64)
    whole = sums.astype(np.int64)
    low = (whole & _LOW) * unit
    return (whole >> _HALF) * unit + (low >> _HALF), low & _LOW


def reduce_rows(table: MinuteTable, edges: Integers) -> MinuteTable:
    """Rows joined into longer ones: new row i holds the rows from `edges[i]` up to, not including, `edges[i + 1]`."""
    result = empty(len(edges) - 1)
    kept = np.flatnonzero(table.count)
    bounds = np.searchsorted(kept, edges)
    filled = np.flatnonzero(np.diff(bounds))
    if not len(filled):
        return result
    first = bounds[filled]
    last = bounds[filled + 1] - 1
    stop = bounds[filled[-1] + 1]
    kept = kept[:stop]
    result.count[filled] = np.add.reduceat(table.count[kept], first)
    result.open[filled] = table.open[kept[first]]
    result.high[filled] = np.maximum.reduceat(table.high[kept], first)
    result.low[filled] = np.minimum.reduceat(table.low[kept], first)
    result.close[filled] = table.close[kept[last]]
    sums = np.add.reduceat(table.sums[:, kept], first, axis=1)
    for upper in range(0, 2 * AMOUNTS, 2):
        sums[upper] += sums[upper + 1] >> _HALF
        sums[upper + 1] &= _LOW
    result.sums[:, filled] = sums
    return result


def row_of(trades: Sequence[Trade]) -> Row:
    """The row that some trades make."""
    if not trades:
        return NO_ROW
    prices = [trade.price for trade in trades]
    bought = [trade for trade in trades if trade.taker == "BUY"]
    return (
        len(trades),
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(trade.quantity for trade in trades),
        sum(trade.quantity for trade in bought),
        sum(trade.quote for trade in trades),
        sum(trade.quote for trade in bought),
    )


def add_rows(one: Row, other: Row) -> Row:
    """Two rows as one, `one` being the earlier."""
    if not one[0] or not other[0]:
        return other if not one[0] else one
    count, opened, high, low, _, *amounts = one
    volume, taker, quote, taker_quote = (a + b for a, b in zip(amounts, other[5:], strict=True))
    return (
        count + other[0],
        opened,
        max(high, other[2]),
        min(low, other[3]),
        other[4],
        volume,
        taker,
        quote,
        taker_quote,
    )
