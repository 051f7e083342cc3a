"""A worker's memory: what has come to stay is spared the collector of garbage, and there is a bound on all of it.

One that has grown beyond its bound hands everything over and ends, and is started anew: what leaks in a library that a
process lives with for weeks would otherwise end it without a hand-over.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from typing import Final

import psutil
import structlog

from core.clock import MachineTime
from core.config import WorkerSection

log = structlog.get_logger(__name__)
LOOK_SECONDS: Final = 5.0
_SECOND: Final = 1_000_000_000
_MEBIBYTE: Final = 1024 * 1024


#: Strategies that have begun since, for which it is worth to look for garbage and spare the rest.
TOGETHER: Final = 50


class Lasting:
    """Spares the collector what has come to stay: a pause of the loop is time taken from every lease."""

    def __init__(self) -> None:
        self._spared = 0

    def look(self, running: int) -> None:
        """So many strategies run now."""
        if running >= self._spared + TOGETHER:
            gc.collect()
            gc.freeze()
            self._spared = running


class MemoryBound:
    """Asks the worker to end, as an operator would, once it takes more than it may."""

    def __init__(
        self,
        settings: WorkerSection,
        machine: MachineTime,
        resident: Callable[[], int] = lambda: int(psutil.Process().memory_info().rss),
        end: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGTERM),
    ) -> None:
        self._most = settings.most_memory_mb * _MEBIBYTE
        self._young_ns = round(settings.memory_rest_seconds * _SECOND)
        self._machine = machine
        self._resident = resident
        self._end = end
        self._began_ns = machine.steady_ns()
        self._was_told = False

    def look(self) -> bool:
        """Whether the worker has been asked to end. One that has just begun is not: the next would take as much."""
        if not self._most:
            return False
        resident = self._resident()
        if resident <= self._most:
            self._was_told = False
            return False
        words = {"megabytes": resident // _MEBIBYTE, "most": self._most // _MEBIBYTE}
        if self._machine.steady_ns() - self._began_ns < self._young_ns:
            if not self._was_told:
                log.warning("memory_bound_too_small", **words, next_step="raise worker.most_memory_mb or add workers.")
            self._was_told = True
            return False
        log.warning("memory_bound_reached", **words, next_step="nothing: what runs here is handed over.")
        self._end()
        return True

    async def watch(self) -> None:
        """Look until the worker has been asked to end."""
        while True:
            if self.look():
                return
            await asyncio.sleep(LOOK_SECONDS)
