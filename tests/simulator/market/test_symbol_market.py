from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulator.market.files import Gap
from simulator.market.intervals import DAY, INTERVALS, MINUTE, bar_open
from simulator.market.symbol_market import SymbolMarket
from simulator.market.trades import AggregateTrade
from simulator.market.types import Print, Trade
from simulator.units import ONE
from tests.simulator.market.worlds import (
    LOT,
    START,
    TICK,
    Row,
    all_trades,
    bars,
    bars_from,
    market_of,
    opposite,
    play,
)

LONG = (1000, 1100, 900, 1050, 5000)
SERIES = st.lists(bars(thin=True), min_size=2, max_size=8)
SHAPES = st.sampled_from([(1, 7), (1, 20), (5, 4), (60, 9), (1440, 5)])


@st.composite
def deeds(draw: st.DrawFn) -> list[tuple[int, str]]:
    """What happens, and how many milliseconds after the deed before."""
    kinds = st.sampled_from(["wait", "taker", "taker", "two", "split", "lost", "steer", "freeze", "thaw"])
    return draw(st.lists(st.tuples(st.integers(0, 200_000), kinds), max_size=14))


def do(market: SymbolMarket, kind: str, now: int, number: int) -> None:
    """A customer or the operator does something; the same in every market it is done to."""
    price = market.last_price
    if kind in ("taker", "two"):
        market.record(now, price + TICK * number, 3 * LOT, "BUY", 0, 1000 + number)
    if kind == "two":
        market.record(now, price + TICK * number, 2 * LOT, "BUY", 7, 1000 + number)
        market.record(now, price + TICK * (number + 1), LOT, "BUY", 8, 1000 + number)
    if kind == "steer":
        market.helm.move(10_000 if number % 2 else -10_000, 90_000 * (number % 3))
    if kind in ("freeze", "thaw"):
        market.helm.freeze(kind == "freeze")


def through(market: SymbolMarket, until_ms: int, kind: str) -> None:
    """Play up to a moment; the last print is split between a customer and the rest, or not recorded at all."""
    expected = [p for p in market_prints(market, until_ms) if p.time_ms <= until_ms]
    for place, p in enumerate(market.due(until_ms)):
        if place == len(expected) - 1 and kind == "split" and p.quantity > LOT:
            market.record(p.time_ms, p.price, LOT, p.taker, maker_order_id=5)
            market.record(p.time_ms, p.price, p.quantity - LOT, p.taker)
        elif place != len(expected) - 1 or kind != "lost":
            market.record(p.time_ms, p.price, p.quantity, p.taker)


def market_prints(market: SymbolMarket, until_ms: int) -> list[Print]:
    """The prints that will fall due, without letting them happen."""
    log, course = market._log, market._course
    count = course.count_until(until_ms) - log.position
    return [p for prints, _ in course.pieces(log.position, log.position + max(count, 0)) for p in prints]


def assert_same(one: SymbolMarket, other: SymbolMarket) -> None:
    assert one.last_price == other.last_price
    assert one.has_ended == other.has_ended
    assert one.next_print_ms() == other.next_print_ms()
    assert one.ticker() == other.ticker()
    assert one.ticker(3 * MINUTE, from_minute=True) == other.ticker(3 * MINUTE, from_minute=True)
    assert one.trading_day() == other.trading_day()
    assert one.average_price() == other.average_price()
    assert all_trades(one) == all_trades(other)
    assert one.recent_trades(5) == other.recent_trades(5)
    assert one.aggregate_trades(from_id=0, limit=10**6) == other.aggregate_trades(from_id=0, limit=10**6)
    for interval in INTERVALS[1:]:
        assert one.bars(interval, None, None, 1000) == other.bars(interval, None, None, 1000)
        assert one.current_bar(interval) == other.current_bar(interval)
    for side in ("BUY", "SELL"):
        assert one.liquidity.best(side) == other.liquidity.best(side)
        assert list(one.liquidity.walk(side)) == list(other.liquidity.walk(side))


@given(SERIES, SHAPES, st.lists(st.integers(0, 400_000), max_size=12))
def test_skipping_and_playing_lead_to_the_same_market(
    rows: list[Row], shape: tuple[int, int], steps: list[int]
) -> None:
    hot, cold, mixed = (market_of(rows, *shape) for _ in range(3))
    now = START
    for number, step in enumerate(steps):
        now += step * shape[0]
        play(hot, now)
        cold.skip_to(now)
        if number % 2:
            play(mixed, now)
        else:
            mixed.skip_to(now)
    assert_same(hot, cold)
    assert_same(hot, mixed)


@given(SERIES, SHAPES, deeds())
def test_skipping_between_customers_trades_equals_playing(
    rows: list[Row], shape: tuple[int, int], happenings: list[tuple[int, str]]
) -> None:
    hot, cold = market_of(rows, *shape), market_of(rows, *shape)
    now = START
    for number, (step, kind) in enumerate(happenings):
        now += step
        if kind in ("split", "lost"):
            through(hot, now, kind)
            through(cold, now, kind)
        else:
            play(hot, now)
            cold.skip_to(now)
        do(hot, kind, now, number)
        do(cold, kind, now, number)
    assert_same(hot, cold)


@given(SERIES, SHAPES, deeds())
def test_klines_and_statistics_are_those_of_the_trades(
    rows: list[Row], shape: tuple[int, int], happenings: list[tuple[int, str]]
) -> None:
    market = market_of(rows, *shape)
    first_price = market.last_price
    now = START
    seen: dict[int, Trade] = {}
    for number, (step, kind) in enumerate(happenings):
        now += step
        if kind in ("split", "lost"):
            through(market, now, kind)
        else:
            market.skip_to(now)
        do(market, kind, now, number)
        for trade in market.recent_trades(40):
            assert seen.setdefault(trade.trade_id, trade) == trade
        market.current_bar("1m")
        market.current_bar("1h")
    trades = all_trades(market)
    assert [trade.trade_id for trade in trades] == list(range(1, len(trades) + 1))
    assert all(one.time_ms <= other.time_ms for one, other in pairwise(trades))
    assert all(trade.quote == trade.price * trade.quantity // ONE for trade in trades)
    for interval in INTERVALS:
        expected = bars_from(trades, interval, START - START % MINUTE if interval == "1s" else START, now, first_price)
        assert market.bars(interval, None, None, 1000) == expected[-1000:]
        assert market.current_bar(interval) == expected[-1]
    window = [trade for trade in trades if trade.time_ms >= now - 3 * MINUTE]
    stats = market.ticker(3 * MINUTE)
    assert (stats.trades, stats.volume) == (len(window), sum(trade.quantity for trade in window))
    assert stats.quote_volume == sum(trade.quote for trade in window)
    assert stats.high == max((trade.price for trade in window), default=market.last_price)
    assert stats.first_trade_id == (window[0].trade_id if window else -1)


@given(SERIES, deeds(), st.integers(1, 5))
def test_aggregates_join_the_fills_of_one_order_and_cover_every_trade(
    rows: list[Row], happenings: list[tuple[int, str]], page: int
) -> None:
    market = market_of(rows)
    now = START
    for number, (step, kind) in enumerate(happenings):
        now += step
        through(market, now, kind)
        do(market, kind, now, number)
    aggregates = market.aggregate_trades(from_id=0, limit=10**6)
    trades = {trade.trade_id: trade for trade in all_trades(market)}
    assert [found.aggregate_id for found in aggregates] == list(range(len(aggregates)))
    assert [i for found in aggregates for i in range(found.first_trade_id, found.last_trade_id + 1)] == list(trades)
    for found in aggregates:
        parts = [trades[i] for i in range(found.first_trade_id, found.last_trade_id + 1)]
        assert {(p.time_ms, p.price, p.taker) for p in parts} == {(found.time_ms, found.price, found.taker)}
        assert found.quantity == sum(part.quantity for part in parts)
    paged: list[AggregateTrade] = []
    while more := market.aggregate_trades(from_id=len(paged), limit=page):
        paged += more
    assert paged == aggregates
    for found in aggregates[-3:]:
        from_time = market.aggregate_trades(start_ms=found.time_ms, end_ms=found.time_ms, limit=1000)
        assert from_time == [item for item in aggregates if item.time_ms == found.time_ms]
    assert market.aggregate_trades(limit=page) == aggregates[-page:]


def test_the_two_fills_of_one_taker_at_one_price_are_one_aggregate() -> None:
    market = market_of([LONG] * 3)
    market.skip_to(START + 30_000)
    market.record(START + 30_000, 100 * TICK, LOT, "BUY", 11, 50)
    market.record(START + 30_000, 100 * TICK, 2 * LOT, "BUY", 12, 50)
    market.record(START + 30_000, 101 * TICK, LOT, "BUY", 13, 50)
    market.record(START + 30_000, 101 * TICK, LOT, "BUY", 13, 51)
    newest = market.aggregate_trades(limit=3)
    assert [(found.price, found.quantity) for found in newest] == [
        (100 * TICK, 3 * LOT),
        (101 * TICK, LOT),
        (101 * TICK, LOT),
    ]


def test_bars_are_chosen_by_start_end_and_limit_as_the_venue_does() -> None:
    market = market_of([LONG] * 30)
    market.skip_to(START + 29 * MINUTE)
    opens = [bar.open_ms for bar in market.bars("1m", None, None, 1000)]
    assert opens == [START + i * MINUTE for i in range(30)]
    assert [bar.open_ms for bar in market.bars("1m", START + 1, None, 3)] == opens[1:4]
    assert [bar.open_ms for bar in market.bars("1m", None, opens[9] + 5, 3)] == opens[7:10]
    assert [bar.open_ms for bar in market.bars("1m", opens[4], opens[6], 100)] == opens[4:7]
    assert market.bars("1m", START + DAY, None, 10) == []
    assert [bar.open_ms for bar in market.bars("1m", opens[29], opens[29], 1)] == opens[29:]


def test_another_time_zone_moves_the_day() -> None:
    market = market_of([LONG] * 200)
    market.skip_to(START + 199 * MINUTE)
    zone = 8 * 3_600_000
    days = market.bars("1d", None, None, 10, zone)
    assert [(bar.open_ms + zone) % DAY for bar in days] == [0] * len(days)
    assert sum(bar.volume for bar in days) == sum(bar.volume for bar in market.bars("1m", None, None, 1000))


def test_quiet_minutes_have_empty_bars_at_the_close_before() -> None:
    market = market_of([LONG, (1050, 1050, 1050, 1050, 0), (1050, 1050, 1050, 1050, 0), LONG])
    market.skip_to(START + 2 * MINUTE + 30_000)
    quiet = market.bars("1m", None, None, 2)
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades) for bar in quiet] == [
        (1050 * TICK, 1050 * TICK, 1050 * TICK, 1050 * TICK, 0, 0)
    ] * 2


def test_an_outage_has_no_prints_and_no_bars_of_its_own() -> None:
    gap = Gap(START + MINUTE, START + 3 * MINUTE)
    rows = [LONG, (1050, 1050, 1050, 1050, 0), (1050, 1050, 1050, 1050, 0), LONG]
    market = market_of(rows, outages=[gap])
    play(market, START + 3 * MINUTE + 59_999)
    assert [bar.open_ms for bar in market.bars("1m", None, None, 9)] == [START, START + 3 * MINUTE]
    assert not any(gap.from_ms <= trade.time_ms < gap.to_ms for trade in all_trades(market))
    asked = (gap.from_ms - 1, gap.from_ms, gap.to_ms - 1, gap.to_ms)
    assert [market.is_outage(moment) for moment in asked] == [False, True, True, False]


def test_rows_before_the_start_are_history() -> None:
    market = market_of([LONG] * 10, start_ms=START + 5 * MINUTE)
    assert len(market.bars("1m", None, START + 5 * MINUTE - 1, 100)) == 5
    assert market.next_print_ms() == play(market, START + 6 * MINUTE)[0].time_ms
    assert play(market_of([LONG] * 10), START + 6 * MINUTE) == all_trades(market)


def test_consumed_liquidity_is_back_after_the_next_print() -> None:
    market = market_of([LONG] * 3)
    market.skip_to(START + 20_000)
    best = market.liquidity.best("SELL")
    assert best is not None
    offered = market.liquidity.quantity("SELL", best)
    market.liquidity.consume("SELL", best, offered)
    assert market.liquidity.quantity("SELL", best) == 0
    assert market.liquidity.best("SELL") == best + TICK
    market.skip_to(START + 20_001)
    assert market.liquidity.best("SELL") == best + TICK
    before = market.next_print_ms()
    assert before is not None
    market.skip_to(before)
    again = market.liquidity.best(opposite("BUY"))
    assert again is not None
    assert market.liquidity.quantity("SELL", again) > 0


def test_the_current_bar_equals_the_last_of_the_bars_at_any_moment() -> None:
    market = market_of([LONG] * 200)
    for minute in range(0, 200, 7):
        market.skip_to(START + minute * MINUTE + 31_000)
        for interval in INTERVALS:
            assert market.current_bar(interval) == market.bars(interval, None, None, 1)[0]
            opened = bar_open(interval, START + minute * MINUTE + 31_000)
            assert market.current_bar(interval) == market.bars(interval, opened, opened, 1)[0]
