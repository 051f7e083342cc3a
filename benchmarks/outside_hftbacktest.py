"""Single limit orders behind a queue in hftbacktest, run in an environment of its own.

`python outside_hftbacktest.py FILE...` reads of each file `trades` (nanoseconds, ticks, lots), `orders` (nanoseconds,
ticks, lots, and when they are cancelled, one after the other), `side`, `ahead` in lots, `tick` and `lot`. It prints as
JSON what each order has executed when its feed tells of something: the order, the nanoseconds, the lots; executions of
one moment are one. A trade meets bids and offers alike, the book has `ahead` at every price that an order names, and
nothing takes time.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy

engine: Any = importlib.import_module("hftbacktest")
numba: Any = importlib.import_module("numba")
event_dtype: Any = importlib.import_module("hftbacktest.types").event_dtype
BOTH = engine.EXCH_EVENT | engine.LOCAL_EVENT


def feed(told: Any, tick: float, lot: float) -> Any:
    """The book first, then every trade as one of either side."""
    happened, orders = told["trades"], told["orders"]
    prices = numpy.unique(orders[:, 1])
    rows = numpy.zeros(len(prices) + 2 * len(happened), event_dtype)
    book, trades = rows[: len(prices)], rows[len(prices) :]
    book["ev"] = BOTH | engine.DEPTH_EVENT | (engine.BUY_EVENT if told["side"] > 0 else engine.SELL_EVENT)
    book["px"], book["qty"] = prices * tick, int(told["ahead"]) * lot
    book["exch_ts"] = book["local_ts"] = int(orders[0, 0]) - 1_000
    for place, flag in enumerate((engine.BUY_EVENT, engine.SELL_EVENT)):
        half = trades[place::2]
        half["ev"] = BOTH | engine.TRADE_EVENT | flag
        half["exch_ts"] = half["local_ts"] = happened[:, 0]
        half["px"], half["qty"] = happened[:, 1] * tick, happened[:, 2] * lot
    return rows[numpy.argsort(rows["exch_ts"], kind="stable")]


@numba.njit  # type: ignore[untyped-decorator]
def watch(test: Any, number: int, until: int, lots: int, found: Any, count: int, lot: float) -> int:
    """Write down what an order executes until a moment; gives how many executions there are."""
    done = 0.0
    while True:
        left = until - test.current_timestamp
        if left <= 0 or test.wait_next_feed(True, left) == 1:
            return count
        one = test.orders(0).get(numba.uint64(number))
        if one is None:
            continue
        executed = lots - one.leaves_qty / lot
        if executed > done + 0.5:
            found[count, 0] = number
            found[count, 1] = one.exch_timestamp
            found[count, 2] = round(executed - done)
            count += 1
            done = executed


@numba.njit  # type: ignore[untyped-decorator]
def trade(test: Any, orders: Any, side: int, found: Any, tick: float, lot: float) -> int:
    """Send each order at its time, cancel it at the end of it."""
    count = 0
    test.elapse(1)  # before that it has no time
    for number in range(len(orders)):
        since, ticks, lots, until = orders[number]
        test.elapse(since - test.current_timestamp)
        if side > 0:
            test.submit_buy_order(0, number, ticks * tick, lots * lot, engine.GTC, engine.LIMIT, False)
        else:
            test.submit_sell_order(0, number, ticks * tick, lots * lot, engine.GTC, engine.LIMIT, False)
        count = watch(test, number, until, lots, found, count, lot)
        one = test.orders(0).get(numba.uint64(number))
        if one is not None and one.cancellable:
            test.cancel(0, number, False)
    return count


def executed(told: Any) -> list[Any]:
    """What was executed of one file's orders."""
    tick, lot = float(told["tick"]), float(told["lot"])
    rows = feed(told, tick, lot)  # it is read where it lies, so it has to be kept
    asset = (
        engine.BacktestAsset().data(rows).linear_asset(1.0).constant_order_latency(0, 0)
        .risk_adverse_queue_model().partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
        .tick_size(tick).lot_size(lot).last_trades_capacity(0)
    )  # fmt: skip
    test, found = engine.HashMapMarketDepthBacktest([asset]), numpy.zeros((100_000, 3), numpy.int64)
    count = trade(test, told["orders"], int(told["side"]), found, tick, lot)
    rows_found: list[Any] = found[:count].tolist()
    return rows_found


print(json.dumps([executed(numpy.load(Path(name))) for name in sys.argv[1:]]))
