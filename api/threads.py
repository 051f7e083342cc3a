"""Work in a thread that nobody waits for longer than it is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool

from db.unit_of_work import DatabaseUnavailable

Result = TypeVar("Result")


async def within(seconds: float, work: Callable[[], Result]) -> Result:
    """What the work gives, or `DatabaseUnavailable` when that takes too long: a cut-off database does not even refuse.

    The thread goes on by itself, and whatever becomes of it is dropped.
    """
    task = asyncio.get_running_loop().create_task(run_in_threadpool(work))
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.add_done_callback(_forget)
        raise DatabaseUnavailable
    return task.result()


def _forget(task: asyncio.Task[object]) -> None:
    if not task.cancelled():
        task.exception()
