from __future__ import annotations

import os
from pathlib import Path

import pytest

from simulator.futures.funding import INTERVAL_MS, FundingSchedule, parse_schedule, read_schedule
from simulator.futures.types import AccountUpdate
from simulator.units import trim_quanta
from tests.simulator.futures.floor import HOUR_MS, START_MS, SYMBOL, Floor

FIRST = START_MS + 7 * HOUR_MS


def test_longs_pay_shorts_at_the_mark_price_every_eight_hours() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")
    floor.sell(floor.bob, "1")
    floor.print("50200")

    assert floor.exchange.next_timer_ms(floor.clock.now_ms()) == FIRST
    floor.wait(7 * HOUR_MS)

    assert floor.incomes(floor.alice, "FUNDING_FEE") == ["-5.02"]
    assert floor.incomes(floor.bob, "FUNDING_FEE") == ["5.02"]
    assert floor.is_conserved()


def test_only_positions_open_at_the_instant_are_charged() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")
    floor.sell(floor.alice, "1")

    floor.wait(7 * HOUR_MS)
    floor.buy(floor.bob, "1")
    floor.wait(1)

    assert floor.incomes(floor.alice, "FUNDING_FEE") == []
    assert floor.incomes(floor.bob, "FUNDING_FEE") == []


def test_a_negative_rate_turns_the_payment_round() -> None:
    schedule = FundingSchedule()
    schedule.add(SYMBOL, FIRST + 7, -20_000)
    floor = Floor(schedule)
    floor.buy(floor.alice, "1")
    assert floor.exchange.funding.rate(SYMBOL) == -20_000

    floor.wait(7 * HOUR_MS)

    assert floor.incomes(floor.alice, "FUNDING_FEE") == ["10"]
    assert floor.exchange.funding.rate(SYMBOL) == 10_000


def test_an_isolated_position_pays_from_its_own_wallet() -> None:
    floor = Floor()
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    floor.buy(floor.alice, "1")
    before = floor.cross(floor.alice)

    floor.wait(7 * HOUR_MS)

    assert floor.cross(floor.alice) == before
    assert trim_quanta(floor.position(floor.alice).isolated_wallet) == "2495.005"
    update = floor.taken(AccountUpdate)[-1]
    assert (update.reason, [position.symbol for position in update.positions]) == ("FUNDING_FEE", [SYMBOL])


def test_a_cross_position_pays_from_the_cross_wallet() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")

    floor.wait(7 * HOUR_MS)

    update = floor.taken(AccountUpdate)[-1]
    assert (update.reason, update.positions) == ("FUNDING_FEE", [])
    assert trim_quanta(update.wallets["USDT"][1]) == "-5"


def test_missed_times_are_charged_one_by_one() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")

    floor.wait(7 * HOUR_MS + 2 * INTERVAL_MS)

    assert floor.incomes(floor.alice, "FUNDING_FEE") == ["-5", "-5", "-5"]
    times = [record.time_ms for record in floor.exchange.funding.history(SYMBOL)]
    assert times == [FIRST, FIRST + INTERVAL_MS, FIRST + 2 * INTERVAL_MS]


def test_funding_moves_the_break_even_price() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")
    before = floor.position(floor.alice).break_even_price

    floor.wait(7 * HOUR_MS)

    assert trim_quanta(floor.position(floor.alice).break_even_price - before) == "5"


def test_a_schedule_is_read_from_text_with_its_jitter_rounded_off() -> None:
    schedule = parse_schedule(["symbol,time,value\n", f"{SYMBOL},{FIRST + 13},6.818e-05\n"])

    assert schedule.rate(SYMBOL, FIRST) == 6_818
    assert schedule.rate("ETHUSDT", FIRST) == 10_000


def test_a_schedule_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="line 3"):
        parse_schedule(["symbol,time,value\n", f"{SYMBOL},{FIRST},0.0001\n", f"{SYMBOL},soon,0.0001\n"])


@pytest.mark.recorded
def test_the_recorded_schedule_is_read(recorded_data: Path) -> None:
    path = recorded_data / "funding" / "um-8h-funding_rate-2025.csv.gz"
    assert os.path.exists(path)

    schedule = read_schedule(path)

    assert schedule.rate("BTCUSDT", 1741276800000) == 6_818
    assert schedule.rate("BTCUSDT", 1741305600000) == -612


def test_history_before_the_start_comes_from_the_schedule() -> None:
    schedule = FundingSchedule()
    schedule.add(SYMBOL, START_MS - HOUR_MS, 5_000)
    floor = Floor(schedule)
    floor.wait(7 * HOUR_MS)

    history = floor.exchange.funding.history(SYMBOL)

    assert [(record.time_ms, record.rate) for record in history] == [(START_MS - HOUR_MS, 5_000), (FIRST, 10_000)]
    assert [record.mark_price > 0 for record in history] == [False, True]
