from __future__ import annotations

import asyncio

import pytest

from core.base_exchange import PriceUpdate
from domain.errors import Refused, Transient
from domain.events import PRICE
from engine.market_data.settings import MarketSettings
from tests.fakes.virtual_time import START_MS, in_virtual_time
from tests.unit.engine.market_data.hall import hall, passes


@in_virtual_time
async def test_a_thousand_instances_share_one_connection() -> None:
    async with hall() as floor:
        for number in range(1_000):
            floor.watch(str(number)).arm(above=200 if number else 101)
        await floor.connected()
        await floor.tell(100)
        await floor.tell(101)
        assert floor.market.connects == 1
        assert floor.woken == [("0", PRICE, 101)]


@in_virtual_time
async def test_more_symbols_come_without_losing_a_price_of_the_others() -> None:
    async with hall() as floor:
        floor.watch("a")
        await floor.connected()
        await floor.tell(100)
        seen: list[int] = []
        floor.venue.follow("BTCUSDT", lambda update, _: seen.append(update.last))
        floor.watch("b", "ETHUSDT")
        for last in range(101, 140):
            await floor.tell(last)
            await passes(0.05)
        assert seen == list(range(101, 140))
        assert [stream.prices for stream in floor.market.streams] == [{"BTCUSDT", "ETHUSDT"}]
        assert floor.venue.price_stream.counts.changes == 1


@in_virtual_time
async def test_many_changes_at_once_make_one_new_connection() -> None:
    async with hall() as floor:
        for number in range(100):
            floor.watch(str(number), "BTCUSDT" if number % 2 else "ETHUSDT")
        await floor.connected()
        assert floor.market.connects == 1


@in_virtual_time
async def test_the_stream_ends_when_the_last_one_leaves_and_not_before() -> None:
    async with hall() as floor:
        first, second = floor.watch("a"), floor.watch("b")
        await floor.connected()
        floor.venue.unwatch("BTCUSDT", first)
        await passes(5)
        assert len(floor.market.streams) == 1
        floor.venue.unwatch("BTCUSDT", second)
        await passes(5)
        assert floor.market.streams == []
        assert floor.venue.prices == {}
        assert floor.data.is_quiet


@in_virtual_time
async def test_a_new_connection_that_fails_leaves_the_old_one_working() -> None:
    async with hall() as floor:
        floor.watch("a").arm(above=101)
        await floor.connected()
        await floor.tell(100)
        floor.market.refuse_streams(3)
        floor.watch("b", "ETHUSDT")
        await passes(0.25)
        assert [stream.prices for stream in floor.market.streams] == [{"BTCUSDT"}]
        await floor.tell(101)
        assert floor.woken == [("a", PRICE, 101)]
        await passes(30)
        assert [stream.prices for stream in floor.market.streams] == [{"BTCUSDT", "ETHUSDT"}]


@in_virtual_time
async def test_a_broken_stream_is_made_again() -> None:
    async with hall() as floor:
        floor.watch("a").arm(above=101)
        await floor.connected()
        await floor.tell(100)
        floor.market.break_streams()
        await passes(1)
        await floor.tell(101)
        assert floor.woken == [("a", PRICE, 101)]
        (health,) = floor.data.health()
        assert (health.prices.reconnects, health.prices.connected, health.prices.source) == (1, True, "stream")
        assert "the fake stream was cut" in health.prices.last_error


@in_virtual_time
async def test_a_venue_that_refuses_every_connection_is_not_stormed() -> None:
    async with hall(MarketSettings(connects_per_5_minutes=20)) as floor:
        floor.watch("a")
        floor.market.price("BTCUSDT", 100)
        floor.market.refuse_streams(1_000)
        await passes(3_600)
        assert 5 < floor.market.connects / 12 <= 20
        floor.market.refuse_streams(0)
        await passes(60)
        assert len(floor.market.streams) == 1


@in_virtual_time
async def test_connects_of_both_kinds_together_stay_within_the_budget() -> None:
    async with hall(MarketSettings(connects_per_5_minutes=10, backoff_max_ms=1)) as floor:
        floor.watch("a")
        await floor.venue.join_bars("BTCUSDT", "1m", lambda _: None)
        floor.market.refuse_streams(1_000)
        await passes(299)
        assert floor.market.connects == 10
        (health,) = floor.data.health()
        assert health.connects_in_5_minutes == 10


@in_virtual_time
async def test_an_unknown_symbol_is_refused_and_nothing_is_subscribed() -> None:
    async with hall() as floor:
        with pytest.raises(Refused, match="NOPE"):
            floor.watch("a", "NOPE")
        with pytest.raises(Refused, match="NOPE"):
            await floor.venue.join_bars("NOPE", "1m", lambda _: None)
        await passes(1)
        assert floor.market.connects == 0


@in_virtual_time
async def test_no_instance_sees_a_price_that_makes_no_sense_and_it_is_counted() -> None:
    async with hall() as floor:
        floor.watch("a").arm(any_price=True)
        await floor.connected()
        await floor.tell(100)
        floor.woken.clear()
        watcher = floor.watch("b")
        watcher.arm(above=1, below=10**9)
        floor.watch("c").arm(any_price=True)
        now = START_MS + 1_000
        for update in (
            PriceUpdate("BTCUSDT", 0, 1, 2, now),
            PriceUpdate("BTCUSDT", 100, 103, 102, now),
            PriceUpdate("BTCUSDT", 900, 899, 901, now),
            PriceUpdate("ETHUSDT", 5, 4, 6, now),
            PriceUpdate("BTCUSDT", 99, 98, 101, START_MS - 60_000),
        ):
            floor.market.send(update)
        await floor.market.drained()
        assert floor.woken == []
        (health,) = floor.data.health()
        assert health.prices.skipped == {"crossed": 1, "impossible": 1, "jumped": 1}


@in_virtual_time
async def test_a_listener_that_fails_keeps_the_price_from_nobody() -> None:
    async with hall() as floor:

        def fail(update: PriceUpdate, seen_ms: int) -> None:
            raise ValueError("broken listener")

        seen: list[int] = []
        floor.venue.follow("BTCUSDT", fail)
        floor.venue.follow("BTCUSDT", lambda update, _: seen.append(update.last))
        floor.watch("a").arm(above=100)
        await floor.connected()
        await floor.tell(100)
        assert (seen, floor.woken) == ([100], [("a", PRICE, 100)])
        assert floor.data.health()[0].prices.failures == 1
        assert len(floor.market.streams) == 1


@in_virtual_time
async def test_the_first_price_is_asked_for_when_the_stream_has_told_none() -> None:
    async with hall() as floor:
        floor.watch("a")
        floor.market.price("BTCUSDT", 123)
        assert (await floor.venue.first_price("BTCUSDT")).last == 123
        assert floor.venue.age_ms("BTCUSDT") == 0
        floor.watch("b", "ETHUSDT")
        floor.market.fail_rest(1)
        with pytest.raises(Transient):
            await floor.venue.first_price("ETHUSDT")
        assert floor.venue.age_ms("ETHUSDT") is None


@in_virtual_time
async def test_it_is_quiet_only_when_nothing_is_under_way() -> None:
    async with hall() as floor:
        states = [floor.data.is_quiet]
        floor.watch("a")
        states.append(floor.data.is_quiet)
        await floor.connected()
        states.append(floor.data.is_quiet)
        assert states == [True, False, True]
        before = floor.data.is_connected
        await floor.tell(100)
        assert (before, floor.data.is_connected) == (False, True)
        floor.market.hang_rest()
        floor.market.price("ETHUSDT", 7)
        floor.watch("b", "ETHUSDT")
        asking = asyncio.create_task(floor.venue.first_price("ETHUSDT"))
        await asyncio.sleep(0)
        assert not floor.data.is_quiet
        floor.market.hang_rest(False)
        await asking


@in_virtual_time
async def test_a_stream_that_ends_with_a_group_of_errors_tells_the_cause() -> None:
    async with hall() as floor:
        floor.watch("a")
        await floor.connected()
        floor.market.break_streams(ExceptionGroup("sub-tasks failed", [Transient("the price has no lawful tick")]))
        await passes(0.1)
        assert floor.venue.price_stream.last_error == "Transient: the price has no lawful tick"
