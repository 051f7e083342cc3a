"""Orders that are still to leave go before news of those that have; nobody waits for ever, and nothing is lost."""

from __future__ import annotations

import asyncio

from core.clock import SystemTime
from domain.events import TARGET, Event
from domain.order import OPEN, REJECTED, OrderReport
from engine.bell import Bell
from engine.inputs import Inbox, Input
from engine.right_of_way import LONGEST_SECONDS, WOKEN_TOGETHER, RightOfWay
from tests.fakes.virtual_time import in_virtual_time

ACCEPTED = OrderReport("one", "1", OPEN, 0, 0)
REFUSED = OrderReport("two", "", REJECTED, 0, 0)
WISHED = Event(TARGET, 0)


def inbox_of(*items: Input) -> Inbox:
    inbox = Inbox()
    for item in items:
        inbox.put(item, SystemTime())
    return inbox


def waiting(way: RightOfWay, bell: Bell, inbox: Inbox) -> asyncio.Task[None]:
    return asyncio.create_task(way.let_pass(bell, inbox))


@in_virtual_time
async def test_news_of_orders_waits_until_the_claim_is_released() -> None:
    way = RightOfWay()
    claim = way.claim()
    one = waiting(way, Bell(), inbox_of(ACCEPTED))
    await asyncio.sleep(0.1)
    assert not one.done()
    way.release(claim)
    await asyncio.sleep(0.01)
    assert one.done()


@in_virtual_time
async def test_a_target_and_a_refusal_are_taken_up_at_once() -> None:
    way = RightOfWay()
    way.claim()
    for urgent in (WISHED, REFUSED):
        bell, inbox = Bell(), inbox_of(ACCEPTED)
        one = waiting(way, bell, inbox)
        await asyncio.sleep(0.1)
        inbox.put(urgent, SystemTime())
        bell.ring()
        await asyncio.sleep(0.01)
        assert one.done()
        assert inbox.take()[0] == [ACCEPTED, urgent]


@in_virtual_time
async def test_a_claim_that_nobody_releases_ends_by_itself() -> None:
    way = RightOfWay()
    way.claim()
    one, other = waiting(way, Bell(), inbox_of(ACCEPTED)), asyncio.create_task(way.pass_by())
    await asyncio.sleep(LONGEST_SECONDS + 0.1)
    assert one.done()
    assert other.done()
    assert not way.claimed


@in_virtual_time
async def test_who_has_let_one_claim_pass_lets_no_second_one_pass() -> None:
    way = RightOfWay()
    way.claim()
    many = [waiting(way, Bell(), inbox_of(ACCEPTED)) for _ in range(3 * WOKEN_TOGETHER)]
    other = asyncio.create_task(way.pass_by())
    await asyncio.sleep(0.1)
    second = way.claim()
    await asyncio.sleep(0.1)
    assert way.claimed == second
    assert all(one.done() for one in (*many, other))


@in_virtual_time
async def test_what_is_to_come_first_is_done_before_anybody_who_waits_is_woken() -> None:
    way, told = RightOfWay(), list[str]()
    claim = way.claim()
    many = [waiting(way, Bell(), inbox_of(ACCEPTED)) for _ in range(3 * WOKEN_TOGETHER)]
    await asyncio.sleep(0.1)
    for one in many:
        one.add_done_callback(lambda _: told.append("woken"))
    for _ in range(2 * WOKEN_TOGETHER):
        way.call_first(lambda: told.append("first"))
    way.release(claim)
    await asyncio.sleep(0.01)
    assert told == ["first"] * 2 * WOKEN_TOGETHER + ["woken"] * 3 * WOKEN_TOGETHER
    way.call_first(lambda: told.append("at once"))
    assert told[-1] == "at once"


@in_virtual_time
async def test_every_claim_is_told_when_it_begins_and_once_when_it_is_over_however_it_ends() -> None:
    way, told = RightOfWay(), list[bool]()
    way.on_claim = told.append
    claim = way.claim()
    assert told == [True]
    way.release(claim)
    way.release(claim)
    assert told == [True, False]
    way.claim()
    way.claim()
    assert told == [True, False, True, False, True]
    await asyncio.sleep(LONGEST_SECONDS + 0.1)
    assert told == [True, False, True, False, True, False]
