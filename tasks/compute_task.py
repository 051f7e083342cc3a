"""The workers that keep a processor busy: backtests, optimisation and training run there, never beside an engine."""

from __future__ import annotations

from celery import shared_task

from core.task_names import QUEUE_COMPUTE


@shared_task(name="compute.canary", queue=QUEUE_COMPUTE, ignore_result=False)  # type: ignore[untyped-decorator]
def canary(number: int) -> int:
    """Shows that a compute worker answers: the sum of the squares below a number."""
    return sum(each * each for each in range(int(number)))
