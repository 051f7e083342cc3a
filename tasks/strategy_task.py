"""Doorbells: each says that a row has changed, and nothing else. Forged, lost or doubled they do no harm."""

from __future__ import annotations

from celery import shared_task

from core.clock import system_clock
from core.task_names import NODE_CANARY, STRATEGY_COMMAND, STRATEGY_START, STRATEGY_STOP
from tasks.node import NODE


@shared_task(name=STRATEGY_START)  # type: ignore[untyped-decorator]
def start(instance_id: int) -> None:
    """Somebody wishes that an instance runs."""
    NODE.ring(int(instance_id))


@shared_task(name=STRATEGY_STOP)  # type: ignore[untyped-decorator]
def stop(instance_id: int) -> None:
    """Somebody wishes that an instance stops."""
    NODE.ring(int(instance_id))


@shared_task(name=STRATEGY_COMMAND)  # type: ignore[untyped-decorator]
def command(instance_id: int) -> None:
    """A command of an instance waits."""
    NODE.ring(int(instance_id))


@shared_task(name=NODE_CANARY, ignore_result=False)  # type: ignore[untyped-decorator]
def canary() -> dict[str, str | int]:
    """Shows that messages arrive, are carried out and answered."""
    host = NODE.host
    return {"worker_id": host.parts.worker_id if host else "", "at_ms": system_clock().machine.now_ms()}
