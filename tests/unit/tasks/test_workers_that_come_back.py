"""A worker that freezes for almost as long as a lease, again and again, loses what it had once and not each time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from core.config import WorkerSection
from core.editions import Edition
from tasks.host.account import AccountRunner
from tasks.host.claims import Claims
from tasks.host.leases import LeaseKeeper
from tasks.host.placement import Member, owner_of
from tests.fakes.hands import Hands
from tests.unit.tasks.test_lease_keeper import MemoryServer

BUILD = Edition(1, 1, "0006")
STEADY, FROZEN = Member("steady", 100, frozenset(), BUILD), Member("frozen", 100, frozenset(), BUILD)
SETTINGS = WorkerSection(stability_seconds=5, return_seconds=60)
SECOND = timedelta(seconds=1)


@dataclass
class HeldAccount:
    """An account that is held, as far as placement asks."""

    number: int
    is_orphan: bool = False
    taken_ns: int = 0
    runners: tuple[int, ...] = (1,)


def claims(hands: Hands) -> Claims:
    made = Claims("steady", SETTINGS, LeaseKeeper(MemoryServer(), hands, "steady", 1_500), hands, BUILD)
    made.see([STEADY, FROZEN])
    return made


def held() -> dict[int, AccountRunner]:
    return cast("dict[int, AccountRunner]", {number: HeldAccount(number) for number in range(1, 21)})


async def handed_over(worker: Claims) -> set[int]:
    return {cast("Any", account).number for account in await worker.to_hand_over(held(), {})}


async def test_a_member_that_comes_back_gets_its_share_only_once_it_has_stayed() -> None:
    hands = Hands()
    worker = claims(hands)
    its_share = {number for number in held() if owner_of(number, (), [STEADY, FROZEN]) == "frozen"}
    hands.pass_time(6 * SECOND)
    assert await handed_over(worker) == its_share != set()
    for _ in range(5):
        worker.see([STEADY])
        hands.pass_time(9 * SECOND)
        worker.see([STEADY, FROZEN])
        hands.pass_time(20 * SECOND)
        worker.see([STEADY, FROZEN])
        assert await handed_over(worker) == set()
    hands.pass_time(61 * SECOND)
    worker.see([STEADY, FROZEN])
    assert await handed_over(worker) == its_share


async def test_a_worker_that_was_silent_itself_keeps_what_it_has() -> None:
    hands = Hands()
    worker = claims(hands)
    worker.see([FROZEN])
    hands.pass_time(9 * SECOND)
    worker.see([STEADY, FROZEN])
    hands.pass_time(6 * SECOND)
    worker.see([STEADY, FROZEN])
    assert await handed_over(worker) == {
        number for number in held() if owner_of(number, (), [STEADY, FROZEN]) == "frozen"
    }


async def test_who_went_for_good_and_who_joins_are_not_taken_for_one_that_comes_back() -> None:
    hands = Hands()
    worker = claims(hands)
    worker.see([STEADY])
    joined = Member("joined", 100, frozenset(), BUILD)
    worker.see([STEADY, joined])
    hands.pass_time(6 * SECOND)
    assert await handed_over(worker) == {
        number for number in held() if owner_of(number, (), [STEADY, joined]) == "joined"
    }
