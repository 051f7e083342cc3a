"""The two works of `benchmarks.compare_backtest` in backtesting.py, run in an environment of its own.

`python outside_backtesting.py WORK FOLDER` reads `bars.npz` there (columns of prices; the grid's levels) and
prints every execution as JSON: the bar, the side, the price.
A level is a limit order with a take-profit one level above.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy

Execution = tuple[int, int, float]
MONEY, FEE = 10_000_000, 0.001
WORK = sys.argv[1]
DATA = numpy.load(Path(sys.argv[2]) / "bars.npz")
BARS, LEVELS = DATA["bars"], DATA["levels"].tolist()
engine: Any = importlib.import_module("backtesting")
lib: Any = importlib.import_module("backtesting.lib")
pandas: Any = importlib.import_module("pandas")


def mean(prices: Any, count: int) -> Any:
    return pandas.Series(prices).rolling(count).mean()


class Cross(engine.Strategy):  # type: ignore[misc]
    def init(self) -> None:
        self.fast = self.I(mean, self.data.Close, 10)
        self.slow = self.I(mean, self.data.Close, 30)

    def next(self) -> None:
        if lib.crossover(self.fast, self.slow) and not self.position:
            self.buy(size=1)
        elif lib.crossover(self.slow, self.fast):
            self.position.close()


class Grid(engine.Strategy):  # type: ignore[misc]
    def init(self) -> None:
        self.has_begun = False

    def next(self) -> None:
        busy = {trade.tag for trade in self.trades} | {order.tag for order in self.orders}
        for place, level in enumerate(LEVELS[:-1]):
            if place not in busy:
                at_market = not self.has_begun and level >= self.data.Close[-1]
                self.buy(size=1, limit=None if at_market else level, tp=LEVELS[place + 1], tag=place)
        self.has_begun = True


def main() -> list[Execution]:
    """Every execution."""
    # A grid acts from the second bar on there: one more before the first makes that the first.
    more = 1 if WORK == "grid" else 0
    rows = numpy.vstack([BARS[:more], BARS])
    index = pandas.date_range("2024-01-01", periods=len(rows), freq="min")
    frame = pandas.DataFrame(rows, columns=["Open", "High", "Low", "Close"], index=index)
    # What is held at the end is closed for the record; the last bar is not compared.
    test = engine.Backtest(frame, Grid if WORK == "grid" else Cross, cash=MONEY, commission=FEE, finalize_trades=True)
    found = []
    for _, trade in test.run()["_trades"].iterrows():
        found.append((int(trade.EntryBar) - more, 1, float(trade.EntryPrice)))
        found.append((int(trade.ExitBar) - more, -1, float(trade.ExitPrice)))
    return [execution for execution in found if execution[0] < len(BARS) - 1]


if __name__ == "__main__":
    print(json.dumps(main()))
