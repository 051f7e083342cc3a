"""A worker's memory: what has come to stay is spared the collector of garbage, and there is a bound on all of it.

One that has grown beyond its bound hands everything over and ends, and is started anew: what leaks in a library that a
process lives with for weeks would otherwise end it without a hand-over.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping
from typing import Final

import psutil
import structlog

from core.clock import MachineTime
from core.config import WorkerSection

log = structlog.get_logger(__name__)
LOOK_SECONDS: Final = 5.0
#: The generation of the collector's that is everything.
OLDEST: Final = 2
_SECOND: Final = 1_000_000_000
_MEBIBYTE: Final = 1024 * 1024


#: Objects made since for which it is worth to look for garbage among the young: what one answer of a venue leaves in
#: cycles is little, and Python's own 700 would have it looked for after every few orders.
YOUNG: Final = 2_000
#: A full collection that took so long has walked over much that has come to stay.
LONG_NS: Final = 10_000_000


class Lasting:
    """Spares the collector what has come to stay: a pause of the loop is time taken from every lease and every stop.

    Ten thousand strategies and their orders take it a third of a second each time. What it has walked over for long and
    found alive it passes over from then on; such objects end as others do, by nobody holding them any more.
    """

    def __init__(self, machine: MachineTime, spare: Callable[[], object] = gc.freeze) -> None:
        self._machine = machine
        self._spare = spare
        self._began_ns = 0
        self._before = gc.get_threshold()

    def start(self) -> None:
        """Look for garbage now, and spare programs and tables; then watch every collection."""
        gc.collect()
        self._spare()
        gc.set_threshold(YOUNG, *self._before[1:])
        gc.callbacks.append(self.note)

    def stop(self) -> None:
        """Watch no more."""
        gc.callbacks.remove(self.note)
        gc.set_threshold(*self._before)

    def note(self, phase: str, about: Mapping[str, int]) -> None:
        """A collection begins or ends; called by the collector, on whichever thread it works."""
        if phase == "start":
            self._began_ns = self._machine.steady_ns()
        elif about["generation"] == OLDEST and self._machine.steady_ns() - self._began_ns >= LONG_NS:
            self._spare()


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
