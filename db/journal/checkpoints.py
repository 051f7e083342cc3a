"""Brings SQLite's write-ahead log into the database beside the commits instead of inside one of a hundred.

SQLite by itself does it within the commit that makes the log too long: that commit then takes several times as long
as the others, and with it every order that waits for it. Here a thread with a connection of its own does it, in the
way that holds up neither readers nor writers. Should it not keep up, SQLite's own way comes back, at a longer log.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from typing import Final

#: Rows written after which the log is brought in.
ROWS = 500
#: Pages of the log at which a commit does it after all; a page has 4 KB.
LONGEST_LOG = 16_000
#: Passes at a time: what was committed during one is left for the next, and only a log brought in whole starts anew.
_PASSES: Final = 4


class Checkpoints:
    """The log of one database. Its thread starts with the first rows; `note` and `close` are for one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_file = path not in ("", ":memory:")
        self._seen = 0
        self._due = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def note(self, connection: sqlite3.Connection) -> None:
        """Call after each commit with the connection that made it."""
        if not self._is_file:
            return
        if self._thread is None:
            connection.execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG}")
            self._thread = threading.Thread(target=self._run, name="journal-checkpoints", daemon=True)
            self._thread.start()
        if connection.total_changes - self._seen >= ROWS:
            self._seen = connection.total_changes
            self._due.set()

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._closing = True
            self._due.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        # A database that cannot be opened or written now is met by the next commit, which says so.
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            while True:
                self._due.wait()
                if self._closing:
                    return
                self._due.clear()
                with suppress(sqlite3.Error):
                    _bring_in(connection)


def _bring_in(connection: sqlite3.Connection) -> None:
    for _ in range(_PASSES):
        is_busy, pages, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if is_busy or pages == done:
            return
