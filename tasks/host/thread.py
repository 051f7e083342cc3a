"""The thread that the engine host lives on."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

import structlog
import uvloop

from core.clock import SystemTime
from core.config import Config
from core.redis_client import require_lasting_keys
from domain.errors import AresError
from tasks.host.host import EngineHost
from tasks.host.http import WorkerHttp
from tasks.host.memory import Lasting, MemoryBound
from tasks.host.quarantine import note_death
from tasks.host.watchdog import Watchdog, blocked_after, culprit
from tasks.wiring import open_parts

log = structlog.get_logger(__name__)
T = TypeVar("T")
#: How long a thread may keep the interpreter while another wants it, in seconds. The journal's writer comes back from
#: the database several times a commit; Python's own 5 ms would make it wait for the loop's turn to end each time.
TURN = 0.0005


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
        self._lasting = Lasting(SystemTime())
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
        sys.setswitchinterval(TURN)
        self._lasting.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._live())
        except BaseException as error:
            reason = str(error) if isinstance(error, AresError) else f"{type(error).__name__}: {error}"
            log.error("engine_host_ended", reason=reason, exc_info=not isinstance(error, AresError))
            self._on_failure(error)
        finally:
            self._lasting.stop()
            self._watchdog.stop()

    async def _live(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        parts = open_parts(self._config)
        parts.right_of_way.on_claim = self._lasting.hold_off
        await require_lasting_keys(parts.redis)
        host = EngineHost(parts, address_of())
        http = WorkerHttp(host)
        host.http_port = await http.start()
        self.host = host
        self._watchdog.start(self._loop)
        host.start()
        memory = asyncio.create_task(MemoryBound(self._config.worker, parts.clock.machine).watch(), name="memory")
        log.info("engine_host_ready", worker=parts.worker_id, http_port=host.http_port)
        self._on_ready(host)
        await self._done.wait()
        memory.cancel()
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


def address_of() -> tuple[str, str]:
    """This host's name, and the address by which others would reach it."""
    name = socket.gethostname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the system only chooses an address
            return name, str(probe.getsockname()[0])
        except OSError:
            return name, "127.0.0.1"
