"""The follower accounts of this worker: what their masters hold, what they are to hold, and who carries it out.

A worker that leases an account plans for it. Every plan is kept, under the account's fencing epoch, before the
instances hear of it; told again it does nothing, so a lost, late or doubled ring can do no harm.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from redis.exceptions import RedisError

from core.base_journal import Step
from core.clock import utc_from_ms
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
from tasks.host.account import AccountRunner
from tasks.host.copying.accounts import Loader, Owned
from tasks.host.copying.shapes import caps_of, newest
from tasks.host.runner import LIVE, Runner
from tasks.wiring import Parts, number_of

log = structlog.get_logger(__name__)
_SECOND: Final = 1_000_000_000
#: Everything is read again after so long; in between only what has changed.
WHOLE_EVERY_NS: Final = 60 * _SECOND
#: Clocks of the nodes that write may differ by so much.
OVERLAP: Final = timedelta(seconds=10)
#: Executions are kept at the latest so many seconds after they were shared out.
FLUSH_SECONDS: Final = 0.25
#: Prices are marked, and stops looked at, so often.
MARK_NS: Final = _SECOND
#: An account that could not be planned for is tried again after so long.
FAILED_NS: Final = 60 * _SECOND


class FollowerDesk:
    """Plans for the follower accounts that are held here."""

    def __init__(
        self, parts: Parts, accounts: Mapping[int, AccountRunner], runner_of: Callable[[int], Runner | None],
        ring: Callable[[int | None], None],
    ) -> None:  # fmt: skip
        self.owned: dict[int, Owned] = {}
        #: Accounts that a worker has to hold, whether anything trades on them yet or not.
        self.wanted: set[int] = set()
        self.relationships: dict[int, FollowRelationship] = {}
        self.masters: dict[int, Master] = {}
        self.positions: dict[int, dict[str, MasterPosition]] = {}
        self._parts, self._accounts, self._runner_of, self._ring = parts, accounts, runner_of, ring
        self._loader = Loader(parts)
        #: Master -> accounts that follow it; account -> its relationships.
        self._followers: dict[int, set[int]] = {}
        self._mine: dict[int, set[int]] = {}
        self._by_instance: dict[int, tuple[Owned, str]] = {}
        self._rung: set[int] = set()
        self._stale: set[int] = set()
        self._asked: set[int] = set()
        #: Account -> steady time until which it is not tried again, unless somebody asks.
        self._failed: dict[int, int] = {}
        #: Relationship -> commands without an outcome.
        self._waiting: dict[int, list[int]] = {}
        self._bell = asyncio.Event()
        self._whole_ns = self._marked_ns = 0
        self._is_reading = asyncio.Lock()

    def ring_master(self, master: int, position: MasterPosition | None = None) -> None:
        """A master has a new version; whoever has just published it here hands it over."""
        if position is not None:
            self._take_position(position)
        else:
            self._stale.add(master)
        self._rung |= self._followers.get(master, set())
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
            since = self._now() - OVERLAP
            rows = await self._parts.database.read(
                partial(copy_fleet.relationships, since=None if is_whole else since)
            )  # fmt: skip
            if is_whole:
                self._whole_ns, self.relationships, self.wanted = now_ns, {}, set()
            changed = self._take_relationships(rows)
            mine = {row.master_id for row in self.relationships.values()}
            await self._read_masters(mine if is_whole else mine & changed)
            if mine:
                for position in await self._parts.database.read(partial(copy_fleet.published_since, moment=since)):
                    if position.master_id in mine and self._take_position(position):
                        self._rung |= self._followers.get(position.master_id, set())
            self._rung |= {row.account_id for row in rows if self._is_news(row)}
            self._rung |= {number for number in self.wanted & self._accounts.keys() if number not in self.owned}
            waiting: dict[int, list[int]] = defaultdict(list)
            for command in await self._parts.database.read(relations.waiting):
                waiting[command.relationship_id].append(number_of(command.id))
            self._waiting = dict(waiting)
            self._rung |= {self.relationships[n].account_id for n in waiting if n in self.relationships}
        if self._rung:
            self._bell.set()

    async def run(self) -> None:
        """Plan whenever there is something new, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._pause()):
                    await self._bell.wait()
            except TimeoutError:
                pass
            self._bell.clear()
            try:
                await self._look()
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
            self._bell.set()

    def note_runner(self, runner: Runner) -> None:
        """A strategy here has changed in some way: one that copies hears its target if it does not know it yet."""
        found = self._by_instance.get(runner.number)
        if found is not None and runner.state == LIVE:
            self._tell(found[0], ())

    def drop(self, account: int) -> None:
        """The account is held here no more."""
        owned = self.owned.pop(account, None)
        if owned is not None:
            for instance in owned.instances.values():
                self._by_instance.pop(instance, None)

    async def _look(self) -> None:
        await self._read_asked()
        stale, self._stale = self._stale, set()
        await self._read_masters(stale & self._followers.keys())
        now_ms, now_ns = self._parts.clock.machine.now_ms(), self._parts.clock.machine.steady_ns()
        if now_ns - self._marked_ns > MARK_NS:
            self._marked_ns = now_ns
            self._mark()
        rung, self._rung = self._rung, set()
        rung |= {number for number, owned in self.owned.items() if 0 < owned.book.due_ms <= now_ms}
        await self._load(rung)
        dirty = {number for number, owned in self.owned.items() if owned.is_due(now_ns)}
        mine = [self.owned[number] for number in sorted(rung | dirty) if number in self.owned and self._may(number)]
        try:
            await self._prepare([owned for owned in mine if owned.account in rung])
            mine = [owned for owned in mine if self.owned.get(owned.account) is owned]
            targets = {owned.account: self._plan(owned) for owned in mine if owned.account in rung}
            await self._keep(mine)
        except BaseException:
            # Nobody has heard of what was decided; it is read back and decided again.
            for owned in mine:
                self.drop(owned.account)
            self._rung |= rung
            raise
        for owned in mine:
            if self.owned.get(owned.account) is owned:
                self._tell(owned, targets.get(owned.account, ()))

    async def _load(self, rung: set[int]) -> None:
        """Take accounts up that are held here and wanted; they are planned for like all that were rung for."""
        now_ns = self._parts.clock.machine.steady_ns()
        new = [
            number for number in rung & self.wanted & self._accounts.keys() - self.owned.keys()
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
        rows = [self.relationships[number] for number in self._mine.get(account, ())]

        def work(unit: UnitOfWork) -> None:
            for row in rows:
                changes = {"state": "error", "last_error": words[:500]}
                copy_fleet.report(unit, number_of(row.id), row.revision, changes)

        await self._parts.database.keep(work)

    async def _prepare(self, mine: Iterable[Owned]) -> None:
        """Bring each up to date; one that cannot be is left out."""
        for owned in mine:
            try:
                await self._prepare_one(owned)
            except AresError as error:
                await self._fail(owned.account, str(error) or type(error).__name__)

    async def _prepare_one(self, owned: Owned) -> None:
        """Bring relationships up to date, and make instances for symbols that are new."""
        rows = [self.relationships[number] for number in sorted(self._mine.get(owned.account, ()))]
        masters = {row.master_id: self.masters[row.master_id] for row in rows if row.master_id in self.masters}
        for number in owned.book.followings.keys() - {number_of(row.id) for row in rows}:
            owned.book.drop(number)
        await self._loader.follow(owned, rows, masters)
        if await self._loader.equip(owned, {number: self.positions.get(number, {}) for number in masters}):
            self._ring(None)
        self._bind(owned)
        if not owned.is_current:
            await self._loader.catch_up(owned)
        runner = self._accounts.get(owned.account)
        equity = owned.equity_of(runner.hub.balances) if runner is not None and runner.hub is not None else 0
        owned.book.caps = caps_of(owned.row, equity or owned.book.caps.equity)

    def _plan(self, owned: Owned) -> list[Target]:
        book, machine_ms = owned.book, self._parts.clock.machine.now_ms()
        found = {
            number: {
                symbol: newest(row, self.masters[number], book.instruments[symbol])
                for symbol, row in self.positions.get(number, {}).items()
                if symbol in book.instruments
            }
            for number in {following.master for following in book.followings.values()}
            if number in self.masters
        }
        plan = book.plan(found, self._parts.clock.trading.now_ms(), machine_ms)
        owned.take_plan(plan, self.relationships, self.masters, self.positions, self._now())
        return plan.targets

    async def _keep(self, mine: list[Owned]) -> None:
        now = self._now()
        kept = [found for owned in mine if (found := owned.to_keep(now)) is not None]
        reports = [report for owned in mine for report in owned.reports(now, self._waiting)]
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
        for account in overtaken.accounts:
            log.info("follower_account_read_again", account=account)
            self.drop(account)
            self._asked.add(account)
            self._bell.set()

    def _tell(self, owned: Owned, targets: Iterable[Target]) -> None:
        """Hand targets to the instances that carry them out; those that are not up yet hear when they are."""
        told = {one.symbol: one for one in targets}
        for symbol, made in owned.book.targets.items():
            runner = self._runner_of(owned.instances.get(symbol, 0))
            if runner is None or runner.engine is None or runner.state != LIVE:
                continue
            if symbol in told or runner.engine.instance.state[follow.VERSION] < made.version:
                runner.engine.put(
                    Event(
                        events.TARGET, self._parts.clock.trading.now_ms(), ticks=made.reference, lots=made.lots,
                        cycle=made.version, high=made.ceiling, low=made.floor, base=made.until_ms,
                    )
                )  # fmt: skip

    def _mark(self) -> None:
        """Take the prices of now, carry out stops, and tell again what an instance may have missed."""
        for number, owned in self.owned.items():
            for symbol, instance in owned.instances.items():
                runner = self._runner_of(instance)
                if runner is not None and runner.engine is not None:
                    owned.book.mark(symbol, runner.engine.books.last_ticks)
            if owned.book.needs_watching and (ended := owned.book.protect()):
                owned.end(ended)
            if owned.book.needs_watching:
                self._rung.add(number)
            self._tell(owned, ())

    def _take_relationships(self, rows: Iterable[FollowRelationship]) -> set[int]:
        """Gives the masters of those that were new or edited."""
        masters: set[int] = set()
        is_fewer = False
        for row in rows:
            number = number_of(row.id)
            before = self.relationships.get(number)
            if before is None or before.revision != row.revision or row.master_id not in self.masters:
                masters.add(row.master_id)
            is_over = row.removed_at is not None or (row.desired_state == "stopped" and row.state == "stopped")
            if is_over:
                is_fewer |= self.relationships.pop(number, None) is not None
            else:
                self.relationships[number] = row
        if masters or is_fewer or not self.wanted:
            self._index()
        return masters

    def _index(self) -> None:
        followers: dict[int, set[int]] = defaultdict(set)
        mine: dict[int, set[int]] = defaultdict(set)
        for number, row in self.relationships.items():
            followers[row.master_id].add(row.account_id)
            mine[row.account_id].add(number)
        self.wanted, self._followers, self._mine = set(mine), dict(followers), dict(mine)

    def _is_news(self, row: FollowRelationship) -> bool:
        owned = self.owned.get(row.account_id)
        if owned is None:
            return row.account_id in self._accounts and row.account_id in self.wanted
        return owned.revisions.get(number_of(row.id), ())[:2] != (row.revision, row.resync)

    async def _read_asked(self) -> None:
        """Read the relationships of accounts that were rung for; whether they are held here is seen afterwards."""
        asked, self._asked = self._asked, set()
        if not asked:
            return
        for account in asked:
            self._failed.pop(account, None)
        rows = await self._parts.database.read(partial(copy_fleet.of_accounts, accounts=sorted(asked)))
        for found in await self._parts.database.read(partial(copy_fleet.followers, accounts=sorted(asked))):
            if found.account_id in self.owned:
                self.owned[found.account_id].row = found
        known = self.wanted
        await self._read_masters(self._take_relationships(rows))
        self._rung |= asked
        if self.wanted - known:
            self._ring(None)  # somebody has to hold the account first

    async def _read_masters(self, numbers: Collection[int]) -> None:
        if not numbers:
            return
        for master in await self._parts.database.read(partial(copy_fleet.masters, numbers=sorted(numbers))):
            self.masters[number_of(master.id)] = master
        await self._read_positions(numbers)

    async def _read_positions(self, numbers: Collection[int]) -> None:
        known = sorted(number for number in numbers if number in self.masters)
        if not known:
            return
        for position in await self._parts.database.read(partial(copy_fleet.positions, numbers=known)):
            if self._take_position(position):
                self._rung |= self._followers.get(position.master_id, set())

    def _take_position(self, position: MasterPosition) -> bool:
        mine = self.positions.setdefault(position.master_id, {})
        before = mine.get(position.symbol)
        if before is not None and before.version >= position.version:
            return False
        mine[position.symbol] = position
        return True

    def _bind(self, owned: Owned) -> None:
        for symbol, instance in owned.instances.items():
            self._by_instance[instance] = owned, symbol

    def _may(self, account: int) -> bool:
        return self._parts.leases.is_good(account_lock(account))

    def _pause(self) -> float:
        return FLUSH_SECONDS if any(owned.has_changes for owned in self.owned.values()) else 1.0

    def _now(self) -> datetime:
        return utc_from_ms(self._parts.clock.machine.now_ms())
