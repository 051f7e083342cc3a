from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError

from core.redis_client import compare_and_delete, connect, connect_for_subscription
from tests.services import free_port

pytestmark = pytest.mark.services


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as opened:
        await opened.flushdb()
        yield opened


async def test_a_value_comes_back_as_the_bytes_that_were_stored(client: Redis) -> None:
    await client.set("key", b"\x00\xff value", px=60_000)
    assert await client.get("key") == b"\x00\xff value"
    assert 0 < await client.pttl("key") <= 60_000


async def test_commands_of_every_kind_of_argument_arrive_as_they_were_given(client: Redis) -> None:
    fields: dict[Any, Any] = {"text": "für 跟单", b"bytes": b"\x00\r\n$5", "number": 12, "long": "x" * 100_000}
    async with client.pipeline(transaction=False) as pipe:
        for place in range(60):
            pipe.hset(f"hash:{place}", mapping=fields)
            pipe.expire(f"hash:{place}", 60)
        assert await pipe.execute() == [4, True] * 60
    found = await client.hgetall("hash:59")
    told = {b"text": "für 跟单".encode(), b"bytes": b"\x00\r\n$5", b"number": b"12", b"long": b"x" * 100_000}
    assert found == told
    assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"]  # a command of two words
    with pytest.raises(DataError):
        await client.set("key", cast("Any", None))
    assert await client.ping()


async def test_compare_and_delete_removes_only_what_the_caller_put_there(client: Redis) -> None:
    await client.set("lease", b"worker-a|1")
    assert not await compare_and_delete(client, "lease", b"worker-b|2")
    assert await client.get("lease") == b"worker-a|1"
    assert await compare_and_delete(client, "lease", b"worker-a|1")
    assert await client.get("lease") is None
    assert not await compare_and_delete(client, "lease", b"worker-a|1")


async def test_of_many_who_delete_the_same_value_exactly_one_succeeds(client: Redis) -> None:
    await client.set("lease", b"mine")
    answers = await asyncio.gather(*(compare_and_delete(client, "lease", b"mine") for _ in range(20)))
    assert sorted(answers) == [False] * 19 + [True]


async def test_more_callers_than_connections_wait_instead_of_failing(redis_url: str) -> None:
    async with connect(redis_url, max_connections=2) as narrow:
        counts = await asyncio.gather(*(narrow.incr("counter") for _ in range(50)))
    assert sorted(counts) == list(range(min(counts), min(counts) + 50))


async def test_a_message_reaches_a_subscriber(client: Redis, redis_url: str) -> None:
    async with connect_for_subscription(redis_url) as listener, listener.pubsub() as channel:
        await channel.subscribe("stop")
        assert (await channel.get_message(timeout=180))["type"] == "subscribe"
        assert await client.publish("stop", b"strategy-1") == 1
        assert (await channel.get_message(timeout=180))["data"] == b"strategy-1"


async def test_a_missing_server_is_an_error_and_not_a_hang() -> None:
    async with connect(f"redis://127.0.0.1:{free_port()}/0", timeout_seconds=0.5) as nobody:
        with pytest.raises(RedisConnectionError):
            await nobody.ping()


async def echoed(client: Redis, words: str) -> None:
    assert await client.echo(words) == words.encode()


async def storm_of_cancels(url: str, count: int) -> int:
    """Calls on a few connections, most of them cancelled at a moment of chance; gives how many were."""
    chance, cancelled = random.Random(13), 0
    async with connect(url, max_connections=4, timeout_seconds=60) as client:
        for first in range(0, count, 50):
            calls = [asyncio.create_task(echoed(client, f"word-{first + place}")) for place in range(50)]
            for call in chance.sample(calls, 40):
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                call.cancel()
            for end in await asyncio.gather(*calls, return_exceptions=True):
                assert end is None or isinstance(end, asyncio.CancelledError), end
                cancelled += end is not None
            await echoed(client, f"after-{first}")
    return cancelled


async def test_a_call_that_is_cancelled_leaves_no_answer_to_the_next_caller(redis_url: str) -> None:
    assert await storm_of_cancels(redis_url, 6_000) > 1_000


@pytest.mark.acceptance
async def test_ten_thousand_cancelled_calls_leave_no_answer_to_another_caller(redis_url: str) -> None:
    assert await storm_of_cancels(redis_url, 20_000) > 3_000
