"""Many rows in one statement: added, put whole whether they are there already or not, or changed in part.

SQL is composed once for each set of columns, and values go through the columns' own types: what SQLAlchemy does anew
for each row would cost a fan-out more than the database does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Dialect, Table, func, insert, select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.sql.dml import Insert

from db.unit_of_work import UnitOfWork

#: Most rows of one change on MySQL and MariaDB, where each is a line of a table that the statement brings along.
LINES: Final = 200
#: Most keys that one question names on MySQL and MariaDB.
MANY: Final = 500
#: Most rows of one insertion on SQLite.
TOGETHER: Final = 64
_NAMED: Final = re.compile(r"%\((\w+)\)s")
#: The whole numbers of a JSON list, for SQLite: one parameter, and one statement however many they are.
AMONG: Final = "SELECT value FROM json_each(?)"
Bind = Callable[[Any], Any] | None
Row = tuple[Any, ...]


class Prepared(NamedTuple):
    """A statement, and what it takes: the columns in its order, each with what its type makes of a value."""

    text: str
    names: tuple[str, ...]
    binds: tuple[Bind, ...]

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """What a row is for the driver."""
        return tuple(
            row[name] if bind is None else bind(row[name]) for name, bind in zip(self.names, self.binds, strict=True)
        )


def add(unit: UnitOfWork, model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns; those that are left out are NULL."""
    _run(unit, model.__table__, rows, _adding)


def put(unit: UnitOfWork, model: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or change those with the same primary key. All rows have the same columns, the key's among them."""
    _run(unit, model.__table__, rows, _putting)


def held(unit: UnitOfWork, model: Any, key: str, column: str, keys: Sequence[int]) -> dict[int, int]:
    """Key -> a whole number out of its row, for the rows that are there, locked until the unit ends.

    SQLite, whose transactions lock everything, gives them as one text; see `together`.
    """
    connection, table = unit.connection, model.__table__
    if connection.dialect.name == "sqlite":
        quoted = connection.dialect.identifier_preparer.quote
        pair = f"json_array({quoted(key)}, {quoted(column)})"
        text = f"SELECT json_group_array({pair}) FROM {quoted(table.name)} WHERE {quoted(key)} IN ({AMONG})"  # noqa: S608 - names of our own columns
        pairs = connection.exec_driver_sql(text, (orjson.dumps(list(keys)).decode(),)).scalar_one()
        return dict(orjson.loads(pairs))
    found: dict[int, int] = {}
    for start in range(0, len(keys), MANY):
        chosen = select(table.c[key], table.c[column]).where(table.c[key].in_(keys[start : start + MANY]))
        found.update((one, number) for one, number in connection.execute(chosen.with_for_update()))
    return found


def change(unit: UnitOfWork, model: Any, key: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Change rows by a unique key; each has the key's columns and those that change, which may be others in each."""
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(sorted(row.keys() - set(key))), []).append(row)
    connection, table = unit.connection, model.__table__
    for names, some in alike.items():
        if connection.dialect.name == "sqlite":
            one = _changing(table, connection.dialect, tuple(key), names)
            connection.exec_driver_sql(one.text, [one.values(row) for row in some])
            continue
        for start in range(0, len(some), LINES):
            lines = some[start : start + LINES]
            together = _changing_together(table, connection.dialect, tuple(key), names, len(lines))
            connection.exec_driver_sql(together.text, tuple(value for row in lines for value in together.values(row)))


def _run(
    unit: UnitOfWork, table: Table, rows: Sequence[Mapping[str, Any]], made: Callable[[Table, bool, Any], Insert]
) -> None:
    if not rows:
        return
    connection = unit.connection
    one = _inserting(table, connection.dialect, tuple(rows[0]), made)
    values = [one.values(row) for row in rows]
    if connection.dialect.name == "sqlite":
        for lines in together(values):
            connection.exec_driver_sql(_of_many(one.text, len(one.names), len(lines)), tuple(chain(*lines)))
    else:
        connection.exec_driver_sql(one.text, values)


def together(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Pieces of rows that go into one statement each, in counts that are powers of two, so that few differ.

    SQLite's driver lets other threads go first around every row of `executemany`, and a loop that has much to do gives
    the interpreter back late: 64 rows by themselves take ten times as long as 64 in one statement.
    """
    start, count = 0, TOGETHER
    while start < len(rows):
        while count > len(rows) - start:
            count //= 2
        yield rows[start : start + count]
        start += count


@cache
def _of_many(text: str, columns: int, count: int) -> str:
    """The statement that inserts so many rows, of the one that inserts a single one."""
    line = f"({', '.join('?' * columns)})"
    return text.replace(line, ", ".join([line] * count), 1)


@cache
def _inserting(
    table: Table, dialect: Dialect, names: tuple[str, ...], made: Callable[[Table, bool, Any], Insert]
) -> Prepared:
    compiled = made(table, dialect.name == "sqlite", names).compile(dialect=dialect)
    # pymysql's style is by name, of which every row would be made a mapping of its own.
    ordered = tuple(compiled.positiontup or _NAMED.findall(str(compiled)))
    return Prepared(_NAMED.sub("%s", str(compiled)), ordered, _binds(table, dialect, ordered))


def _adding(table: Table, _is_sqlite: bool, names: Sequence[str]) -> Insert:
    return insert(table).values(dict.fromkeys(names))


def _putting(table: Table, is_sqlite: bool, names: Sequence[str]) -> Insert:
    key = [column.name for column in table.primary_key]
    changed = [name for name in names if name not in key]
    if is_sqlite:
        row = sqlite.insert(table).values(dict.fromkeys(names))
        return row.on_conflict_do_update(index_elements=key, set_={name: row.excluded[name] for name in changed})
    # Written with VALUES(), which MySQL and MariaDB share, and which the driver sends as one statement for all rows.
    line = mysql.insert(table).values(dict.fromkeys(names))
    return line.on_duplicate_key_update({name: func.values(table.c[name]) for name in changed})


@cache
def _changing(table: Table, dialect: Dialect, key: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    """An update that is executed row by row, inside SQLite's own library."""
    quoted = dialect.identifier_preparer.quote
    changes = ", ".join(f"{quoted(name)}=?" for name in names)
    mine = " AND ".join(f"{quoted(name)}=?" for name in key)
    text = f"UPDATE {quoted(table.name)} SET {changes} WHERE {mine}"  # noqa: S608 - names of our own columns
    return Prepared(text, names + key, _binds(table, dialect, names + key))


@cache
def _changing_together(
    table: Table, dialect: Dialect, key: tuple[str, ...], names: tuple[str, ...], count: int
) -> Prepared:
    """One update for all rows, joined with a table of what they are to be: the form that MySQL and MariaDB share.

    The join is kept in this order, so that the rows are found by their key and no others are locked.
    """
    both, quoted = key + names, dialect.identifier_preparer.quote
    first = "SELECT " + ", ".join(f"%s AS n_{name}" for name in both)
    others = " UNION ALL SELECT " + ", ".join(["%s"] * len(both))
    mine = " AND ".join(f"t.{quoted(name)} = n.n_{name}" for name in key)
    changes = ", ".join(f"t.{quoted(name)} = n.n_{name}" for name in names)
    lines = f"{first}{others * (count - 1)}"
    text = f"UPDATE ({lines}) n STRAIGHT_JOIN {quoted(table.name)} t ON {mine} SET {changes}"  # noqa: S608 - as above
    return Prepared(text, both, _binds(table, dialect, both))


def _binds(table: Table, dialect: Dialect, names: Iterable[str]) -> tuple[Bind, ...]:
    return tuple(table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names)
