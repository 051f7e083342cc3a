"""Runs of strategies as Flower sees tasks: started when one runs, succeeded when it is let go."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from typing import Any, Final

import structlog

from core.clock import system_clock
from tasks.host.runner import LIVE, Runner

log = structlog.get_logger(__name__)
TASK: Final = "strategy.run"


def runs(runner: Runner) -> bool:
    """Whether a strategy is shown as a task that runs."""
    return runner.state == LIVE and runner.engine is not None


class TaskEvents:
    """Tells Flower of runs, on a thread and a connection of its own, many in one message."""

    def __init__(self, app: Any, hostname: str) -> None:
        self._app = app
        self._hostname = hostname
        self._waiting: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._shown: dict[int, str] = {}
        self._thread = threading.Thread(target=self._run, name="task-events", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Tell what waits, and end."""
        self._waiting.put(None)
        self._thread.join(3)

    def note(self, runner: Runner) -> None:
        """Something changed about a strategy; called on the host's thread, and returns at once."""
        number, shown = runner.number, self._shown.get(runner.number)
        run = f"{number}-{runner.engine.epoch}" if runs(runner) and runner.engine is not None else None
        if run == shown:
            return
        now = system_clock().machine.now_ms() / 1000
        if shown is not None:
            del self._shown[number]
            self._waiting.put(("task-succeeded", {"uuid": shown, "result": "'released'", "runtime": 0.0}))
        if run is not None:
            self._shown[number] = run
            told = {"uuid": run, "name": TASK, "args": f"[{number}]", "kwargs": "{}", "retries": 0, "root_id": run}
            self._waiting.put(("task-received", told | {"eta": None, "expires": None, "timestamp": now}))
            self._waiting.put(("task-started", {"uuid": run}))

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            batch, is_last = [first], False
            while not self._waiting.empty() and len(batch) < 200:
                one = self._waiting.get()
                if one is None:
                    is_last = True
                    break
                batch.append(one)
            try:
                self._send(batch)
            except Exception as error:  # noqa: BLE001 - Flower may miss a run; trading goes on
                log.warning("task_events_not_told", count=len(batch), reason=f"{type(error).__name__}: {error}")
            if is_last:
                return

    def _send(self, batch: Iterable[tuple[str, dict[str, Any]]]) -> None:
        with self._app.connection_for_write() as connection:
            dispatcher = self._app.events.Dispatcher(
                connection, hostname=self._hostname, buffer_group={"task"}, buffer_limit=200
            )
            for kind, fields in batch:
                dispatcher.send(kind, **fields)
            dispatcher.flush()
