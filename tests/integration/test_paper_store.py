"""Paper books in the database: kept in order, and written by nobody but the last who took them up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from sqlalchemy import Engine

from db.bootstrap import bootstrap
from db.database import open_database
from db.migrate import upgrade
from db.paper_store import DatabasePaperStore, TakenOver
from db.unit_of_work import UnitOfWork, committed

pytestmark = pytest.mark.services
T = TypeVar("T")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Engine:
    made = open_database(database_url)
    upgrade(made)
    with committed(made) as unit:
        bootstrap(unit, NOW)
    return made


def store_on(engine: Engine) -> DatabasePaperStore:
    async def run(work: Callable[[UnitOfWork], T]) -> T:
        with committed(engine) as unit:
            return work(unit)

    return DatabasePaperStore(run, 1, 1, lambda: NOW)


async def test_records_are_read_back_in_order_also_after_the_book_was_written_whole(engine: Engine) -> None:
    store = store_on(engine)
    assert await store.load() == []
    await store.append(b'["one"]')
    await store.append(b'["two"]')
    assert await store_on(engine).load() == [b'["one"]', b'["two"]']
    store = store_on(engine)
    await store.load()
    await store.replace([b'["whole"]'])
    await store.append(b'["three"]')
    assert await store_on(engine).load() == [b'["whole"]', b'["three"]']


async def test_who_took_the_book_up_before_cannot_write_on(engine: Engine) -> None:
    old, new = store_on(engine), store_on(engine)
    await old.load()
    await old.append(b'["old"]')
    assert await new.load() == [b'["old"]']
    with pytest.raises(TakenOver):
        await old.append(b'["late"]')
    with pytest.raises(TakenOver):
        await old.replace([b'["late"]'])
    await new.append(b'["new"]')
    assert await store_on(engine).load() == [b'["old"]', b'["new"]']
