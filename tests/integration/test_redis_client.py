from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

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
        assert (await channel.get_message(timeout=5))["type"] == "subscribe"
        assert await client.publish("stop", b"strategy-1") == 1
        assert (await channel.get_message(timeout=5))["data"] == b"strategy-1"


async def test_a_missing_server_is_an_error_and_not_a_hang() -> None:
    async with connect(f"redis://127.0.0.1:{free_port()}/0", timeout_seconds=0.5) as nobody:
        with pytest.raises(RedisConnectionError):
            await nobody.ping()
