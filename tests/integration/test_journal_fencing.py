from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Engine, text

from core.base_journal import BaseJournal, Fenced, JournalDown
from core.clock import SystemTime
from db.journal import GroupCommitJournal
from tests.contract.journal_contract import order, step
from tests.fakes.memory_journal import MemoryJournal
from tests.journal_database import address, prepare

pytestmark = pytest.mark.services

#: Each example takes an instance of its own.
INSTANCES = range(1, 300)
OWNERS = ("a", "b")
PLANS = some.lists(some.tuples(some.sampled_from(["raise", "step"]), some.sampled_from(OWNERS)), max_size=14)


@dataclass
class Fresh:
    """Instances that no example has used."""

    engine: Engine
    numbers: Iterator[int]


@pytest.fixture
def fresh(database_url: str) -> Iterator[Fresh]:
    engine = prepare(database_url, dict.fromkeys(INSTANCES, 1))
    yield Fresh(engine, iter(INSTANCES))
    engine.dispose()


async def carry_out(journals: dict[str, BaseJournal], instance: int, plan: list[tuple[str, str]]) -> list[int]:
    """Each owner steps with the epoch it last got. Gives the slots of the steps that should be kept."""
    epochs, newest, kept = dict.fromkeys(OWNERS, 0), 0, []
    for slot, (verb, owner) in enumerate(plan):
        if verb == "raise":
            newest = epochs[owner] = await journals[owner].raise_epoch(instance, owner)
        elif epochs[owner] == newest:
            await journals[owner].commit(step(instance, epochs[owner], intents=[order(instance, slot=slot)]))
            kept.append(slot)
        else:
            with pytest.raises(Fenced):
                await journals[owner].commit(step(instance, epochs[owner], intents=[order(instance, slot=slot)]))
    return kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(plan=PLANS)
def test_no_step_of_a_stale_owner_is_ever_kept(fresh: Fresh, plan: list[tuple[str, str]]) -> None:
    async def go() -> None:
        url, instance = address(fresh.engine), next(fresh.numbers)
        journals = {owner: GroupCommitJournal(url, SystemTime()) for owner in OWNERS}
        kept = await carry_out(dict(journals), instance, plan)
        stored = await journals["a"].load(instance)
        assert [one.key.slot for one in stored.orders] == kept
        for journal in journals.values():
            await journal.close()

    asyncio.run(go())


@settings(max_examples=200)
@given(plan=PLANS)
def test_the_journal_in_memory_keeps_no_step_of_a_stale_owner(plan: list[tuple[str, str]]) -> None:
    async def go() -> None:
        journal = MemoryJournal()
        kept = await carry_out(dict.fromkeys(OWNERS, journal), 1, plan)
        assert [one.key.slot for one in (await journal.load(1)).orders] == kept

    asyncio.run(go())


@pytest.fixture
async def rivals(fresh: Fresh) -> AsyncIterator[list[GroupCommitJournal]]:
    """Two processes, as far as the database can tell."""
    journals = [GroupCommitJournal(address(fresh.engine), SystemTime()) for _ in range(2)]
    yield journals
    for journal in journals:
        await journal.close()


@pytest.mark.parametrize("seed", range(3))
async def test_epochs_never_overlap_when_owners_race(fresh: Fresh, rivals: list[GroupCommitJournal], seed: int) -> None:
    chance = random.Random(seed)

    async def own(journal: GroupCommitJournal, instance: int, first_slot: int) -> None:
        slot = first_slot
        for _ in range(4):
            epoch = await journal.raise_epoch(instance, str(first_slot))
            for _ in range(chance.randint(1, 6)):
                slot += 1
                try:
                    await journal.commit(step(instance, epoch, intents=[order(instance, slot=slot)]))
                except Fenced:
                    break
                except JournalDown:
                    continue

    await asyncio.gather(
        *(own(journal, instance, 1_000 * n) for instance in (1, 2, 3) for n, journal in enumerate(rivals, 1))
    )
    for instance in (1, 2, 3):  # whoever won which race, the earlier of two owners is fenced
        earlier, later = [await journal.raise_epoch(instance, "last") for journal in rivals]
        await rivals[1].commit(step(instance, later, intents=[order(instance, slot=9_001)]))
        with pytest.raises(Fenced):
            await rivals[0].commit(step(instance, earlier, intents=[order(instance, slot=9_002)]))
    with fresh.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT strategy_instance_id, state_version, epoch FROM orders ORDER BY state_version")
        ).all()
    for instance in (1, 2, 3):
        epochs = [row.epoch for row in rows if row.strategy_instance_id == instance]
        versions = [row.state_version for row in rows if row.strategy_instance_id == instance]
        assert epochs == sorted(epochs)
        assert versions == list(range(1, len(versions) + 1))
