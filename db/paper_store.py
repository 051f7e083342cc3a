"""The books of paper accounts in the database. Whoever took a book up last may write it; everyone before is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import delete, insert, update
from sqlmodel import col, select

from db.models import PaperBook, PaperRecord
from db.unit_of_work import UnitOfWork
from domain.errors import Broken, sentence_of
from domain.sentences import say

T = TypeVar("T")


class TakenOver(Broken):
    """Another process has taken this paper account up; this one must not go on with it."""


class Runs(Protocol):
    """Carries a unit of work out somewhere it holds nobody up."""

    def __call__(self, work: Callable[[UnitOfWork], T]) -> Awaitable[T]:
        """What the work gives, once it is committed."""


class DatabasePaperStore:
    """One account's book: written whole from time to time, and record by record in between."""

    def __init__(
        self, run: Runs, account: int, owner: int, now: Callable[[], datetime], run_small: Runs | None = None
    ) -> None:
        self._run = run
        #: For single records: of many accounts they may share a commit.
        self._run_small = run_small or run
        self._account = account
        self._owner = owner
        self._now = now
        self._version = 0

    async def load(self) -> list[bytes]:
        """Every record kept so far, oldest first. From here on nobody who loaded it before can write."""
        self._version, records = await self._run(self._take_up)
        return records

    async def append(self, record: bytes) -> None:
        """Keep one record; `TakenOver` when another process has loaded the book since."""

        def work(unit: UnitOfWork) -> None:
            version = self._rise(unit, self._version)
            row = {
                "account_id": self._account, "version": version, "owner_id": self._owner, "content": record.decode(),
            }  # fmt: skip
            unit.connection.execute(insert(PaperRecord), [row])

        await self._run_small(work)
        self._version += 1

    async def replace(self, records: list[bytes]) -> None:
        """Keep these instead of everything before; `TakenOver` as above."""

        def work(unit: UnitOfWork) -> None:
            self._rise(unit, self._version, b"\n".join(records).decode())
            unit.connection.execute(delete(PaperRecord).where(col(PaperRecord.account_id) == self._account))

        await self._run(work)
        self._version += 1

    def _take_up(self, unit: UnitOfWork) -> tuple[int, list[bytes]]:
        book = unit.session.get(PaperBook, self._account, with_for_update=True)
        if book is None:
            book = PaperBook(
                account_id=self._account, owner_id=self._owner, version=0, content="", updated_at=self._now()
            )  # fmt: skip
            unit.session.add(book)
        book.version += 1
        version, whole = book.version, book.content
        chosen = select(PaperRecord).where(col(PaperRecord.account_id) == self._account)
        rows = unit.session.exec(chosen.order_by(col(PaperRecord.version))).all()
        records = [line.encode() for line in (*whole.split("\n"), *(row.content for row in rows)) if line]
        return version, records

    def _rise(self, unit: UnitOfWork, version: int, content: str | None = None) -> int:
        values: dict[str, object] = {"version": version + 1, "updated_at": self._now()}
        if content is not None:
            values["content"] = content
        mine = col(PaperBook.account_id) == self._account, col(PaperBook.version) == version
        if unit.connection.execute(update(PaperBook).where(*mine).values(**values)).rowcount != 1:
            raise TakenOver(
                say(
                    "of_paper_account",
                    "paper account {account}: {what}",
                    account=self._account,
                    what=sentence_of(TakenOver),
                )
            )
        return version + 1
