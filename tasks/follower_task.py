"""Doorbells of copying: each says that a row has changed, and nothing else. Forged, lost or doubled they do no harm."""

from __future__ import annotations

from celery import shared_task

from core.redis_names import FOLLOW, MASTER
from core.task_names import FOLLOWER_COMMAND, MASTER_CHANGED
from tasks.node import NODE


@shared_task(name=FOLLOWER_COMMAND)  # type: ignore[untyped-decorator]
def follower_command(account_id: int) -> None:
    """Something was asked of a follower account's relationships."""
    NODE.hear(f"{FOLLOW}{int(account_id)}")


@shared_task(name=MASTER_CHANGED)  # type: ignore[untyped-decorator]
def master_changed(master_id: int) -> None:
    """A master has a new version, or was edited."""
    NODE.hear(f"{MASTER}{int(master_id)}")
