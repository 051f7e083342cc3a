"""A worker that is full is given nothing: what it cannot take stays with who runs it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any, cast

from core.clock import SystemTime
from core.config import WorkerSection
from core.editions import UNTOLD
from tasks.host.account import AccountRunner
from tasks.host.claims import Claims
from tasks.host.leases import LeaseKeeper
from tasks.host.placement import Member, owner_of
from tests.unit.tasks.test_lease_keeper import MemoryServer

MEMBERS = [Member(name, 100, frozenset(), UNTOLD) for name in ("here", "there")]
#: Accounts that the other worker should have.
THEIRS = [number for number in range(1, 200) if owner_of(number, frozenset(), MEMBERS) == "there"]
STRATEGIES = 10


def claims_with(rooms: Mapping[str, int]) -> Claims:
    settings = WorkerSection(stability_seconds=0, handovers_per_second=1_000)
    made = Claims("here", settings, LeaseKeeper(MemoryServer(), SystemTime(), "here", 1_500), SystemTime(), UNTOLD)
    made.see(MEMBERS)

    async def told(names: Collection[str]) -> Mapping[str, int]:
        return {name: rooms[name] for name in names if name in rooms}

    made.rooms = told
    return made


def held(*, is_orphan: bool = True) -> dict[int, AccountRunner]:
    """Ten strategies on each of five accounts, taken up long ago."""

    def account(number: int) -> Any:
        return SimpleNamespace(number=number, runners=dict.fromkeys(range(STRATEGIES)), is_orphan=is_orphan, taken_ns=0)

    return cast("dict[int, AccountRunner]", {number: account(number) for number in THEIRS[:5]})


async def moved(rooms: Mapping[str, int], *, is_orphan: bool = True) -> int:
    return len(await claims_with(rooms).to_hand_over(held(is_orphan=is_orphan), {}))


async def test_an_orphan_is_not_handed_back_to_a_worker_that_still_has_no_room() -> None:
    assert await moved({"there": 0}) == 0
    assert await moved({"there": STRATEGIES - 1}) == 0


async def test_as_much_is_handed_back_as_there_is_room_for() -> None:
    assert await moved({"there": 3 * STRATEGIES}) == 3
    assert await moved({"there": 100 * STRATEGIES}) == 5


async def test_what_was_never_an_orphan_is_not_given_to_a_full_worker_either() -> None:
    assert await moved({"there": 0}, is_orphan=False) == 0
    assert await moved({"there": STRATEGIES}, is_orphan=False) == 1


async def test_a_worker_that_does_not_tell_its_room_is_given_what_is_its_own() -> None:
    assert await moved({}) == 5
