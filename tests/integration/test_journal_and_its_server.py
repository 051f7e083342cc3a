"""What a database server does to its clients on purpose: it allows reading only, gives a lock up, is migrated."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text

from core.base_journal import JournalDown
from core.clock import SystemTime
from db import migrate
from db.database import open_database
from db.journal import GroupCommitJournal, drivers
from db.journal.drivers import Driver
from db.unit_of_work import DatabaseUnavailable, UnitOfWork, committed, reading
from tests.contract.journal_contract import fill, filled_step, order, step
from tests.journal_database import address, prepare

pytestmark = pytest.mark.services
on_a_server = pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
#: The last migration but one: what comes after it can be taken back and made again.
BEFORE = "0005"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = prepare(database_url)
    yield made
    made.dispose()


@pytest.fixture
def trader(engine: Engine) -> str:
    """The address for somebody who may not write where only reading is allowed; root always may."""
    with UnitOfWork(engine) as unit:
        run = unit.connection.execute
        run(text("CREATE OR REPLACE USER trader@localhost IDENTIFIED BY 'word'"))
        run(text("CREATE OR REPLACE USER trader@'127.0.0.1' IDENTIFIED BY 'word'"))
        for host in ("localhost", "127.0.0.1"):
            run(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON `{engine.url.database}`.* TO trader@'{host}'"))
        unit.commit()
    return engine.url.set(username="trader", password="word").render_as_string(hide_password=False)


@contextmanager
def reading_only(engine: Engine) -> Iterator[None]:
    """The server takes no writes from anybody but its administrators."""
    with engine.connect() as connection:
        connection.execute(text("SET GLOBAL read_only = 1"))
        try:
            yield
        finally:
            connection.execute(text("SET GLOBAL read_only = 0"))


@on_a_server
async def test_a_server_that_allows_reading_only_keeps_nothing_can_be_read_and_goes_on_afterwards(
    engine: Engine, trader: str
) -> None:
    journal, own = GroupCommitJournal(trader, SystemTime()), open_database(trader)
    await journal.commit(step(intents=[order(slot=1)]))
    with reading_only(engine):
        for slot in (2, 3):
            with pytest.raises(JournalDown, match="read-only"):
                await journal.commit(step(intents=[order(slot=slot)]))
        assert len((await journal.load(1)).orders) == 1
        with reading(own) as unit:
            assert unit.connection.execute(text("SELECT COUNT(*) FROM orders")).scalar_one() == 1
        with pytest.raises(DatabaseUnavailable), committed(own) as unit:
            unit.connection.execute(text("UPDATE users SET display_name = 'other'"))
    await journal.commit(step(intents=[order(slot=2)]))
    assert [one.key.slot for one in (await journal.load(1)).orders] == [1, 2]
    await journal.close()
    own.dispose()


@on_a_server
async def test_a_lock_that_is_not_had_in_time_leaves_no_half_of_a_step(engine: Engine) -> None:
    def hasty() -> Driver:
        driver = drivers.connect(address(engine))
        driver.begin()
        driver.run("SET SESSION innodb_lock_wait_timeout = 0")
        driver.drop()
        return driver

    journal, of = GroupCommitJournal(address(engine), SystemTime(), connect=hasty), order(slot=1)
    await journal.commit(step(intents=[of]))
    both = filled_step(of, fill(of), intents=[order(slot=2)])
    with UnitOfWork(engine) as unit:
        unit.connection.execute(text("SELECT client_order_id FROM orders FOR UPDATE"))
        with pytest.raises(JournalDown, match="rolled the batch back"):
            await journal.commit(both)
    stored = await journal.load(1)
    assert (len(stored.orders), len(stored.fills), len(stored.entries)) == (1, 0, 0)
    await journal.commit(both)
    stored = await journal.load(1)
    assert (len(stored.orders), len(stored.fills), len(stored.entries)) == (2, 1, 1)
    await journal.close()


async def test_a_migration_under_a_journal_that_writes_costs_no_step(engine: Engine) -> None:
    journal, is_over = GroupCommitJournal(address(engine), SystemTime()), asyncio.Event()

    async def write(instance: int) -> int:
        slot = 0
        while not is_over.is_set():
            try:
                await journal.commit(step(instance, intents=[order(instance, slot=slot + 1)]))
            except JournalDown:
                continue
            slot += 1
        return slot

    writers = [asyncio.create_task(write(instance)) for instance in (1, 2, 3)]
    own = open_database(address(engine))
    try:
        await asyncio.to_thread(migrate.downgrade, own, BEFORE)
        await asyncio.to_thread(migrate.upgrade, own)
    finally:
        is_over.set()
        kept = await asyncio.gather(*writers)
        own.dispose()
    for instance, count in zip((1, 2, 3), kept, strict=True):
        orders = (await journal.load(instance)).orders
        assert [one.key.slot for one in orders] == list(range(1, count + 1))
    assert min(kept) > 0
    assert migrate.schema_is_current(engine)
    await journal.close()


async def test_reports_that_take_every_connection_leave_the_journal_its_own(engine: Engine) -> None:
    journal = GroupCommitJournal(address(engine), SystemTime())
    pool = engine.pool
    busy = [engine.connect() for _ in range(pool.size() + 10)]  # type: ignore[attr-defined]
    try:
        for slot in range(1, 6):
            await journal.commit(step(intents=[order(slot=slot)]))
        assert len((await journal.load(1)).orders) == 5
    finally:
        for connection in busy:
            connection.close()
        await journal.close()
