from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.order import ENTRY, SELL, STOP, STOP_MARKET
from engine.backtest import Result, Settings, run
from engine.backtest.futures import FundingRate, Futures
from engine.backtest.kernel.layout import FILL_FIELDS
from engine.backtest.queueing import Queue
from tests.histories import BEGIN
from tests.placing import PLACING, Step, Told
from tests.unit.engine.backtest.test_queue_by_hand import fills, trades

#: One bitcoin.
ONE = 100_000
BID = Step(BEGIN, 0, ticks=9_900, lots=ONE)
#: It is executed, at 9,900.
BOUGHT = (10, 9_890, ONE)
MODELS = ({"fill_model": "touch"}, {"fill_model": "queue", "queue": Queue()})


def replay(
    rows: list[tuple[int, int, int]], assumed: dict[str, Any], *steps: Step, leverage: int = 10,
    rates: tuple[FundingRate, ...] = (),
) -> Result:  # fmt: skip
    futures = Futures(leverage=leverage, funding_percent=Decimal(0), funding_rates=rates)
    settings = Settings(
        quote=Decimal(1_000), maker_fee=Decimal(0), taker_fee=Decimal(0), futures=futures, runtime="interpreted",
        **assumed,
    )  # fmt: skip
    return run(PLACING, Told(steps=(BID, *steps)), trades(*rows), settings)


@pytest.mark.parametrize("assumed", MODELS)
def test_a_funding_between_two_trades_is_paid_at_the_price_of_the_first(assumed: dict[str, Any]) -> None:
    rates = (FundingRate(BEGIN + 20, Decimal("0.01")),)
    result = replay([BOUGHT, (30, 10_500, ONE)], assumed, rates=rates)
    assert result.amount(result.figures.funding) == -Decimal("0.989")
    assert result.fundings[:, FILL_FIELDS.index("time_ms")].tolist() == [BEGIN + 20]


@pytest.mark.parametrize("assumed", MODELS)
def test_a_funding_that_takes_the_margin_liquidates_at_its_moment(assumed: dict[str, Any]) -> None:
    # 9.89 of the 9.90 that back it are paid, and at 98.90 it has lost ten cents.
    rates = (FundingRate(BEGIN + 20, Decimal("0.1")),)
    result = replay([BOUGHT, (30, 10_500, ONE)], assumed, rates=rates)
    assert result.figures.liquidated_ms == BEGIN + 20
    assert fills(result, "ticks")[-1] == (20, 9_899)
    assert result.equity == 1_000 - Decimal("9.90")


@pytest.mark.parametrize("assumed", MODELS)
def test_every_timer_between_two_trades_rings_before_the_second(assumed: dict[str, Any]) -> None:
    # The stop is sent by the second of two timers, at 98.90 still: it is there when the price leaps through it.
    bid = Step(BEGIN + 12, 1, ticks=9_000, lots=ONE, leg=ENTRY)
    stop = Step(BEGIN + 14, 2, SELL, 9_800, ONE, STOP_MARKET, STOP)
    result = replay([BOUGHT, (30, 9_790, ONE), (40, 9_950, ONE)], assumed, bid, stop)
    assert result.figures.refusals == 0
    assert fills(result, "ticks")[-1] == (30, 9_790)


@pytest.mark.parametrize("assumed", MODELS)
def test_a_leap_meets_a_limit_order_before_margins_are_looked_at(assumed: dict[str, Any]) -> None:
    # Alone it is liquidated from 89.45 down; with as much bought at 90.01, from 85.39 down.
    second = Step(BEGIN, 1, ticks=9_001, lots=ONE)
    alone = replay([BOUGHT, (20, 8_940, ONE)], assumed)
    assert fills(alone, "ticks")[-1] == (20, 8_940)
    both = replay([BOUGHT, (20, 8_940, ONE)], assumed, second)
    assert fills(both, "ticks") == [(10, 9_900), (20, 9_001)]
    assert (both.figures.liquidated_ms, both.figures.liquidation_ticks) == (0, 8_539)
    assert both.amount(both.figures.margin) == Decimal("18.901")
    # Beyond that both are closed, where nothing is left: 85.0545, rounded up to a whole tick.
    lost = replay([BOUGHT, (20, 8_500, ONE)], assumed, second)
    assert fills(lost, "ticks", "lots") == [(10, 9_900, ONE), (20, 9_001, ONE), (20, 8_506, 2 * ONE)]
    assert lost.equity == 1_000 - Decimal("18.901")


@pytest.mark.parametrize("assumed", MODELS)
def test_what_one_trade_opens_and_leaves_short_of_margin_it_liquidates(assumed: dict[str, Any]) -> None:
    # 1.32 back it, and from 98.07 down that is too little.
    result = replay([(10, 9_800, ONE), (20, 10_500, ONE)], assumed, leverage=75)
    assert fills(result, "ticks") == [(10, 9_900), (10, 9_800)]
    assert result.figures.liquidated_ms == BEGIN + 10
