"""The lease: it has one holder, nobody acts under one that has run out, and a process that stands still ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from core import lease
from core.base_journal import BaseJournal, Step
from core.clock import SystemTime
from core.lease import KEPT, Answer, Lease, LeaseStore
from core.redis_client import connect
from core.redis_names import strategy_lock
from engine.account_hub import AccountHub
from engine.engine_manager import EngineManager
from tasks.host.leases import LeasedJournal, LeaseKeeper
from tasks.host.watchdog import BLOCKED, Watchdog
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.negative.mechanism import FAST, Mechanism, Stage, bids, pass_time, replace, require
from tests.unit.engine.floor import Floor, Node, open_floor

TTL_MS, MARGIN_MS = 10_000, 1_500
KEY = strategy_lock(7)


class QuietServer(LeaseStore):
    """A Redis that gives a lease once and then cannot be reached any more."""

    def __init__(self) -> None:
        self.ttl_ms = TTL_MS

    async def acquire(self, leases: Sequence[Lease]) -> Answer:
        return Answer("boot", TTL_MS, [KEPT] * len(leases))


@dataclass
class FreezingJournal:
    """The process is frozen between the commit of an intent and the sending of it, once it is told to."""

    journal: MemoryJournal
    seconds: float = 0.0
    committed: list[int] = field(default_factory=list)

    async def commit(self, step: Step) -> int:
        committed_ms = await self.journal.commit(step)
        self.committed.append(committed_ms)
        if step.intents and self.seconds:
            await asyncio.sleep(self.seconds)
        return committed_ms

    def __getattr__(self, name: str) -> object:
        return getattr(self.journal, name)


@dataclass
class LeasedNode(Node):
    """A node under a lease that is never renewed."""

    journal: FreezingJournal
    deadline_ms: int


def guard(hub: AccountHub, leases: LeaseKeeper) -> None:
    """What the wiring does for every hub."""
    hub.gateway.may_send = leases.may_act


@asynccontextmanager
async def leased_process_on(floor: Floor) -> AsyncIterator[LeasedNode]:
    clock = virtual_clock()
    leases = LeaseKeeper(QuietServer(), clock.machine, "worker", MARGIN_MS)
    frozen = FreezingJournal(floor.journal)
    journal: BaseJournal = LeasedJournal(frozen, leases)  # type: ignore[arg-type]
    hub = AccountHub(1, 1, floor.exchange, journal, clock, FAST)
    guard(hub, leases)
    manager = EngineManager(1, "node", journal, floor.market, clock)
    await hub.start()
    await leases.acquire([KEY])
    deadline_ms = clock.machine.now_ms() + TTL_MS
    try:
        await manager.start(floor.spec(), hub)
        await pass_time(0.1)
        yield LeasedNode(manager, hub, frozen, deadline_ms)
    finally:
        for number in list(manager.engines):
            await manager.release(number)
        await hub.stop()


def without_deadline_at_the_journal(patch: pytest.MonkeyPatch) -> None:
    async def commit(self: LeasedJournal, step: Step) -> int:
        return await self._journal.commit(step)

    replace(patch, LeasedJournal, "commit", commit)


@in_virtual_time
async def redis_is_cut_off_and_the_lease_runs_out(_: Stage) -> None:
    floor = open_floor()
    async with leased_process_on(floor) as node:
        await pass_time((TTL_MS - MARGIN_MS) / 1000 + 0.5)
        floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(5)
        late = [moment for moment in node.journal.committed if moment > node.deadline_ms - MARGIN_MS]
        require(not late, f"{len(late)} steps were journaled after the lease had run out")


def without_deadline_at_the_send(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.negative.at_the_lease.guard", lambda hub, leases: None)


@in_virtual_time
async def the_process_freezes_between_commit_and_send(_: Stage) -> None:
    floor = open_floor()
    async with leased_process_on(floor) as node:
        before = len(floor.our_orders())
        node.journal.seconds = TTL_MS / 1000
        floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(TTL_MS / 1000 + 3)
        sent = len(floor.our_orders()) - before
        require(sent == 0, f"{sent} orders were sent after the lease had run out")


def without_one_holder(patch: pytest.MonkeyPatch) -> None:
    asks = "if not holder or holder == ARGV[i + 1] then"
    assert asks in lease._ACQUIRE
    patch.setattr(lease, "_ACQUIRE", lease._ACQUIRE.replace(asks, "if true then"))


def two_workers_claim_the_same(stage: Stage) -> None:
    async def claim() -> None:
        async with connect(stage.redis()) as client:
            workers = [
                LeaseKeeper(LeaseStore(client, 60_000), SystemTime(), name, MARGIN_MS) for name in ("one", "two")
            ]
            taken = await asyncio.gather(*(worker.acquire([KEY]) for worker in workers))
            holders = [worker for worker in workers if worker.may_act(7)]
            require(len(holders) == 1, f"{len(holders)} workers hold one lease, {taken}")

    asyncio.run(claim())


def without_watchdog(patch: pytest.MonkeyPatch) -> None:
    replace(patch, Watchdog, "start", lambda self, loop: None)


def a_strategy_never_comes_back(_: Stage) -> None:
    ended: list[int] = []
    has_ended = threading.Event()

    def end(status: int) -> None:
        ended.append(status)
        has_ended.set()

    async def live() -> None:
        watchdog = Watchdog(SystemTime(), 0.6, lambda _: None, end, lambda: 0)
        watchdog.start(asyncio.get_running_loop())
        await asyncio.sleep(0)
        has_ended.wait(5)
        watchdog.stop()

    asyncio.run(live())
    require(ended == [BLOCKED], "a process whose loop stands still lives on, and others wait for its strategies")


MECHANISMS = [
    Mechanism("a lease has one holder", without_one_holder, two_workers_claim_the_same),
    Mechanism("a process that stands still ends", without_watchdog, a_strategy_never_comes_back),
    Mechanism(
        "the lease is checked before the intent",
        without_deadline_at_the_journal,
        redis_is_cut_off_and_the_lease_runs_out,
    ),
    Mechanism(
        "the lease is checked before the send",
        without_deadline_at_the_send,
        the_process_freezes_between_commit_and_send,
    ),
]
