"""Units of work on the thread of their own: small ones share a commit, and each is kept or fails by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, event, func, insert
from sqlmodel import col, select

from db.database_thread import DatabaseThread
from db.models import PaperRecord
from db.paper_store import DatabasePaperStore, TakenOver
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from tests.journal_database import prepare

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = range(1, 41)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = prepare(database_url, {100 + account: account for account in ACCOUNTS})
    yield opened
    opened.dispose()


@pytest.fixture
def thread(engine: Engine) -> Iterator[DatabaseThread]:
    found = DatabaseThread(engine)
    yield found
    found.close()


def counted(engine: Engine) -> list[None]:
    """Grows by one with each commit."""
    commits: list[None] = []
    event.listen(engine, "commit", lambda _: commits.append(None))
    return commits


def kept(unit: UnitOfWork) -> int:
    return unit.session.exec(select(func.count(col(PaperRecord.version)))).one()


def record(account: int, version: int) -> Callable[[UnitOfWork], int]:
    row = {"account_id": account, "version": version, "owner_id": 1, "content": "x"}

    def work(unit: UnitOfWork) -> int:
        unit.connection.execute(insert(PaperRecord), [row])
        return account

    return work


async def test_small_units_that_come_together_share_commits(engine: Engine, thread: DatabaseThread) -> None:
    commits = counted(engine)
    works = [record(account, 1) for account in ACCOUNTS]
    assert await asyncio.gather(*map(thread.keep_together, works)) == list(ACCOUNTS)
    assert len(commits) <= 3
    assert await thread.read(kept) == len(ACCOUNTS)


async def test_one_that_raises_fails_alone(engine: Engine, thread: DatabaseThread) -> None:
    def refuse(_: UnitOfWork) -> int:
        raise Refused("not this one.")

    works = [record(1, 1), refuse, record(2, 1), record(1, 1), record(3, 1)]
    found = await asyncio.gather(*map(thread.keep_together, works), return_exceptions=True)
    assert [found[place] for place in (0, 2, 4)] == [1, 2, 3]
    assert isinstance(found[1], Refused)
    assert isinstance(found[3], Refused), "it is there already"
    assert await thread.read(kept) == 3
    with pytest.raises(Refused):
        await thread.keep_together(refuse)
    assert await thread.keep_together(record(4, 1)) == 4


async def test_books_of_many_accounts_are_kept_together_and_whoever_has_lost_one_is_told(
    engine: Engine, thread: DatabaseThread
) -> None:
    stores = [DatabasePaperStore(thread.keep, one, 1, lambda: NOW, thread.keep_together) for one in ACCOUNTS]
    for store in stores:
        assert await store.load() == []
    await DatabasePaperStore(thread.keep, 7, 1, lambda: NOW).load()  # another process takes this one up
    for word in (b'["one"]', b'["two"]'):
        found = await asyncio.gather(*(store.append(word) for store in stores), return_exceptions=True)
        assert {account for account, one in zip(ACCOUNTS, found, strict=True) if isinstance(one, TakenOver)} == {7}
        assert sum(one is not None for one in found) == 1
    commits = counted(engine)
    others = [store for account, store in zip(ACCOUNTS, stores, strict=True) if account != 7]
    await asyncio.gather(*(store.append(b'["three"]') for store in others))
    assert len(commits) <= 3
    assert await stores[0].load() == [b'["one"]', b'["two"]', b'["three"]']
    assert await stores[6].load() == []
