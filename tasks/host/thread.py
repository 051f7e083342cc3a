"""The thread that the engine host lives on, and the watch over it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, Final, TypeVar

import structlog
import uvloop

from core.clock import MachineTime, SystemTime
from core.config import Config
from domain.errors import AresError
from engine.trading_engine import TradingEngine
from tasks.host.host import EngineHost
from tasks.host.http import WorkerHttp
from tasks.host.quarantine import note_death
from tasks.wiring import open_parts

log = structlog.get_logger(__name__)
T = TypeVar("T")
#: Exit status of a process whose loop was blocked.
BLOCKED: Final = 75
_SECOND: Final = 1_000_000_000
_BEAT_SECONDS: Final = 0.25


class HostThread:
    """Runs one host from `start` to `stop`. What cannot begin says why, and the process ends."""

    def __init__(
        self, config: Config, on_ready: Callable[[EngineHost], None], on_failure: Callable[[BaseException], None]
    ) -> None:
        self.host: EngineHost | None = None
        self._config = config
        self._on_ready = on_ready
        self._on_failure = on_failure
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Event | None = None
        self._watchdog = Watchdog(SystemTime(), blocked_after(config), self._blame)
        self._thread = threading.Thread(target=self._run, name="engine-host", daemon=True)

    def start(self) -> None:
        """Start the thread; `on_ready` is called on it once the host works."""
        self._thread.start()

    def drain(self) -> None:
        """Begin to hand everything over; returns at once. May be called from any thread, also twice."""
        loop, host = self._loop, self.host
        if loop is not None and host is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._begin_end)

    def stop(self, seconds: float = 20.0) -> None:
        """Hand everything over and wait for it."""
        self.drain()
        if self._loop is not None and self.host is None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin_end)
        self._thread.join(seconds)

    def call(self, work: Callable[[], None]) -> None:
        """Have something done on the host's loop."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def ask(self, question: Coroutine[Any, Any, T], seconds: float) -> T:
        """What a coroutine on the host's loop gives; for other threads."""
        if self._loop is None:
            question.close()
            raise RuntimeError("the host has not begun; nothing was asked.")
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(seconds)

    def _begin_end(self) -> None:
        if self._done is not None:
            self._done.set()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._live())
        except BaseException as error:
            reason = str(error) if isinstance(error, AresError) else f"{type(error).__name__}: {error}"
            log.error("engine_host_ended", reason=reason, exc_info=not isinstance(error, AresError))
            self._on_failure(error)
        finally:
            self._watchdog.stop()

    async def _live(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        parts = open_parts(self._config)
        host = EngineHost(parts, address_of())
        http = WorkerHttp(host)
        host.http_port = await http.start()
        self.host = host
        self._watchdog.start(self._loop)
        host.start()
        log.info("engine_host_ready", worker=parts.worker_id, http_port=host.http_port)
        self._on_ready(host)
        await self._done.wait()
        self._watchdog.stop()
        await host.drain()
        await http.stop()
        await parts.close()

    def _blame(self, frame: FrameType | None) -> None:
        """Say whose step holds the loop."""
        number = culprit(frame)
        host = self.host
        log.critical("loop_blocked", instance=number, worker=host.parts.worker_id if host else "")
        if number is not None:
            note_death(self._config, number)


class Watchdog:
    """Ends the process when its loop stands still for so long that its leases are about to run out."""

    def __init__(
        self,
        machine: MachineTime,
        patience_seconds: float,
        blame: Callable[[FrameType | None], None],
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._machine = machine
        self._patience_ns = round(patience_seconds * _SECOND)
        self._blame = blame
        self._end = end
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
        while not self._stopped.wait(_BEAT_SECONDS):
            now_ns = self._machine.steady_ns()
            # When this thread too has not run, the whole process was stopped: nobody here is to blame.
            was_stopped = now_ns - last_ns > 4 * _BEAT_SECONDS * _SECOND
            last_ns = now_ns
            if was_stopped:
                self._seen_ns = now_ns
            elif now_ns - self._seen_ns > self._patience_ns:
                self._blame(sys._current_frames().get(self._loop_thread))
                self._end(BLOCKED)
                return


def blocked_after(config: Config) -> float:
    """Seconds of standstill after which the process ends: before the leases of the last heartbeat do."""
    wanted = config.worker
    return max(wanted.lease_seconds - wanted.margin_seconds - wanted.heartbeat_seconds - 0.5, 1.0)


def culprit(frame: FrameType | None) -> int | None:
    """The instance whose step is being carried out in a stack."""
    while frame is not None:
        engine = frame.f_locals.get("self")
        if isinstance(engine, TradingEngine):
            return engine.instance.instance
        frame = frame.f_back
    return None


def address_of() -> tuple[str, str]:
    """This host's name, and the address by which others would reach it."""
    name = socket.gethostname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the system only chooses an address
            return name, str(probe.getsockname()[0])
        except OSError:
            return name, "127.0.0.1"
