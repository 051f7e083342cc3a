"""Histories: bars that backtests run on, kept in parts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from db.models import HistoryPart, HistoryRow
from db.queries.instances import NoSuchRow
from db.unit_of_work import UnitOfWork

#: Bytes of a part: far below what a database takes in one statement.
PART_BYTES = 512 * 1024


def add(unit: UnitOfWork, row: HistoryRow, content: bytes) -> HistoryRow:
    """Keep a history with its content. The same name with the same content is the one that is there already."""
    known = named(unit, row.name)
    if known is not None and known.digest == row.digest:
        return known
    unit.session.add(row)
    unit.session.flush()
    for part, at in enumerate(range(0, len(content), PART_BYTES)):
        unit.session.add(HistoryPart(history_id=row.id or 0, part=part, content=content[at : at + PART_BYTES]))
    unit.session.flush()
    return row


def named(unit: UnitOfWork, name: str) -> HistoryRow | None:
    """The history of that name."""
    return unit.session.exec(select(HistoryRow).where(col(HistoryRow.name) == name)).first()


def get(unit: UnitOfWork, number: int) -> HistoryRow:
    """A history, or `NoSuchRow`."""
    found = unit.session.get(HistoryRow, number)
    if found is None:
        raise NoSuchRow(f"there is no history {number}; `ares data share` makes one known.")
    return found


def listed(unit: UnitOfWork, after: int, limit: int) -> Sequence[HistoryRow]:
    """Histories by number."""
    chosen = select(HistoryRow).where(col(HistoryRow.id) > after).order_by(col(HistoryRow.id)).limit(limit)
    return unit.session.exec(chosen).all()


def content(unit: UnitOfWork, number: int) -> bytes:
    """All parts of a history."""
    chosen = select(HistoryPart).where(col(HistoryPart.history_id) == number)
    return b"".join(part.content for part in unit.session.exec(chosen.order_by(col(HistoryPart.part))))
