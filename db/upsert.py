"""Rows that are put whole, whether they are there already or not: one statement for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table, func
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.sql.dml import Insert

from db.unit_of_work import UnitOfWork


def put(unit: UnitOfWork, model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or change those with the same primary key. All rows have the same columns, the key's among them."""
    if rows:
        statement = _statement(model.__table__, unit.connection.dialect.name == "sqlite", tuple(rows[0]))
        unit.connection.execute(statement, list(rows))


@cache
def _statement(table: Table, is_sqlite: bool, names: tuple[str, ...]) -> Insert:
    key = [column.name for column in table.primary_key]
    changed = [name for name in names if name not in key]
    if is_sqlite:
        row = sqlite.insert(table).values(dict.fromkeys(names))
        return row.on_conflict_do_update(index_elements=key, set_={name: row.excluded[name] for name in changed})
    # Written with VALUES(), which MySQL and MariaDB share, and which the driver sends as one statement for all rows.
    line = mysql.insert(table).values(dict.fromkeys(names))
    return line.on_duplicate_key_update({name: func.values(table.c[name]) for name in changed})
