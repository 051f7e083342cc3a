"""Work on a row that is claimed for a while: the claim is renewed as long as somebody works.

Whoever finds a claim that has run out may take the work up.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select

from db.models import HistoryImport, RunChunk, RunRow
from db.unit_of_work import UnitOfWork

Claimed = type[RunRow] | type[RunChunk] | type[HistoryImport]
Condition = ColumnElement[bool]


class Claim(NamedTuple):
    """Who works, and until when others leave it alone."""

    worker: str
    now: datetime
    until: datetime


def is_free(rows: Claimed, now: datetime) -> Condition:
    """Whether nobody works on it, or whoever did was not heard of any more."""
    return or_(col(rows.claimed_until).is_(None), col(rows.claimed_until) < now)


def take(unit: UnitOfWork, rows: Claimed, which: tuple[Condition, ...], claim: Claim, **values: object) -> bool:
    """Claim one row if it is still as said and nobody works on it."""
    change = update(rows).where(*which, is_free(rows, claim.now))
    mine = {"worker": claim.worker, "claimed_until": claim.until, "attempts": col(rows.attempts) + 1}
    return unit.connection.execute(change.values(**mine, **values)).rowcount == 1


def take_deserted(
    unit: UnitOfWork, rows: type[RunRow] | type[HistoryImport], stale: Condition, now: datetime
) -> list[int]:
    """Numbers of rows that are `stale` and are not so any more: each is given to one who asks, who should begin it."""
    found = []
    for number in unit.session.exec(select(rows.id).where(stale)).all():
        change = update(rows).where(stale, col(rows.id) == number).values(updated_at=now)
        if number is not None and unit.connection.execute(change).rowcount == 1:
            found.append(number)
    return found
