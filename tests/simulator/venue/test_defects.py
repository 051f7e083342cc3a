from __future__ import annotations

import os
import subprocess
import sys

import pytest

from simulator.config import SimulatorConfig
from simulator.server import MarketStopped, running

BROKEN = """
import sys
from simulator.cli import main
from simulator.venue import Venue

def broken(self, until_ms, stop=None):
    raise ZeroDivisionError("the market's clockwork")

Venue.advance_to = broken
sys.exit(main(["--port", "0", "--symbols", "BTCUSDT", "--speed", "max"]))
"""


def test_a_defect_of_the_market_ends_the_process_and_says_so() -> None:
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    ran = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=180, check=False, env=environment
    )
    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("ares simulator: the market has stopped by a defect: ZeroDivisionError: the market's")
    assert "stopped" not in ran.stdout


async def until_it_breaks() -> None:
    async with running(SimulatorConfig(symbols=("BTCUSDT",))) as simulator:

        def broken() -> None:
            raise ArithmeticError("too much")

        object.__setattr__(simulator.venue, "on_protocol_time", broken)
        await simulator.ended.wait()


async def test_a_program_around_the_venue_is_told_of_the_defect() -> None:
    with pytest.raises(MarketStopped, match="ArithmeticError: too much"):
        await until_it_breaks()


async def test_a_venue_that_is_left_in_good_order_tells_nothing() -> None:
    async with running(SimulatorConfig(symbols=("BTCUSDT",))) as simulator:
        assert not simulator.ended.is_set()
