from __future__ import annotations

import asyncio

from tasks.host.leases import SendGate
from tests.fakes.virtual_time import in_virtual_time


@in_virtual_time
async def test_whoever_finds_no_room_waits_in_turn_until_others_have_been_answered() -> None:
    gate, entered = SendGate(10), list[str]()

    async def send(name: str, orders: int) -> None:
        await gate.enter(orders)
        entered.append(name)

    await send("a", 8)
    waiting = [asyncio.create_task(send(name, orders)) for name, orders in (("b", 5), ("c", 2))]
    await asyncio.sleep(1)
    assert entered == ["a"]
    gate.leave(8)
    await asyncio.gather(*waiting)
    assert entered == ["a", "b", "c"]
    assert gate.under_way == 7


@in_virtual_time
async def test_a_step_that_is_larger_than_all_the_room_goes_alone() -> None:
    gate = SendGate(10)
    await gate.enter(50)
    gate.leave(50)
    assert gate.under_way == 0


@in_virtual_time
async def test_one_that_is_let_go_while_it_waits_takes_no_room() -> None:
    gate = SendGate(10)
    await gate.enter(10)
    waiting = asyncio.create_task(gate.enter(10))
    await asyncio.sleep(0.1)
    gate.leave(10)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert gate.under_way == 0


@in_virtual_time
async def test_nobody_waits_for_ever_for_those_who_died_under_way() -> None:
    gate = SendGate(10)
    await gate.enter(10)
    async with asyncio.timeout(6):
        await gate.enter(10)
    assert gate.under_way == 10
