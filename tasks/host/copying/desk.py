"""The follower accounts of this worker: what their masters hold, what they are to hold, and who carries it out.

A worker that leases an account plans for it. Every plan is kept, under the account's fencing epoch, before the
instances hear of it; told again it does nothing, so a lost, late or doubled ring can do no harm.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from core.base_journal import Step
from core.clock import utc_from_ms
from core.event_bus import Event as News
from core.redis_names import account_lock
from db.models import FollowRelationship, Master, MasterPosition
from db.queries import copy_fleet
from db.queries import following as relations
from db.unit_of_work import UnitOfWork
from domain import events
from domain.copying import follow
from domain.errors import AresError
from domain.events import Event
from engine.follower_engine.book import Target
from engine.follower_engine.progress import progress_of
from engine.trading_engine import TradingEngine
from tasks.host.account import AccountRunner
from tasks.host.copying import news, pace
from tasks.host.copying.accounts import Owned
from tasks.host.copying.held import HeldByMasters
from tasks.host.copying.loader import Loader
from tasks.host.copying.pace import FLUSH_SECONDS, MARK_NS, TOGETHER, FanOut
from tasks.host.copying.rows import CopyRows
from tasks.host.copying.shapes import caps_of
from tasks.host.runner import LIVE, Runner
from tasks.wiring import Parts, number_of

log = structlog.get_logger(__name__)
_SECOND: Final = 1_000_000_000
#: Everything is read again after so long; in between only what has changed.
WHOLE_EVERY_NS: Final = 60 * _SECOND
#: Clocks of the nodes that write may differ by so much.
OVERLAP: Final = timedelta(seconds=10)
#: An account that could not be planned for is tried again after so long.
FAILED_NS: Final = 60 * _SECOND


class FollowerDesk:
    """Plans for the follower accounts that are held here."""

    def __init__(
        self, parts: Parts, accounts: Mapping[int, AccountRunner], ring: Callable[[int | None], None],
        tell: Callable[[News], None],
    ) -> None:  # fmt: skip
        self.owned: dict[int, Owned] = {}
        self.rows = CopyRows(parts.database)
        self._parts, self._accounts, self._ring, self._news = parts, accounts, ring, tell
        self._loader = Loader(parts)
        #: Master -> the newest version that was handed over here: its ring needs no look at the rows.
        self._handed: dict[int, int] = {}
        self._by_instance: dict[int, tuple[Owned, str]] = {}
        self._rung: set[int] = set()
        self._stale: set[int] = set()
        self._asked: set[int] = set()
        #: Account -> steady time until which it is not tried again, unless somebody asks.
        self._failed: dict[int, int] = {}
        #: Relationship -> commands without an outcome.
        self._waiting: dict[int, list[int]] = {}
        self._held = HeldByMasters(self.rows)
        self._fan_out = FanOut(parts.right_of_way)
        self._bell = asyncio.Event()
        #: Whether the bell will ring by itself for what is to be kept.
        self._is_soon = False
        self._whole_ns = self._marked_ns = 0
        self._is_reading = asyncio.Lock()

    def take_position(self, position: MasterPosition, master: Master) -> None:
        """What a master that is watched here holds, as it has just been published, and the master at that moment."""
        if position.master_id in self.rows.followers:
            self.rows.masters[position.master_id] = master
        self._handed[position.master_id] = max(position.version, self._handed.get(position.master_id, 0))
        self._rung |= self.rows.take_position(position)
        self._bell.set()

    def ring_master(self, master: int, version: int = 0) -> None:
        """A master has a new version; 0 when whoever rings does not know which."""
        if master in self.rows.followers and not 0 < version == self._handed.get(master):
            self._stale.add(master)
            self._bell.set()

    def ring_account(self, account: int) -> None:
        """Something was asked of an account's relationships."""
        self._asked.add(account)
        self._bell.set()

    async def refresh(self) -> None:
        """Read what has changed: relationships, and positions whose ring was lost. Called every second."""
        for number in self.owned.keys() - self._accounts.keys():
            self.drop(number)
        async with self._is_reading:
            now_ns = self._parts.clock.machine.steady_ns()
            is_whole = not self._whole_ns or now_ns - self._whole_ns > WHOLE_EVERY_NS
            rows, moved = await self.rows.read(self._now() - OVERLAP, whole=is_whole)
            self._whole_ns = now_ns if is_whole else self._whole_ns
            self._rung |= moved
            self._rung |= {row.account_id for row in rows if self._is_news(row)}
            self._rung |= {number for number in self.rows.wanted & self._accounts.keys() if number not in self.owned}
            waiting: dict[int, list[int]] = defaultdict(list)
            for command in await self._parts.database.read(relations.waiting):
                waiting[command.relationship_id].append(number_of(command.id))
            self._waiting = dict(waiting)
            known = self.rows.relationships
            self._rung |= {known[number].account_id for number in waiting if number in known}
        if self._rung:
            self._bell.set()

    async def run(self) -> None:
        """Plan whenever there is something new, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(1.0):
                    await self._bell.wait()
            except TimeoutError:
                pass
            self._bell.clear()
            try:
                await self.look()
            except (AresError, RedisError, OSError) as error:
                log.warning("followers_not_planned", reason=str(error) or type(error).__name__)
                await asyncio.sleep(0.5)
            except Exception:
                log.exception("followers_not_planned")
                await asyncio.sleep(0.5)

    def note_step(self, step: Step) -> None:
        """A step of an instance was kept: share out what it has traded."""
        found = self._by_instance.get(step.instance)
        if found is not None and found[0].take_step(step, self._now()):
            self.keep_soon()

    def note_runner(self, runner: Runner) -> None:
        """A strategy here has changed in some way: one that copies hears its target if it does not know it yet."""
        found = self._by_instance.get(runner.number)
        if found is None or runner.state != LIVE or runner.engine is None:
            return
        owned, symbol = found
        self._tell(owned, ())
        if owned.settle(symbol, progress_of(runner.engine)):
            self.keep_soon()
        if symbol in owned.book.unpriced:
            self._mark_one(owned, symbol, runner.engine)

    def drop(self, account: int) -> None:
        """The account is held here no more."""
        owned = self.owned.pop(account, None)
        if owned is not None:
            for instance in owned.instances.values():
                self._by_instance.pop(instance, None)

    async def look(self) -> None:
        """Plan for everybody that was rung for, keep it, and hand it to those that carry it out."""
        await self._read_asked()
        stale, self._stale = self._stale, set()
        self._rung |= await self.rows.read_masters(stale & self.rows.followers.keys())
        now_ms, now_ns = self._parts.clock.machine.now_ms(), self._parts.clock.machine.steady_ns()
        if now_ns - self._marked_ns > MARK_NS:
            self._marked_ns = now_ns
            self._mark()
        rung, self._rung = self._rung, set()
        rung |= {number for number, owned in self.owned.items() if 0 < owned.book.due_ms <= now_ms}
        await self._load(rung)
        claim, ahead = self._fan_out.begin(len(rung)), list[Owned]()
        self._is_soon, may_keep = False, self._fan_out.lets_keep(now_ns, self.keep_soon)
        dirty = {number for number, owned in self.owned.items() if may_keep and owned.is_due(now_ns)}
        first = sorted(rung | dirty, key=lambda number: (number not in rung, number))
        mine = [self.owned[number] for number in first if number in self.owned and self._may(number)]
        for start in range(0, len(mine), TOGETHER):
            some = mine[start : start + TOGETHER]
            try:
                await self._carry_out(some, rung, ahead)
            except BaseException:
                # Those that come after them have not been looked at.
                self._rung |= rung - {owned.account for owned in mine[:start]}
                raise
            ahead = some
        self._fan_out.end(claim, self._engines(ahead))

    async def _carry_out(self, mine: list[Owned], rung: Collection[int], ahead: Iterable[Owned]) -> None:
        """Plan for some, keep it, and hand it over once most orders of those ahead have left."""
        try:
            await pace.until_most_are_journaled(self._engines(ahead))
            await self._prepare([owned for owned in mine if owned.account in rung])
            mine = [owned for owned in mine if self.owned.get(owned.account) is owned]
            targets = {owned.account: self._plan(owned) for owned in mine if owned.account in rung}
            await self._keep(mine)
            await pace.until_most_have_left(self._engines(ahead))
        except BaseException:
            # Nobody has heard of what was decided; it is read back and decided again.
            for owned in mine:
                self.drop(owned.account)
            raise
        for owned in mine:
            if self.owned.get(owned.account) is owned:
                self._tell(owned, targets.get(owned.account, ()))
                self._settle(owned)  # a signal that moves no target is over as soon as it is kept

    async def _load(self, rung: set[int]) -> None:
        """Take accounts up that are held here and wanted; they are planned for like all that were rung for."""
        now_ns = self._parts.clock.machine.steady_ns()
        new = [
            number for number in rung & self.rows.wanted & self._accounts.keys() - self.owned.keys()
            if self._may(number) and self._failed.get(number, 0) <= now_ns
        ]  # fmt: skip
        found, failed = await self._loader.load(new)
        for owned in found:
            self.owned[owned.account] = owned
            self._bind(owned)
        for account, words in failed.items():
            await self._fail(account, words)

    async def _fail(self, account: int, words: str) -> None:
        """One that cannot be planned for says why, and holds no other up."""
        log.warning("follower_account_failed", account=account, reason=words)
        self.drop(account)
        self._failed[account] = self._parts.clock.machine.steady_ns() + FAILED_NS
        rows = self.rows.mine(account)

        def work(unit: UnitOfWork) -> None:
            for row in rows:
                changes = {"state": "error", "last_error": words}
                copy_fleet.report(unit, number_of(row.id), row.revision, changes)

        await self._parts.database.keep(work)

    async def _prepare(self, mine: Collection[Owned]) -> None:
        """Bring each up to date; one that cannot be is left out."""
        for owned in mine:
            await self._or_fail(owned, self._prepare_one(owned))
        async with asyncio.TaskGroup() as together:  # after a take-over there are many
            for owned in mine:
                if self.owned.get(owned.account) is owned and not owned.is_current:
                    together.create_task(self._or_fail(owned, self._loader.catch_up(owned)))

    async def _or_fail(self, owned: Owned, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except AresError as error:
            await self._fail(owned.account, str(error) or type(error).__name__)

    async def _prepare_one(self, owned: Owned) -> None:
        """Bring relationships up to date, and make instances for symbols that are new."""
        rows, known = self.rows.mine(owned.account), self.rows.masters
        masters = {row.master_id: known[row.master_id] for row in rows if row.master_id in known}
        for number in owned.book.followings.keys() - {number_of(row.id) for row in rows}:
            owned.book.drop(number)
        self._loader.follow(owned, rows, masters, self.rows.circular)
        if await self._loader.equip(owned, {number: self.rows.positions.get(number, {}) for number in masters}):
            self._ring(None)
        self._bind(owned)
        runner = self._accounts.get(owned.account)
        equity = owned.equity_of(runner.hub.balances) if runner is not None and runner.hub is not None else 0
        owned.book.caps = caps_of(owned.row, equity or owned.book.caps.equity, owned.quantum)

    def _plan(self, owned: Owned) -> list[Target]:
        rows, machine_ms = self.rows, self._parts.clock.machine.now_ms()
        plan = owned.book.plan(self._held.of(owned.book), self._parts.clock.trading.now_ms(), machine_ms)
        owned.take_plan(plan, rows.relationships, rows.masters, rows.positions, self._now())
        return plan.targets

    async def _keep(self, mine: list[Owned]) -> None:
        now = self._now()
        kept = [found for owned in mine if (found := owned.to_keep(now)) is not None]
        told = {owned.account: owned.reports(now, self._waiting) for owned in mine}
        reports = [report for some in told.values() for report in some]
        done = [number for relationship, _, _ in reports for number in self._waiting.pop(relationship, ())]
        if not kept and not reports:
            return

        def work(unit: UnitOfWork) -> copy_fleet.Overtaken:
            overtaken = copy_fleet.keep(unit, kept)
            for relationship, revision, changes in reports:
                copy_fleet.report(unit, relationship, revision, changes)
            for number in done:
                relations.finish(unit, number, "done", "", now)
            return overtaken

        overtaken = await self._parts.database.keep(work)
        for owned in mine:
            owned.was_kept()
            self._tell_of(news.of_reports(owned.row.owner_id, told[owned.account]))
        owners = {owned.account: owned.row.owner_id for owned in mine}
        for one in kept:
            if one.account not in overtaken.accounts:
                self._tell_of(news.of_trades(owners[one.account], one))
        for account in overtaken.accounts:
            log.info("follower_account_read_again", account=account)
            self.drop(account)
            self._asked.add(account)
            self._bell.set()

    def _tell_of(self, events: Iterable[News]) -> None:
        for event in events:
            self._news(event)

    def _tell(self, owned: Owned, targets: Iterable[Target]) -> None:
        """Hand targets to the instances that carry them out; those that are not up yet hear when they are."""
        told = {one.symbol: one for one in targets}
        for symbol, made in owned.book.targets.items():
            engine = self._engine(owned, symbol)
            if engine is not None and (symbol in told or engine.instance.state[follow.VERSION] < made.version):
                self._fan_out.give_way(engine, self._accounts[owned.account], owned.instances.values())
                engine.put(
                    Event(
                        events.TARGET, self._parts.clock.trading.now_ms(), ticks=made.reference, lots=made.lots,
                        cycle=made.version, high=made.ceiling, low=made.floor, base=made.until_ms,
                    )
                )  # fmt: skip

    def _mark(self) -> None:
        """Take the prices of now, carry out stops, and tell again what an instance may have missed."""
        for number, owned in self.owned.items():
            for symbol in owned.book.instruments:
                engine = self._engine(owned, symbol)
                if engine is not None:
                    self._mark_one(owned, symbol, engine)
            self._settle(owned)
            owned.note_time(self._marked_ns)
            if owned.book.needs_watching:
                owned.end(owned.book.protect())
                self._rung.add(number)
            self._tell(owned, ())

    def _settle(self, owned: Owned) -> None:
        """See whether signals that have not ended have come to an end."""
        for symbol in owned.book.instruments:
            if not owned.logs.pending(symbol):
                continue
            engine = self._engine(owned, symbol)
            if owned.settle(symbol, progress_of(engine) if engine is not None else None):
                self.keep_soon()

    def _mark_one(self, owned: Owned, symbol: str, engine: TradingEngine) -> None:
        if symbol in owned.book.instruments and owned.book.mark(symbol, engine.books.last_ticks):
            self._rung.add(owned.account)
            self._bell.set()

    def _engines(self, some: Iterable[Owned]) -> list[TradingEngine]:
        """What trades for some accounts, as far as it is up here."""
        return list(filter(None, (self._engine(owned, symbol) for owned in some for symbol in owned.instances)))

    def _engine(self, owned: Owned, symbol: str) -> TradingEngine | None:
        """What trades a symbol for an account, if it is up here."""
        account = self._accounts.get(owned.account)
        runner = account.runners.get(owned.instances.get(symbol, 0)) if account is not None else None
        return runner.engine if runner is not None and runner.state == LIVE else None

    def _is_news(self, row: FollowRelationship) -> bool:
        owned = self.owned.get(row.account_id)
        if owned is None:
            return row.account_id in self._accounts and row.account_id in self.rows.wanted
        return owned.revisions.get(number_of(row.id), ())[:2] != (row.revision, row.resync)

    async def _read_asked(self) -> None:
        """Read the relationships of accounts that were rung for; whether they are held here is seen afterwards."""
        asked, self._asked = self._asked, set()
        if not asked:
            return
        for account in asked:
            self._failed.pop(account, None)
        for found in await self._parts.database.read(partial(copy_fleet.followers, accounts=sorted(asked))):
            if found.account_id in self.owned:
                self.owned[found.account_id].row = found
        known = self.rows.wanted
        self._rung |= asked | await self.rows.read_accounts(asked)
        if self.rows.wanted - known:
            self._ring(None)  # somebody has to hold the account first

    def _bind(self, owned: Owned) -> None:
        for symbol, instance in owned.instances.items():
            self._by_instance[instance] = owned, symbol

    def _may(self, account: int) -> bool:
        return self._parts.leases.is_good(account_lock(account))

    def keep_soon(self) -> None:
        """What an order has come to is kept with all that comes within a moment: one row then holds all of it."""
        if self._is_soon:
            return
        self._is_soon = True
        asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._bell.set)

    def _now(self) -> datetime:
        return utc_from_ms(self._parts.clock.machine.now_ms())
