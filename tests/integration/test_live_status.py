"""What people see of a strategy in Redis: whole when it has changed, refreshed in part while it does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from core.clock import system_clock
from core.event_bus import Event
from core.redis_client import connect
from core.redis_names import strategy_running
from db.queries.fleet import Want
from domain.sentences import read_words, say, words_of
from tasks.host.runner import Runner
from tasks.host.status import TTL_SECONDS, StatusPublisher
from tasks.wiring import Parts
from tests.services import free_port

pytestmark = pytest.mark.services


class Bus:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    async def publish_all(self, events: Iterable[Event]) -> None:
        self.told += events


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


def publisher(redis: Redis, bus: Bus) -> StatusPublisher:
    leases = SimpleNamespace(left_ns=lambda _: 9_000_000_000, is_good=lambda _: True)
    config = SimpleNamespace(worker=SimpleNamespace(lease_seconds=10.0))
    parts = SimpleNamespace(
        redis=redis, bus=bus, leases=leases, config=config, clock=system_clock(), worker_id="one"
    )  # fmt: skip
    return StatusPublisher(cast("Parts", parts), ("host", "127.0.0.1"))


def some_runners() -> list[Runner]:
    return [Runner(Want(number, 1, 5, "running", 1, 0, 0, "")) for number in (1, 2)]


def grow_old(runners: list[Runner]) -> None:
    for runner in runners:
        runner.published_ns -= 3_600_000_000_000


async def status(redis: Redis, number: int) -> dict[bytes, bytes]:
    return await cast("Any", redis.hgetall(strategy_running(number)))  # type: ignore[no-any-return]


async def test_an_idle_strategy_is_refreshed_without_a_word_and_lives_on(redis: Redis) -> None:
    bus, runners = Bus(), some_runners()
    made = publisher(redis, bus)
    await made.publish(runners)
    before = await status(redis, 1)
    assert before[b"worker_id"] == b"one"
    assert len(bus.told) == 2
    await redis.expire(strategy_running(1), 1)
    grow_old(runners)
    await made.publish(runners)
    after = await status(redis, 1)
    assert after.keys() == before.keys()
    assert after[b"updated_at"] >= before[b"updated_at"]
    assert await redis.ttl(strategy_running(1)) > TTL_SECONDS / 2
    assert len(bus.told) == 2, "nothing has changed, so nobody is told"


async def test_a_status_that_was_gone_is_written_whole_again(redis: Redis) -> None:
    bus, runners = Bus(), some_runners()
    made = publisher(redis, bus)
    await made.publish(runners)
    whole = await status(redis, 2)
    await redis.delete(strategy_running(2))
    grow_old(runners)
    await made.publish(runners)
    assert await redis.ttl(strategy_running(2)) > 0, "a part of a status must not stay for ever"
    await made.publish(runners)
    assert (await status(redis, 2)).keys() == whole.keys()
    assert not any(runner.is_dirty for runner in runners)


async def test_what_has_changed_is_written_alone_and_told_whole(redis: Redis) -> None:
    bus, runners = Bus(), some_runners()
    made = publisher(redis, bus)
    await made.publish(runners)
    before = await status(redis, 2)
    await redis.hset(strategy_running(2), "worker_ip", "touched by nobody")
    runners[1].last_error, runners[1].is_dirty = say("not_in_time", "it cannot be"), True
    await made.publish(runners)
    after = await status(redis, 2)
    assert after[b"last_error"] == b"it cannot be"
    assert read_words(after[b"last_error_words"].decode()) == words_of(runners[1].last_error)
    assert bus.told[-1].payload["last_error_words"] == words_of(runners[1].last_error)
    assert after[b"worker_ip"] == b"touched by nobody", "what did not change is not written again"
    assert after.keys() == before.keys()
    assert [event.owner for event in bus.told] == [5, 5, 5]
    assert bus.told[-1].payload.keys() == bus.told[0].payload.keys()


async def test_a_status_that_was_gone_when_a_part_of_it_changed_is_written_whole(redis: Redis) -> None:
    bus, runners = Bus(), some_runners()
    made = publisher(redis, bus)
    await made.publish(runners)
    whole = await status(redis, 1)
    await redis.flushall()  # the server has lost its memory
    runners[0].last_error, runners[0].is_dirty = "it cannot be", True
    await made.publish(runners)
    assert runners[0].is_dirty
    await made.publish(runners)
    assert (await status(redis, 1)).keys() == whole.keys()
    assert not runners[0].is_dirty


async def test_a_status_that_could_not_be_written_is_written_whole_when_it_can(redis: Redis) -> None:
    bus, runners, nobody = Bus(), some_runners(), connect(f"redis://127.0.0.1:{free_port()}")
    made = publisher(redis, bus)
    await made.publish(runners)
    parts = cast("Any", made)._parts
    parts.redis = nobody
    made_again = StatusPublisher(parts, ("host", "127.0.0.1"))
    runners[0].is_dirty = True
    await made_again.publish(runners)
    assert runners[0].is_dirty
    await nobody.aclose()
