"""The grid on trades of `benchmarks.backtest_works` in hftbacktest, in an environment of its own.

`python -m benchmarks.speed_hftbacktest FOLDER`. It has what is not measured here: a latency of 1 ms and its queue model
that assumes the worst. Its strategy is compiled; it is asked at every trade.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy

from benchmarks.outside_clock import TRADE_FEE, tell, timed

engine: Any = importlib.import_module("hftbacktest")
numba: Any = importlib.import_module("numba")
row_type: Any = importlib.import_module("hftbacktest.types").event_dtype
GTC, LIMIT, FILLED, uint64 = engine.GTC, engine.LIMIT, engine.FILLED, numba.uint64


def rows(folder: Path) -> tuple[Any, Any]:
    """Its events, and the levels of the grid."""
    kept = numpy.load(folder / "trades.npz")
    found = numpy.zeros(len(kept["times"]), row_type)
    both = engine.EXCH_EVENT | engine.LOCAL_EVENT | engine.TRADE_EVENT
    found["ev"] = numpy.where(kept["buys"], both | engine.BUY_EVENT, both | engine.SELL_EVENT).astype(numpy.uint64)
    found["exch_ts"] = kept["times"]
    found["local_ts"] = kept["times"] + 1_000_000
    found["px"] = numpy.round(kept["ticks"] * 0.1, 1)
    found["qty"] = kept["quantities"]
    return found, kept["levels"]


def begin(venue: Any, levels: Any, sides: Any, orders: Any, price: float) -> int:
    number = 0
    for level in range(len(levels) - 1):
        number += 1
        orders[level], sides[level] = number, 1
        limit = round(price * 1.0002, 1) if levels[level] >= price else levels[level]
        venue.submit_buy_order(0, number, limit, 1.0, GTC, LIMIT, False)
    return number


def turn(venue: Any, levels: Any, sides: Any, orders: Any, number: int) -> int:
    known = venue.orders(0)
    for level in range(len(levels) - 1):
        order = known.get(uint64(orders[level]))
        if order is not None and order.status == FILLED:
            number += 1
            orders[level] = number
            if sides[level] == 1:
                sides[level] = -1
                venue.submit_sell_order(0, number, levels[level + 1], 1.0, GTC, LIMIT, False)
            else:
                sides[level] = 1
                venue.submit_buy_order(0, number, levels[level], 1.0, GTC, LIMIT, False)
    venue.clear_inactive_orders(0)
    return number


compiled_begin, compiled_turn = numba.njit(begin), numba.njit(turn)


def strategy(venue: Any, levels: Any, price: float) -> None:
    sides, orders = numpy.zeros(len(levels), numpy.int64), numpy.zeros(len(levels), numpy.int64)
    number, held = 0, 0.0
    while venue.wait_next_feed(True, 10_000_000_000) != 1:
        now = venue.position(0)
        if number == 0:
            number = compiled_begin(venue, levels, sides, orders, price)
        elif now != held:
            number = compiled_turn(venue, levels, sides, orders, number)
            held = now
        venue.clear_last_trades(0)


def market(data: Any) -> Any:
    asset = (
        engine.BacktestAsset().data(data).linear_asset(1.0).constant_order_latency(1_000_000, 1_000_000)
        .risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(TRADE_FEE, TRADE_FEE)
        .tick_size(0.1).lot_size(0.001).roi_lb(25_000.0).roi_ub(36_000.0).last_trades_capacity(1000)
    )  # fmt: skip
    return engine.ROIVectorMarketDepthBacktest([asset])


def main(folder: Path) -> None:
    data, levels = rows(folder)
    job, price = numba.njit(strategy), float(data["px"][0])
    beginning = data[:1000].copy()  # it reads the rows where they are, and keeps none of them alive
    few = market(beginning)
    job(few, levels, price)  # compiles
    few.close()
    venue = market(data)
    cpu, wall, _ = timed(lambda: job(venue, levels, price))
    tell("hftbacktest 2.4.4, 1 ms late, queues", len(data), cpu, wall, int(venue.state_values(0).num_trades))
    venue.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
