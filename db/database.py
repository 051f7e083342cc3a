"""Engines for the two databases: embedded SQLite, and MySQL or MariaDB."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from domain.errors import Refused

#: Seconds a SQLite writer waits for another one to finish.
BUSY_SECONDS = 5
#: Between two tries at what SQLite lets nobody wait for.
_PAUSE_MS: Final = 10
_ONLY_READS: Final = "ares_only_reads"

#: What `open_database` gives, for those who hand it on and never look inside.
Database = Engine


class UnsupportedDatabase(Refused):
    """Only sqlite:// and mysql+pymysql:// addresses are supported."""


def open_database(url: str) -> Engine:
    """An engine with the guarantees the journal needs.

    SQLite: write-ahead log, every commit on disk, transactions that take the write lock at once (a read that later
    writes would otherwise fail). MySQL and MariaDB: READ COMMITTED, times in UTC, strict about values that do not fit.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address)
    if address.drivername in {"mysql+pymysql", "mariadb+pymysql"}:
        return _open_mysql(address)
    raise UnsupportedDatabase(f"{address.drivername}:// is not supported; use sqlite:// or mysql+pymysql://.")


def driver_settings(address: URL) -> dict[str, Any]:
    """What an address of a server says to its driver by name, its encryption (`ssl_ca`, ...) included.

    For those who connect by the plain driver: what an engine of the same address would do, they do too.
    """
    _, settings = address.get_dialect()().create_connect_args(address)
    return dict(settings)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """`open_database` for one piece of work: its connections are closed behind it."""
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def for_reading(engine: Engine) -> Engine:
    """The same database for units of work that only read: each sees one moment of it and waits for nobody.

    On SQLite a write in such a unit may fail, because somebody else has written since it began.
    """
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{_ONLY_READS: True})
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _open_sqlite(address: URL) -> Engine:
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver must not open transactions by itself, or BEGIN IMMEDIATE comes too late.
        connection.isolation_level = None
        make_durable(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Whoever only reads sees one moment of the database and holds nobody up.
        only_reads = connection.get_execution_options().get(_ONLY_READS)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def make_durable(connection: sqlite3.Connection) -> None:
    """Write-ahead log, every commit on disk, foreign keys checked.

    Of those who open a new database at once one turns it to the log, for which it needs the database alone. SQLite
    lets nobody wait for that, so whoever finds it locked tries again, for as long as a writer waits for another.
    """
    tries, pause = BUSY_SECONDS * 1_000 // _PAUSE_MS, threading.Event()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        while True:
            try:
                connection.execute(f"PRAGMA {pragma}")
            except sqlite3.OperationalError as error:
                tries -= 1
                if "locked" not in str(error) or tries <= 0:
                    raise
                pause.wait(_PAUSE_MS / 1_000)
            else:
                break


def _open_mysql(address: URL) -> Engine:
    # A database that is cut off does not refuse: whoever waits must be let go some time. Migrations wait for a minute.
    limits = {"connect_timeout": "5", "read_timeout": "90", "write_timeout": "90"}
    query = {"charset": "utf8mb4", **limits, **address.query}
    engine = create_engine(
        address.set(query=query), isolation_level="READ COMMITTED", pool_pre_ping=True, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute("SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'")

    return engine
