from __future__ import annotations

import pytest

from simulator.market.intervals import INTERVALS, MINUTE
from simulator.market.steering import BadSteering
from simulator.units import ONE
from tests.simulator.market.worlds import START, TICK, all_trades, bars_from, market_of, play

FLAT = (100_000, 100_000, 100_000, 100_000, 5000)
HOUR = [FLAT] * 60


def test_a_gap_shows_at_the_next_print_and_stays() -> None:
    market = market_of(HOUR)
    play(market, START + 5 * MINUTE)
    market.helm.gap(-50_000)
    later = play(market, START + 10 * MINUTE)
    assert {trade.price for trade in later} == {95_000 * TICK}
    best = market.liquidity.best("BUY")
    assert best is not None
    assert 94_990 * TICK <= best <= 95_000 * TICK


def test_a_move_goes_evenly_and_then_stays() -> None:
    market = market_of(HOUR)
    play(market, START + 5 * MINUTE)
    market.helm.move(100_000, 10 * MINUTE)
    rising = [trade.price for trade in play(market, START + 15 * MINUTE)]
    assert rising == sorted(rising)
    assert len(set(rising)) == len(rising)
    assert abs(rising[len(rising) // 2] - 105_000 * TICK) < 1_000 * TICK
    assert {trade.price for trade in play(market, START + 20 * MINUTE)} == {110_000 * TICK}


def test_moves_add_up() -> None:
    market = market_of(HOUR)
    market.helm.gap(100_000)
    play(market, START + 2 * MINUTE)
    market.helm.gap(100_000)
    assert {trade.price for trade in play(market, START + 4 * MINUTE)} >= {121_000 * TICK}


def test_a_frozen_price_stands_still_and_goes_on_from_there() -> None:
    climbing = [(100_000 + 100 * i, 100_100 + 100 * i, 100_000 + 100 * i, 100_100 + 100 * i, 5000) for i in range(60)]
    market = market_of(climbing)
    play(market, START + 10 * MINUTE)
    stood = market.last_price
    market.helm.freeze(True)
    still = play(market, START + 30 * MINUTE)
    assert {trade.price for trade in still} == {stood}
    assert sum(bar.volume for bar in market.bars("1m", START + 11 * MINUTE, None, 19)) > 0
    market.helm.freeze(False)
    on = play(market, START + 40 * MINUTE)
    assert abs(on[0].price - stood) < 100 * TICK
    assert on[-1].price > stood + 900 * TICK


def test_bars_of_a_steered_market_are_those_of_its_trades_hot_and_cold() -> None:
    hot, cold = market_of([(1000, 1200, 800, 1100, 5000)] * 90), market_of([(1000, 1200, 800, 1100, 5000)] * 90)
    now = START
    for percent, over_ms, wait in ((50_000, 90_000, 500_000), (-70_000, 0, 61_500), (20_000, 1, 900_001)):
        now += wait
        play(hot, now)
        cold.skip_to(now)
        first = hot.bars("1h", None, None, 9), hot.bars("1m", None, None, 999)
        assert first == (cold.bars("1h", None, None, 9), cold.bars("1m", None, None, 999))
        hot.helm.move(percent, over_ms)
        cold.helm.move(percent, over_ms)
    play(hot, now + 400_000)
    cold.skip_to(now + 400_000)
    assert all_trades(hot) == all_trades(cold)
    for interval in INTERVALS[1:]:
        expected = bars_from(all_trades(hot), interval, START, now + 400_000, 1000 * TICK)
        assert hot.bars(interval, None, None, 1000) == expected
        assert cold.bars(interval, None, None, 1000) == expected


def test_trades_before_a_move_stay_what_they_were() -> None:
    market = market_of([(1000, 1200, 800, 1100, 5000)] * 30)
    before = play(market, START + 10 * MINUTE + 31_000)
    bars = market.bars("1m", None, None, 10)
    market.helm.gap(300_000)
    assert all_trades(market) == before
    assert market.bars("1m", None, None, 10) == bars


@pytest.mark.parametrize(("percent", "over_ms"), [(90_000_000, 0), (-999_990, 0), (10, -1), (10, 10**11)])
def test_a_move_out_of_bounds_is_refused(percent: int, over_ms: int) -> None:
    market = market_of(HOUR)
    with pytest.raises(BadSteering):
        market.helm.move(percent, over_ms)
    assert {trade.price for trade in play(market, START + MINUTE)} == {100_000 * TICK}


def test_statistics_of_a_day_that_is_steered_again_and_again_are_those_of_its_trades() -> None:
    market = market_of([(1000, 1200, 800, 1100, 5000)] * 600)  # over the end of a day
    for minute in (3, 4, 70, 71, 140, 333, 507, 520, 590):
        now = START + minute * MINUTE + 7_000
        play(market, now)
        market.helm.gap(-30_000 if minute % 2 else 40_000)
        trades, stats = all_trades(market), market.ticker()
        assert stats.trades == len(trades)
        assert stats.volume == sum(trade.quantity for trade in trades)
        assert (stats.high, stats.low) == (max(t.price for t in trades), min(t.price for t in trades))
        assert (stats.open, stats.last) == (trades[0].price, trades[-1].price)
        recent = [trade for trade in trades if trade.time_ms > now - 5 * MINUTE]
        assert market.average_price() == sum(t.quote for t in recent) * ONE // sum(t.quantity for t in recent)
