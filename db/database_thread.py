"""Units of work for an event loop: carried out one after another on a thread of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine

from db.database import for_reading
from db.unit_of_work import UnitOfWork, committed

T = TypeVar("T")


class DatabaseThread:
    """One thread, one connection at a time: on SQLite the units of a process never wait for one another's lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def keep(self, work: Callable[[UnitOfWork], T]) -> T:
        """Carry a unit of work out and commit it. Raises what the database raises; then nothing was kept."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._keep, work)

    async def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """What a unit of work that only reads gives."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    def close(self) -> None:
        """Let what has begun end, and close every connection."""
        self._pool.shutdown(wait=True)
        self._engine.dispose()

    def _keep(self, work: Callable[[UnitOfWork], T]) -> T:
        with committed(self._engine) as unit:
            return work(unit)

    def _read(self, work: Callable[[UnitOfWork], T]) -> T:
        with UnitOfWork(self._reading) as unit:
            return work(unit)
