"""Backtests of the registered strategies through the public API, beside kernels written by hand for the same work.

`python -m benchmarks.bench_backtest [rounds]`. W1: moving averages of 10 and 30 over a made-up year of minutes. W2: a
grid of 20 levels over it. CPU time is the steadier figure on a shared machine; rounds are interleaved and medians
shown. The kernels by hand keep fees, money, equity and its deepest fall, and nothing else: no rules, no
ledger, no record.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy

import strategies
from core.base_strategy import STRATEGIES, StrategyKind
from domain.instrument import Instrument
from domain.risk_manager import RiskLimits
from engine.backtest import History, Result, Settings, run

BARS, FEE = 525_600, 0.001
BITCOIN = Instrument(
    "BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(1_000_000), Decimal(1_000),
    min_quantity=Decimal("0.00001"), max_quantity=Decimal(100), min_notional=Decimal(5),
)  # fmt: skip
LEVELS = [round(30_000 * 1.004 ** (place - 10), 2) for place in range(21)]
SETTINGS = Settings(
    quote=Decimal(10_000_000), fee_asset="quote", bar_model="next_bar", limits=RiskLimits(max_messages=50)
)


def year() -> History:
    """A year of minutes that returns to 30,000 within a day or so, with jumps; the same every time."""
    dice = numpy.random.Generator(numpy.random.PCG64(20260101))
    swing, pull = 0.60 / math.sqrt(BARS), math.log(2) / 1440
    steps = dice.standard_normal((BARS, 8)) * (swing / math.sqrt(8))
    steps[:, 0] += (dice.random(BARS) < 2e-4) * dice.normal(0, 0.01, BARS)
    sums, start, x = numpy.cumsum(steps, axis=1), numpy.empty(BARS), 0.0
    for place, last in enumerate(sums[:, -1].tolist()):
        x -= pull * x
        start[place] = x
        x += last
    path = numpy.round(30_000 * numpy.exp(start[:, None] + sums), 2)
    close = path[:, -1]
    opened = numpy.append(30_000.0, close[:-1])
    high, low = numpy.maximum(opened, path.max(axis=1)), numpy.minimum(opened, path.min(axis=1))
    ticks = [numpy.round(column * 100).astype(numpy.int64) for column in (opened, high, low, close)]
    times = 1_672_531_200_000 + 60_000 * numpy.arange(BARS, dtype=numpy.int64)
    return History(BITCOIN, 60_000, times, ticks[0], ticks[1], ticks[2], ticks[3], numpy.full(BARS, 10**5, numpy.int64))


def cross_by_hand(opens: Any, closes: Any, sums: Any) -> tuple[int, float, float]:
    money, held, wanted, highest, fall, fills, before = 1e7, 0.0, 0, 1e7, 0.0, 0, 0
    for place in range(len(closes)):
        if wanted != 0:
            money -= wanted * opens[place] + opens[place] * FEE
            held += wanted
            fills += 1
            wanted = 0
        worth = money + held * closes[place]
        highest = max(highest, worth)
        fall = max(fall, highest - worth)
        if place + 1 >= 30:
            fast = (sums[place + 1] - sums[place - 9]) / 10
            slow = (sums[place + 1] - sums[place - 29]) / 30
            sign = 1 if fast > slow else (-1 if fast < slow else 0)
            if before < 0 and sign > 0 and held == 0:
                wanted = 1
            elif before > 0 and sign < 0 and held > 0:
                wanted = -1
            before = sign if sign != 0 else before
    return fills, money + held * closes[-1], fall


def grid_by_hand(highs: Any, lows: Any, closes: Any, levels: Any) -> tuple[int, float, float]:
    count = len(levels) - 1
    sells = numpy.zeros(count, numpy.int8)
    money, held, fills, buy, sell = 1e7, 0.0, 0, -numpy.inf, numpy.inf
    for level in range(count):
        if levels[level] >= closes[0]:
            sells[level] = 1
            held, fills = held + 1, fills + 1
            money -= closes[0] * (1 + FEE)
            sell = min(sell, levels[level + 1])
        else:
            buy = max(buy, levels[level])
    highest, fall = money + held * closes[0], 0.0
    for place in range(1, len(closes)):
        low, high = lows[place], highs[place]
        if low <= buy or high >= sell:
            buy, sell = -numpy.inf, numpy.inf
            for level in range(count):
                if sells[level] == 0 and low <= levels[level]:
                    money, held, fills = money - levels[level] * (1 + FEE), held + 1, fills + 1
                    sells[level] = 1
                elif sells[level] == 1 and high >= levels[level + 1]:
                    money, held, fills = money + levels[level + 1] * (1 - FEE), held - 1, fills + 1
                    sells[level] = 0
                if sells[level] == 0:
                    buy = max(buy, levels[level])
                else:
                    sell = min(sell, levels[level + 1])
        worth = money + held * closes[place]
        highest = max(highest, worth)
        fall = max(fall, highest - worth)
    return fills, money + held * closes[-1], fall


def measure(work: dict[str, Callable[[], Any]], rounds: int) -> dict[str, tuple[float, float]]:
    """Medians of CPU and wall seconds, every piece of work once a round."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, job in work.items():
            cpu, wall = time.process_time(), time.perf_counter()
            job()
            taken[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {
        name: (statistics.median(cpu for cpu, _ in found), statistics.median(wall for _, wall in found))
        for name, found in taken.items()
    }


def main(rounds: int) -> None:
    import numba

    STRATEGIES.scan(strategies)
    history = year()
    opens, highs, lows, closes = (column / 100 for column in history.columns[1:5])
    cross, grid = numba.njit(cross_by_hand), numba.njit(grid_by_hand)
    ma_cross, ladder = STRATEGIES.get("ma_cross"), STRATEGIES.get("grid")
    averages = _params(ma_cross)(fast=10, slow=30, size=Decimal(1))
    range_ = _params(ladder)(
        lower_price=Decimal(str(LEVELS[0])), upper_price=Decimal(str(LEVELS[-1])), quantity_per_level=Decimal(1)
    )
    work: dict[str, Callable[[], Any]] = {
        "W1 by hand": lambda: cross(opens, closes, numpy.append(0.0, numpy.cumsum(closes))),
        "W1 ma_cross": lambda: run(ma_cross, averages, history, SETTINGS),
        "W2 by hand": lambda: grid(highs, lows, closes, numpy.array(LEVELS)),
        "W2 grid": lambda: run(ladder, range_, history, SETTINGS),
    }
    results = {name: job() for name, job in work.items()}  # compiles
    taken = measure(work, rounds)
    print("| work | CPU ms | bars/s of CPU | fills | equity |\n|---|---|---|---|---|")
    for name, (cpu, _) in taken.items():
        found = results[name]
        fills, equity = (found.figures.fills, float(found.equity)) if isinstance(found, Result) else found[:2]
        print(f"| {name} | {cpu * 1e3:.2f} | {BARS / cpu / 1e6:,.1f} M | {fills:,} | {equity:,.2f} |")
    for name, ours, hand in (("W1", "W1 ma_cross", "W1 by hand"), ("W2", "W2 grid", "W2 by hand")):
        print(f"\n{name}: {taken[hand][0] / taken[ours][0]:.3f} of the speed of the kernel by hand")
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "benchmarks.bench_backtest", "first"], check=True)
    print(f"\nfrom nothing to the first result, kernels kept: {time.perf_counter() - begun:.2f} s")


def _params(kind: StrategyKind) -> Any:
    return kind.params


def first() -> None:
    """The least work of a new process."""
    STRATEGIES.scan(strategies)
    row = numpy.full(100, 3_000_000, numpy.int64)
    times = 60_000 * numpy.arange(100, dtype=numpy.int64)
    history = History(BITCOIN, 60_000, times, row, row, row, row, row)
    kind = STRATEGIES.get("ma_cross")
    run(kind, _params(kind)(fast=10, slow=30, size=Decimal(1)), history, SETTINGS)


if __name__ == "__main__":
    if sys.argv[1:] == ["first"]:
        first()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
