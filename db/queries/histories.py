"""Histories: bars that backtests run on, kept in parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_
from sqlmodel import col, select

from db.models import HistoryPart, HistoryRow, RunRow
from db.queries.instances import NoSuchRow
from db.queries.runs import OPEN
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

#: Bytes of a part: far below what a database takes in one statement.
PART_BYTES = 512 * 1024


class HistoryInUse(Refused):
    """Runs that have not ended use this history; wait for them, or cancel them."""


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


def key_of(title: str, owner: int | None) -> str:
    """What a history is kept under: everybody's under their title, a person's apart from those of others."""
    return title if owner is None else f"{owner}/{title}"


def named(unit: UnitOfWork, name: str) -> HistoryRow | None:
    """The history that is kept under that name."""
    return unit.session.exec(select(HistoryRow).where(col(HistoryRow.name) == name)).first()


def get(unit: UnitOfWork, number: int) -> HistoryRow:
    """A history, whoever it belongs to and removed or not; or `NoSuchRow`."""
    found = unit.session.get(HistoryRow, number)
    if found is None:
        raise NoSuchRow(
            say("no_history", "there is no history {number}; `ares data share` makes one known.", number=number)
        )
    return found


def usable(unit: UnitOfWork, number: int, owner: int) -> HistoryRow:
    """A history that an owner may run on, or `NoSuchRow`."""
    found = unit.session.exec(select(HistoryRow).where(col(HistoryRow.id) == number, *_of(owner))).first()
    if found is None:
        raise NoSuchRow(
            say("no_history", "there is no history {number}; `ares data share` makes one known.", number=number)
        )
    return found


def histories_of(run: RunRow) -> set[int]:
    """Every history that a run uses: of several instances on an account each has its own."""
    return {run.history_id, *(one["history_id"] for one in json.loads(run.job).get("instances", ()))}


def listed(unit: UnitOfWork, owner: int, after: int, limit: int) -> Sequence[HistoryRow]:
    """Histories that an owner may run on, by number."""
    chosen = select(HistoryRow).where(col(HistoryRow.id) > after, *_of(owner)).order_by(col(HistoryRow.id))
    return unit.session.exec(chosen.limit(limit)).all()


def remove(unit: UnitOfWork, number: int, owner: int, now: datetime) -> HistoryRow:
    """Take the bars of an owner's history out; its row stays for the runs that name it, its name is free again.

    `HistoryInUse` while runs on it have not ended, `NoSuchRow` when it is not the owner's.
    """
    row = usable(unit, number, owner)
    if row.owner_id != owner:
        raise NoSuchRow(say("no_history_of_yours", "you have no history {number} of your own.", number=number))
    waiting = select(RunRow).where(col(RunRow.owner_id) == owner, col(RunRow.state).in_(OPEN))
    if any(number in histories_of(run) for run in unit.session.exec(waiting)):
        raise HistoryInUse
    unit.connection.execute(delete(HistoryPart).where(col(HistoryPart.history_id) == number))
    row.name, row.removed_at = f"{row.name[:78]}/{number}", now
    unit.session.add(row)
    unit.session.flush()
    return row


def content(unit: UnitOfWork, number: int) -> bytes:
    """All parts of a history."""
    chosen = select(HistoryPart).where(col(HistoryPart.history_id) == number)
    return b"".join(part.content for part in unit.session.exec(chosen.order_by(col(HistoryPart.part))))


def _of(owner: int) -> tuple[ColumnElement[bool], ...]:
    mine = or_(col(HistoryRow.owner_id).is_(None), col(HistoryRow.owner_id) == owner)
    return mine, col(HistoryRow.removed_at).is_(None)
