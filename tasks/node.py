"""The engine host as a part of a Celery worker: it starts and ends with it, and answers its panel."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
from celery import bootsteps, current_app
from celery.signals import worker_shutting_down

from core.config import load_config
from core.logs import configure_logs
from core.task_names import QUEUE_ENGINE
from domain.errors import Transient
from tasks import broker
from tasks.events import TaskEvents
from tasks.host.host import EngineHost
from tasks.host.thread import HostThread

log = structlog.get_logger(__name__)
T = TypeVar("T")


class NoHost(Transient):
    """No engine host works in this process; try again in a moment."""


class Node:
    """The one host of this process, if it has one."""

    def __init__(self) -> None:
        self.thread: HostThread | None = None
        self.events: TaskEvents | None = None

    @property
    def host(self) -> EngineHost | None:
        """The host, once it works."""
        return self.thread.host if self.thread is not None else None

    def ring(self, instance: int) -> bool:
        """Have the host look at an instance; False where there is no host."""
        host = self.host
        if host is None or self.thread is None:
            return False
        self.thread.call(lambda: host.ring(instance))
        return True

    def hear(self, words: str) -> bool:
        """Have the host hear what the doorbell would say of copying; False where there is no host."""
        host = self.host
        if host is None or self.thread is None:
            return False
        self.thread.call(lambda: host.copying.hear(words))
        return True

    def ask(self, question: Callable[[EngineHost], Coroutine[Any, Any, T]], seconds: float) -> T:
        """What the host answers; called from a task's thread."""
        host = self.host
        if host is None or self.thread is None:
            raise NoHost
        return self.thread.ask(question(host), seconds)


NODE = Node()


class EngineHostStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts the host with the worker that serves the engine's queue, and no other."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.enabled = QUEUE_ENGINE in parent.app.amqp.queues.consume_from

    def start(self, parent: Any) -> None:
        """Start the thread; what goes wrong there ends the worker."""
        config = load_config()
        configure_logs(config.log.level, config.log.style)
        NODE.events = TaskEvents(parent.app, parent.hostname)
        NODE.events.start()
        NODE.thread = HostThread(config, _ready, _failed)
        NODE.thread.start()

    def stop(self, parent: Any) -> None:
        """Hand everything over."""
        del parent
        if NODE.thread is not None:
            NODE.thread.stop()
        if NODE.events is not None:
            NODE.events.stop()

    terminate = stop


def _ready(host: EngineHost) -> None:
    if NODE.events is not None:
        host.on_runner = NODE.events.note
    log.info("node_ready", worker=host.parts.worker_id)


def _failed(error: BaseException) -> None:
    del error
    os.kill(os.getpid(), signal.SIGTERM)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _drain_at_once(**_: Any) -> None:
    """Before Celery takes its time to close its consumer."""
    if NODE.thread is not None:
        NODE.thread.drain()


broker.use()
current_app.steps["worker"].add(EngineHostStep)
