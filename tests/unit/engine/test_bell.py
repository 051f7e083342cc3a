"""The bell of an instance that sleeps."""

from __future__ import annotations

import asyncio

from engine.bell import Bell


async def test_a_sleeper_is_woken_by_the_bell() -> None:
    bell = Bell()
    asyncio.get_running_loop().call_soon(bell.ring)
    assert await bell.sleep(None)


async def test_a_sleeper_whose_time_is_over_wakes_by_itself_and_can_sleep_again() -> None:
    bell = Bell()
    assert not await bell.sleep(0)
    asyncio.get_running_loop().call_soon(bell.ring)
    assert await bell.sleep(60)


async def test_ringing_twice_or_with_nobody_asleep_wakes_nobody_later() -> None:
    bell = Bell()
    bell.ring()
    asyncio.get_running_loop().call_soon(bell.ring)
    asyncio.get_running_loop().call_soon(bell.ring)
    assert await bell.sleep(60)
    assert not await bell.sleep(0)
