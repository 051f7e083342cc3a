from __future__ import annotations

import asyncio

from tasks.host.crowd import LATE_MS, PROMPT_MS, Crowd, LoopLag
from tests.fakes.virtual_time import in_virtual_time


async def _come(crowd: Crowd, count: int, seconds: float) -> int:
    """So many come at once, each stays so long; gives how many were inside together."""
    most = 0

    async def come() -> None:
        nonlocal most
        async with crowd.turn():
            most = max(most, crowd.inside)
            await asyncio.sleep(seconds)

    await asyncio.gather(*(come() for _ in range(count)))
    return most


@in_virtual_time
async def test_many_wait_at_once_for_what_is_far_away() -> None:
    loop = asyncio.get_running_loop()
    crowd = Crowd(2, 32, LoopLag())
    began = loop.time()
    assert await _come(crowd, 500, 1.0) == 32
    assert loop.time() - began < 25
    assert crowd.inside == 0


@in_virtual_time
async def test_a_loop_that_is_late_lets_few_in() -> None:
    lag = LoopLag()
    lag.note(LATE_MS + 1)
    crowd = Crowd(2, 32, lag)
    assert await _come(crowd, 40, 1.0) == 2
    crowd.room = 32
    await asyncio.sleep(2)
    await _come(crowd, 8, 0.1)
    assert crowd.room == 16, "those that ended together were late together"
    for _ in range(6):
        await _come(crowd, 1, 2.0)
    assert crowd.room == 2


@in_virtual_time
async def test_between_prompt_and_late_the_room_stays() -> None:
    lag = LoopLag()
    lag.note((PROMPT_MS + LATE_MS) / 2)
    crowd = Crowd(3, 32, lag)
    assert await _come(crowd, 40, 1.0) == 3
    assert crowd.room == 3


@in_virtual_time
async def test_one_that_is_let_go_while_it_waits_or_inside_takes_no_room() -> None:
    crowd = Crowd(1, 1, LoopLag())
    inside, waiting = (asyncio.create_task(_come(crowd, 1, 60.0)) for _ in range(2))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert crowd.inside == 1
    inside.cancel()
    await asyncio.gather(inside, return_exceptions=True)
    assert crowd.inside == 0
    assert await _come(crowd, 2, 0.1) == 1


def test_a_lag_is_remembered_for_about_a_second() -> None:
    lag = LoopLag()
    lag.note(200.0)
    for _ in range(5):
        lag.note(0.0)
    assert lag.milliseconds > LATE_MS
    for _ in range(20):
        lag.note(0.0)
    assert lag.milliseconds < PROMPT_MS
