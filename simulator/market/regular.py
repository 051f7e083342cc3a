"""The minute rows of many ordinary minutes at once, without making their prints one by one.

A minute with its full number of prints is one line of a rectangle, so that what `expansion.expand` looks up for every
print is broadcast here. The rows are the same to the last digit; tests hold the two against each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.market.expansion import FEWEST_PRINTS, NUMBERS, Columns, Grid, turning_points
from simulator.market.hashing import mix_line, mix_range
from simulator.market.minutes import MinuteTable, empty, fill_sums
from simulator.market.tables import Integers

_FULL = 1 << 16
_SAFE = 1 << 62
_MOST_AT_ONCE = 1 << 15
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]


def is_regular(bars: Columns, prints: int) -> bool:
    """Whether every bar has its full number of prints and sums that fit 64 bits, as `tabulate_bars` needs."""
    if not len(bars) or not FEWEST_PRINTS <= prints <= NUMBERS or int(bars.volume.min()) < prints:
        return False
    return int(bars.high.max()) * int(bars.volume.max()) < _SAFE


def tabulate_bars(key: int, first_minute: int, bars: Columns, prints: int, grid: Grid) -> MinuteTable:
    """The minute rows that `tabulate(expand(...))` would give for consecutive regular bars."""
    table = empty(len(bars))
    table.count[:] = prints
    table.open[:] = bars.open * grid.tick
    table.high[:] = bars.high * grid.tick
    table.low[:] = bars.low * grid.tick
    table.close[:] = bars.close * grid.tick
    every = slice(None)
    size = max(_MOST_AT_ONCE // prints, 1)
    parts = [
        _amounts(key, first_minute + start, bars.slice(start, start + size), prints)
        for start in range(0, len(bars), size)
    ]
    bought, quote, bought_quote = (np.concatenate(column) for column in zip(*parts, strict=True))
    fill_sums(table, every, (bars.volume, bought, quote, bought_quote), grid)
    return table


def _amounts(key: int, first_minute: int, bars: Columns, prints: int) -> tuple[Integers, Integers, Integers]:
    """Taker's buy volume in lots, quote volume and taker's buy quote volume in lots x ticks."""
    chance = mix_line(key, (first_minute + np.arange(len(bars))) * NUMBERS, prints)
    price = _prices(key, first_minute, bars, prints, chance)
    quantity = _quantities(bars.volume, prints, chance)
    is_buy = (chance >> np.uint64(60)) & np.uint64(1) == 1
    step = price[:, 1:] - price[:, :-1]
    is_buy[:, 1:] = (step > 0) | ((step == 0) & is_buy[:, 1:])
    bought = quantity * is_buy
    return bought.sum(axis=1), np.einsum("ij,ij->i", price, quantity), np.einsum("ij,ij->i", price, bought)


def _prices(key: int, first_minute: int, bars: Columns, prints: int, chance: Words) -> Integers:
    own = mix_range(key, first_minute + np.arange(len(bars)), salt=1)
    one, two = turning_points(bars, own)
    last = prints - 1
    turn = 1 + _bits(own, 8, 20) % (last - 2)
    back = turn + 1 + _bits(own, 28, 20) % np.maximum(last - 1 - turn, 1)
    number = np.arange(prints, dtype=np.float64)
    leg = (number > turn[:, None]).astype(np.intp)
    leg += number > back[:, None]
    leg += 3 * np.arange(len(bars))[:, None]
    zero, end = np.zeros_like(turn), np.full_like(turn, last)
    begun = _legs(zero, turn, back).astype(np.float64)
    length = _legs(turn, back, end) - begun
    start = _legs(bars.open, one, two)
    rise = _legs(one, two, bars.close) - start
    step = number - begun.take(leg)
    steps = length.take(leg)
    wobble = (chance >> np.uint64(26) & np.uint64(_FULL - 1)).astype(np.float64)
    wobble -= _FULL // 2
    wobble *= 3
    wobble *= (step > 0) & (step < steps)
    step *= 2 * _FULL
    step += wobble
    step /= 2 * steps
    part = np.clip(np.floor(step), 0, _FULL).astype(np.int64)
    part *= rise.take(leg)
    part >>= 16
    part += start.take(leg)
    return part


def _legs(first: Integers, second: Integers, third: Integers) -> Integers:
    legs: Integers = np.stack((first, second, third), axis=1).reshape(-1)
    return legs


def _quantities(volume: Integers, prints: int, chance: Words) -> Integers:
    one = chance >> np.uint64(42) & np.uint64(0xFF)
    one *= chance >> np.uint64(50) & np.uint64(0xFF)
    one >>= np.uint64(6)
    weight = one.astype(np.int64)
    weight += 8
    done = np.cumsum(weight, axis=1)
    total = done[:, -1:]
    whole, rest = np.divmod((volume - prints)[:, None], total)
    part: Floats = (rest * done).astype(np.float64)
    part /= total
    reached = part.astype(np.int64)
    reached += whole * done
    reached[:, 1:] -= reached[:, :-1].copy()
    reached += 1
    return reached


def _bits(chance: Words, low: int, width: int) -> Integers:
    return ((chance >> np.uint64(low)) & np.uint64((1 << width) - 1)).astype(np.int64)
