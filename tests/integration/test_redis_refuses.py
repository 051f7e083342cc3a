"""A Redis that answers and refuses to write: full, or unable to save. For leases it is as if it were away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.clock import SystemTime
from core.lease import LeaseStore
from core.redis_client import Evicts, connect, require_lasting_keys
from core.redis_names import ENGINE_BOOT
from tasks.host.leases import LeaseKeeper, Renewal
from tests.services import redis_server

pytestmark = pytest.mark.services
TTL_MS, MARGIN_MS = 3_000, 500
PATIENCE = 180


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Redis]:
    """A server of its own, which cannot write a file where it would save its memory."""
    with redis_server(tmp_path) as service:
        async with connect(f"redis://127.0.0.1:{service.port}/0") as client:
            await client.ping()  # it has looked for a file to begin with
            (tmp_path / "dump.rdb").mkdir()
            yield client
            await client.config_set("save", "")  # it would not end without having saved


async def fill_up(server: Redis) -> None:
    await server.config_set("maxmemory", "1")


async def make_room(server: Redis) -> None:
    await server.config_set("maxmemory", "0")


async def fail_to_save(server: Redis) -> None:
    await server.config_set("save", "3600 1")
    await server.bgsave()
    async with asyncio.timeout(PATIENCE):
        while (await server.info("persistence"))["rdb_last_bgsave_status"] != "err":
            await asyncio.sleep(0.02)


async def stop_minding(server: Redis) -> None:
    await server.config_set("stop-writes-on-bgsave-error", "no")


@pytest.mark.parametrize(
    ("break_it", "mend_it", "words"), [(fill_up, make_room, "maxmemory"), (fail_to_save, stop_minding, "MISCONF")]
)
async def test_where_nothing_is_written_no_lease_is_given_and_afterwards_it_is(
    server: Redis, break_it: Any, mend_it: Any, words: str
) -> None:
    leases = LeaseKeeper(LeaseStore(server, TTL_MS), SystemTime(), "one", MARGIN_MS)
    await break_it(server)
    with pytest.raises(RedisError, match=words):
        await leases.acquire(["a"])
    assert not leases.is_good("a")
    await mend_it(server)
    assert await leases.acquire(["a"]) == {"a"}
    assert leases.is_good("a")


async def test_nobody_acts_on_a_lease_that_a_server_which_cannot_save_does_not_renew(server: Redis) -> None:
    leases, found = LeaseKeeper(LeaseStore(server, TTL_MS), SystemTime(), "one", MARGIN_MS), list[Renewal]()
    assert await leases.acquire(["a"]) == {"a"}
    renewing = asyncio.create_task(leases.keep_renewed(0.2, lambda: True, found.append))
    try:
        await fail_to_save(server)
        async with asyncio.timeout(PATIENCE):
            while leases.is_good("a"):
                await asyncio.sleep(0.02)
            await stop_minding(server)
            # Where it had run out by then, whoever may go on is for the journal to say.
            while not leases.is_good("a") and not found:
                await asyncio.sleep(0.02)
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def test_leases_of_a_full_server_are_renewed_for_that_takes_no_room(server: Redis) -> None:
    leases = LeaseKeeper(LeaseStore(server, 60_000), SystemTime(), "one", MARGIN_MS)
    assert await leases.acquire(["a"]) == {"a"}
    before = leases.held["a"].deadline_ns
    await fill_up(server)
    assert await leases.renew() == Renewal()
    assert leases.held["a"].deadline_ns > before
    assert await server.get(ENGINE_BOOT) is not None


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_may_drop_leases_is_refused_by_name(server: Redis, policy: str) -> None:
    await require_lasting_keys(server)
    await server.config_set("maxmemory-policy", policy)
    with pytest.raises(Evicts, match=f"{policy}.*noeviction"):
        await require_lasting_keys(server)
