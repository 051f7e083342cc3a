from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base_exchange import Bar
from domain.errors import Transient
from engine.market_data.settings import MarketSettings
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.market_data.hall import MINUTE, NOW_OPEN, Hall, bar, hall, passes


async def until_close(number: int) -> None:
    """Until the bar of this number has ended."""
    now_ms = NOW_OPEN + asyncio.get_running_loop().time() * 1_000
    await passes(max(NOW_OPEN + (number + 1) * MINUTE - now_ms, 0) / 1_000)


async def taking(floor: Hall, past: int = 0) -> list[Bar]:
    """A list that every bar from now on is added to."""
    seen: list[Bar] = []
    seen += await floor.venue.join_bars("BTCUSDT", "1m", seen.append, past)
    await floor.connected()
    return seen


@in_virtual_time
async def test_history_and_stream_join_without_a_hole_or_a_double() -> None:
    async with hall() as floor:
        for number in range(-10, 0):
            floor.market.bar(bar(number))
        seen = await taking(floor, past=5)
        await until_close(0)
        floor.market.bar(bar(-1))
        floor.market.bar(bar(0))
        await floor.market.drained()
        assert seen == [bar(number) for number in range(-5, 1)]
        assert floor.venue.bar_counts.repeated == 1


@in_virtual_time
async def test_a_lost_bar_is_fetched_before_the_next_one_is_told() -> None:
    async with hall() as floor:
        seen = await taking(floor)
        await until_close(3)
        floor.market.bar(bar(0))
        for number in (1, 2):
            floor.market.bar(bar(number), streamed=False)
        floor.market.bar(bar(3))
        await passes(0.1)
        assert seen == [bar(number) for number in range(4)]
        assert floor.venue.bar_counts.filled == 2
        assert floor.data.is_quiet


@in_virtual_time
async def test_a_bar_waits_for_those_before_it_while_rest_fails() -> None:
    async with hall() as floor:
        seen = await taking(floor)
        await until_close(1)
        floor.market.fail_rest(3)
        floor.market.bar(bar(0), streamed=False)
        floor.market.bar(bar(1))
        await passes(1)
        assert seen == []
        states = [floor.data.is_quiet]
        await passes(10)
        states.append(floor.data.is_quiet)
        assert seen == [bar(0), bar(1)]
        assert states == [False, True]


@in_virtual_time
async def test_a_hole_that_the_venue_itself_has_is_passed_over_and_counted() -> None:
    async with hall() as floor:
        seen = await taking(floor)
        await until_close(5)
        floor.market.bar(bar(0))
        floor.market.bar(bar(4), streamed=False)
        floor.market.bar(bar(5))
        await passes(1)
        assert seen == [bar(0), bar(4), bar(5)]
        assert floor.venue.bar_counts.missing == 3


@in_virtual_time
async def test_a_streamed_bar_that_rest_never_shows_is_told_after_some_tries() -> None:
    async with hall() as floor:
        seen = await taking(floor)
        await until_close(2)
        floor.market.bar(bar(0))
        floor.market.send(bar(2))
        await passes(60)
        assert seen == [bar(0), bar(2)]


@in_virtual_time
async def test_an_overdue_bar_comes_by_rest_and_the_stream_that_missed_it_is_replaced() -> None:
    async with hall() as floor:
        seen = await taking(floor)
        floor.market.stall()
        await until_close(0)
        floor.market.bar(bar(0))
        await passes(6)
        assert seen == [bar(0)]
        await passes(12)
        assert floor.data.health()[0].bars.stalls == 1
        await until_close(1)
        floor.market.bar(bar(1))
        await floor.market.drained()
        assert seen == [bar(0), bar(1)]


@in_virtual_time
async def test_without_any_stream_bars_come_by_rest() -> None:
    async with hall() as floor:
        floor.market.refuse_streams(10_000)
        seen: list[Bar] = []
        await floor.venue.join_bars("BTCUSDT", "1m", seen.append)
        for number in range(20):
            await until_close(number)
            floor.market.bar(bar(number))
        await passes(10)
        assert seen == [bar(number) for number in range(20)]
        (health,) = floor.data.health()
        assert (health.bars.source, health.bars.fallbacks) == ("rest", 20)


@in_virtual_time
async def test_a_venue_without_trades_is_not_asked_again_and_again() -> None:
    async with hall() as floor:
        await taking(floor)
        await passes(600)
        assert len(floor.market.rest_calls) <= 600 / 5


@in_virtual_time
async def test_bars_out_of_step_or_with_impossible_prices_are_left_out() -> None:
    async with hall() as floor:
        seen = await taking(floor)
        good = bar(0)
        for wrong in (
            good._replace(open_ms=good.open_ms + 1),
            good._replace(high=good.low - 1),
            good._replace(low=0),
            good._replace(close=good.high + 1),
            good._replace(volume=-1),
        ):
            floor.market.send(wrong)
        await floor.market.drained()
        assert seen == []
        assert floor.data.health()[0].bars.skipped == {"impossible": 5}


@in_virtual_time
async def test_everyone_on_a_feed_gets_every_bar_and_history_is_fetched_once() -> None:
    async with hall() as floor:
        for number in range(-50, 0):
            floor.market.bar(bar(number))
        lists: list[list[Bar]] = [[] for _ in range(100)]
        for seen in lists:
            seen += await floor.venue.join_bars("BTCUSDT", "1m", seen.append, 20)
        await floor.connected()
        await until_close(0)
        floor.market.bar(bar(0))
        await floor.market.drained()
        assert all(seen == [bar(number) for number in range(-20, 1)] for seen in lists)
        assert len(floor.market.rest_calls) == 1
        assert floor.market.connects == 1


@in_virtual_time
async def test_a_longer_history_is_fetched_for_whoever_needs_it() -> None:
    async with hall() as floor:
        for number in range(-50, 0):
            floor.market.bar(bar(number))
        await taking(floor, past=5)
        await until_close(0)
        floor.market.bar(bar(0))
        await floor.market.drained()
        longer = await taking(floor, past=40)
        assert longer == [bar(number) for number in range(-39, 1)]
        everything = await taking(floor, past=1_000)
        assert everything == [bar(number) for number in range(-50, 1)]
        asked = len(floor.market.rest_calls)
        await taking(floor, past=1_000)
        assert len(floor.market.rest_calls) == asked, "the venue has no more"


@in_virtual_time
async def test_a_taker_that_fails_keeps_the_bar_from_nobody() -> None:
    async with hall() as floor:

        def fail(told: Bar) -> None:
            raise ValueError("broken taker")

        await floor.venue.join_bars("BTCUSDT", "1m", fail)
        seen = await taking(floor)
        await until_close(0)
        floor.market.bar(bar(0))
        await floor.market.drained()
        assert seen == [bar(0)]
        assert floor.data.health()[0].bars.failures == 1


@in_virtual_time
async def test_joining_while_rest_is_down_says_so_and_leaves_nothing_behind() -> None:
    async with hall() as floor:
        floor.market.fail_rest(1)
        with pytest.raises(Transient):
            await floor.venue.join_bars("BTCUSDT", "1m", lambda _: None, 10)
        await passes(1)
        assert floor.venue.feeds == {}
        assert floor.market.streams == []


@in_virtual_time
async def test_who_left_is_told_nothing_more() -> None:
    async with hall() as floor:
        seen, staying = list[Bar](), list[Bar]()
        await floor.venue.join_bars("BTCUSDT", "1m", seen.append)
        await floor.venue.join_bars("BTCUSDT", "1m", staying.append)
        await floor.connected()
        floor.venue.leave_bars("BTCUSDT", "1m", seen.append)
        await until_close(0)
        floor.market.bar(bar(0))
        await floor.market.drained()
        assert (seen, staying) == ([], [bar(0)])


FATE = st.sampled_from(["told", "lost", "twice", "early", "late"])


@settings(max_examples=60)
@given(st.lists(FATE, min_size=1, max_size=40), st.integers(0, 6), st.integers(0, 5))
@in_virtual_time
async def test_bars_are_told_once_and_in_order_whatever_the_stream_does(
    fates: list[str], rest_failures: int, past: int
) -> None:
    async with hall(MarketSettings(breaker_ms=5_000)) as floor:
        for number in range(-past, 0):
            floor.market.bar(bar(number))
        seen = await taking(floor, past)
        floor.market.fail_rest(rest_failures)
        await until_close(len(fates) - 1)
        held: list[Bar] = []
        for number, fate in enumerate(fates):
            floor.market.bar(bar(number), streamed=False)
            if fate in ("told", "twice"):
                floor.market.send(bar(number))
            if fate == "early":
                floor.market.send(bar(min(number + 2, len(fates) - 1)))
            if fate in ("late", "twice"):
                held.append(bar(number))
            await passes(0.01)
        for late in reversed(held):
            floor.market.send(late)
        await passes(120)
        assert seen == [bar(number) for number in range(-past, len(fates))]
        assert floor.data.is_quiet
