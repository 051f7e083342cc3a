"""A connection of the journal that breaks when it is told to; everything else is done by the real one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import pymysql

from db.journal import drivers
from db.journal.drivers import Driver, Row

# What the next transaction meets.
LOST: Final = "lost before the commit"
AGAIN: Final = "rolled back by the database"
COMMIT_LOST: Final = "the commit never arrived"
ANSWER_LOST: Final = "the answer to the commit never arrived"
COMMIT_REFUSED: Final = "rolled back at the commit"


class UnreliableDatabase:
    """Makes connections; `faults` are met by transactions that write, one each; while `is_away` none is made."""

    def __init__(self, url: str) -> None:
        self.faults: list[str] = []
        self.is_away = False
        self.connections = 0
        self._url = url

    def connect(self) -> Driver:
        """A connection, or an error of the kind a server that is away gives."""
        if self.is_away:
            raise ConnectionRefusedError("nobody listens")
        self.connections += 1
        return UnreliableDriver(drivers.connect(self._url), self.faults)


class UnreliableDriver:
    """A driver that fails as `faults` say."""

    def __init__(self, real: Driver, faults: list[str]) -> None:
        self.locks_rows = real.locks_rows
        self._real = real
        self._faults = faults
        self._fault = ""
        self._has_written = False

    def begin(self) -> None:
        self._fault = self._faults.pop(0) if self._faults else ""
        self._has_written = False
        self._real.begin()

    def begin_read(self) -> None:
        self._real.begin_read()

    def flush(self) -> None:
        self._has_written = True
        self._real.flush()
        if self._fault == LOST:
            self._real.close()
            raise self._gone()
        if self._fault == AGAIN:
            raise self._again()

    def keep(self) -> None:
        if self._fault == COMMIT_LOST:
            self._real.drop()
            raise self._gone()
        if self._fault == COMMIT_REFUSED:
            self._real.drop()
            raise self._again()
        self._real.keep()
        if self._fault == ANSWER_LOST:
            raise self._gone()

    def drop(self) -> None:
        if self._fault and not self._has_written:
            # It found its row locked, as by a connection the server has not missed yet: the fault is the next one's.
            self._faults.insert(0, self._fault)
        self._fault = ""
        self._real.drop()

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._real.run(statement, values)

    def insert(self, table: str, columns: Sequence[str], rows: list[Row], update: Sequence[str] = ()) -> None:
        self._real.insert(table, columns, rows, update)

    def change(self, statement: str, rows: list[Row]) -> None:
        self._real.change(statement, rows)

    def moment(self, milliseconds: int) -> Any:
        return self._real.moment(milliseconds)

    def milliseconds(self, stored: Any) -> int:
        return self._real.milliseconds(stored)

    def big(self, number: int) -> Any:
        return self._real.big(number)

    def meaning(self, error: Exception) -> str:
        return self._real.meaning(error)

    def in_transaction(self) -> bool:
        return self._real.in_transaction()

    def close(self) -> None:
        self._real.close()

    def _gone(self) -> Exception:
        if self.locks_rows:
            return pymysql.err.OperationalError(2013, "Lost connection to server during query")
        return sqlite3.OperationalError("disk I/O error")

    def _again(self) -> Exception:
        if self.locks_rows:
            return pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock")
        return sqlite3.OperationalError("database is locked")
