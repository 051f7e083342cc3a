"""The works of `benchmarks.backtest_works` in backtesting.py, vectorbt and raptorbt, in an environment of their own.

`python -m benchmarks.speed_signals ENGINE WORK FOLDER`. Sweeps are a part of the thousand sets, as many as an engine
takes at a time at its best; backtesting.py does them one by one, so its single run tells.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy

from benchmarks.outside_clock import FEE, MONEY, tell, timed

warnings.filterwarnings("ignore")
ENGINE, WORK, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
DATA = numpy.load(FOLDER / "market.npz")
TIMES, LEVELS = DATA["times"], DATA["levels"]
OPEN, HIGH, LOW, CLOSE = (numpy.ascontiguousarray(column) for column in DATA["bars"].T)


def backtesting() -> None:
    engine: Any = importlib.import_module("backtesting")
    pandas: Any = importlib.import_module("pandas")
    importlib.import_module("backtesting.backtesting")._tqdm = lambda rows, **_: rows  # type: ignore[attr-defined]
    columns = {"Open": OPEN, "High": HIGH, "Low": LOW, "Close": CLOSE}
    frame = pandas.DataFrame(columns, index=pandas.to_datetime(TIMES, unit="ms"))
    strategy = _cross(engine, pandas) if WORK == "averages" else _grid(engine)
    test = engine.Backtest(frame, strategy, cash=MONEY, commission=FEE)
    cpu, wall, found = timed(test.run)
    tell("backtesting.py 0.6.6", len(CLOSE), cpu, wall, 2 * int(found["# Trades"]), float(found["Equity Final [$]"]))


def _cross(engine: Any, pandas: Any) -> Any:
    lib: Any = importlib.import_module("backtesting.lib")

    def mean(prices: Any, count: int) -> Any:
        return pandas.Series(prices).rolling(count).mean()

    class Cross(engine.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.fast = self.I(mean, self.data.Close, 10)
            self.slow = self.I(mean, self.data.Close, 30)

        def next(self) -> None:
            if lib.crossover(self.fast, self.slow):
                if not self.position:
                    self.buy(size=1)
            elif lib.crossover(self.slow, self.fast):
                self.position.close()

    return Cross


def _grid(engine: Any) -> Any:
    class Grid(engine.Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.has_begun = False

        def next(self) -> None:
            if self.has_begun and len(self.orders) >= len(LEVELS) - 1:
                return
            busy = {trade.tag for trade in self.trades} | {order.tag for order in self.orders}
            for place, level in enumerate(LEVELS[:-1]):
                if place not in busy:
                    at_market = not self.has_begun and level >= self.data.Close[-1]
                    self.buy(size=1, limit=None if at_market else level, tp=LEVELS[place + 1], tag=place)
            self.has_begun = True

    return Grid


def raptorbt() -> None:
    engine: Any = importlib.import_module("raptorbt")
    nanoseconds, volume = TIMES * 1_000_000, numpy.ones(len(CLOSE))
    settings = engine.BacktestConfig(initial_capital=float(MONEY), fees=FEE)

    def signals(fast: int, slow: int) -> tuple[Any, Any]:
        quick, steady = engine.sma(CLOSE, fast), engine.sma(CLOSE, slow)
        above, below = quick > steady, quick < steady
        enter, leave = numpy.zeros(len(CLOSE), bool), numpy.zeros(len(CLOSE), bool)
        enter[slow + 1 :] = (above[1:] & ~above[:-1])[slow - 1 : -1]
        leave[slow + 1 :] = (below[1:] & ~below[:-1])[slow - 1 : -1]
        return enter, leave

    def one() -> Any:
        return engine.run_single_backtest(
            nanoseconds, OPEN, HIGH, LOW, CLOSE, volume, *signals(10, 30), 1, 1.0, "BTC", config=settings
        )

    def many() -> Any:
        items = [
            engine.BatchSingleItem(f"{fast} {slow}", *signals(fast, slow))
            for fast in (5, 25)
            for slow in range(50, 300, 10)
        ]
        return engine.batch_single_backtest(nanoseconds, OPEN, HIGH, LOW, CLOSE, volume, items, settings)

    if WORK == "averages":
        one()
        cpu, wall, found = timed(one, 5)
        tell("raptorbt 0.13.4 (all in at each entry)", len(CLOSE), cpu, wall, 2 * found.metrics.total_trades)
    else:
        cpu, wall, _ = timed(many)
        tell("raptorbt 0.13.4, 50 sets", 50, cpu, wall)


def vectorbt(runtime: str) -> None:
    engine: Any = importlib.import_module("vectorbt")
    pandas: Any = importlib.import_module("pandas")
    index = pandas.to_datetime(TIMES, unit="ms")
    close, opened = pandas.Series(CLOSE, index=index), pandas.Series(OPEN, index=index)
    with_engine = {"engine": runtime}

    def averages(fast: list[int], slow: list[int]) -> tuple[int, float]:
        quick = engine.MA.run(close, fast, short_name="f", **with_engine)
        steady = engine.MA.run(close, slow, short_name="s", **with_engine)
        enter = quick.ma_crossed_above(steady).shift(1, fill_value=False)
        leave = quick.ma_crossed_below(steady).shift(1, fill_value=False)
        found = engine.Portfolio.from_signals(
            close, enter.values, leave.values, price=opened, size=1.0, fees=FEE, init_cash=MONEY, freq="1min",
            **with_engine,
        )  # fmt: skip
        found.max_drawdown()
        return int(numpy.sum(found.orders.count())), float(numpy.sum(found.final_value()))

    def sweep() -> Any:
        return [averages([5] * 5, list(range(slow, slow + 25, 5))) for slow in range(50, 300, 25)]

    def grids(ladders: Any) -> tuple[int, float]:
        return _grids_in_vectorbt(engine, pandas, close, ladders)

    version = f"vectorbt 1.2.0, {runtime}"
    if WORK == "averages":
        averages([10], [30])
        cpu, wall, (fills, equity) = timed(lambda: averages([10], [30]), 5)
        tell(version, len(CLOSE), cpu, wall, fills, equity)
    elif WORK == "averages_sweep":
        averages([5] * 5, [50, 55, 60, 65, 70])
        cpu, wall, _ = timed(sweep)
        tell(version + ", 50 sets, 5 at a time", 50, cpu, wall)
    elif WORK == "grid":
        grids(LEVELS[None, :])
        cpu, wall, (fills, equity) = timed(lambda: grids(LEVELS[None, :]), 3)
        tell(version, len(CLOSE), cpu, wall, fills, equity)
    else:
        ladders = numpy.load(FOLDER / "ladders.npy")[::50]
        grids(ladders[:2])
        cpu, wall, _ = timed(lambda: grids(ladders))
        tell(version + ", 20 sets at a time", 20, cpu, wall)


def _grids_in_vectorbt(engine: Any, pandas: Any, close: Any, ladders: Any) -> tuple[int, float]:
    count, levels = len(ladders), ladders.shape[1] - 1
    state, place = numpy.zeros((levels, count), numpy.int8), numpy.zeros(count, numpy.int64)
    wide = pandas.DataFrame(numpy.broadcast_to(CLOSE[:, None], (len(CLOSE), count)), index=close.index)
    found = engine.Portfolio.from_order_func(
        close if count == 1 else wide, _grid_order(), LOW, HIGH, numpy.ascontiguousarray(ladders.T), state, place,
        flexible=True, init_cash=MONEY, max_orders=400_000 * count, freq="1min",
    )  # fmt: skip
    found.max_drawdown()
    return int(numpy.sum(found.orders.count())), float(numpy.sum(found.final_value()))


def _at_level(is_first: bool, close: float, low: float, high: float, bid: float, ask: float, holds: int) -> Any:
    """What a level does in a bar: the quantity, below zero for a sale, and the price."""
    if is_first:
        return (1.0, close) if bid >= close else (0.0, 0.0)
    if holds == 0:
        return (1.0, bid) if low <= bid else (0.0, 0.0)
    return (-1.0, ask) if high >= ask else (0.0, 0.0)


@cache
def _grid_order() -> Any:
    """The order function, compiled once: a level's purchase or sale where a bar touches it."""
    numba: Any = importlib.import_module("numba")
    make = importlib.import_module("vectorbt.portfolio.nb").order_nb
    none = importlib.import_module("vectorbt.portfolio.enums").NoOrder
    at_level = numba.njit(_at_level)

    def order(c: Any, lows: Any, highs: Any, ladder: Any, state: Any, place: Any) -> Any:
        for column in range(c.from_col, c.to_col):
            if c.call_idx == 0:
                place[column] = 0
            while place[column] < state.shape[0]:
                level = place[column]
                place[column] += 1
                size, price = at_level(
                    c.i == 0, c.close[c.i, column], lows[c.i], highs[c.i], ladder[level, column],
                    ladder[level + 1, column], 0 if c.i == 0 else state[level, column],
                )  # fmt: skip
                if c.i == 0 or size != 0:
                    state[level, column] = 1 if size > 0 else 0
                if size != 0:
                    return column, make(size=size, price=price, fees=0.001)
        return -1, none

    return numba.njit(order)


if __name__ == "__main__":
    if ENGINE == "vectorbt":
        vectorbt("numba")
    elif ENGINE == "vectorbt_rust":
        vectorbt("rust")
    else:
        {"backtesting": backtesting, "raptorbt": raptorbt}[ENGINE]()
