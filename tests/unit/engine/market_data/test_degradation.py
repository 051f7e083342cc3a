from __future__ import annotations

from core.base_exchange import PriceUpdate
from domain.events import PRICE
from tests.fakes.virtual_time import START_MS, in_virtual_time
from tests.unit.engine.market_data.hall import Hall, hall, passes


async def lively(floor: Hall) -> None:
    """One watched symbol whose stream has told a price."""
    floor.watch("a")
    await floor.connected()
    await floor.tell(100)


@in_virtual_time
async def test_a_silent_stall_is_found_within_ten_seconds_and_the_stream_replaced() -> None:
    async with hall() as floor:
        await lively(floor)
        floor.market.stall()
        floor.market.price("BTCUSDT", 105)
        await passes(10)
        assert floor.venue.price("BTCUSDT") == floor.market.latest["BTCUSDT"]
        (health,) = floor.data.health()
        assert health.prices.stalls == 1
        assert floor.market.connects == 2
        await passes(2)
        await floor.tell(106)
        await passes(0.1)
        assert len(floor.market.streams) == 1, "the old one ended when the new one told something"
        (health,) = floor.data.health()
        assert (health.prices.connected, health.prices.source, health.prices.reconnects) == (True, "stream", 1)


@in_virtual_time
async def test_a_quiet_market_is_not_taken_for_a_stall() -> None:
    async with hall() as floor:
        await lively(floor)
        for _ in range(360):
            await passes(10)
            age = floor.venue.age_ms("BTCUSDT")
            assert age is not None
            assert age <= 30_500
        (health,) = floor.data.health()
        assert (health.prices.stalls, health.prices.fallbacks, floor.market.connects) == (0, 0, 1)
        assert len(floor.market.rest_calls) <= 3_600 / 8 + 3_600 / 60, "a question per silence, no more"


@in_virtual_time
async def test_a_stream_that_repeats_its_last_update_grows_old_and_is_replaced() -> None:
    async with hall() as floor:
        await lively(floor)
        frozen = floor.market.latest["BTCUSDT"]
        await passes(0.1)
        floor.market.price("BTCUSDT", 110, streamed=False)
        for _ in range(100):
            floor.market.send(frozen)
            await passes(0.1)
        assert floor.data.health()[0].prices.stalls == 1
        price = floor.venue.price("BTCUSDT")
        assert price is not None
        assert price.last == 110


@in_virtual_time
async def test_one_dead_symbol_on_a_busy_stream_is_found_at_its_bound() -> None:
    async with hall() as floor:
        floor.watch("a")
        floor.watch("b", "ETHUSDT", max_age_ms=5_000)
        await floor.connected()
        await floor.tell(50, "ETHUSDT")
        floor.market.price("ETHUSDT", 60, streamed=False)
        for last in range(60):
            await floor.tell(100 + last % 3)
            await passes(0.1)
        price = floor.venue.price("ETHUSDT")
        assert price is not None
        assert price.last == 60
        assert floor.data.health()[0].prices.stalls == 1


@in_virtual_time
async def test_a_stream_that_is_busy_with_wrong_prices_is_found_by_the_audit() -> None:
    async with hall() as floor:
        await lively(floor)
        for turn in range(650):
            now_ms = START_MS + turn * 100
            floor.market.send(PriceUpdate("BTCUSDT", 100, 99 - turn % 2, 101, now_ms - 30_000))
            floor.market.price("BTCUSDT", 110, time_ms=now_ms, streamed=False)
            await passes(0.1)
            if floor.data.health()[0].prices.stalls:
                break
        assert floor.data.health()[0].prices.stalls == 1
        assert turn * 0.1 < 62


@in_virtual_time
async def test_while_no_stream_can_be_had_prices_come_by_rest_and_wake_instances() -> None:
    async with hall() as floor:
        await lively(floor)
        floor.watch("level").arm(above=101)
        floor.market.refuse_streams(10_000)
        floor.market.break_streams()
        await passes(10)
        floor.market.price("BTCUSDT", 101)
        await passes(3)
        assert floor.woken == [("level", PRICE, 101)]
        (health,) = floor.data.health()
        assert (health.prices.source, health.prices.connected, health.prices.fallbacks) == ("rest", False, 1)
        for _ in range(30):
            await passes(1)
            age = floor.venue.age_ms("BTCUSDT")
            assert age is not None
            assert age <= 3_000
        floor.market.refuse_streams(0)
        await passes(31)
        await floor.tell(102)
        (health,) = floor.data.health()
        assert (health.prices.source, health.prices.connected) == ("stream", True)


@in_virtual_time
async def test_stop_logic_gets_a_price_within_its_tighter_bound() -> None:
    async with hall() as floor:
        floor.watch("stop", max_age_ms=1_000)
        await floor.connected()
        await floor.tell(100)
        for _ in range(40):
            await passes(0.5)
            age = floor.venue.age_ms("BTCUSDT")
            assert age is not None
            assert age <= 1_500


@in_virtual_time
async def test_five_failures_open_the_breaker_for_sixty_seconds_and_all_of_it_is_visible() -> None:
    async with hall() as floor:
        await lively(floor)
        floor.market.refuse_streams(10_000)
        floor.market.fail_rest(10_000)
        floor.market.break_streams()
        await passes(30)
        (health,) = floor.data.health()
        assert (health.breaker, health.breaker_opened, health.rest_failures) == ("opened", 1, 5)
        assert health.prices.source == "nothing"
        assert health.oldest_ms >= 29_000
        asked = len(floor.market.rest_calls)
        await passes(30)
        assert len(floor.market.rest_calls) == asked, "left alone"
        await passes(30)
        assert len(floor.market.rest_calls) == asked + 1, "one question after a minute"
        floor.market.fail_rest(0)
        await passes(61)
        (health,) = floor.data.health()
        assert (health.breaker, health.prices.source) == ("closed", "rest")
        assert health.oldest_ms <= 3_000


@in_virtual_time
async def test_rest_that_hangs_is_given_up_and_counts_as_failed() -> None:
    async with hall() as floor:
        await lively(floor)
        floor.market.refuse_streams(10_000)
        floor.market.hang_rest()
        floor.market.break_streams()
        await passes(75)
        (health,) = floor.data.health()
        assert health.breaker == "opened"
        assert health.rest_failures == 5


@in_virtual_time
async def test_a_fresh_price_is_asked_for_when_somebody_needs_one() -> None:
    async with hall() as floor:
        await lively(floor)
        await passes(5)
        floor.venue.refresh("BTCUSDT")
        await passes(0.6)
        age = floor.venue.age_ms("BTCUSDT")
        assert age is not None
        assert age < 600
        asked = len(floor.market.rest_calls)
        await passes(2)
        assert len(floor.market.rest_calls) == asked, "once"


@in_virtual_time
async def test_a_thousand_stale_symbols_would_not_be_asked_for_all_at_once() -> None:
    async with hall() as floor:
        floor.watch("a")
        floor.watch("b", "ETHUSDT")
        floor.market.refuse_streams(10_000)
        floor.market.hang_rest()
        await passes(15)
        assert floor.venue.rest.in_flight <= 4
