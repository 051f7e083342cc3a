from __future__ import annotations

import asyncio

from tasks.host.send_gate import FEWEST, MOST, MOST_AHEAD, SendGate
from tests.fakes.virtual_time import in_virtual_time


@in_virtual_time
async def test_whoever_finds_no_room_waits_in_turn_until_others_have_been_answered() -> None:
    gate, entered = SendGate(10, 400), list[str]()

    async def send(name: str, orders: int) -> None:
        await gate.enter(orders)
        entered.append(name)

    await send("a", 8)
    waiting = [asyncio.create_task(send(name, orders)) for name, orders in (("b", 5), ("c", 3))]
    await asyncio.sleep(1)
    assert entered == ["a"]
    gate.leave(8)
    await asyncio.gather(*waiting)
    assert entered == ["a", "b", "c"]
    assert gate.under_way == 8


@in_virtual_time
async def test_a_step_that_is_larger_than_all_the_room_goes_alone() -> None:
    gate = SendGate(10, 400)
    await gate.enter(50)
    gate.leave(50)
    assert gate.under_way == 0


@in_virtual_time
async def test_one_that_is_let_go_while_it_waits_takes_no_room() -> None:
    gate = SendGate(10, 400)
    await gate.enter(10)
    waiting = asyncio.create_task(gate.enter(10))
    await asyncio.sleep(0.1)
    gate.leave(10)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert gate.under_way == 0


@in_virtual_time
async def test_nobody_waits_for_ever_for_those_who_died_under_way() -> None:
    gate = SendGate(10, 400)
    await gate.enter(10)
    async with asyncio.timeout(6):
        await gate.enter(10)
    assert gate.under_way == 10


@in_virtual_time
async def test_patience_is_counted_from_when_somebody_waits_and_not_from_who_waited_before() -> None:
    gate = SendGate(10, 400)
    await gate.enter(10)
    early = asyncio.create_task(gate.enter(10))
    await asyncio.sleep(1)
    gate.leave(10)
    await early
    await asyncio.sleep(3.9)
    late = asyncio.create_task(gate.enter(10))
    await asyncio.sleep(4.9)
    assert not late.done()
    async with asyncio.timeout(0.2):
        await late


@in_virtual_time
async def test_thousands_who_wait_cost_no_more_than_one() -> None:
    gate, loop = SendGate(10, 400), asyncio.get_running_loop()
    await gate.enter(10)
    waiting = [asyncio.create_task(gate.enter(10)) for _ in range(1_000)]
    await asyncio.sleep(0.1)
    timers = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    assert len(timers) <= 2
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert gate.waiting == 0


@in_virtual_time
async def test_a_long_queue_that_moves_is_waited_for_however_long() -> None:
    gate, entered = SendGate(10, 400), list[float]()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def send() -> None:
        await gate.enter(10)
        assert gate.under_way == 10
        entered.append(loop.time() - began)
        await asyncio.sleep(1)
        gate.leave(10)

    await asyncio.gather(*(send() for _ in range(30)))
    assert len(entered) == 30
    assert entered == sorted(entered)
    assert entered[-1] >= 29


@in_virtual_time
async def test_the_room_follows_how_many_orders_the_venue_answers_in_time() -> None:
    gate = SendGate(60, 400)

    async def busy(venue_per_second: float, orders: int) -> float:
        """Send by steps of four to a venue that works on one order after another; gives the longest answer."""
        loop, longest = asyncio.get_running_loop(), 0.0
        free_at = loop.time()

        async def step() -> None:
            nonlocal free_at, longest
            await gate.enter(4)
            began = loop.time()
            free_at = max(free_at, began) + 4 / venue_per_second
            await asyncio.sleep(free_at - began)
            took_ms = (loop.time() - began) * 1000
            longest = took_ms
            gate.leave(4, took_ms)

        await asyncio.gather(*(step() for _ in range(orders // 4)))
        return longest

    await busy(50, 2_000)
    assert gate.room <= 24
    assert await busy(50, 400) <= 1.5 * 400
    await busy(1_000, 20_000)
    assert gate.room >= 150
    await busy(1, 400)
    assert gate.room == FEWEST
    await busy(100_000, 60_000)
    assert gate.room == MOST
    assert gate.under_way == gate.waiting == 0


@in_virtual_time
async def test_the_room_does_not_grow_while_nobody_needs_it() -> None:
    gate = SendGate(10, 400)
    for _ in range(100):
        await gate.enter(1)
        gate.leave(1, 5.0)
    assert gate.room == 10


@in_virtual_time
async def test_one_that_gives_up_at_the_head_of_the_queue_does_not_hold_up_the_next() -> None:
    gate = SendGate(10, 400)
    await gate.enter(8)
    large = asyncio.create_task(gate.enter(10))
    small = asyncio.create_task(gate.enter(2))
    await asyncio.sleep(0.1)
    large.cancel()
    async with asyncio.timeout(0.5):
        await small
    assert gate.under_way == 10


@in_virtual_time
async def test_an_answer_to_an_execution_goes_ahead_of_grids_that_lay_themselves_out() -> None:
    gate, entered = SendGate(20, 400), list[str]()

    async def send(name: str, orders: int) -> None:
        await gate.enter(orders)
        entered.append(name)

    await send("first", 20)
    waiting = [asyncio.create_task(send(f"grid {n}", 20)) for n in range(5)]
    await asyncio.sleep(1)
    waiting.append(asyncio.create_task(send("exit", 1)))
    await asyncio.sleep(1)
    gate.leave(20)
    await asyncio.sleep(1)
    assert entered == ["first", "exit"]
    gate.leave(1)
    await asyncio.sleep(1)
    assert entered == ["first", "exit", "grid 0"]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@in_virtual_time
async def test_many_that_go_ahead_do_not_keep_a_grid_waiting_for_ever() -> None:
    gate, entered = SendGate(20, 400), list[str]()
    await gate.enter(20)

    async def lay_out() -> None:
        await gate.enter(20)
        entered.append("grid")

    async def answer() -> None:
        await gate.enter(1)
        entered.append("exit")
        await asyncio.sleep(1)
        gate.leave(1)

    waiting = [asyncio.create_task(lay_out()), *(asyncio.create_task(answer()) for _ in range(4 * MOST_AHEAD))]
    await asyncio.sleep(1)
    gate.leave(20)
    await asyncio.sleep(5)
    gate.leave(20)
    await asyncio.gather(*waiting)
    assert entered.index("grid") == MOST_AHEAD
    assert len(entered) == len(waiting)
