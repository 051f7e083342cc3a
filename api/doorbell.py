"""Telling workers to look now. Nothing depends on it: what is wished is a row, and workers look by themselves too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

import structlog
from celery import Celery
from fastapi.concurrency import run_in_threadpool
from redis.asyncio import Redis

from api.metrics import Metrics
from core import redis_names, task_names

log = structlog.get_logger(__name__)

#: Kind of a command -> the task that rings for it.
_TASKS: Final = {"start": task_names.STRATEGY_START, "stop": task_names.STRATEGY_STOP}
#: Seconds after which a task that nobody took is worth nothing: the rows have been read by then.
_EXPIRES: Final = 60


class Doorbell:
    """Rings twice: by publish and subscribe, which is fast, and by a Celery task, which whoever looks can see."""

    def __init__(self, redis: Redis, broker: Celery, metrics: Metrics) -> None:
        self._redis = redis
        self._broker = broker
        self._metrics = metrics
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self, instance: int, kind: str) -> None:
        """Tell that a strategy has a new command; returns at once, and never fails."""
        task = _TASKS.get(kind, task_names.STRATEGY_COMMAND)
        self._start(self._publish(str(instance)))
        self._start(self._send(task, instance))

    def ring_follower(self, account: int) -> None:
        """Tell that something is asked of an account that follows."""
        self._start(self._publish(f"{redis_names.FOLLOW}{account}"))
        self._start(self._send(task_names.FOLLOWER_COMMAND, account))

    def ring_master(self, master: int) -> None:
        """Tell that a master has a new version, or was edited."""
        self._start(self._publish(f"{redis_names.MASTER}{master}"))
        self._start(self._send(task_names.MASTER_CHANGED, master))

    def check_account(self, account: int) -> None:
        """Ask a worker what the account's key may do."""
        self._start(self._send(task_names.ACCOUNT_CHECK, account))

    def compute(self, run: int) -> None:
        """Ask a compute worker to work on a run; without one it waits until there is one."""
        self._start(self._send(task_names.COMPUTE_RUN, run, queue=task_names.QUEUE_COMPUTE, expires=None))

    def take_in(self, number: int) -> None:
        """Ask a compute worker to make a history of what was sent in."""
        self._start(self._send(task_names.COMPUTE_IMPORT, number, queue=task_names.QUEUE_COMPUTE, expires=None))

    async def close(self) -> None:
        """Wait for rings that are under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, ringing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(ringing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, payload: str) -> None:
        try:
            await self._redis.publish(redis_names.DOORBELL, payload)
        except Exception as error:  # noqa: BLE001 - a doorbell that is out of order stops nobody
            self._failed("publish", error)
        else:
            self._metrics.rings.labels("publish", "ok").inc()

    async def _send(
        self, task: str, number: int, queue: str = task_names.QUEUE_ENGINE, expires: int | None = _EXPIRES
    ) -> None:
        send = partial(
            self._broker.send_task,
            task,
            args=[number],
            queue=queue,
            expires=expires,
            ignore_result=True,
            retry=False,
        )
        try:
            await run_in_threadpool(send)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed("task", error)
        else:
            self._metrics.rings.labels("task", "ok").inc()

    def _failed(self, way: str, error: Exception) -> None:
        self._metrics.rings.labels(way, "failed").inc()
        log.warning("doorbell_failed", way=way, error=type(error).__name__)


def open_broker(url: str, timeout_seconds: float) -> Celery:
    """Celery as a sender: JSON only, and a broker that is away is noticed soon."""
    broker = Celery("ares", broker=url, set_as_current=False)
    broker.conf.update(
        task_serializer="json",
        accept_content=["json"],
        result_serializer="json",
        task_ignore_result=True,
        broker_connection_retry_on_startup=False,
        broker_transport_options={
            "global_keyprefix": redis_names.BROKER_PREFIX,
            "socket_timeout": timeout_seconds,
            "socket_connect_timeout": timeout_seconds,
        },
        task_publish_retry=False,
    )
    return broker
