"""The watch over the loop that trades: a strategy that holds it up costs its process, and others take over.

A machine with too much to do holds every loop up, and nobody is to blame: time in which this process was ready to run
and was not let does not count. Ending it then would only give the machine more to do.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

from core.clock import MachineTime
from core.config import Config
from engine.trading_engine import TradingEngine

#: Exit status of a process whose loop was blocked.
BLOCKED: Final = 75
#: Shortest patience in seconds: a collection of garbage takes so long on a slow machine.
LEAST_PATIENCE: Final = 2.0
#: How many times its patience a loop may stand still however little the machine lets it run.
MOST_PATIENCE: Final = 6
_SECOND: Final = 1_000_000_000
_BEAT_SECONDS: Final = 0.25
_THREADS: Final = Path("/proc/self/task")


class Watchdog:
    """Ends the process when its loop stands still for longer than its patience."""

    def __init__(
        self,
        machine: MachineTime,
        patience_seconds: float,
        blame: Callable[[FrameType | None], None],
        end: Callable[[int], object] = os._exit,
        starved_ns: Callable[[], int] | None = None,
    ) -> None:
        self._machine = machine
        self._patience_ns = round(patience_seconds * _SECOND)
        self._blame = blame
        self._end = end
        self._starved_ns = starved_ns or waited_for_processor_ns
        self._seen_ns = 0
        self._stopped = threading.Event()
        self._loop_thread = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch from now on; called on the loop's thread."""
        self._loop_thread = threading.get_ident()
        self._beat(loop)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._seen_ns = self._machine.steady_ns()
        if not self._stopped.is_set():
            loop.call_later(_BEAT_SECONDS, self._beat, loop)

    def _watch(self) -> None:
        last_ns = self._machine.steady_ns()
        late_since, starved_then = 0, 0
        while not self._stopped.wait(_BEAT_SECONDS):
            now_ns = self._machine.steady_ns()
            # When this thread too has not run, the whole process was stopped: nobody here is to blame.
            was_stopped = now_ns - last_ns > 4 * _BEAT_SECONDS * _SECOND
            last_ns = now_ns
            if was_stopped:
                self._seen_ns = now_ns
            elif now_ns - self._seen_ns < 2 * _BEAT_SECONDS * _SECOND:
                continue
            elif self._seen_ns != late_since:
                late_since, starved_then = self._seen_ns, self._starved_ns()
            elif self._is_blocked(now_ns - self._seen_ns, starved_then):
                self._blame(sys._current_frames().get(self._loop_thread))
                self._end(BLOCKED)
                return

    def _is_blocked(self, still_ns: int, starved_then: int) -> bool:
        if still_ns <= self._patience_ns:
            return False
        starved_ns = self._starved_ns() - starved_then
        return still_ns - starved_ns > self._patience_ns or still_ns > MOST_PATIENCE * self._patience_ns


def waited_for_processor_ns() -> int:
    """How long the threads of this process, added up, were ready to run and not let; 0 where the system does not tell.

    Added up, for a loop that waits for another thread to let go of the interpreter waits for that thread's turn too.
    """
    total = 0
    with suppress(OSError):
        for thread in _THREADS.iterdir():
            with suppress(OSError, ValueError, IndexError):
                total += int((thread / "schedstat").read_text().split()[1])
    return total


def blocked_after(config: Config) -> float:
    """Seconds of standstill after which the process ends, and its leases are renewed no more."""
    return max(config.worker.lease_seconds / 2, LEAST_PATIENCE)


def culprit(frame: FrameType | None) -> int | None:
    """The instance whose step is being carried out in a stack."""
    while frame is not None:
        engine = frame.f_locals.get("self")
        if isinstance(engine, TradingEngine):
            return engine.instance.instance
        frame = frame.f_back
    return None
