"""A fan-out goes no faster than its orders leave, and no venue that hangs stops it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from tasks.host.copying.pace import LOOK_SECONDS, LOOKS, STILL_UNDER_WAY, until_most_have_left
from tests.fakes.virtual_time import in_virtual_time


@dataclass(slots=True)
class Engine:
    """What an engine tells of itself."""

    is_sending: bool = True
    is_running: bool = True


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
