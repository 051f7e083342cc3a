"""What the database wants of the fleet, as this worker last read it: cheap to refresh every second.

What was changed lately is read each time, and a part of everything, in turn: all of it at once, from thousands, would
hold up whoever waits for the database or the loop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
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
#: In so many looks everything is read again, and at least so many instances in each.
PARTS: Final = 10
SMALLEST_PART: Final = 500
#: Clocks of the nodes that write may differ by so much.
OVERLAP: Final = timedelta(seconds=60)
ALIVE: Final = (RUNNING, PAUSED)


class Desires:
    """Wanted instances, commands that wait, the kill switch, and what accounts ask of their worker."""

    def __init__(
        self, database: DatabaseThread, machine: MachineTime, on_change: Callable[[int], None] = lambda _: None
    ) -> None:
        self.wants: dict[int, Want] = {}
        self.waiting: dict[int, list[Waiting]] = {}
        self.kill = KillState(None, {})
        self.tags: dict[int, frozenset[str]] = {}
        #: What a build has to be to take anything up.
        self.recorded = Recorded("", 0)
        #: Steady time of the last good read; the first has not happened while it is 0.
        self.read_ns = 0
        self._database = database
        self._machine = machine
        #: Told the account of whatever has changed.
        self._on_change = on_change
        #: Account -> its wanted instances.
        self._grouped: dict[int, dict[int, Want]] = {}
        #: The instance with which the last part of everything ended; 0 begins anew.
        self._read_up_to = 0

    async def refresh(self, is_here: Callable[[int], bool]) -> None:
        """Read what has changed, and the next part of everything. `is_here`: whether an instance runs here."""
        since = utc_from_ms(self._machine.now_ms()) - OVERLAP
        begin, size = self._read_up_to, max(-(-len(self.wants) // PARTS), SMALLEST_PART)
        is_first = not self.read_ns

        def ask(unit: UnitOfWork) -> tuple[list[Want], list[Want], list[Waiting], KillState, list[Want], Recorded]:
            waiting = fleet.waiting(unit)
            part = fleet.everything_wanted(unit) if is_first else fleet.wanted_after(unit, begin, size)
            rows = [] if is_first else fleet.changed_since(unit, since)
            seen = {row.instance for row in (*part, *rows)}
            unknown = [one.instance for one in waiting if one.instance not in seen and one.instance not in self.wants]
            return part, rows, waiting, platform.kill_state(unit), fleet.some(unit, unknown), editions.recorded(unit)

        part, rows, waiting, self.kill, asked, self.recorded = await self._database.read(ask)
        self._take_commands(waiting)
        # What was changed lately is let go by whoever carries the change out.
        known = {row.instance for row in (*part, *rows, *asked)}
        self._take_part(part, known, begin, is_last=is_first or len(part) < size)
        for row in (*rows, *asked):
            self._take(row, is_here)
        await self._read_tags()
        self.read_ns = self._machine.steady_ns()

    async def hear(self, instances: Collection[int], is_here: Callable[[int], bool]) -> list[Want]:
        """Read these instances now, with their commands."""
        numbers = list(instances)

        def ask(unit: UnitOfWork) -> tuple[list[Want], list[Waiting]]:
            return fleet.some(unit, numbers), fleet.waiting(unit)

        rows, waiting = await self._database.read(ask)
        self._take_commands(waiting)
        for row in rows:
            self._take(row, is_here)
        return rows

    def done_with(self, instance: int) -> None:
        """Nothing is left to do for this one until somebody asks again."""
        self._drop([instance])

    def by_account(self) -> Mapping[int, dict[int, Want]]:
        """Account -> its wanted instances; not to be changed."""
        return self._grouped

    def _take_part(self, part: list[Want], known: set[int], begin: int, *, is_last: bool) -> None:
        """Everything that is wanted from one number to another; what else there was between them is not any more."""
        end = float("inf") if is_last else part[-1].instance
        self._drop([number for number in self.wants if begin < number <= end and number not in known])
        for row in part:
            self._put(row)
        self._read_up_to = 0 if is_last else part[-1].instance

    def _take(self, row: Want, is_here: Callable[[int], bool]) -> None:
        if row.instance in self.wants:
            self._put(row)
        elif row.desired in ALIVE or (row.instance in self.waiting and not is_here(row.instance)):
            self._put(row)  # otherwise it is not wanted, or was finished here a moment ago

    def _put(self, row: Want) -> None:
        """What has not changed stays the same object, so that it is quick to compare."""
        known = self.wants.get(row.instance)
        if known == row:
            return
        if known is not None:
            self._drop([row.instance])
        self.wants[row.instance] = row
        self._grouped.setdefault(row.account, {})[row.instance] = row
        self._on_change(row.account)

    def _drop(self, instances: Iterable[int]) -> None:
        for number in instances:
            known = self.wants.pop(number, None)
            if known is None:
                continue
            mine = self._grouped[known.account]
            del mine[number]
            if not mine:
                del self._grouped[known.account]
            self._on_change(known.account)

    def _take_commands(self, waiting: list[Waiting]) -> None:
        grouped: dict[int, list[Waiting]] = defaultdict(list)
        for one in waiting:
            grouped[one.instance].append(one)
        for number in grouped.keys() | self.waiting.keys():
            if (want := self.wants.get(number)) is not None:
                self._on_change(want.account)
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
