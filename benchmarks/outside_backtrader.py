"""The two works of `benchmarks.compare_backtest` in backtrader, run in an environment of its own.

`python outside_backtrader.py WORK FOLDER` reads `bars.npz` there (columns of prices; the grid's levels) and
prints every execution as JSON: the bar, the side, the price.
A level's next order is placed when the one before it is done.
"""

from __future__ import annotations

import datetime
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
engine: Any = importlib.import_module("backtrader")


class Feed(engine.feed.DataBase):  # type: ignore[misc]
    def start(self) -> None:
        super().start()
        self.place = 0

    def _load(self) -> bool:
        if self.place >= len(BARS):
            return False
        moment = datetime.datetime(2024, 1, 1) + datetime.timedelta(minutes=self.place)  # noqa: DTZ001
        self.lines.datetime[0] = engine.date2num(moment)
        for name, value in zip(("open", "high", "low", "close"), BARS[self.place].tolist(), strict=True):
            getattr(self.lines, name)[0] = value
        self.lines.volume[0], self.lines.openinterest[0] = 1.0, 0.0
        self.place += 1
        return True


class Base(engine.Strategy):  # type: ignore[misc]
    def __init__(self) -> None:
        self.found: list[Execution] = []

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            self.found.append((len(self.data) - 1, 1 if order.isbuy() else -1, float(order.executed.price)))
            self.go_on(order)

    def go_on(self, order: Any) -> None:
        """What follows an execution."""


class Cross(Base):
    def __init__(self) -> None:
        super().__init__()
        self.cross = engine.ind.CrossOver(engine.ind.SMA(period=10), engine.ind.SMA(period=30))

    def next(self) -> None:
        if self.cross > 0 and not self.position:
            self.buy(size=1)
        elif self.cross < 0 and self.position:
            self.close()


class Grid(Base):
    def __init__(self) -> None:
        super().__init__()
        self.level_of: dict[int, int] = {}

    def go_on(self, order: Any) -> None:
        level = self.level_of.pop(order.ref)
        send, price = (self.sell, LEVELS[level + 1]) if order.isbuy() else (self.buy, LEVELS[level])
        self.level_of[send(size=1, exectype=engine.Order.Limit, price=price).ref] = level

    def next(self) -> None:
        if len(self.data) > 1:
            return
        for place, level in enumerate(LEVELS[:-1]):
            how = {} if level >= self.data.close[0] else {"exectype": engine.Order.Limit, "price": level}
            self.level_of[self.buy(size=1, **how).ref] = place


def main() -> list[Execution]:
    """Every execution."""
    brain = engine.Cerebro(stdstats=False)
    brain.adddata(Feed(timeframe=engine.TimeFrame.Minutes))
    brain.addstrategy(Grid if WORK == "grid" else Cross)
    brain.broker.setcash(MONEY)
    brain.broker.setcommission(commission=FEE)
    found: list[Execution] = brain.run()[0].found
    return [execution for execution in found if execution[0] < len(BARS) - 1]


if __name__ == "__main__":
    print(json.dumps(main()))
