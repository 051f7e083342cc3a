"""Units of work for an event loop: carried out one after another on a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Engine

from db.database import for_reading
from db.unit_of_work import UnitOfWork, committed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Failed:
    """What a unit of work of several has raised."""

    error: Exception


class DatabaseThread:
    """One thread, one connection at a time: on SQLite the units of a process never wait for one another's lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        #: Small units of work that wait for a commit they may share.
        self._small: list[tuple[Callable[[UnitOfWork], Any], asyncio.Future[Any]]] = []
        self._lock = threading.Lock()

    async def keep(self, work: Callable[[UnitOfWork], T]) -> T:
        """Carry a unit of work out and commit it. Raises what the database raises; then nothing was kept."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._keep, work)

    async def keep_together(self, work: Callable[[UnitOfWork], T]) -> T:
        """The same in one commit with others of this kind that have come meanwhile; what raises fails alone.

        For work that may be begun twice: where one of them raises, each is carried out by itself.
        """
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[T] = loop.create_future()
        with self._lock:
            self._small.append((work, mine))
            is_first = len(self._small) == 1
        if is_first:
            self._pool.submit(self._keep_small, loop)
        return await mine

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """What a unit of work that only reads gives."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    def close(self) -> None:
        """Let what has begun end, and close every connection."""
        self._pool.shutdown(wait=True)
        self._engine.dispose()

    def _keep_small(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            waiting, self._small = self._small, []
        found = self._keep_all([work for work, _ in waiting])
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_tell, [mine for _, mine in waiting], found)

    def _keep_all(self, works: list[Callable[[UnitOfWork], Any]]) -> list[Any]:
        is_done = False
        try:
            with committed(self._engine) as unit:
                found = [work(unit) for work in works]
                is_done = True
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            # What a commit says is true of all of them; before it each speaks for itself.
            return [_Failed(error) for _ in works] if is_done else [self._keep_alone(work) for work in works]
        return found

    def _keep_alone(self, work: Callable[[UnitOfWork], Any]) -> Any:
        try:
            return self._keep(work)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            return _Failed(error)

    def _keep(self, work: Callable[[UnitOfWork], T]) -> T:
        with committed(self._engine) as unit:
            return work(unit)

    def _read(self, work: Callable[[UnitOfWork], T]) -> T:
        with UnitOfWork(self._reading) as unit:
            return work(unit)


def _tell(waiting: list[asyncio.Future[Any]], found: list[Any]) -> None:
    for mine, one in zip(waiting, found, strict=True):
        if mine.done():
            continue  # nobody waits for it any more
        if isinstance(one, _Failed):
            mine.set_exception(one.error)
        else:
            mine.set_result(one)
