"""A claim on a piece of work, renewed as long as somebody works on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import structlog

from db.database import Database
from db.unit_of_work import UnitOfWork, committed
from domain.errors import AresError

log = structlog.get_logger(__name__)

#: How long a claim holds, and how often it is renewed within that time.
CLAIM: Final = timedelta(seconds=30)
RENEWALS: Final = 4
#: What has killed so many workers is not tried again.
MOST_ATTEMPTS: Final = 5


@contextmanager
def renewed(database: Database, what: str, holds: timedelta, renew: Callable[[UnitOfWork], object]) -> Iterator[None]:
    """Renew a claim while the block works."""
    is_over = threading.Event()

    def keep() -> None:
        while not is_over.wait(holds.total_seconds() / RENEWALS):
            try:
                with committed(database) as unit:
                    renew(unit)
            except AresError as error:
                log.warning("claim_not_renewed", work=what, reason=str(error))

    thread = threading.Thread(target=keep, name=f"claim of {what}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
