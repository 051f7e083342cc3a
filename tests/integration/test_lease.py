"""Leases on a real server: taken once, renewed by their holder, and the server's loss of memory is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from core.lease import BATCH, GONE, KEPT, OTHERS, Lease, LeaseStore
from core.redis_client import connect
from core.redis_names import ENGINE_BOOT, strategy_lock

pytestmark = pytest.mark.services
MINE = Lease(strategy_lock(1), "one|1")
THEIRS = Lease(strategy_lock(1), "two|1")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = connect(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


async def test_a_lease_is_had_by_one_and_asking_again_finds_ones_own(redis: Redis) -> None:
    store = LeaseStore(redis, 60_000)
    assert (await store.acquire([MINE])).results == [KEPT]
    assert (await store.acquire([MINE])).results == [KEPT]
    assert (await store.acquire([THEIRS])).results == [OTHERS]
    assert await store.holders([MINE.key, strategy_lock(2)]) == ["one|1", ""]


async def test_only_the_holder_renews_and_releases(redis: Redis) -> None:
    store = LeaseStore(redis, 60_000)
    await store.acquire([MINE])
    assert (await store.renew([MINE, Lease(strategy_lock(2), "one|1")])).results == [KEPT, GONE]
    assert (await store.renew([THEIRS])).results == [OTHERS]
    assert await store.release([THEIRS]) == 0
    assert await store.release([MINE]) == 1
    assert (await store.acquire([THEIRS])).results == [KEPT]


async def test_a_lease_that_is_not_renewed_runs_out(redis: Redis) -> None:
    store = LeaseStore(redis, 50)
    await store.acquire([MINE])
    async with asyncio.timeout(180):
        while (await store.renew([THEIRS])).results == [OTHERS]:
            await asyncio.sleep(0.01)
    assert (await store.acquire([THEIRS])).results == [KEPT]


async def test_a_claim_of_the_same_worker_is_told_from_its_earlier_one(redis: Redis) -> None:
    store = LeaseStore(redis, 60_000)
    again = Lease(MINE.key, "one|2")
    await store.acquire([again])
    assert await store.release([MINE]) == 0
    assert (await store.renew([again])).results == [KEPT]


async def test_a_server_that_lost_its_memory_has_another_name_and_is_young(redis: Redis) -> None:
    store = LeaseStore(redis, 60_000)
    before = await store.renew([])
    assert (await store.acquire([MINE])).boot == before.boot
    await redis.flushall()
    after = await store.renew([MINE])
    assert after.results == [GONE]
    assert after.boot != before.boot
    assert 0 <= after.boot_age_ms < 5_000
    assert await redis.get(ENGINE_BOOT) == after.boot.encode()


async def test_more_leases_than_one_script_takes_keep_their_order(redis: Redis) -> None:
    store = LeaseStore(redis, 60_000)
    many = [Lease(strategy_lock(number), f"one|{number}") for number in range(2 * BATCH + 7)]
    await redis.set(many[BATCH + 3].key, "two|9", px=60_000)
    results = (await store.acquire(many)).results
    assert [place for place, got in enumerate(results) if got != KEPT] == [BATCH + 3]
    assert await store.release(many) == len(many) - 1


async def test_a_server_whose_replication_id_has_changed_has_lost_nothing(redis: Redis) -> None:
    store = LeaseStore(redis, 60_000)
    before = await store.acquire([MINE])
    replication = (await redis.info("replication"))["master_replid"]
    untyped: Any = redis
    await untyped.execute_command("REPLICAOF", "127.0.0.1", "1")
    await untyped.execute_command("REPLICAOF", "NO", "ONE")
    assert (await redis.info("replication"))["master_replid"] != replication
    after = await store.renew([MINE])
    assert (after.boot, after.results) == (before.boot, [KEPT])
    assert after.boot_age_ms >= before.boot_age_ms


async def test_five_thousand_leases_of_one_that_died_are_had_by_another_once_they_have_run_out(redis: Redis) -> None:
    keys = [strategy_lock(number) for number in range(5_000)]
    dead, heir = LeaseStore(redis, 2_000), LeaseStore(redis, 60_000)
    await dead.acquire([Lease(key, f"dead|{key}") for key in keys])
    wanted = [Lease(key, f"heir|{key}") for key in keys]
    async with asyncio.timeout(120):
        while set((await heir.acquire(wanted)).results) != {KEPT}:
            await asyncio.sleep(0.05)
    assert set((await dead.renew([Lease(key, f"dead|{key}") for key in keys])).results) == {OTHERS}
    assert (await heir.renew(wanted)).results == [KEPT] * len(keys)
