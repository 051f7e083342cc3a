"""What a worker knows of what is wanted: changes at once, and everything again a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update
from sqlmodel import col

from core.clock import SystemTime
from db.database_thread import DatabaseThread
from db.models import StrategyInstance
from db.unit_of_work import committed
from tasks.host import desires
from tasks.host.desires import PARTS, Desires
from tests.journal_database import prepare

LONG_AGO = datetime.now(UTC) - timedelta(days=1)
ACCOUNTS = {number: 1 + number % 3 for number in range(101, 141)}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = prepare(database_url, ACCOUNTS)
    yield opened
    opened.dispose()


@pytest.fixture
def thread(engine: Engine) -> Iterator[DatabaseThread]:
    change(engine, list(ACCOUNTS), desired_state="running")
    found = DatabaseThread(engine)
    yield found
    found.close()


def change(engine: Engine, instances: list[int], **values: object) -> None:
    """Change rows without a word of when: as if it had been long ago."""
    with committed(engine) as unit:
        rows = update(StrategyInstance).where(col(StrategyInstance.id).in_(instances))
        unit.connection.execute(rows.values(updated_at=LONG_AGO, **values))


def nobody(_instance: int) -> bool:
    return False


async def test_what_changed_without_a_word_is_known_once_every_part_was_read(
    engine: Engine, thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desires, "SMALLEST_PART", 1)
    changed: set[int] = set()
    known = Desires(thread, SystemTime(), changed.add)
    await known.refresh(nobody)
    assert known.wants.keys() >= ACCOUNTS.keys()
    assert changed == set(known.by_account())
    before, grouped = dict(known.wants), {account: dict(wants) for account, wants in known.by_account().items()}
    changed.clear()
    for _ in range(PARTS + 1):
        await known.refresh(nobody)
    assert known.wants == before
    assert all(known.wants[number] is want for number, want in before.items()), "what is the same stays the same object"
    assert known.by_account() == grouped
    assert not changed

    change(engine, [101], revision=7)
    change(engine, [140], desired_state="stopped")
    looks = 0
    while 140 in known.wants or known.wants[101].revision != 7:
        await known.refresh(nobody)
        looks += 1
    assert 1 < looks <= PARTS + 1
    assert changed == {ACCOUNTS[101], ACCOUNTS[140]}
    assert 140 not in known.by_account()[ACCOUNTS[140]]
    assert known.by_account()[ACCOUNTS[101]][101] is known.wants[101]


async def test_what_was_changed_lately_is_known_with_the_next_look(engine: Engine, thread: DatabaseThread) -> None:
    changed: set[int] = set()
    known = Desires(thread, SystemTime(), changed.add)
    await known.refresh(nobody)
    changed.clear()
    with committed(engine) as unit:
        rows = update(StrategyInstance).where(col(StrategyInstance.id) == 120)
        unit.connection.execute(rows.values(updated_at=datetime.now(UTC), desired_state="stopped"))
    await known.refresh(nobody)
    assert known.wants[120].desired == "stopped"
    assert changed == {ACCOUNTS[120]}
    known.done_with(120)
    await known.refresh(lambda instance: instance == 120)
    assert 120 not in known.wants, "it was finished here a moment ago"
