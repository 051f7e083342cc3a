"""Rows that are put whole: new ones are inserted, others changed, and all of them are one statement."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select, text

from db.unit_of_work import UnitOfWork
from db.upsert import put

pytestmark = pytest.mark.services
SHELF = Table(
    "shelf", MetaData(), Column("place", Integer, primary_key=True), Column("name", String(20), primary_key=True),
    Column("held", Integer), Column("words", String(40)),
)  # fmt: skip
MODEL = SimpleNamespace(__table__=SHELF)
COUNT = 300


def rows(held: int) -> list[dict[str, object]]:
    return [{"place": n, "name": "a", "held": held + n, "words": f"row {n}, VALUES (%s)"} for n in range(COUNT)]


def inserts(unit: UnitOfWork) -> int:
    """Insert statements that the server has been sent in this session."""
    found = unit.connection.execute(text("SHOW SESSION STATUS LIKE 'Com_insert'")).one()
    return int(found[1])


def test_rows_are_inserted_or_changed_by_their_key_in_one_statement(unit: UnitOfWork) -> None:
    SHELF.create(unit.connection)
    put(unit, MODEL, [])
    put(unit, MODEL, rows(0)[:100])
    before = inserts(unit) if unit.connection.dialect.name != "sqlite" else 0
    put(unit, MODEL, rows(1_000))
    if unit.connection.dialect.name != "sqlite":
        assert inserts(unit) == before + 1, "every row was a statement of its own"
    found = unit.connection.execute(select(SHELF).order_by(SHELF.c.place)).all()
    assert [tuple(row) for row in found] == [tuple(row.values()) for row in rows(1_000)]
