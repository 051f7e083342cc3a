"""Whose a strategy is: it never changes, so the database is asked once in a while and not with every look."""

from __future__ import annotations

from typing import Final

from fastapi.concurrency import run_in_threadpool

from core.clock import MachineTime
from db.database import Database
from db.queries import pages
from db.unit_of_work import reading

#: A strategy that was removed by way of another node is gone here within this time.
_FRESH_NS: Final = 60_000_000_000
_MOST_REMEMBERED: Final = 100_000


class Owners:
    """Remembers whose strategies are."""

    def __init__(self, database: Database, time: MachineTime) -> None:
        self._database = database
        self._time = time
        self._known: dict[tuple[int, int], int] = {}

    async def require(self, number: int, owner: int) -> None:
        """Return if it is theirs; `NoSuchRow` otherwise, whether it is another's or nobody's."""
        key, now = (number, owner), self._time.steady_ns()
        if now - self._known.get(key, -_FRESH_NS) < _FRESH_NS:
            return
        await run_in_threadpool(self._ask, number, owner)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = now

    def forget(self, number: int, owner: int) -> None:
        """It was removed."""
        self._known.pop((number, owner), None)

    def _ask(self, number: int, owner: int) -> None:
        with reading(self._database) as unit:
            pages.instance(unit, number, owner)
