"""Histories for trying the backtester: by hand, and by chance with a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy

from domain.order import BUY, SELL
from engine.backtest import History, Prints
from engine.backtest.depth import Book, Depth
from engine.backtest.history import prints_of
from tests.law_harness import BTCUSDT

MINUTE = 60_000
#: A Monday, 00:00 UTC.
BEGIN = 1_672_617_600_000


def bars(rows: Sequence[tuple[int, int, int, int]], bar_ms: int = MINUTE) -> History:
    """Bars of (open, high, low, close) in ticks, one after the other."""
    times = BEGIN + bar_ms * numpy.arange(len(rows), dtype=numpy.int64)
    opens, highs, lows, closes = (numpy.array([row[place] for row in rows], numpy.int64) for place in range(4))
    volumes = numpy.full(len(rows), 10**6, numpy.int64)
    return History(BTCUSDT, bar_ms, times, opens, highs, lows, closes, volumes)


def flat_then(price: int, *moves: int) -> History:
    """A bar at the price, then one bar for each price it goes to, straight."""
    rows = [(price, price, price, price)]
    for target in moves:
        rows.append((price, max(price, target), min(price, target), target))
        price = target
    return bars(rows)


def chance(seed: int, count: int, price: int = 6_000_000, swing: int = 30_000, gaps: bool = True) -> History:
    """A random walk with wicks and, if wanted, opens away from the last close."""
    dice, rows = random.Random(seed), []
    for _ in range(count):
        opened = max(price + (dice.randint(-swing, swing) if gaps and dice.random() < 0.2 else 0), 100_000)
        close = max(opened + dice.randint(-swing, swing), 100_000)
        high = max(opened, close) + dice.randint(0, swing)
        low = max(min(opened, close) - dice.randint(0, swing), 50_000)
        rows.append((opened, high, low, close))
        price = close
    return bars(rows)


def chance_trades(seed: int, count: int, price: int = 6_000_000, swing: int = 4_000) -> Prints:
    """Trades of a random walk, some of one moment, some at one price, small ones and large ones."""
    dice, time_ms, rows = random.Random(seed), BEGIN, []
    for _ in range(count):
        time_ms += dice.choice((0, 0, 1, 700, 9_000))
        price = max(price + dice.choice((0, 0, 1, -1)) * dice.randint(0, swing), 100_000)
        rows.append((time_ms, price, dice.choice((1, 100, 2_000, 90_000))))
    table = numpy.array(rows, numpy.int64)
    return prints_of(BTCUSDT, table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy())


def chance_depth(seed: int, count: int, step: int = 400) -> Prints:
    """The same with a book of prices `step` ticks apart, which follows them and is never crossed."""
    dice, trades = random.Random(seed), chance_trades(seed, count)
    ticks = trades.close // step * step
    shown: dict[tuple[int, int], int] = {}
    takers, met, times = [], [], [BEGIN - 1]
    rows = _changes(dice, shown, int(ticks[0]), step, 60)
    table = [(0, *row) for row in rows]
    for time_ms, price in zip(trades.open_ms.tolist(), ticks.tolist(), strict=True):
        if dice.random() < 0.6 and (rows := _changes(dice, shown, price, step, 5)):
            table += [(len(times), *row) for row in rows]
            times.append(time_ms)
        takers.append(dice.choice((BUY, SELL)))
        met.append(len(times) - 1)
    states, sides, prices, lots = (numpy.array([row[place] for row in table], numpy.int64) for place in range(4))
    book = Book(numpy.array(times, numpy.int64), states, sides, prices, lots)
    depth = Depth(numpy.array(takers, numpy.int64), numpy.array(met, numpy.int64), book)
    return prints_of(BTCUSDT, trades.open_ms, ticks, trades.volume, depth)


def _changes(
    dice: random.Random, shown: dict[tuple[int, int], int], price: int, step: int, far: int
) -> list[tuple[int, int, int]]:
    """The book comes to a price: what would cross it goes, around it something comes or changes."""
    middle = price + dice.choice((0, step))
    rows = [(*key, 0) for key, lots in shown.items() if lots and key[0] * (key[1] - middle) >= 0]
    for place in range(1, far + 1):
        rows += [
            (side, middle - side * place * step, dice.choice((0, 3, 700, 50_000)))
            for side in (BUY, SELL)
            if dice.random() < 0.5
        ]
    shown.update({(side, ticks): lots for side, ticks, lots in rows})
    return rows
