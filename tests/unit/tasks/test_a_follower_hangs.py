"""One follower's venue does not answer for a minute: the others' orders are accepted as soon as without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from core.base_exchange import Capabilities
from domain import events
from domain.events import Event
from domain.order import Order
from domain.outcome import Outcome
from engine.account_hub import AccountHub
from engine.engine_manager import EngineManager, InstanceSpec
from engine.follower_engine.kind import COPY, Params
from tasks.host.leases import LeasedJournal, LeaseKeeper
from tasks.host.send_gate import SendGate
from tests.fakes.copy_parts import EveryLease
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.plain_market import PlainMarket
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.law_harness import BTCUSDT
from tests.unit.engine.floor import PRICE, SYMBOL, Floor

FOLLOWERS, AT_ONCE = 100, 60
#: Seconds that a venue takes to answer, and that the one which hangs takes.
ANSWERS, HANGS = 0.05, 60.0
LOTS = 10_000


class SlowVenue(FakeExchange):
    """Takes an order at once, and says so later."""

    answers_after = ANSWERS
    #: When the answer to the last order came, in seconds of the loop.
    answered = 0.0

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Carry it out; the answer takes its time."""
        outcome = await super().place(order, committed_ms)
        await asyncio.sleep(self.answers_after)
        self.answered = asyncio.get_running_loop().time()
        return outcome


@dataclass
class Crowd:
    """Follower accounts of one process, each at a venue of its own, that share what leaves the process at once."""

    venues: list[SlowVenue] = field(default_factory=list)
    managers: list[EngineManager] = field(default_factory=list)

    def tell(self, version: int, lots: int) -> float:
        """The same target for everybody; gives the moment."""
        for manager in self.managers:
            manager.engines[7].put(Event(events.TARGET, 0, lots=lots, cycle=version))
        return asyncio.get_running_loop().time()


@asynccontextmanager
async def crowd() -> AsyncIterator[Crowd]:
    clock, made = virtual_clock(), Crowd()
    gate = SendGate(AT_ONCE, 400)
    futures = Capabilities(market="futures", has_time_window=True, can_short=True)
    async with AsyncExitStack() as stack:
        for number in range(1, FOLLOWERS + 1):
            venue, market = SlowVenue(BTCUSDT, clock=clock, capabilities=futures), PlainMarket()
            journal = LeasedJournal(MemoryJournal(clock.machine.now_ms), cast(LeaseKeeper, EveryLease()), gate)
            venue.orders.market_ticks[SYMBOL] = PRICE
            market.move(SYMBOL, PRICE, clock.machine.now_ms())
            hub = AccountHub(number, 1, venue, journal, clock)
            hub.gateway.on_answered = gate.leave
            await hub.start()
            stack.push_async_callback(hub.stop)
            manager = EngineManager(1, "node", journal, market, clock)
            limits = Floor(venue, MemoryJournal(clock.machine.now_ms)).limits
            spec = InstanceSpec(7, 0, SYMBOL, "1m", COPY, Params(can_short=True), limits, ())
            await manager.start(spec, hub)
            stack.push_async_callback(manager.release, 7)
            made.venues.append(venue)
            made.managers.append(manager)
        yield made


def p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]


async def accepted_after(up: Crowd, version: int, lots: int, but: int) -> list[float]:
    """Seconds from the target to the answer, of everybody but one."""
    began = up.tell(version, lots)
    others = [venue for place, venue in enumerate(up.venues) if place != but]
    while not all(venue.answered > began for venue in others):
        await asyncio.sleep(0.001)
    return [venue.answered - began for venue in others]


@in_virtual_time
async def test_the_slowest_hundredth_of_the_others_is_as_fast_as_without_it() -> None:
    async with crowd() as up:
        without = await accepted_after(up, 1, LOTS, but=0)
        up.venues[0].answers_after = HANGS
        beside = await accepted_after(up, 2, 2 * LOTS, but=0)
        assert up.venues[0].answered < HANGS, "it has answered: nothing hung"
        assert p99(beside) == pytest.approx(p99(without), abs=0.005)
        await asyncio.sleep(2 * HANGS)
        for venue in up.venues:
            assert [order.lots for order, _ in venue.orders.placed] == [LOTS, LOTS]
            assert sum(fill.side * fill.lots for fill in venue.orders.trades) == 2 * LOTS
