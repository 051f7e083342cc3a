"""Builds of different editions side by side: what moves, moves to the newest, and older ones keep what they run."""

from __future__ import annotations

from core.clock import SystemTime
from core.config import WorkerSection
from core.editions import Edition
from core.redis_names import account_lock
from db.queries.editions import Recorded
from db.queries.fleet import Want
from tasks.host.claims import Claims
from tasks.host.leases import LeaseKeeper
from tasks.host.placement import Member, newest
from tests.unit.tasks.test_lease_keeper import MemoryServer

OLD, NEW = Edition(1, 1, "0006"), Edition(2, 1, "0006")
NOW = Recorded("0006", 1)
WANTED = {account: {account: Want(account, account, 1, "running", 1, 0, 0, "")} for account in range(1, 21)}


def member(name: str, edition: Edition) -> Member:
    return Member(name, 100, frozenset(), edition)


async def claims(name: str, edition: Edition, *others: Member, server: MemoryServer | None = None) -> Claims:
    """As a worker sees it that knows how old its Redis is."""
    leases = LeaseKeeper(server or MemoryServer(), SystemTime(), name, 1_500)
    await leases.acquire(["any"])
    made = Claims(name, WorkerSection(orphan_seconds=0), leases, SystemTime(), edition)
    made.see([member(name, edition), *others])
    return made


async def test_workers_of_one_edition_share_everything() -> None:
    one, two = await claims("a", OLD, member("b", OLD)), await claims("b", OLD, member("a", OLD))
    chosen = []
    for worker in (one, two):
        worker.check_edition(NOW)
        assert worker.gate == ""
        chosen.append(
            {account for account, is_orphan in (await worker.to_claim(WANTED, {}, {})).items() if not is_orphan}
        )
    assert chosen[0] | chosen[1] == set(WANTED)
    assert not chosen[0] & chosen[1]


async def test_the_newest_edition_takes_everything_that_is_free_and_the_older_one_nothing() -> None:
    old, new = await claims("a", OLD, member("b", NEW)), await claims("b", NEW, member("a", OLD))
    for worker in (old, new):
        worker.check_edition(NOW)
    assert await old.to_claim(WANTED, {}, {}) == {}
    assert "the fleet has law 2" in old.gate
    assert set(await new.to_claim(WANTED, {}, {})) == set(WANTED)
    assert new.gate == ""


async def test_what_nobody_has_had_for_a_while_is_no_reason_for_an_older_build_to_take_it() -> None:
    old = await claims("a", OLD, member("b", NEW))
    old.check_edition(NOW)
    assert await old.to_claim(WANTED, {}, {}) == {}
    assert await old.to_claim(WANTED, {}, {}) == {}


async def test_a_build_of_another_schema_takes_nothing_until_the_database_is_its_own_again() -> None:
    worker = await claims("a", OLD)
    worker.check_edition(Recorded("0007", 1))
    assert await worker.to_claim(WANTED, {}, {}) == {}
    assert "the database is at schema 0007, this build needs 0006" in worker.gate
    worker.check_edition(NOW)
    assert set(await worker.to_claim(WANTED, {}, {})) == set(WANTED)


async def test_a_build_whose_law_is_older_than_what_has_traded_takes_nothing_though_it_is_alone() -> None:
    worker = await claims("a", OLD)
    worker.check_edition(Recorded("0006", 2))
    assert await worker.to_claim(WANTED, {}, {}) == {}
    assert "by law 2" in worker.gate


async def test_what_others_hold_by_a_lease_is_left_to_them_whatever_their_edition() -> None:
    server = MemoryServer()
    old = LeaseKeeper(server, SystemTime(), "a", 1_500)
    await old.acquire([account_lock(account) for account in WANTED])
    new = LeaseKeeper(server, SystemTime(), "b", 1_500)
    assert await new.acquire([account_lock(account) for account in WANTED]) == set()


def test_a_worker_that_does_not_say_is_older_than_all_that_do() -> None:
    silent = Member("c", 100, frozenset())
    assert newest([silent, member("a", OLD)]) == [member("a", OLD)]
    assert newest([silent]) == [silent]
    assert newest([]) == []
