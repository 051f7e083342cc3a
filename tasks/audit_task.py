"""Compares what is wanted, what is leased and what was seen last, from outside of those who do it."""

from __future__ import annotations

from celery import shared_task

from core.task_names import AUDIT_COMPARE
from tasks.node import NODE


@shared_task(name=AUDIT_COMPARE)  # type: ignore[untyped-decorator]
def compare() -> dict[str, int]:
    """Count strategies that should run and have no lease, or no status; tell of them when they stay so."""
    return NODE.ask(lambda host: host.audit(), 20.0)
