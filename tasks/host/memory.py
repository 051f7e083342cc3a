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
#: The generations below it.
YOUNGER: Final = 1
_SECOND: Final = 1_000_000_000
_MEBIBYTE: Final = 1024 * 1024


#: Objects made since for which it is worth to look for garbage among the young: what one answer of a venue leaves in
#: cycles is little, and Python's own 700 would have it looked for after every few orders.
YOUNG: Final = 2_000
#: After so many looks at the young alone those that they have left are looked at too, and after so many of these it is
#: asked whether everything should be. Python's own 10 and 10 would have twenty thousand objects looked at in one go, 10
#: to 30 ms; so it is some thousands, and everything as seldom as before.
MIDDLE: Final = 3
OLD: Final = 33
#: A full collection that took so long has walked over much that has come to stay.
LONG_NS: Final = 10_000_000
#: Seconds after something urgent until garbage is looked for again, and how long it may lie where one urgent thing
#: follows another.
REST_SECONDS: Final = 0.3
LONGEST_HELD_NS: Final = 5_000_000_000


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
        #: Since when garbage lies, and when it is looked for again.
        self._held_ns = 0
        self._again: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look for garbage now, and spare programs and tables; then watch every collection."""
        gc.collect()
        self._spare()
        gc.set_threshold(YOUNG, MIDDLE, OLD)
        gc.callbacks.append(self.note)

    def stop(self) -> None:
        """Watch no more."""
        gc.callbacks.remove(self.note)
        gc.set_threshold(*self._before)
        gc.enable()
        if self._again is not None:
            self._again.cancel()

    def hold_off(self, is_urgent: bool) -> None:
        """Let garbage lie while something goes ahead of all else, and for a moment more; called on a running loop.

        Orders in the making are many objects that live for a moment: to look through them time and again takes a tenth
        of a fan-out, and most are gone by themselves soon after it. What is left is looked through once.
        """
        if self._again is not None:
            self._again.cancel()
            self._again = None
        now_ns = self._machine.steady_ns()
        if is_urgent:
            self._held_ns = now_ns if gc.isenabled() else self._held_ns
            gc.disable()
        elif now_ns - self._held_ns >= LONGEST_HELD_NS:
            self._look_again()
        else:
            self._again = asyncio.get_running_loop().call_later(REST_SECONDS, self._look_again)

    def _look_again(self) -> None:
        gc.enable()
        gc.collect(YOUNGER)

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
