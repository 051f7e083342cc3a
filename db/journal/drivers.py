"""The two databases behind one narrow door, on their plain drivers: the hot path has no time for more.

Statements are written with `?`. A driver says what an error means: the row is bad, try the batch again, or the
connection is lost.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, Final, Protocol

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy.engine import URL, make_url

from core.clock import utc_from_ms
from db.database import UnsupportedDatabase, driver_settings, make_durable
from db.journal.checkpoints import Checkpoints
from db.upsert import together

Row = tuple[Any, ...]

# What an error means for the transaction it happened in.
#: The content of a step is refused by the database; other steps are not concerned.
BAD_ROW: Final = "bad row"
#: Rolled back by a deadlock or a lock that was not had in time; the same statements may succeed.
AGAIN: Final = "again"
#: The connection is gone, or the database cannot write.
LOST: Final = "lost"

CONNECT_SECONDS = 3
#: A server that does not answer for so long counts as gone.
ANSWER_SECONDS = 10
LOCK_WAIT_SECONDS = 3

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEADLOCK, _LOCK_WAIT, _LOCK_TABLE_FULL = 1213, 1205, 1206
_BAD_VALUE_CODES = {1048, 1062, 1264, 1265, 1366, 1406, 1451, 1452, 3819, 4025}


class MissingRow(ValueError):
    """An update of a row that is not there: an order that was never journaled."""


class Driver(Protocol):
    """One connection."""

    #: Whether a statement may skip rows that others have locked; without it a transaction locks everything at once.
    locks_rows: bool

    def begin(self) -> None:
        """Start a transaction that will write."""

    def begin_read(self) -> None:
        """Start a transaction that sees one moment of the database."""

    def keep(self) -> None:
        """End the transaction and keep it."""

    def drop(self) -> None:
        """End the transaction and forget it."""

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Execute, after everything that was put off, and fetch what there is."""

    def flush(self) -> None:
        """Execute what `insert` and `change` have put off; their errors may come only now."""

    def insert(self, table: str, columns: Sequence[str], rows: list[Row], update: Sequence[str] = ()) -> None:
        """Add rows; `update` names columns that are overwritten, unless by NULL, where the row is there already."""

    def change(self, statement: str, rows: list[Row]) -> None:
        """Execute an UPDATE once for each of the rows; `MissingRow` when one changes nothing."""

    def moment(self, milliseconds: int) -> Any:
        """A time as this database stores it."""

    def milliseconds(self, stored: Any) -> int:
        """The other way round."""

    def big(self, number: int) -> Any:
        """A `WholeNumber` as this database stores it."""

    def meaning(self, error: Exception) -> str:
        """BAD_ROW, AGAIN or LOST."""

    def in_transaction(self) -> bool:
        """Whether a transaction is open for certain."""

    def close(self) -> None:
        """Close; never fails."""


def connect(url: str) -> Driver:
    """A new connection with the guarantees of `db.database`; raises what the driver raises."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return SqliteDriver(address.database or ":memory:")
    if address.drivername in {"mysql+pymysql", "mariadb+pymysql"}:
        return MysqlDriver(address)
    raise UnsupportedDatabase(f"{address.drivername}:// is not supported; use sqlite:// or mysql+pymysql://.")


class SqliteDriver:
    """SQLite by the standard library; used by one thread at a time."""

    locks_rows = False

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(
            path, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        make_durable(self._connection)
        self._checkpoints = Checkpoints(path)
        self._inserts: dict[tuple[str, tuple[str, ...], int], str] = {}

    def begin(self) -> None:
        """Take the write lock at once."""
        self._connection.execute("BEGIN IMMEDIATE")

    def begin_read(self) -> None:
        """A snapshot, from the first read on."""
        self._connection.execute("BEGIN")

    def keep(self) -> None:
        """COMMIT."""
        self._connection.execute("COMMIT")
        self._checkpoints.note(self._connection)

    def drop(self) -> None:
        """ROLLBACK, where there is something to roll back."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Execute and fetch."""
        return self._connection.execute(statement, values).fetchall()

    def flush(self) -> None:
        """Nothing was put off: there is no way to go."""

    def insert(self, table: str, columns: Sequence[str], rows: list[Row], update: Sequence[str] = ()) -> None:
        """Many in one statement; see `together`."""
        for lines in together(rows):
            name = (table, tuple(update), len(lines))
            if name not in self._inserts:
                self._inserts[name] = self._insert(table, columns, update, len(lines))
            self._connection.execute(self._inserts[name], tuple(chain(*lines)))

    def change(self, statement: str, rows: list[Row]) -> None:
        """Row by row, inside the C library, which counts them."""
        if self._connection.executemany(statement, rows).rowcount != len(rows):
            raise MissingRow

    def moment(self, milliseconds: int) -> int:
        """Microseconds since 1970."""
        return milliseconds * 1000

    def milliseconds(self, stored: int) -> int:
        """From microseconds."""
        return stored // 1000

    def big(self, number: int) -> str:
        """Text: larger integers would become floats."""
        return str(number)

    def meaning(self, error: Exception) -> str:
        """By the class of the error, and its words for a busy database."""
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | OverflowError | UnicodeError | ValueError):
            return BAD_ROW
        busy = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        return AGAIN if busy else LOST

    def in_transaction(self) -> bool:
        """SQLite always knows."""
        return self._connection.in_transaction

    def close(self) -> None:
        """Close."""
        self._checkpoints.close()
        self._connection.close()

    def _insert(self, table: str, columns: Sequence[str], update: Sequence[str], count: int) -> str:
        line = f"({','.join('?' * len(columns))})"
        statement = f"INSERT INTO {table} ({','.join(columns)}) VALUES {','.join([line] * count)}"
        if update:
            sets = ",".join(f"{column}=COALESCE(excluded.{column},{column})" for column in update)
            statement += f" ON CONFLICT DO UPDATE SET {sets}"
        return statement


class MysqlDriver:
    """MySQL or MariaDB by pymysql; used by one thread at a time."""

    locks_rows = True

    def __init__(self, address: URL) -> None:
        ours = {
            "charset": "utf8mb4",
            "autocommit": True,
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": ANSWER_SECONDS,
            "write_timeout": ANSWER_SECONDS,
            "client_flag": CLIENT.FOUND_ROWS | CLIENT.MULTI_STATEMENTS,
            "init_command": "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        }
        self._connection = pymysql.connect(**{"host": "127.0.0.1", **driver_settings(address), **ours})
        self._cursor = self._connection.cursor()
        for setting in (
            "time_zone = '+00:00'",
            "sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'",
            f"innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}",
        ):
            self._cursor.execute(f"SET SESSION {setting}")
        self._inserts: dict[tuple[str, tuple[str, ...]], tuple[str, str]] = {}
        #: Statements that wait for the next packet, and how many rows each must find.
        self._put_off: list[tuple[str, int | None]] = []

    def begin(self) -> None:
        """Start a transaction, together with its first statement."""
        self._put_off = [("BEGIN", None)]

    def begin_read(self) -> None:
        """A snapshot taken now."""
        self._cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self._cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def keep(self) -> None:
        """COMMIT."""
        self._cursor.execute("COMMIT")

    def drop(self) -> None:
        """ROLLBACK."""
        self._put_off = []
        self._cursor.execute("ROLLBACK")

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Execute and fetch, in the same packet as what was put off."""
        self._put_off.append((self._filled(statement, values), None))
        self.flush()
        return list(self._cursor.fetchall()) if self._cursor.description else []

    def flush(self) -> None:
        """All in one packet: the way there and back costs more than most statements."""
        if not self._put_off:
            return
        statements, self._put_off = self._put_off, []
        cursor = self._cursor
        cursor.execute(";".join(text for text, _ in statements))
        for place, (_, wanted) in enumerate(statements):
            if wanted is not None and cursor.rowcount != wanted:
                # The rest of the answers has to be read before the connection is of use again.
                while cursor.nextset():
                    pass
                raise MissingRow
            if place + 1 < len(statements):
                cursor.nextset()

    def insert(self, table: str, columns: Sequence[str], rows: list[Row], update: Sequence[str] = ()) -> None:
        """All rows in one statement."""
        name = (table, tuple(update))
        if name not in self._inserts:
            self._inserts[name] = self._insert(table, columns, update)
        start, end = self._inserts[name]
        lines = ",".join(f"({','.join(map(self._literal, row))})" for row in rows)
        self._put_off.append((start + lines + end, None))

    def change(self, statement: str, rows: list[Row]) -> None:
        """One statement a row; each must find its row."""
        self._put_off += [(self._filled(statement, row), 1) for row in rows]

    def moment(self, milliseconds: int) -> str:
        """Text that DATETIME(6) reads."""
        return utc_from_ms(milliseconds).strftime("%Y-%m-%d %H:%M:%S.%f")

    def milliseconds(self, stored: datetime) -> int:
        """From a naive UTC datetime."""
        return (stored.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)

    def big(self, number: int) -> Decimal:
        """DECIMAL(38,0)."""
        return Decimal(number)

    def meaning(self, error: Exception) -> str:
        """By the server's error number; whatever is not known counts as lost."""
        code = error.args[0] if error.args else None
        if code in {_DEADLOCK, _LOCK_WAIT, _LOCK_TABLE_FULL}:
            return AGAIN
        bad = isinstance(error, pymysql.err.DataError | pymysql.err.IntegrityError | UnicodeError | ValueError)
        return BAD_ROW if bad or code in _BAD_VALUE_CODES else LOST

    def in_transaction(self) -> bool:
        """Not known on this side of the wire."""
        return False

    def close(self) -> None:
        """Close, whether or not the server still listens."""
        with contextlib.suppress(pymysql.Error):
            self._connection.close()

    def _insert(self, table: str, columns: Sequence[str], update: Sequence[str]) -> tuple[str, str]:
        # VALUES() is the form that MySQL 8 and MariaDB share.
        sets = ",".join(f"{column}=COALESCE(VALUES({column}),{column})" for column in update)
        return (
            f"INSERT INTO {table} ({','.join(columns)}) VALUES ",
            f" ON DUPLICATE KEY UPDATE {sets}" if update else "",
        )

    def _filled(self, statement: str, values: Sequence[Any]) -> str:
        """The statement with its values in place, escaped by the driver."""
        parts = statement.split("?")
        literals = [*map(self._literal, values), ""]
        return "".join(part + literal for part, literal in zip(parts, literals, strict=True))

    def _literal(self, value: Any) -> str:
        if value is None:
            return "NULL"
        # Exactly int: what merely behaves like one might print differently.
        return str(value) if type(value) is int else str(self._connection.escape(value, self._connection.encoders))


def marks(values: Iterable[Any]) -> str:
    """`?,?,?` for so many values."""
    return ",".join("?" for _ in values)
