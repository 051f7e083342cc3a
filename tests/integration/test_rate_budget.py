"""The request budget that processes behind one address share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from core.base_exchange import CANCEL, PLACE, READ, REDUCE
from core.clock import SystemTime
from core.rate_budget import LocalBudget, RateBudget
from core.redis_client import connect
from domain.outcome import Accepted, Rejected
from tests.exchange_venue import OPTIONS, machine_ms, opened, resting
from tests.fakes.hands import Hands
from tests.services import free_port
from tests.simulator_process import SimulatorProcess, simulator_process

pytestmark = pytest.mark.services


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    options = [option for option in OPTIONS if option != "--lift-limits"]
    with simulator_process(tmp_path_factory.mktemp("budget"), *options) as process:
        yield process


def made(redis: Redis, limit: int = 100, egress: str = "a") -> RateBudget:
    return RateBudget(redis, SystemTime(), "binance", egress, limit)


async def spent(budget: RateBudget, priority: int, weight: int = 1) -> int:
    """How often the weight can be taken before the budget says wait."""
    count = 0
    while not await budget.try_take(weight, priority):
        count += 1
    return count


async def test_each_priority_leaves_a_share_to_the_more_urgent(redis: Redis) -> None:
    budget = made(redis, 1000)
    counts = [await spent(budget, priority, 10) for priority in (READ, PLACE, REDUCE, CANCEL)]
    assert counts == [70, 15, 10, 5]
    assert 0 < await budget.try_take(10, CANCEL) <= 60_000


async def test_two_processes_take_from_one_budget_and_another_address_from_its_own(redis: Redis) -> None:
    first, second, elsewhere = made(redis), made(redis), made(redis, egress="b")
    taken = await asyncio.gather(*(spent(budget, READ) for budget in (first, second)))
    assert sum(taken) == 70
    assert await spent(elsewhere, READ) == 70


async def test_the_venues_own_count_is_followed_by_every_process(redis: Redis) -> None:
    first, second = made(redis), made(redis)
    first.note_used(65)
    assert await first.try_take(1, READ) == 0
    assert await spent(second, READ) == 4


async def test_a_pause_stops_reads_and_entries_everywhere_but_not_cancels(redis: Redis) -> None:
    first, second = made(redis), made(redis)
    await first.pause(35_000, banned=False)
    assert 34_000 < await second.try_take(1, READ) <= 35_000
    assert await second.try_take(1, PLACE) > 0
    assert await second.try_take(1, CANCEL) == 0
    assert await second.try_take(1, REDUCE) == 0


async def test_a_ban_stops_everything_and_a_shorter_pause_does_not_end_it(redis: Redis) -> None:
    first, second = made(redis), made(redis)
    await first.pause(120_000, banned=True)
    await second.pause(1_000, banned=True)
    assert 119_000 < await second.try_take(1, CANCEL) <= 120_000


async def test_a_changed_limit_is_picked_up(redis: Redis) -> None:
    budget = made(redis, 100)
    budget.note_limit(10)
    assert await spent(budget, CANCEL) == 10


async def test_without_redis_each_process_lives_on_a_tenth_and_can_still_cancel() -> None:
    async with connect(f"redis://127.0.0.1:{free_port()}/0", timeout_seconds=0.2) as nobody:
        budget = RateBudget(nobody, Hands(), "binance", "a", 1000)
        assert await spent(budget, READ) == 70
        assert await budget.try_take(1, CANCEL) == 0
        await budget.pause(1_000, banned=True)
        assert await budget.try_take(1, CANCEL) == 1_000


async def test_a_wait_ends_when_the_window_turns() -> None:
    time = Hands()
    budget = LocalBudget(time, 10)
    for _ in range(7):
        await budget.take(1, READ)
    assert budget.try_take(1, READ) == 60_000
    time.ms += 60_000
    await asyncio.wait_for(budget.take(1, READ), 1)


async def test_one_request_larger_than_its_share_is_let_through_alone() -> None:
    budget = LocalBudget(Hands(), 10)
    assert budget.try_take(80, READ) == 0
    assert budget.try_take(1, CANCEL) > 0


async def test_an_adapter_follows_the_venues_header_and_limit(redis: Redis, venue: SimulatorProcess) -> None:
    budget = made(redis)
    async with opened("binance_spot", venue, budget=budget) as exchange:
        order = await resting(exchange)
        assert await budget.try_take(4_000, READ) == 0
        venue.post("faults", {"kind": "weight_jump", "args": {"used": 5_900}, "times": 1})
        assert isinstance(await exchange.place(order, machine_ms()), Accepted)
        assert await budget.try_take(1, READ) > 0
        assert await budget.try_take(1, CANCEL) == 0


async def test_too_many_requests_pause_the_whole_fleet_and_a_ban_silences_it(
    redis: Redis, venue: SimulatorProcess
) -> None:
    mine, others = made(redis), made(redis)
    async with opened("binance_spot", venue, budget=mine) as exchange:
        order = await resting(exchange)
        venue.post("faults", {"kind": "rate_limit", "args": {"retry_after": 35}, "method": "POST", "times": 1})
        assert isinstance(await exchange.place(order, machine_ms()), Rejected)
        assert 30_000 < await others.try_take(1, READ) <= 35_000
        assert await others.try_take(1, CANCEL) == 0
        venue.post("faults", {"kind": "ban", "args": {"retry_after": 120}, "method": "DELETE", "times": 1})
        assert isinstance(await exchange.cancel(order), Rejected)
        assert await others.try_take(1, CANCEL) > 100_000
