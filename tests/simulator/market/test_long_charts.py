from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.market.expansion import expand
from simulator.market.intervals import DAY, MINUTE
from simulator.market.minutes import tabulate
from simulator.market.regular import is_regular, tabulate_bars
from simulator.market.symbol_market import SymbolMarket
from simulator.market.types import Bar
from tests.simulator.market.worlds import GRID, START, Row, bars, columns, market_of

LONG = ("1h", "4h", "8h", "12h", "1d", "3d", "1w", "1M")
YEAR = [(1000 + day % 7, 1100 + day % 40, 900 - day % 30, 1050 - day % 5, 400_000 + day) for day in range(120)]


def year() -> SymbolMarket:
    """A hundred and twenty rows of a day each, all of them past."""
    market = market_of(YEAR, minutes=1440, prints=5)
    market.skip_to(START + 119 * DAY)
    return market


def joined(pieces: list[Bar]) -> tuple[int, ...]:
    """What a bar over some shorter bars must show."""
    trading = [bar for bar in pieces if bar.trades]
    return (
        trading[0].open,
        max(bar.high for bar in trading),
        min(bar.low for bar in trading),
        trading[-1].close,
        sum(bar.volume for bar in trading),
        sum(bar.quote_volume for bar in trading),
        sum(bar.trades for bar in trading),
        sum(bar.taker_volume for bar in trading),
        sum(bar.taker_quote_volume for bar in trading),
        trading[0].first_trade_id,
        trading[-1].last_trade_id,
    )


def shown(bar: Bar) -> tuple[int, ...]:
    """The same of one bar."""
    return joined([bar])


@given(st.lists(bars(thin=False), min_size=1, max_size=12), st.integers(4, 200), st.integers(0, 2**63))
def test_the_rows_of_ordinary_minutes_are_those_of_their_prints(rows: list[Row], prints: int, key: int) -> None:
    minutes = columns(rows)
    assert is_regular(minutes, prints)
    quick = tabulate_bars(key, 29_000_000, minutes, prints, GRID)
    slow = tabulate(expand(key, 29_000_000, minutes, np.full(len(rows), prints)), GRID)
    assert [quick.row(place) for place in range(len(rows))] == [slow.row(place) for place in range(len(rows))]


def test_a_minute_that_cannot_have_all_its_prints_is_not_ordinary() -> None:
    assert not is_regular(columns([(5, 9, 5, 9, 19), (5, 9, 5, 9, 400)]), 20)
    assert not is_regular(columns([(2**40, 2**40, 2**40, 2**40, 2**30)]), 20)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 110), st.integers(2, 9), st.sampled_from([0, 8 * 60, 330, 345, 7]))
def test_long_bars_are_the_minutes_they_cover(first: int, days: int, zone: int) -> None:
    market = year()
    start = START - START % DAY + first * DAY
    found = market.bars("1d", start, start + days * DAY, 10, zone * MINUTE)
    for bar in found:
        minutes = market.bars("1m", bar.open_ms, bar.close_ms, 1440)
        if any(minute.trades for minute in minutes):
            assert shown(bar) == joined(minutes)


def test_every_long_interval_shows_the_same_sums() -> None:
    market = year()
    hours = market.bars("1h", None, None, 10_000)
    for interval in LONG:
        assert joined(market.bars(interval, None, None, 10_000)) == joined(hours)


def test_a_long_past_is_made_ready_piece_by_piece_and_shows_the_same() -> None:
    market, other = year(), year()
    pieces = 1
    while not market.make_ready("1d", None, None, 1000):
        pieces += 1
    assert pieces > 10
    assert market.make_ready("1d", None, None, 1000)
    assert market.bars("1d", None, None, 1000) == other.bars("1d", None, None, 1000)


def test_short_bars_need_no_making_ready() -> None:
    assert year().make_ready("1m", None, None, 1000)
    assert year().make_ready("1M", START + 900 * DAY, None, 10)


def test_idle_moments_compute_a_long_past_and_what_is_added_to_it() -> None:
    market, other = year(), year()
    for _ in range(40):
        market.warm()
    assert market.make_ready("1d", None, None, 1000)
    for later in (119 * DAY + MINUTE, 120 * DAY - 1, 121 * DAY):
        market.skip_to(START + later)
        other.skip_to(START + later)
        market.warm()
    assert market.bars("1d", None, None, 1000) == other.bars("1d", None, None, 1000)


def test_customers_trades_of_today_show_in_long_bars_that_were_made_ready() -> None:
    market = year()
    while not market.make_ready("1d", None, None, 1000):
        pass
    before = market.bars("1d", None, None, 1000)[-1]
    market.record(START + 119 * DAY, before.close, 100_000, "BUY", 0, 7)
    after = market.bars("1d", None, None, 1000)[-1]
    assert (after.volume, after.trades) == (before.volume + 100_000, before.trades + 1)
