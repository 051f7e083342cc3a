"""A fan-out goes no faster than its orders leave, and no venue that hangs stops it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from engine.right_of_way import RightOfWay
from tasks.host.copying.pace import (
    JOURNAL_LOOK_SECONDS,
    JOURNAL_LOOKS,
    LONGEST_UNKEPT_NS,
    LOOK_SECONDS,
    LOOKS,
    MANY,
    STILL_TO_JOURNAL,
    STILL_UNDER_WAY,
    FanOut,
    until_most_are_journaled,
    until_most_have_left,
)
from tests.fakes.virtual_time import in_virtual_time


@dataclass(slots=True)
class Engine:
    """What an engine tells of itself."""

    is_sending: bool = True
    is_running: bool = True
    is_deciding: bool = True
    right_of_way: RightOfWay | None = None


class Hub:
    """Whose private events may wait."""

    def __init__(self) -> None:
        self.has_let_pass = False

    def let_pass(self, right_of_way: RightOfWay) -> None:
        self.has_let_pass = bool(right_of_way.claimed)


@dataclass(slots=True)
class Account:
    """What trades on it."""

    runners: dict[int, Any]
    hub: Hub


def wait_for(engines: list[Engine]) -> asyncio.Task[None]:
    return asyncio.create_task(until_most_have_left(cast(Any, engines)))


@in_virtual_time
async def test_the_next_wait_until_most_orders_have_left() -> None:
    engines = [Engine() for _ in range(STILL_UNDER_WAY + 2)]
    waiting = wait_for(engines)
    await asyncio.sleep(5 * LOOK_SECONDS)
    engines[0].is_sending = False
    await asyncio.sleep(5 * LOOK_SECONDS)
    assert not waiting.done()
    engines[1].is_sending = False
    await asyncio.sleep(2 * LOOK_SECONDS)
    assert waiting.done()


@in_virtual_time
async def test_venues_that_do_not_answer_hold_the_others_up_for_a_moment_only() -> None:
    waiting = wait_for([Engine() for _ in range(64)])
    await asyncio.sleep((LOOKS - 10) * LOOK_SECONDS)
    assert not waiting.done()
    await asyncio.sleep(20 * LOOK_SECONDS)
    assert waiting.done()


@in_virtual_time
async def test_engines_that_do_not_run_are_not_waited_for() -> None:
    await asyncio.wait_for(wait_for([Engine(is_running=False) for _ in range(64)]), LOOK_SECONDS)


@in_virtual_time
async def test_the_next_are_planned_for_once_most_of_the_last_are_journaled() -> None:
    engines = [Engine() for _ in range(STILL_TO_JOURNAL + 1)]
    waiting = asyncio.create_task(until_most_are_journaled(cast(Any, engines)))
    await asyncio.sleep(5 * JOURNAL_LOOK_SECONDS)
    assert not waiting.done()
    engines[0].is_deciding = False
    await asyncio.sleep(2 * JOURNAL_LOOK_SECONDS)
    assert waiting.done()


@in_virtual_time
async def test_a_journal_that_does_not_answer_holds_planning_up_for_a_moment_only() -> None:
    engines: Any = [Engine() for _ in range(64)]
    waiting = asyncio.create_task(until_most_are_journaled(engines))
    await asyncio.sleep((JOURNAL_LOOKS - 5) * JOURNAL_LOOK_SECONDS)
    assert not waiting.done()
    await asyncio.sleep(10 * JOURNAL_LOOK_SECONDS)
    assert waiting.done()


@in_virtual_time
async def test_only_accounts_that_do_nothing_but_copy_leave_their_events_unread() -> None:
    way = RightOfWay()
    fan_out = FanOut(way)
    assert fan_out.begin(MANY)
    copies, trades_too = Account({1: None, 2: None}, Hub()), Account({1: None, 7: None}, Hub())
    for account in (copies, trades_too):
        engine = Engine()
        fan_out.give_way(cast(Any, engine), cast(Any, account), [1, 2])
        assert engine.right_of_way is way
    assert copies.hub.has_let_pass
    assert not trades_too.hub.has_let_pass


@in_virtual_time
async def test_what_orders_have_come_to_is_kept_once_those_of_many_have_left_and_no_row_of_fan_outs_puts_it_off() -> (
    None
):
    way, told = RightOfWay(), list[str]()
    fan_out = FanOut(way)
    later = partial(told.append, "now")
    assert fan_out.lets_keep(LONGEST_UNKEPT_NS, later)
    claim = fan_out.begin(MANY)
    assert not fan_out.lets_keep(2 * LONGEST_UNKEPT_NS - 1, later)
    assert not told
    way.release(claim)
    assert told == ["now"]
    assert fan_out.lets_keep(2 * LONGEST_UNKEPT_NS, later)
    fan_out.begin(MANY)
    assert not fan_out.lets_keep(3 * LONGEST_UNKEPT_NS - 1, later)
    fan_out.begin(MANY)  # the next change comes before the orders of the last have left
    assert told == ["now", "now"]
    assert fan_out.lets_keep(3 * LONGEST_UNKEPT_NS, later), "those that no fan-out is for would wait for ever"
