"""Histories on their way in: what has come of a file, and which worker makes a history of it.

As with runs, work is claimed: `db.queries.claims`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, delete, func, or_, update
from sqlmodel import col, select

from db.models import HistoryImport, HistoryImportPart
from db.queries import claims
from db.queries.claims import Claim
from db.queries.histories import PART_BYTES
from db.queries.instances import NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

RECEIVING, QUEUED, RUNNING, DONE, FAILED = "receiving", "queued", "running", "done", "failed"
AT_WORK: Final = (QUEUED, RUNNING)
#: Unfinished imports of one owner.
MOST_OPEN: Final = 10


class TooManyImports(Refused):
    """You have too many unfinished imports; wait for some to end, or remove them."""


class NotReceiving(Refused):
    """The file has come already, and a worker reads it; look at the import again."""


def add(unit: UnitOfWork, row: HistoryImport) -> HistoryImport:
    """Keep a new import; `TooManyImports` when its owner has no room for another."""
    open_ones = select(func.count()).select_from(HistoryImport).where(
        col(HistoryImport.owner_id) == row.owner_id, col(HistoryImport.state).in_((RECEIVING, *AT_WORK))
    )  # fmt: skip
    if unit.session.exec(open_ones).one() >= MOST_OPEN:
        raise TooManyImports
    unit.session.add(row)
    unit.session.flush()
    return row


def get(unit: UnitOfWork, number: int) -> HistoryImport | None:
    """An import, whoever it belongs to."""
    return unit.session.get(HistoryImport, number, populate_existing=True)


def of_owner(unit: UnitOfWork, number: int, owner: int) -> HistoryImport:
    """An import of an owner, or `NoSuchRow`."""
    found = get(unit, number)
    if found is None or found.owner_id != owner:
        raise NoSuchRow(say("no_import", "you have no import {number}.", number=number))
    return found


def listed(unit: UnitOfWork, owner: int, before: int | None, limit: int) -> Sequence[HistoryImport]:
    """An owner's imports, newest first."""
    chosen = select(HistoryImport).where(col(HistoryImport.owner_id) == owner)
    if before is not None:
        chosen = chosen.where(col(HistoryImport.id) < before)
    return unit.session.exec(chosen.order_by(col(HistoryImport.id).desc()).limit(limit)).all()


def unfinished(unit: UnitOfWork) -> Sequence[HistoryImport]:
    """What a worker has still to do, or could not, of all owners."""
    chosen = select(HistoryImport).where(col(HistoryImport.state).in_((*AT_WORK, FAILED)))
    return unit.session.exec(chosen.order_by(col(HistoryImport.id))).all()


def ask_anew(unit: UnitOfWork, row: HistoryImport, job: str, now: datetime) -> None:
    """Begin an import again, from something else; whoever works on it keeps nothing."""
    row.job, row.state, row.worker, row.claimed_until, row.attempts = job, QUEUED, "", None, 0
    row.done, row.total, row.error, row.findings, row.updated_at, row.finished_at = 0, 0, "", None, now, None
    unit.session.add(row)
    unit.session.flush()


def part_bytes(row: HistoryImport, part: int) -> int:
    """How long a part of the file is; nothing for one that the file does not have."""
    return max(min(row.total - part * PART_BYTES, PART_BYTES), 0) if part >= 0 else 0


def keep_part(unit: UnitOfWork, row: HistoryImport, part: int, content: bytes, now: datetime) -> None:
    """Keep a part of a file; the same part again changes nothing. With the last one the file waits for a worker."""
    if row.state != RECEIVING:
        raise NotReceiving
    number = row.id or 0
    if unit.session.get(HistoryImportPart, (number, part)) is None:
        unit.session.add(HistoryImportPart(import_id=number, part=part, owner_id=row.owner_id, content=content))
        unit.session.flush()
    came = unit.session.exec(select(HistoryImportPart.part).where(col(HistoryImportPart.import_id) == number)).all()
    row.done, row.updated_at = sum(part_bytes(row, one) for one in came), now
    if row.done == row.total:
        row.state, row.done = QUEUED, 0
    unit.session.add(row)
    unit.session.flush()


def file(unit: UnitOfWork, number: int) -> bytes:
    """All parts of a file that was sent in."""
    chosen = select(HistoryImportPart).where(col(HistoryImportPart.import_id) == number)
    return b"".join(part.content for part in unit.session.exec(chosen.order_by(col(HistoryImportPart.part))))


def claim(unit: UnitOfWork, number: int, by: Claim) -> bool:
    """Take an import; False when it has ended or somebody else works on it."""
    which = (col(HistoryImport.id) == number, col(HistoryImport.state).in_(AT_WORK))
    return claims.take(unit, HistoryImport, which, by, updated_at=by.now, state=RUNNING)


def renew(unit: UnitOfWork, number: int, by: Claim) -> bool:
    """Work goes on; False when it was taken by others or removed."""
    return _by_its_worker(unit, number, by, claimed_until=by.until)


def progress(unit: UnitOfWork, number: int, by: Claim, done: int, total: int) -> bool:
    """How far it is, for those who watch; as `renew`."""
    return _by_its_worker(unit, number, by, claimed_until=by.until, done=done, total=total)


def finish(unit: UnitOfWork, number: int, by: Claim, state: str, **found: str | int | None) -> bool:
    """End an import; False when it is another's by now. The file is not needed any more."""
    if not _by_its_worker(unit, number, by, state=state, claimed_until=None, finished_at=by.now, **found):
        return False
    _drop_file(unit, number)
    return True


def remove(unit: UnitOfWork, row: HistoryImport) -> None:
    """Take an import out with what has come of it; a history that was made of it stays."""
    _drop_file(unit, row.id or 0)
    unit.session.delete(row)
    unit.session.flush()


def take_deserted(unit: UnitOfWork, new_before: datetime, heard_before: datetime, now: datetime) -> list[int]:
    """Imports not begun since `new_before` or not gone on with since `heard_before`; as `runs.take_deserted`."""
    stale = or_(
        and_(col(HistoryImport.state) == QUEUED, col(HistoryImport.updated_at) < new_before),
        and_(col(HistoryImport.state) == RUNNING, col(HistoryImport.updated_at) < heard_before),
    )
    return claims.take_deserted(unit, HistoryImport, stale, now)


def drop_abandoned(unit: UnitOfWork, before: datetime) -> int:
    """Take out files of which nothing has come since `before`; gives how many."""
    stale = (col(HistoryImport.state) == RECEIVING, col(HistoryImport.updated_at) < before)
    found = unit.session.exec(select(HistoryImport).where(*stale)).all()
    for row in found:
        remove(unit, row)
    return len(found)


def _by_its_worker(unit: UnitOfWork, number: int, by: Claim, **values: object) -> bool:
    mine = (col(HistoryImport.id) == number, col(HistoryImport.worker) == by.worker)
    change = update(HistoryImport).where(*mine, col(HistoryImport.state) == RUNNING)
    return unit.connection.execute(change.values(updated_at=by.now, **values)).rowcount == 1


def _drop_file(unit: UnitOfWork, number: int) -> None:
    unit.connection.execute(delete(HistoryImportPart).where(col(HistoryImportPart.import_id) == number))
