"""Rows that are put whole or changed in part: all of them are one statement, and what is kept is what was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, UniqueConstraint, select, text

from db.columns import ExactDecimal, UtcDateTime, identifier
from db.unit_of_work import UnitOfWork
from db.upsert import LINES, TOGETHER, add, change, held, put, together

pytestmark = pytest.mark.services
SHELF = Table(
    "shelf", MetaData(), Column("place", Integer, primary_key=True), Column("name", String(20), primary_key=True),
    Column("held", Integer), Column("words", String(40)),
)  # fmt: skip
MODEL = SimpleNamespace(__table__=SHELF)
COUNT = 300
SIGNALS = Table(
    "signals", MetaData(), Column("id", BigInteger, primary_key=True, autoincrement=False), Column("who", BigInteger),
    Column("version", BigInteger), Column("status", identifier(12)), Column("words", String(60)),
    Column("amount", ExactDecimal), Column("at", UtcDateTime), UniqueConstraint("who", "version"),
)  # fmt: skip
SIGNAL_MODEL = SimpleNamespace(__table__=SIGNALS)
AT = datetime(2026, 3, 4, 5, 6, 7, 123_456, tzinfo=UTC)


def make_shelf(unit: UnitOfWork) -> None:
    SHELF.drop(unit.connection, checkfirst=True)  # a server keeps it from test to test
    SHELF.create(unit.connection)


def rows(held: int) -> list[dict[str, object]]:
    return [{"place": n, "name": "a", "held": held + n, "words": f"row {n}, VALUES (%s)"} for n in range(COUNT)]


def counted(unit: UnitOfWork, what: str) -> int:
    """Statements of a kind that the server has been sent in this session."""
    found = unit.connection.execute(text(f"SHOW SESSION STATUS LIKE '{what}'")).one()
    return int(found[1])


def test_rows_are_inserted_or_changed_by_their_key_in_one_statement(unit: UnitOfWork) -> None:
    make_shelf(unit)
    put(unit, MODEL, [])
    put(unit, MODEL, rows(0)[:100])
    before = counted(unit, "Com_insert") if unit.connection.dialect.name != "sqlite" else 0
    put(unit, MODEL, rows(1_000))
    if unit.connection.dialect.name != "sqlite":
        assert counted(unit, "Com_insert") == before + 1, "every row was a statement of its own"
    found = unit.connection.execute(select(SHELF).order_by(SHELF.c.place)).all()
    assert [tuple(row) for row in found] == [tuple(row.values()) for row in rows(1_000)]


def test_rows_go_together_in_counts_that_are_few() -> None:
    counts = set[int]()
    for count in range(3 * TOGETHER):
        every = [(n,) for n in range(count)]
        pieces = list(together(every))
        assert [row for piece in pieces for row in piece] == every
        counts |= {len(piece) for piece in pieces}
    assert counts == {1, 2, 4, 8, 16, 32, 64}


def test_whole_numbers_are_read_of_the_rows_that_are_named(unit: UnitOfWork) -> None:
    make_shelf(unit)
    put(unit, MODEL, rows(2**30))
    asked = [*range(0, 2 * COUNT, 2), -1]
    found = held(unit, MODEL, "place", "held", asked)
    assert found == {n: 2**30 + n for n in range(0, COUNT, 2)}
    assert held(unit, MODEL, "place", "held", []) == {}


def signals(unit: UnitOfWork, count: int) -> list[dict[str, object]]:
    SIGNALS.drop(unit.connection, checkfirst=True)  # a server keeps it from test to test
    SIGNALS.create(unit.connection)
    made: list[dict[str, object]] = [
        {"id": n, "who": n // 3, "version": n % 3, "status": "pending", "words": None, "amount": Decimal(0), "at": None}
        for n in range(count)
    ]
    add(unit, SIGNAL_MODEL, made)
    return made


def test_changes_of_many_rows_are_one_statement_for_all_that_change_the_same(unit: UnitOfWork) -> None:
    made = signals(unit, LINES)
    news: list[dict[str, object]] = [
        {
            "who": row["who"], "version": row["version"], "status": "success", "words": f"{n}: 'VALUES (%s)' ünd 100 %",
            "amount": Decimal(n) / 8 + Decimal("0.000000000000000001"), "at": AT + timedelta(microseconds=n),
        }
        for n, row in enumerate(made)
        if n % 2
    ]  # fmt: skip
    is_server = unit.connection.dialect.name != "sqlite"
    before = counted(unit, "Com_update_multi") if is_server else 0
    change(unit, SIGNAL_MODEL, ("who", "version"), news)
    if is_server:
        assert counted(unit, "Com_update_multi") == before + 1, "every row was a statement of its own"
    found = {row.id: row for row in unit.connection.execute(select(SIGNALS))}
    for n, row in enumerate(made):
        wanted = {**row, **news[n // 2]} if n % 2 else row
        assert found[n]._asdict() == wanted


def test_rows_that_change_in_different_columns_and_to_nothing_keep_the_others(unit: UnitOfWork) -> None:
    signals(unit, 3)
    change(unit, SIGNAL_MODEL, ("who", "version"), [
        {"who": 0, "version": 0, "status": "failed", "at": AT},
        {"who": 0, "version": 1, "amount": Decimal("1.5")},
        {"who": 0, "version": 0, "words": "twice"},
        {"who": 7, "version": 7, "status": "nobody"},
    ])  # fmt: skip
    change(unit, SIGNAL_MODEL, ("who", "version"), [{"who": 0, "version": 0, "at": None, "status": "failed"}])
    found = unit.connection.execute(select(SIGNALS).order_by(SIGNALS.c.id)).all()
    assert [(row.status, row.words, row.amount, row.at) for row in found] == [
        ("failed", "twice", Decimal(0), None), ("pending", None, Decimal("1.5"), None),
        ("pending", None, Decimal(0), None),
    ]  # fmt: skip


def test_more_rows_than_one_statement_takes_are_all_changed(unit: UnitOfWork) -> None:
    made = signals(unit, LINES + 1)
    change(unit, SIGNAL_MODEL, ("who", "version"), [
        {"who": row["who"], "version": row["version"], "status": "done"} for row in made
    ])  # fmt: skip
    assert set(unit.connection.execute(select(SIGNALS.c.status)).scalars()) == {"done"}
