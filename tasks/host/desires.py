"""What the database wants of the fleet, as this worker last read it: cheap to refresh every second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from core.clock import MachineTime, utc_from_ms
from db.database_thread import DatabaseThread
from db.queries import editions, fleet, platform
from db.queries.editions import Recorded
from db.queries.fleet import Waiting, Want
from db.queries.instances import PAUSED, RUNNING
from db.queries.platform import KillState
from db.unit_of_work import UnitOfWork
from tasks.wiring import settings_of

log = structlog.get_logger(__name__)
#: Everything is read again after so long; in between only what has changed.
WHOLE_EVERY_NS: Final = 10_000_000_000
#: Clocks of the nodes that write may differ by so much.
OVERLAP: Final = timedelta(seconds=60)
ALIVE: Final = (RUNNING, PAUSED)


class Desires:
    """Wanted instances, commands that wait, the kill switch, and what accounts ask of their worker."""

    def __init__(self, database: DatabaseThread, machine: MachineTime) -> None:
        self.wants: dict[int, Want] = {}
        self.waiting: dict[int, list[Waiting]] = {}
        self.kill = KillState(None, {})
        self.tags: dict[int, frozenset[str]] = {}
        #: What a build has to be to take anything up.
        self.recorded = Recorded("", 0)
        #: Steady time of the last good read; the first has not happened while it is 0.
        self.read_ns = 0
        self._whole_ns = 0
        self._database = database
        self._machine = machine

    async def refresh(self, mine: Collection[int], *, whole: bool = False) -> None:
        """Read what has changed, and from time to time everything. `mine` are the instances that run here."""
        now_ns = self._machine.steady_ns()
        whole = whole or not self.read_ns or now_ns - self._whole_ns > WHOLE_EVERY_NS
        since = utc_from_ms(self._machine.now_ms()) - OVERLAP

        def ask(unit: UnitOfWork) -> tuple[list[Want], list[Waiting], KillState, list[Want], Recorded]:
            waiting = fleet.waiting(unit)
            rows = fleet.everything_wanted(unit) if whole else fleet.changed_since(unit, since)
            seen = {row.instance for row in rows} | self.wants.keys()
            asked = fleet.some(unit, [one.instance for one in waiting if one.instance not in seen])
            return rows, waiting, platform.kill_state(unit), asked, editions.recorded(unit)

        rows, waiting, self.kill, asked, self.recorded = await self._database.read(ask)
        self._take_commands(waiting)
        if whole:
            self.wants = {row.instance: self._kept(row) for row in rows}
            self._whole_ns = now_ns
        for row in (*rows, *asked):
            self._take(row, mine)
        await self._read_tags()
        self.read_ns = self._machine.steady_ns()

    async def hear(self, instances: Collection[int], mine: Collection[int]) -> list[Want]:
        """Read these instances now, with their commands."""
        numbers = list(instances)

        def ask(unit: UnitOfWork) -> tuple[list[Want], list[Waiting]]:
            return fleet.some(unit, numbers), fleet.waiting(unit)

        rows, waiting = await self._database.read(ask)
        self._take_commands(waiting)
        for row in rows:
            self._take(row, mine)
        return rows

    def done_with(self, instance: int) -> None:
        """Nothing is left to do for this one until somebody asks again."""
        self.wants.pop(instance, None)

    def by_account(self) -> Mapping[int, dict[int, Want]]:
        """Account -> its wanted instances."""
        grouped: dict[int, dict[int, Want]] = defaultdict(dict)
        for want in self.wants.values():
            grouped[want.account][want.instance] = want
        return grouped

    def _take(self, row: Want, mine: Collection[int]) -> None:
        if row.desired in ALIVE or row.instance in self.waiting or row.instance in self.wants or row.instance in mine:
            if row.instance in mine and row.desired not in ALIVE and row.instance not in self.wants:
                return  # it was finished here a moment ago
            self.wants[row.instance] = self._kept(row)

    def _kept(self, row: Want) -> Want:
        """What has not changed stays the same object, so that it is quick to compare."""
        known = self.wants.get(row.instance)
        return known if known is not None and known == row else row

    def _take_commands(self, waiting: list[Waiting]) -> None:
        grouped: dict[int, list[Waiting]] = defaultdict(list)
        for one in waiting:
            grouped[one.instance].append(one)
        self.waiting = dict(grouped)

    async def _read_tags(self) -> None:
        """Read each account once: what it asks of its worker does not change while it is traded on."""
        new = sorted({want.account for want in self.wants.values()} - self.tags.keys())
        if not new:
            return
        for account in await self._database.read(partial(fleet.accounts, numbers=new)):
            try:
                tags = settings_of(account).get("tags", [])
                self.tags[account.id or 0] = frozenset(map(str, tags))
            except Exception as error:  # noqa: BLE001 - whatever a person wrote there must not stop the others
                log.warning("account_tags_unreadable", account=account.id, reason=str(error))
                self.tags[account.id or 0] = frozenset()
