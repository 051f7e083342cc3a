"""A strategy runs for a month: its lease is renewed hundreds of thousands of times, and never lapses in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from core.config import WorkerSection
from core.lease import GONE, KEPT, OTHERS, Answer, Lease, LeaseStore
from core.redis_names import strategy_lock
from tasks.host.leases import LeaseKeeper, Renewal
from tests.fakes.virtual_time import in_virtual_time, virtual_clock

TERMS = WorkerSection()
TTL_MS, MARGIN_MS = round(TERMS.lease_seconds * 1000), round(TERMS.margin_seconds * 1000)
HOUR_SECONDS = 3_600
KEY = strategy_lock(7)


class TimedServer(LeaseStore):
    """A Redis whose keys run out by the clock of the test."""

    def __init__(self) -> None:
        self.ttl_ms = TTL_MS
        self.renewals = 0
        self._machine = virtual_clock().machine
        self._kept: dict[str, tuple[str, int]] = {}

    async def acquire(self, leases: Sequence[Lease]) -> Answer:
        return Answer("boot", 10 * TTL_MS, [self._take(lease) for lease in leases])

    async def renew(self, leases: Sequence[Lease]) -> Answer:
        self.renewals += 1
        return Answer("boot", 10 * TTL_MS, [self._renew(lease) for lease in leases])

    def holder(self, key: str) -> str:
        value, until_ms = self._kept.get(key, ("", 0))
        return value.partition("|")[0] if self._machine.now_ms() < until_ms else ""

    def _take(self, lease: Lease) -> int:
        if self.holder(lease.key) and self._kept[lease.key][0] != lease.value:
            return OTHERS
        self._kept[lease.key] = (lease.value, self._machine.now_ms() + TTL_MS)
        return KEPT

    def _renew(self, lease: Lease) -> int:
        return self._take(lease) if self.holder(lease.key) else GONE


@in_virtual_time
async def renewed_for(hours: int) -> None:
    server, found = TimedServer(), list[Renewal]()
    leases = LeaseKeeper(server, virtual_clock().machine, "one", MARGIN_MS)
    rival = LeaseKeeper(server, virtual_clock().machine, "two", MARGIN_MS)
    await leases.acquire([KEY])
    renewing = asyncio.create_task(leases.keep_renewed(TERMS.heartbeat_seconds, lambda: True, found.append))
    for _ in range(hours * 10):
        await asyncio.sleep(HOUR_SECONDS / 10 - 0.001)  # at any moment between two heartbeats
        assert leases.is_good(KEY)
        assert server.holder(KEY) == "one"
        assert await rival.acquire([KEY]) == set()
    renewing.cancel()
    with suppress(asyncio.CancelledError):
        await renewing
    assert found == []
    assert server.renewals > 0.95 * hours * HOUR_SECONDS / TERMS.heartbeat_seconds


def test_a_lease_is_renewed_for_hours_without_a_gap() -> None:
    renewed_for(4)


@pytest.mark.acceptance
def test_a_lease_is_renewed_for_a_month_without_a_gap() -> None:
    renewed_for(29 * 24)
