from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.clock import SystemTime
from core.lease import BATCH, GONE, KEPT, OTHERS, Answer, Lease, LeaseStore
from tasks.host.leases import LeaseKeeper, LeaseThread, Renewal

TTL_MS = 60_000


class MemoryServer(LeaseStore):
    """A Redis of one dictionary, which can lose its memory and be taken from."""

    def __init__(self) -> None:
        self.ttl_ms = TTL_MS
        self.kept: dict[str, str] = {}

    async def acquire(self, leases: Sequence[Lease]) -> Answer:
        results = [KEPT if self.kept.setdefault(one.key, one.value) == one.value else OTHERS for one in leases]
        return Answer("boot", TTL_MS, results)

    async def renew(self, leases: Sequence[Lease]) -> Answer:
        return Answer("boot", TTL_MS, [self._renewed(one) for one in leases])

    async def release(self, leases: Sequence[Lease]) -> int:
        return sum(self.kept.pop(one.key, "") == one.value for one in leases)

    async def holders(self, keys: Sequence[str]) -> list[str]:
        return [self.kept.get(key, "").partition("|")[0] for key in keys]

    def _renewed(self, lease: Lease) -> int:
        if lease.key not in self.kept:
            return GONE
        return KEPT if self.kept[lease.key] == lease.value else OTHERS


def keeper(server: MemoryServer, thread: LeaseThread | None = None) -> LeaseKeeper:
    return LeaseKeeper(server, SystemTime(), "worker", 1_500, thread)


async def test_a_lease_that_was_forgotten_and_taken_again_counts_no_longer_than_before_until_it_is_proven() -> None:
    server = MemoryServer()
    leases = keeper(server)
    await leases.acquire(["a"])
    server.kept.clear()
    assert (await leases.renew()).gone == ["a"]
    assert await leases.retake(["a"]) == {"a"}
    before = leases.held["a"].deadline_ns
    # The proof failed, for the database was away: the server shows the lease as ours, and that is not enough.
    assert (await leases.renew()).gone == ["a"]
    assert leases.held["a"].deadline_ns == before
    leases.confirm(["a"], SystemTime().steady_ns())
    assert (await leases.renew()) == Renewal()
    assert leases.held["a"].deadline_ns > before


async def test_leases_are_renewed_while_the_loop_that_uses_them_is_held_up_and_no_more_once_it_is_dead() -> None:
    server, thread = MemoryServer(), LeaseThread()
    leases = keeper(server, thread)
    await leases.acquire(["a", "b"])
    server.kept["b"] = "another|token"
    before = leases.held["a"].deadline_ns
    found: list[Renewal] = []
    is_alive = [True]
    renewing = asyncio.create_task(leases.keep_renewed(0.01, lambda: is_alive[0], found.append))
    try:
        await asyncio.sleep(0)
        while len(found) < 3:  # this loop does nothing but look: nothing of it runs in between
            pass
        assert leases.held["a"].deadline_ns > before
        assert found[0].lost == ["b"]
        is_alive[0] = False
        while not await is_quiet(found):
            pass
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        leases.close()


async def test_no_batch_of_leases_is_renewed_any_more_once_the_loop_that_uses_them_is_dead() -> None:
    server = MemoryServer()
    leases = keeper(server)
    keys = [f"lease {number}" for number in range(3 * BATCH)]
    await leases.acquire(keys)
    before = {key: held.deadline_ns for key, held in leases.held.items()}
    answers = iter([True, True])
    asked: list[bool] = []

    def is_alive() -> bool:
        asked.append(next(answers, False))
        return asked[-1]

    renewing = asyncio.create_task(leases.keep_renewed(0.01, is_alive, lambda _: None))
    while len(asked) < 5:
        await asyncio.sleep(0)
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)
    assert [key for key in keys if leases.held[key].deadline_ns > before[key]] == keys[: 2 * BATCH]


async def is_quiet(found: list[Renewal]) -> bool:
    """Whether nothing was renewed in many times the pause between renewals."""
    count = len(found)
    await asyncio.sleep(0.2)
    return len(found) == count
