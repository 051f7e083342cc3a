"""The market lives in another time than the machine: replayed years ago, or stood still meanwhile."""

from __future__ import annotations

import time

import pytest

from core.clock import system_clock
from tests.acceptance.faults.bench import HUB, Bench, Node

A_YEAR_MS = 365 * 86_400_000


async def catch_up(bench: Bench, up: Node) -> None:
    """What is missing is asked for after one sweep, and what it has executed read by the next."""
    await bench.quiet(up)
    await up.hub.sweep_now()
    await bench.settled(up)


@pytest.mark.parametrize("percent", ["-0.7", "-3"], ids=["some bids trade", "every bid trades"])
async def test_trades_missed_before_the_first_was_booked_are_found_in_a_market_of_the_past(
    both: Bench, percent: str
) -> None:
    now_ms, clock = time.time_ns() // 1_000_000, system_clock()
    assert abs(now_ms - both.venue.get("time")["market_ms"]) > A_YEAR_MS
    wanted = both.grid(levels=3)
    async with both.node(wanted, clock=clock) as up:
        await both.quiet(up)
        await both.settled(up)
        assert up.engine().instance.trades == 0
    both.gap(percent)
    async with both.node(wanted, clock=clock, hub=HUB) as up:
        await catch_up(both, up)
        assert up.engine().instance.trades >= 1
