from __future__ import annotations

from core.clock import Clock, VenueTime
from domain.events import PRICE, TIMER
from tests.fakes.virtual_time import START_MS, VirtualFace, in_virtual_time
from tests.unit.engine.market_data.hall import bar, hall, passes


@in_virtual_time
async def test_a_moment_comes_by_the_wall_when_trading_time_is_the_wall() -> None:
    async with hall() as floor:
        floor.watch("late").arm(wake_ms=START_MS + 90_000)
        floor.watch("early").arm(wake_ms=START_MS + 30_000)
        await passes(29.9)
        assert floor.woken == []
        await passes(0.2)
        assert floor.woken == [("early", TIMER, 0)]
        await passes(60)
        assert [name for name, *_ in floor.woken] == ["early", "late"]


@in_virtual_time
async def test_a_moment_in_the_past_comes_at_once() -> None:
    async with hall() as floor:
        floor.watch("a").arm(wake_ms=1)
        await passes(0.01)
        assert floor.woken == [("a", TIMER, 0)]


@in_virtual_time
async def test_in_a_replay_the_venues_timestamps_move_trading_time_and_wake() -> None:
    clock = Clock(trading=VenueTime(START_MS), machine=VirtualFace())
    async with hall(clock=clock) as floor:
        floor.watch("a").arm(wake_ms=START_MS + 3_600_000, above=150)
        await floor.connected()
        await passes(7_200)
        assert floor.woken == [], "machine time is not trading time"
        floor.market.price("BTCUSDT", 100, time_ms=START_MS + 3_599_999)
        await floor.market.drained()
        assert floor.woken == []
        floor.market.price("BTCUSDT", 101, time_ms=START_MS + 3_600_000)
        await floor.market.drained()
        assert floor.woken == [("a", TIMER, 101)]
        assert clock.trading.now_ms() == START_MS + 3_600_000


@in_virtual_time
async def test_a_driver_in_lockstep_may_pass_time_itself() -> None:
    clock = Clock(trading=VenueTime(START_MS), machine=VirtualFace())
    async with hall(clock=clock) as floor:
        floor.watch("a").arm(wake_ms=START_MS + 1_000)
        assert floor.data.pass_time(START_MS + 999) == 0
        assert floor.data.pass_time(START_MS + 1_000) == 1


@in_virtual_time
async def test_a_closed_bar_moves_the_time_of_a_replay_to_its_end() -> None:
    clock = Clock(trading=VenueTime(START_MS), machine=VirtualFace())
    async with hall(clock=clock) as floor:
        await floor.venue.join_bars("BTCUSDT", "1m", lambda _: None)
        await floor.connected()
        floor.market.bar(bar(0))
        await floor.market.drained()
        assert clock.trading.now_ms() == bar(1).open_ms


@in_virtual_time
async def test_price_and_moment_of_one_update_both_wake_price_first() -> None:
    clock = Clock(trading=VenueTime(START_MS), machine=VirtualFace())
    async with hall(clock=clock) as floor:
        floor.watch("a").arm(above=100, wake_ms=START_MS + 5_000)
        await floor.connected()
        floor.market.price("BTCUSDT", 100, time_ms=START_MS + 6_000)
        await floor.market.drained()
        assert floor.woken == [("a", PRICE, 100), ("a", TIMER, 100)]
