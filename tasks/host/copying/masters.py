"""Watching masters: under a lease each, what they hold is published in durable versions, and their followers are rung.

A master lives where the account that it trades on lives, so that a strategy of this worker is seen as it trades.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from core.base_journal import Step
from core.clock import utc_from_ms
from core.event_bus import Event
from core.redis_names import DOORBELL, MASTER, master_lock
from db.models import Master, MasterPosition
from db.queries import copy_fleet, fleet, masters
from db.queries.masters import Published
from db.unit_of_work import UnitOfWork
from domain.copying.sizing import Record
from domain.copying.track_record import record_of
from domain.errors import AresError
from domain.fill import Fill
from domain.instrument import Instrument
from domain.money import from_units
from domain.position_tracker import Position
from domain.profit import Units
from engine.follower_engine.account_watch import AccountWatch, Seen
from tasks.host.copying.news import of_signal
from tasks.host.placement import Member, owner_of
from tasks.host.runner import Runner
from tasks.host.status import equity_of
from tasks.wiring import Parts, number_of

log = structlog.get_logger(__name__)
_SECOND: Final = 1_000_000_000
READ_NS: Final = 2 * _SECOND
AUDIT_NS: Final = 5 * _SECOND
ZERO: Final = Decimal(0)


@dataclass(slots=True, eq=False)
class Watched:
    """A master that this worker watches."""

    row: Master
    epoch: int
    watch: AccountWatch | None = None
    task: asyncio.Task[None] | None = None
    #: Symbol -> what is still to be published.
    waiting: dict[str, Published] = field(default_factory=dict)
    audited_ns: int = 0
    trades: int = -1
    said: str = ""


class MasterWatch:
    """The masters of this worker."""

    def __init__(
        self, parts: Parts, runner_of: Callable[[int], Runner | None],
        tell: Callable[[MasterPosition, Master], None], news: Callable[[Event], None],
    ) -> None:  # fmt: skip
        self.watched: dict[int, Watched] = {}
        self._parts, self._runner_of, self._tell, self._news = parts, runner_of, tell, news
        self._by_instance: dict[int, Watched] = {}
        self._bell = asyncio.Event()
        self._read_ns = 0

    def note_step(self, step: Step) -> None:
        """A step was kept: if it is a master's, what it holds now is published."""
        found = self._by_instance.get(step.instance)
        if found is not None and step.fills:
            self._note_strategy(found, max(step.fills, key=lambda fill: fill.time_ms))

    async def refresh(self, members: list[Member], tags: Mapping[int, frozenset[str]], *, takes: bool) -> None:
        """Take up and let go what placement says; one that does not take keeps what it has."""
        now_ns = self._parts.clock.machine.steady_ns()
        if now_ns - self._read_ns < READ_NS:
            return
        self._read_ns = now_ns
        wanted = {number_of(row.id): row for row in await self._parts.database.read(copy_fleet.watched)}
        here = self._parts.worker_id
        placed = {
            number for number, row in wanted.items()
            if owner_of(row.account_id or 0, tags.get(row.account_id or 0, frozenset()), members) == here
        }  # fmt: skip
        mine = placed if takes else wanted.keys() & self.watched.keys()
        leases = self._parts.leases
        for number in self.watched.keys() - mine:
            await self._let_go(number)
        for number in [number for number in self.watched if not leases.is_good(master_lock(number))]:
            if master_lock(number) not in leases.held:
                await self._let_go(number)
        new = sorted(mine - self.watched.keys())
        taken = await leases.acquire(map(master_lock, new)) if new and not leases.is_young else set()
        for number in new:
            if master_lock(number) in taken:
                await self._take_up(wanted[number])
        for number, row in wanted.items():
            if number in self.watched:
                self.watched[number].row = row

    async def run(self) -> None:
        """Publish what waits and audit, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(1.0):
                    await self._bell.wait()
            except TimeoutError:
                pass
            self._bell.clear()
            await self.look()

    async def look(self) -> None:
        """Publish what waits now, and audit what is due."""
        for watched in list(self.watched.values()):
            try:
                await self._work(watched)
            except (AresError, RedisError, OSError) as error:
                log.warning("master_not_published", master=watched.row.id, reason=str(error))
            except Exception:
                log.exception("master_not_published", master=watched.row.id)

    async def close(self) -> None:
        """Let every master go: another worker takes them at once."""
        for number in list(self.watched):
            await self._let_go(number)

    async def _work(self, watched: Watched) -> None:
        number = number_of(watched.row.id)
        if not self._parts.leases.is_good(master_lock(number)):
            return
        await self._publish_what_waits(watched)
        now_ns = self._parts.clock.machine.steady_ns()
        if now_ns - watched.audited_ns > AUDIT_NS and number in self.watched:
            watched.audited_ns = now_ns
            await self._audit(watched)
            await self._publish_what_waits(watched)

    async def _publish_what_waits(self, watched: Watched) -> None:
        number = number_of(watched.row.id)
        waiting, watched.waiting = watched.waiting, {}
        if not waiting:
            return
        try:
            row, found = await self._parts.database.keep(partial(self._publish, watched, list(waiting.values())))
        except BaseException:
            watched.waiting = waiting | watched.waiting
            raise
        if row is None:
            log.warning("master_overtaken", master=number)
            await self._let_go(number)
            return
        for position in found:
            self._tell(position, row)
            self._news(of_signal(position))
        if found:
            newest = max(position.version for position in found)
            await self._parts.redis.publish(DOORBELL, f"{MASTER}{number}:{newest}")

    def _publish(
        self, watched: Watched, told: list[Published], unit: UnitOfWork
    ) -> tuple[Master | None, list[MasterPosition]]:
        """The master, None when another worker watches it, and what is news."""
        row = unit.session.get(Master, watched.row.id, with_for_update=True)
        if row is None or row.epoch != watched.epoch:
            return None, []
        found: list[MasterPosition] = []
        if row.state == masters.ENDED:
            return row, found
        for one in told:
            if masters.publish(unit, row, one, self._now()) is not None:
                position = unit.session.get(MasterPosition, (watched.row.id, one.symbol))
                found += [position] if position is not None else []
        return row, found

    async def _take_up(self, row: Master) -> None:
        number = number_of(row.id)

        def work(unit: UnitOfWork) -> int:
            found = unit.session.get(Master, number, with_for_update=True)
            assert found is not None  # noqa: S101 - masters are never deleted
            found.epoch, found.watcher = found.epoch + 1, self._parts.worker_id
            return found.epoch

        watched = self.watched[number] = Watched(row, await self._parts.database.keep(work))
        if row.kind == masters.STRATEGY and row.strategy_instance_id is not None:
            self._by_instance[row.strategy_instance_id] = watched
        elif row.account_id is not None:
            await self._watch_account(watched, row.account_id)
        self._bell.set()

    async def _watch_account(self, watched: Watched, number: int) -> None:
        rows = await self._parts.database.read(partial(fleet.accounts, numbers=[number]))
        try:
            if not rows or rows[0].paper:
                raise copy_fleet.NotWatchable
            exchange = self._parts.exchange_of(rows[0])
        except AresError as error:
            await self._say(watched, str(error))
            return
        watched.watch = AccountWatch(
            exchange, watched.row.quote_asset, self._parts.clock, partial(self._note_account, watched)
        )
        watched.task = asyncio.create_task(watched.watch.run(), name=f"master {watched.row.id}")

    def _note_account(self, watched: Watched, seen: Seen) -> None:
        equity = watched.watch.equity if watched.watch is not None else None
        key = f"{seen.symbol}:{seen.trade_id}" if seen.trade_id else None
        at = utc_from_ms(seen.time_ms)
        watched.waiting[seen.symbol] = Published(
            seen.symbol, seen.quantity, at, seen.source, seen.entry_price, seen.price, equity, key
        )
        self._bell.set()

    def _note_strategy(self, watched: Watched, fill: Fill | None) -> None:
        runner = self._runner_of(watched.row.strategy_instance_id or 0)
        if runner is None or runner.engine is None:
            return
        instance, equity = runner.engine.instance, equity_of(runner)
        worth = from_units(equity[0], instance.instrument.quote_quantum) if equity is not None else None
        told = _held(instance.instrument, instance.position, fill, worth, self._now())
        watched.waiting[told.symbol] = told
        self._bell.set()

    async def _audit(self, watched: Watched) -> None:
        """What the journal, or the venue, says: also when no event has told of it."""
        if watched.watch is not None:
            await self._say(watched, watched.watch.last_error)
            return
        runner = self._runner_of(watched.row.strategy_instance_id or 0)
        if runner is None or runner.engine is None:
            return  # nothing trades, so nothing changes; what it holds was published when it was traded
        engine = runner.engine
        self._note_strategy(watched, None)
        if engine.instance.trades != watched.trades:
            watched.trades = engine.instance.trades
            stored = await self._parts.journal.load(runner.number)
            instrument = engine.instance.instrument
            units = Units(instrument.base, instrument.quote, instrument.base_per_lot, instrument.tick_lot)
            await self._keep_record(watched, record_of(stored.fills, units), instrument)

    async def _keep_record(self, watched: Watched, found: Record, instrument: Instrument) -> None:
        changes: dict[str, Any] = {
            "wins": found.wins, "losses": found.losses, "won": from_units(found.won, instrument.quote_quantum),
            "lost": from_units(found.lost, instrument.quote_quantum),
        }  # fmt: skip
        number = number_of(watched.row.id)
        await self._parts.database.keep(partial(copy_fleet.report_master, master=number, changes=changes))

    async def _say(self, watched: Watched, error: str) -> None:
        if error == watched.said:
            return
        watched.said = error
        changes = {"last_error": error}
        number = number_of(watched.row.id)
        await self._parts.database.keep(partial(copy_fleet.report_master, master=number, changes=changes))

    async def _let_go(self, number: int) -> None:
        watched = self.watched.pop(number)
        self._by_instance.pop(watched.row.strategy_instance_id or 0, None)
        if watched.task is not None:
            watched.task.cancel()
            await asyncio.gather(watched.task, return_exceptions=True)
        await self._parts.leases.release([master_lock(number)])

    def _now(self) -> datetime:
        return utc_from_ms(self._parts.clock.machine.now_ms())


def _held(
    instrument: Instrument, position: Position, fill: Fill | None, equity: Decimal | None, now: datetime
) -> Published:  # fmt: skip
    quantity = from_units(position.lots, instrument.base_quantum)
    entry = None
    if position.lots:
        lots = Decimal(position.lots) / instrument.base_per_lot
        entry = (Decimal(position.cost) * instrument.quote_quantum / (lots * instrument.lot_size)).quantize(
            instrument.tick_size
        )  # fmt: skip
    price = instrument.from_ticks(fill.ticks) if fill is not None else None
    at = utc_from_ms(fill.time_ms) if fill is not None else now
    return Published(instrument.symbol, quantity, at, "strategy" if fill else "audit", entry, price, equity)
