from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, text

from core.base_journal import CommitUnknown, Conflict, Fenced, JournalDown, NoSuchInstance, Stored, StoredState
from core.clock import SystemTime
from db.journal import GroupCommitJournal, drivers
from db.journal.drivers import Driver
from db.journal.writer import TRIES
from db.unit_of_work import UnitOfWork
from tests.contract.journal_contract import entry_of, fill, filled_step, order, step
from tests.fakes.unreliable_driver import AGAIN, ANSWER_LOST, COMMIT_LOST, COMMIT_REFUSED, LOST, UnreliableDatabase
from tests.journal_database import address, prepare

pytestmark = pytest.mark.services


class Machine:
    """Machine time that can be moved forward."""

    def __init__(self) -> None:
        self.ahead_ns = 0
        self._real = SystemTime()

    def now_ms(self) -> int:
        return self._real.now_ms()

    def steady_ns(self) -> int:
        return self._real.steady_ns() + self.ahead_ns


@dataclass
class Place:
    journal: GroupCommitJournal
    database: UnreliableDatabase
    engine: Engine
    machine: Machine

    async def kept(self, instance: int = 1) -> int:
        return len((await self.journal.load(instance)).orders)


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    engine, machine = prepare(database_url), Machine()
    database = UnreliableDatabase(address(engine))
    journal = GroupCommitJournal(address(engine), machine, connect=database.connect)
    yield Place(journal, database, engine, machine)
    await journal.close()
    engine.dispose()


async def test_a_connection_lost_before_the_commit_is_made_anew_and_the_step_kept_once(place: Place) -> None:
    place.database.faults += [LOST]
    await place.journal.commit(step(intents=[order()]))
    assert await place.kept() == 1


async def test_a_database_that_is_lost_again_before_the_commit_keeps_nothing(place: Place) -> None:
    place.database.faults += [LOST, LOST]
    with pytest.raises(JournalDown, match="before the commit"):
        await place.journal.commit(step(intents=[order()], state=StoredState([1], [])))
    assert await place.journal.load(1) == Stored(None, [], [], [], None)
    await place.journal.commit(step(intents=[order()]))


@pytest.mark.parametrize(("fault", "found"), [(ANSWER_LOST, 1), (COMMIT_LOST, 0)])
async def test_a_commit_without_an_answer_is_unknown_until_the_intents_are_asked_for(
    place: Place, fault: str, found: int
) -> None:
    place.database.faults += [fault]
    name = order().client_order_id
    with pytest.raises(CommitUnknown):
        await place.journal.commit(step(intents=[order()]))
    assert len(await place.journal.has_intents(1, [name])) == found
    assert await place.kept() == found


async def test_what_failed_for_reasons_of_its_own_says_so_although_the_commit_is_unknown(place: Place) -> None:
    place.database.faults += [ANSWER_LOST]
    results = await asyncio.gather(
        place.journal.commit(step(1, intents=[order(1)])),
        place.journal.commit(step(2, epoch=5)),
        place.journal.commit(step(99)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [CommitUnknown, Fenced, NoSuchInstance]


@pytest.mark.parametrize("fault", [AGAIN, COMMIT_REFUSED])
async def test_a_deadlock_is_tried_again_from_the_start(place: Place, fault: str) -> None:
    place.database.faults += [fault] * (TRIES - 1)
    of = order()
    await place.journal.commit(step(intents=[of]))
    place.database.faults += [fault]
    await place.journal.commit(filled_step(of, fill(of)))
    stored = await place.journal.load(1)
    assert (len(stored.orders), len(stored.fills), len(stored.entries)) == (1, 1, 1)


async def test_a_deadlock_that_does_not_end_is_down_and_keeps_nothing(place: Place) -> None:
    place.database.faults += [AGAIN] * TRIES
    with pytest.raises(JournalDown, match="rolled the batch back"):
        await place.journal.commit(step(intents=[order()]))
    assert await place.kept() == 0


async def test_while_the_database_is_away_steps_are_refused_and_afterwards_kept(place: Place) -> None:
    place.database.is_away = True
    for _ in range(3):
        with pytest.raises(JournalDown):
            await place.journal.commit(step(intents=[order()]))
    with pytest.raises(JournalDown):
        await place.journal.load(1)
    assert place.database.connections == 0
    place.database.is_away = False
    place.machine.ahead_ns += 2_000_000_000
    await place.journal.commit(step(intents=[order()]))
    assert await place.kept() == 1


async def test_between_two_tries_to_connect_steps_are_refused_at_once(place: Place) -> None:
    place.database.is_away = True
    with pytest.raises(JournalDown, match="cannot be reached"):
        await place.journal.commit(step())
    place.machine.ahead_ns -= 10**12
    place.database.is_away = False
    with pytest.raises(JournalDown, match="in a moment"):
        await place.journal.commit(step())


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)  # SQLite has no server that could end a connection
async def test_a_connection_that_the_server_ended_costs_no_step(place: Place) -> None:
    await place.journal.commit(step(intents=[order()]))
    with place.engine.connect() as connection:
        mine = connection.execute(text("SELECT CONNECTION_ID()")).scalar_one()
        for row in connection.execute(text("SHOW PROCESSLIST")).all():
            if row.User == "root" and row.Id != mine:
                with contextlib.suppress(Exception):
                    connection.execute(text(f"KILL CONNECTION {row.Id}"))
    await place.journal.commit(step(intents=[order(slot=2)]))
    assert await place.kept() == 2


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)  # SQLite has one lock for all rows
async def test_a_row_held_by_another_transaction_holds_up_its_instance_only(place: Place) -> None:
    with UnitOfWork(place.engine) as unit:
        unit.connection.execute(text("SELECT id FROM strategy_instances WHERE id = 1 FOR UPDATE"))
        held = asyncio.ensure_future(place.journal.commit(step(1, intents=[order(1)])))
        for slot in range(5):
            await place.journal.commit(step(2, intents=[order(2, slot=slot)]))
        assert not held.done()
    await held
    assert await place.kept() == 1


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)  # SQLite has one lock for all rows
async def test_a_row_that_is_held_too_long_is_given_up(place: Place) -> None:
    with UnitOfWork(place.engine) as unit:
        unit.connection.execute(text("SELECT id FROM strategy_instances WHERE id = 1 FOR UPDATE"))
        held = asyncio.ensure_future(place.journal.commit(step(1, intents=[order(1)])))
        await place.journal.commit(step(2))
        place.machine.ahead_ns += 10**10
        with pytest.raises(JournalDown, match="held by another transaction"):
            await held
    assert await place.kept() == 0


async def test_one_conflict_in_a_large_batch_fails_alone_and_repeats_are_left_out(place: Place) -> None:
    of = order(1)
    await place.journal.commit(step(1, intents=[of]))
    filled = filled_step(of, fill(of))
    await place.journal.commit(filled)
    wrong = step(2, entries=[entry_of(fill(of, lots=3), 2)])
    results = await asyncio.gather(
        place.journal.commit(filled),
        place.journal.commit(wrong),
        place.journal.commit(step(3, intents=[order(3)])),
        place.journal.commit(step(4, intents=[order(4, symbol="x" * 99)])),
        return_exceptions=True,
    )
    kinds = [type(result) for result in results]
    # SQLite does not look at the length of a text.
    assert kinds[:3] == [int, Conflict, int]
    assert kinds[3] is (int if place.engine.dialect.name == "sqlite" else Conflict)


async def test_closing_writes_what_waits_and_refuses_what_comes_later(database_url: str) -> None:
    engine = prepare(database_url)
    journal = GroupCommitJournal(address(engine), SystemTime(), batch=7)
    waiting = [
        asyncio.ensure_future(journal.commit(step(1 + n % 4, intents=[order(1 + n % 4, slot=n)]))) for n in range(60)
    ]
    await asyncio.sleep(0)
    await journal.close()
    assert all(isinstance(done, int) for done in await asyncio.gather(*waiting))
    with pytest.raises(JournalDown, match="closed"):
        await journal.commit(step())
    engine.dispose()


async def test_a_step_that_nobody_waits_for_any_more_is_not_written(database_url: str) -> None:
    engine, may_connect = prepare(database_url), threading.Event()

    def connect() -> Driver:
        may_connect.wait(20)
        return drivers.connect(address(engine))

    journal = GroupCommitJournal(address(engine), SystemTime(), connect=connect)
    first = asyncio.ensure_future(journal.commit(step(intents=[order(slot=1)])))
    given_up = asyncio.ensure_future(journal.commit(step(intents=[order(slot=2)])))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    may_connect.set()
    await first
    await journal.commit(step(intents=[order(slot=3)]))
    assert [one.key.slot for one in (await journal.load(1)).orders] == [1, 3]
    await journal.close()
    engine.dispose()


async def test_others_get_to_write_while_the_journal_is_busy(place: Place) -> None:
    stop = asyncio.Event()

    async def write(instance: int) -> None:
        slot = 0
        while not stop.is_set():
            slot += 1
            await place.journal.commit(step(instance, intents=[order(instance, slot=slot)]))

    def rename(number: int) -> None:
        with UnitOfWork(place.engine) as unit:
            unit.connection.execute(text("UPDATE users SET display_name = :name"), {"name": str(number)})
            unit.commit()

    writers = [asyncio.ensure_future(write(instance)) for instance in (1, 2, 3, 4)]
    try:
        for number in range(20):
            await asyncio.to_thread(rename, number)
    finally:
        stop.set()
    await asyncio.gather(*writers)
    assert place.journal.counts()[1] > 0
