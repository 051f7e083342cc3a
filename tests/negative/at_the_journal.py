"""Mechanisms of the journal: unique keys and the epoch, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, text

from core.base_journal import Conflict, Fenced, Step
from core.clock import SystemTime
from db.journal import GroupCommitJournal, transaction
from db.journal.transaction import Holder
from tests import journal_database
from tests.contract.journal_contract import fill, filled_step, order, step
from tests.negative.mechanism import Mechanism, Scenario, Stage, require

#: What is done to the database before a scenario begins.
_ALTERATIONS: dict[str, Callable[[Engine], None]] = {}

Work = Callable[[GroupCommitJournal, Callable[[str], int]], Awaitable[None]]


def on_a_database(work: Work) -> Scenario:
    """A scenario on a migrated database; `count` tells how many rows a condition finds."""

    def play(stage: Stage) -> None:
        engine = journal_database.prepare(f"sqlite:///{stage.folder / 'ares.sqlite3'}", exactly=True)
        for alter in _ALTERATIONS.values():
            alter(engine)

        def count(what: str) -> int:
            with engine.connect() as connection:
                return int(connection.execute(text(f"SELECT COUNT(*) FROM {what}")).scalar_one())

        async def go() -> None:
            journal = GroupCommitJournal(journal_database.address(engine), SystemTime())
            try:
                await work(journal, count)
            finally:
                await journal.close()

        try:
            asyncio.run(go())
        finally:
            engine.dispose()

    return play


async def refused(journal: GroupCommitJournal, one: Step) -> None:
    """Commit what must be refused."""
    with suppress(Conflict, Fenced):
        await journal.commit(one)


def without_live_slot_key(patch: pytest.MonkeyPatch) -> None:
    def drop(engine: Engine) -> None:
        with engine.begin() as connection:
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("orders") as table:
                table.drop_constraint("uq_orders_strategy_instance_id_live_slot", type_="unique")

    patch.setitem(_ALTERATIONS, "live slot", drop)


@on_a_database
async def two_attempts_for_one_slot(journal: GroupCommitJournal, count: Callable[[str], int]) -> None:
    await journal.commit(step(intents=[order()]))
    await refused(journal, step(intents=[order(attempt=1)]))
    require(count("orders WHERE complete = 0") == 1, "two orders live in one slot")


def without_keys(*tables: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The tables keep their rows and columns, and lose their keys."""

    def rebuild(engine: Engine) -> None:
        with engine.begin() as connection:
            for table in tables:
                connection.execute(text(f"CREATE TABLE keyless AS SELECT * FROM {table}"))
                connection.execute(text(f"DROP TABLE {table}"))
                connection.execute(text(f"ALTER TABLE keyless RENAME TO {table}"))

    def switch(patch: pytest.MonkeyPatch) -> None:
        patch.setitem(_ALTERATIONS, "keys", rebuild)

    return switch


@on_a_database
async def an_intent_is_journaled_again_after_its_end(journal: GroupCommitJournal, count: Callable[[str], int]) -> None:
    await journal.commit(step(intents=[order()]))
    await journal.commit(step(orders=[order(status=4)]))
    await refused(journal, step(intents=[order()]))
    require(count("orders") == 1, "one order has two intents, so it may be sent twice")


@on_a_database
async def two_instances_book_one_trade(journal: GroupCommitJournal, count: Callable[[str], int]) -> None:
    mine, other = order(), order(2)
    await journal.commit(step(intents=[mine]))
    await journal.commit(step(2, intents=[other]))
    await journal.commit(step(fills=[fill(mine)]))
    await refused(journal, step(2, fills=[fill(other)]))
    require(count("fills") == 1, "one trade of the venue is booked twice")


@on_a_database
async def a_trade_is_entered_twice(journal: GroupCommitJournal, count: Callable[[str], int]) -> None:
    of = order()
    await journal.commit(step(intents=[of]))
    booked = filled_step(of, fill(of))
    await journal.commit(booked)
    await refused(journal, step(entries=booked.entries))
    require(count("ledger_entries WHERE kind = 'trade'") == 1, "one trade is in the ledger twice")


class AnyEpoch(int):
    """Equal to every epoch."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


def without_epoch_fence(patch: pytest.MonkeyPatch) -> None:
    def lenient(epoch: int, *rest: Any) -> Holder:
        return Holder(AnyEpoch(epoch), *rest)

    patch.setattr(transaction, "Holder", lenient)


@on_a_database
async def a_stale_owner_journals(journal: GroupCommitJournal, count: Callable[[str], int]) -> None:
    first = await journal.raise_epoch(1, "a")
    await journal.raise_epoch(1, "b")
    await refused(journal, step(epoch=first, intents=[order()]))
    require(count("orders") == 0, "an owner of the past has journaled an intent, so it will send it")


MECHANISMS = [
    Mechanism("a slot has one live order (unique key)", without_live_slot_key, two_attempts_for_one_slot),
    Mechanism(
        "an order has one intent (unique key)", without_keys("orders"), an_intent_is_journaled_again_after_its_end
    ),
    Mechanism("a trade is booked by one instance (key)", without_keys("fills"), two_instances_book_one_trade),
    Mechanism(
        "a trade has one ledger entry (key)", without_keys("postings", "ledger_entries"), a_trade_is_entered_twice
    ),
    Mechanism("the epoch is checked in the transaction", without_epoch_fence, a_stale_owner_journals),
]
