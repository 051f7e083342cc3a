from __future__ import annotations

import asyncio
import random
from decimal import Decimal

import pytest

from core.base_journal import Step
from core.clock import SystemTime
from db.database import Database
from db.journal import GroupCommitJournal
from db.queries import instances, profit
from db.queries.sums import SumKeeper
from db.unit_of_work import reading
from domain.capital import fill_entry
from domain.fill import Fill
from domain.funding import FundingPayment, FundingShare, share_entry
from domain.ledger import Entry
from domain.order import BUY, SELL
from tests import journal_database
from tests.law_harness import BTCUSDT

pytestmark = pytest.mark.services
START_MS = 1_777_636_800_000
MARK = Decimal(60_000)


def bought_or_sold(number: int, moment: int, chance: random.Random) -> Fill:
    side = chance.choice([BUY, SELL])
    ticks, lots, fee = chance.randint(5_000_000, 7_000_000), chance.randint(1, 1_000), chance.randint(0, 1_000)
    return Fill(BTCUSDT.symbol, str(number), "x", side, ticks, lots, fee, "USDT", True, START_MS + moment)


def funded(number: int, moment: int) -> Entry:
    payment = FundingPayment(BTCUSDT.symbol, f"f{number}", START_MS + moment, "USDT", 1, number)
    return share_entry(1, FundingShare(payment, number))


async def keep(database: Database, fills: list[Fill], entries: list[Entry]) -> None:
    journal = GroupCommitJournal(journal_database.address(database), SystemTime())
    try:
        await journal.pin_units(1, BTCUSDT)
        epoch = await journal.raise_epoch(1, "test")
        booked = [*entries, *(fill_entry(1, BTCUSDT, one, "") for one in fills)]
        await journal.commit(Step(1, epoch, [], [], [], [], fills, booked))
    finally:
        await journal.close()


def look(database: Database, keeper: SumKeeper) -> profit.Profit:
    with reading(database) as unit:
        return profit.of_instance(unit, instances.get(unit, 1, 1), MARK, keeper)


def test_a_look_that_reads_only_what_is_new_tells_what_a_whole_one_does(database_url: str) -> None:
    chance = random.Random(5)
    database = journal_database.prepare(database_url, {1: 1})
    keeper = SumKeeper()
    try:
        for batch in range(12):
            # Most come in their order; some at the moment of the newest, and some long before it.
            moments = [batch * 10 + chance.choice([0, 1, 2, 9, -5, -batch * 10]) for _ in range(chance.randint(1, 4))]
            fills = [bought_or_sold(batch * 10 + i, moment, chance) for i, moment in enumerate(moments)]
            payments = [funded(batch + 1, batch * 10 - chance.choice([0, 15]))]
            asyncio.run(keep(database, fills, payments))
            found = look(database, keeper)
            assert found == look(database, SumKeeper())
            assert found.adds_up
    finally:
        database.dispose()


def test_a_look_at_what_has_not_changed_reads_no_fill_again_until_the_hundredth(database_url: str) -> None:
    database = journal_database.prepare(database_url, {1: 1})
    keeper = SumKeeper()
    try:
        asyncio.run(keep(database, [bought_or_sold(1, 1, random.Random(1))], []))
        first = look(database, keeper)
        with database.begin() as connection:
            connection.exec_driver_sql("UPDATE fills SET ticks = ticks + 1")
        assert all(look(database, keeper) == first for _ in range(99))
        assert not look(database, keeper).adds_up
    finally:
        database.dispose()
