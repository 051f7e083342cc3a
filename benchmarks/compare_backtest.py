"""The same averages and the same grid over the same bars, here and in two engines of others, execution by execution.

`python -m benchmarks.compare_backtest FOLDER` makes an environment with the engines in FOLDER, if it is not there, and
ends with 1 if one execution differs. The convention: orders made at a close act from the next bar on; what takes is
executed at its open; a limit order is executed whole at its limit when the bar touches it; a level that has bought
offers from the next bar on. The bars open where the last one closed, and none spans two levels: there, what happens
within a bar is a matter of opinion. The last bar, where one of them closes what is open, is not compared.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy

import strategies
from benchmarks.backtest_works import BITCOIN, LEVELS, SETTINGS
from benchmarks.outside import environment
from core.base_strategy import STRATEGIES
from engine.backtest import History, Result, run
from engine.backtest.kernel.layout import FILL_FIELDS

PACKAGES = ("backtesting==0.6.6", "backtrader==1.9.78.123")
BARS, SEED = 20_000, 20260103
#: The bar, the side, the price in ticks.
Execution = tuple[int, int, int]


def history() -> History:
    """Minutes that swing about 30,000 without a gap or a jump."""
    dice, price, rows = random.Random(SEED), 3_000_000, []
    for _ in range(BARS):
        opened = price
        points = [opened]
        for _ in range(4):
            price += round(dice.gauss((3_000_000 - price) / 3_000, 900))
            points.append(price)
        rows.append((opened, max(points), min(points), price))
    opens, highs, lows, closes = numpy.array(rows, numpy.int64).T.copy()
    times = 1_704_067_200_000 + 60_000 * numpy.arange(BARS, dtype=numpy.int64)
    return History(BITCOIN, 60_000, times, opens, highs, lows, closes, numpy.full(BARS, 10**5, numpy.int64))


def ours(work: str, bars: History) -> Result:
    """The registered strategy through the public API."""
    kind = STRATEGIES.get("grid" if work == "grid" else "ma_cross")
    build: Any = kind.params
    if work == "grid":
        ends = {"lower_price": Decimal(str(LEVELS[0])), "upper_price": Decimal(str(LEVELS[-1]))}
        return run(kind, build(**ends, quantity_per_level=Decimal(1)), bars, SETTINGS)
    return run(kind, build(fast=10, slow=30, size=Decimal(1)), bars, SETTINGS)


def executions(result: Result, lots: int) -> list[Execution]:
    """Of one unit each: the purchase at the start of a grid is one order here and many elsewhere."""
    field = {name: place for place, name in enumerate(FILL_FIELDS)}
    found = []
    for row in result.fills.tolist():
        bar = int(numpy.searchsorted(result.history.open_ms, row[field["time_ms"]], "right")) - 1
        found += [(bar, row[field["side"]], row[field["ticks"]])] * (row[field["lots"]] // lots)
    return sorted(execution for execution in found if execution[0] < BARS - 1)


def theirs(python: Path, engine: str, work: str, folder: Path) -> list[Execution]:
    """What another engine executed."""
    script = Path(__file__).with_name(f"outside_{engine}.py")
    told = subprocess.run([python, script, work, folder], check=True, capture_output=True, text=True).stdout
    rows = json.loads(told.splitlines()[-1])
    return sorted((bar, side, round(price * 100)) for bar, side, price in rows)


def main(folder: Path) -> int:
    """Compare; gives how many of the comparisons differ."""
    STRATEGIES.scan(strategies)
    python = environment(folder / "engines", *PACKAGES)
    bars, differing = history(), 0
    prices = numpy.stack([bars.open, bars.high, bars.low, bars.close], axis=1) / 100
    grid = STRATEGIES.get("grid")
    build: Any = grid.params
    plan: Any = grid.prepare(
        build(lower_price=Decimal(str(LEVELS[0])), upper_price=Decimal(str(LEVELS[-1])), quantity_per_level=Decimal(1)),
        BITCOIN,
        int(bars.close[0]),
    ).params
    numpy.savez(folder / "bars.npz", bars=prices, levels=numpy.array(plan.prices) / 100)
    for work in ("averages", "grid"):
        result = ours(work, bars)
        mine = executions(result, 10**5)
        for engine in ("backtesting", "backtrader"):
            others = theirs(python, engine, work, folder)
            only_ours, only_theirs = sorted(set(mine) - set(others)), sorted(set(others) - set(mine))
            is_same = mine == others
            differing += not is_same
            print(f"{work} {engine}: {len(mine)} here, {len(others)} there: {'the same' if is_same else 'DIFFERENT'}")
            for name, rows in (("only here", only_ours), ("only there", only_theirs)):
                if rows:
                    print(f"  {name}: {rows[:5]}")
    return differing


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
