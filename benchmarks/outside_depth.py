"""Orders in recorded depth in hftbacktest, run in an environment of its own.

`python outside_depth.py FILE...` reads of each file `events` (nanoseconds, 1 for a trade or 0 for a change of the book,
side, ticks, lots), `actions` (nanoseconds, number of the order, side, ticks, lots; 0 lots cancel it), `tick`, `lot`,
`late` (nanoseconds until the venue acts) and `model` (0: whoever cancels is behind an order; 1: the share that is
behind, of all, cancels). It prints as JSON what each order has executed at which moment: the order, the nanoseconds,
the lots, and at which tick the last of them were executed. It hears of everything when it happens.
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
SHARED = 1


def feed(told: Any, tick: float, lot: float) -> Any:
    """Its events, one for each change of a price and for each trade."""
    events = told["events"]
    rows = numpy.zeros(len(events), event_dtype)
    kind = numpy.where(events[:, 1] == 1, engine.TRADE_EVENT, engine.DEPTH_EVENT)
    side = numpy.where(events[:, 2] > 0, engine.BUY_EVENT, engine.SELL_EVENT)
    rows["ev"] = (BOTH | kind | side).astype(numpy.uint64)
    rows["exch_ts"] = rows["local_ts"] = events[:, 0]
    rows["px"], rows["qty"] = events[:, 3] * tick, events[:, 4] * lot
    return rows


@numba.njit  # type: ignore[untyped-decorator]
def watch(test: Any, until: int, live: Any, found: Any, count: int, lot: float) -> int:
    """Write down what the live orders execute until a moment; gives how many executions there are.

    `live` has of each its number and its lots that are left; -1 is none.
    """
    while True:
        left = until - test.current_timestamp
        if left <= 0 or test.wait_next_feed(True, left) == 1:
            return count
        for place in range(len(live)):
            if live[place, 0] < 0:
                continue
            one = test.orders(0).get(numba.uint64(live[place, 0]))
            if one is None:
                continue
            remains = round(one.leaves_qty / lot)
            if remains < live[place, 1]:
                found[count, 0] = live[place, 0]
                found[count, 1] = one.exch_timestamp
                found[count, 2] = live[place, 1] - remains
                found[count, 3] = one.exec_price_tick
                count += 1
                live[place, 1] = remains


@numba.njit  # type: ignore[untyped-decorator]
def trade(test: Any, actions: Any, found: Any, end: int, tick: float, lot: float) -> int:
    """Send and cancel orders at their times."""
    count, live = 0, numpy.full((256, 2), -1, numpy.int64)
    test.elapse(1)  # before that it has no time
    for at, number, side, ticks, lots in actions:
        count = watch(test, at, live, found, count, lot)
        if lots == 0:
            one = test.orders(0).get(numba.uint64(number))
            if one is not None and one.cancellable:
                test.cancel(0, number, False)
            continue
        for place in range(len(live)):
            one = None if live[place, 0] < 0 else test.orders(0).get(numba.uint64(live[place, 0]))
            if one is None or one.status in (engine.FILLED, engine.CANCELED, engine.EXPIRED):
                live[place, 0], live[place, 1] = number, lots
                break
        if side > 0:
            test.submit_buy_order(0, number, ticks * tick, lots * lot, engine.GTC, engine.LIMIT, False)
        else:
            test.submit_sell_order(0, number, ticks * tick, lots * lot, engine.GTC, engine.LIMIT, False)
    return int(watch(test, end, live, found, count, lot))


def executed(told: Any) -> list[Any]:
    """What was executed of one file's orders."""
    tick, lot = float(told["tick"]), float(told["lot"])
    rows = feed(told, tick, lot)  # it is read where it lies, so it has to be kept
    asset = (
        engine.BacktestAsset().data(rows).linear_asset(1.0).constant_order_latency(int(told["late"]), 0)
        .partial_fill_exchange().trading_value_fee_model(0.0, 0.0).tick_size(tick).lot_size(lot).last_trades_capacity(0)
    )  # fmt: skip
    asset = asset.power_prob_queue_model(1.0) if int(told["model"]) == SHARED else asset.risk_adverse_queue_model()
    test, found = engine.HashMapMarketDepthBacktest([asset]), numpy.zeros((200_000, 4), numpy.int64)
    count = trade(test, told["actions"], found, int(rows["exch_ts"][-1]), tick, lot)
    rows_found: list[Any] = found[:count].tolist()
    test.close()
    return rows_found


if __name__ == "__main__":
    print(json.dumps([executed(numpy.load(Path(name))) for name in sys.argv[1:]]))
