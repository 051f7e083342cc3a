"""What the key of an account may do is found out here, because only workers can read keys."""

from __future__ import annotations

from celery import shared_task

from core.task_names import ACCOUNT_CHECK
from tasks.node import NODE

#: Seconds that a venue may take to answer.
PATIENCE = 40.0


@shared_task(name=ACCOUNT_CHECK)  # type: ignore[untyped-decorator]
def check(account_id: int) -> str:
    """Verify the rights of an account's key; gives what was found."""
    return NODE.ask(lambda host: host.check_account(int(account_id)), PATIENCE)
