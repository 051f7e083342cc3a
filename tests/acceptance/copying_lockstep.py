"""A strategy and the accounts that follow it in lockstep: masters and followers as a worker has them, step by step.

The watcher of masters, the desk of followers, their rows and the journal are the platform's; leases are always held,
and who would be rung looks at every quiet moment instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from sqlalchemy import Engine

from core.base_journal import Step
from core.clock import Clock, SystemTime
from db.database_thread import DatabaseThread
from db.journal import GroupCommitJournal
from db.queries import fleet
from db.queries.fleet import Want
from engine.account_hub import AccountHub
from engine.engine_manager import EngineManager, InstanceSpec
from engine.trading_engine import TradingEngine
from exchanges._binance.exchange import BinanceExchange
from tasks.host.copying.desk import FollowerDesk
from tasks.host.copying.fundings import Fundings
from tasks.host.copying.masters import MasterWatch
from tasks.host.leases import LeasedJournal, LeaseKeeper
from tasks.host.placement import Member
from tasks.host.runner import LIVE, Runner
from tasks.wiring import Parts, Venue, spec_of
from tests.acceptance.live_node import Node, until
from tests.acceptance.lockstep import HUB, exchange_of, node
from tests.acceptance.scene import LIMITS, Scene
from tests.fakes.copy_parts import OWNER, WORKER, CopyParts, EveryLease, Follower
from tests.simulator_process import SimulatorProcess


@dataclass(slots=True)
class HeldAccount:
    """A follower account as its runner has it."""

    hub: AccountHub
    runners: dict[int, Runner] = field(default_factory=dict)


class Sockets:
    """The ways of all accounts to the venue, as the driver sees them."""

    def __init__(self, every: list[BinanceExchange]) -> None:
        self._every = every

    async def flush(self) -> None:
        await asyncio.gather(*(exchange.flush() for exchange in self._every))


@dataclass(slots=True)
class CopyNode(Node):
    """The platform's process with a master and its followers."""

    desk: FollowerDesk
    watch: MasterWatch
    held: dict[int, HeldAccount]
    parts: CopyParts
    fundings: Fundings
    leading: Runner | None = None
    #: Steps that were journaled.
    steps: int = 0

    @property
    def activity(self) -> int:
        """A number that changes whenever anything may have had consequences."""
        hubs = [self.hub, *(account.hub for account in self.held.values())]
        return self.steps + sum(hub.gateway.requests + hub.status.sweeps for hub in hubs)

    async def idle(self) -> None:
        """Until nothing is under way, and nobody has anything to tell or to plan."""
        while True:
            before = self.steps
            await until(lambda: self.is_idle, "idle engines")
            await self.watch.look()
            await self.fundings.look()
            await self.desk.refresh()
            await self.desk.look()
            await self._take_up()
            await until(lambda: self.is_idle, "idle engines")
            if self.steps == before and not any(one.has_changes for one in self.desk.owned.values()):
                return

    def note_step(self, step: Step) -> None:
        """A step was kept."""
        self.steps += 1
        self.watch.note_step(step)
        self.desk.note_step(step)

    def runner(self, number: int) -> Runner | None:
        """What runs an instance."""
        if self.leading is not None and self.leading.number == number:
            return self.leading
        return next((a.runners[number] for a in self.held.values() if number in a.runners), None)

    async def _take_up(self) -> None:
        """Take up the instances that were made for symbols the master holds."""
        for owned in list(self.desk.owned.values()):
            account = self.held[owned.account]
            for number in set(owned.instances.values()) - account.runners.keys():
                (row,) = await self.parts.database.read(partial(fleet.rows, instances=[number]))
                spec = replace(spec_of(row, account.hub.exchange), limits=LIMITS)
                engine = await self.manager.start(spec, account.hub)
                account.runners[number] = runner = runner_of(spec, owned.account, engine, self.manager)
                self._listen(runner, engine)
                self.desk.note_runner(runner)
                self.steps += 1

    def _listen(self, runner: Runner, engine: TradingEngine) -> None:
        before = engine.on_change

        def after_step(changed: TradingEngine) -> None:
            before(changed)
            self.desk.note_runner(runner)

        engine.on_change = after_step


def runner_of(spec: InstanceSpec, account: int, engine: TradingEngine, manager: EngineManager) -> Runner:
    """An instance that is up."""
    want = Want(spec.number, account, OWNER, "running", 0, 0, 1, WORKER)
    return Runner(want, state=LIVE, engine=engine, manager=manager, spec=spec)


@asynccontextmanager
async def copying_node(
    venue: SimulatorProcess, scene: Scene, database: Engine, start_ms: int, followers: tuple[Follower, ...]
) -> AsyncIterator[CopyNode]:
    """The master's strategy, the watcher, the desk, and an open hub of every follower."""
    leases = EveryLease()
    journals: list[LeasedJournal] = []

    def through(journal: GroupCommitJournal) -> LeasedJournal:
        journals.append(LeasedJournal(journal, cast(LeaseKeeper, leases)))
        return journals[0]

    async with AsyncExitStack() as stack:
        up = await stack.enter_async_context(node(venue, scene, database, start_ms, through))
        clock = Clock(up.trading, SystemTime())
        thread = DatabaseThread(database)
        stack.callback(thread.close)
        parts = CopyParts(thread, clock, up.journal, leases, Venue(up.exchange, up.manager))
        held: dict[int, HeldAccount] = {}
        sockets = [up.exchange]
        for follower in followers:
            exchange = exchange_of(venue, scene, clock, *follower.key)
            hub = AccountHub(follower.account, 1, exchange, journals[0], clock, HUB)
            await hub.start()
            stack.push_async_callback(hub.stop)
            parts.exchanges[follower.account], held[follower.account] = exchange, HeldAccount(hub)
            sockets.append(exchange)
        await until(lambda: all(one.hub.status.gaps > 0 for one in held.values()), "the private streams")
        made: list[CopyNode] = []
        desk = FollowerDesk(cast(Parts, parts), cast(Any, held), lambda _: None, lambda _: None)
        watch = MasterWatch(
            cast(Parts, parts), lambda number: made[0].runner(number), desk.take_position, lambda _: None
        )
        made.append(
            CopyNode(
                cast(BinanceExchange, Sockets(sockets)), up.hub, up.manager, up.market, up.journal, up.trading, desk,
                watch, held, parts, Fundings(cast(Parts, parts), desk.owned, desk.keep_soon),
            )
        )  # fmt: skip
        (leader,) = scene.bots
        made[0].leading = runner_of(leader.spec(), 1, up.manager.engines[leader.number], up.manager)
        journals[0].on_kept = made[0].note_step
        await desk.refresh()
        await watch.refresh([Member(WORKER, 1, frozenset())], {}, takes=True)
        yield made[0]
