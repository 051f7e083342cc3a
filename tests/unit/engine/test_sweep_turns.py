"""Accounts sweep in turn, and those that somebody waits for do not stand in the queue."""

from __future__ import annotations

import asyncio

from engine.account_hub import AccountHub, HubSettings
from engine.sweep_turns import SweepTurns
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.unit.engine.floor import open_floor


@in_virtual_time
async def test_so_many_go_at_once_and_the_next_when_one_has_left() -> None:
    turns = SweepTurns(2)
    first, second, third, fourth = (turns.ask() for _ in range(4))
    assert first.done()
    assert second.done()
    assert not third.done()
    turns.leave(second)
    assert third.done()
    assert not fourth.done()
    assert turns.waiting == 1


@in_virtual_time
async def test_whoever_is_waited_for_goes_ahead_and_its_place_is_paid_back() -> None:
    turns = SweepTurns(1)
    first, second, third = (turns.ask() for _ in range(3))
    turns.hurry(third)
    assert third.done()
    assert not second.done()
    turns.leave(first)
    assert not second.done(), "two had been let in where there was room for one"
    turns.leave(third)
    assert second.done()


@in_virtual_time
async def test_one_that_gives_up_in_the_queue_keeps_nobody_waiting() -> None:
    turns = SweepTurns(1)
    first, second, third = (turns.ask() for _ in range(3))
    second.cancel()
    turns.leave(second)
    turns.leave(first)
    assert third.done()


@in_virtual_time
async def test_an_account_that_is_taken_up_is_swept_while_others_wait_for_their_turn() -> None:
    """A crowd of accounts that look by themselves has every turn, for as long as anybody likes."""
    floor, clock, turns = open_floor(), virtual_clock(), SweepTurns(1)
    turns.ask()  # never left
    hub = AccountHub(1, 1, floor.exchange, floor.journal, clock, HubSettings(), None, turns)
    await hub.start()
    try:
        await asyncio.sleep(100)
        assert hub.status.sweeps == 0
        async with asyncio.timeout(10):
            await hub.sweep_now()
        assert hub.status.sweeps == 1
        async with asyncio.timeout(10):
            await hub.sweep_now()
        await asyncio.sleep(100)
        assert hub.status.sweeps == 2
    finally:
        await hub.stop()
