"""A run on the simulated venue in lockstep, recorded and replayed in the backtester.

A step of the market is one trade of it, so that no price that an engine was told goes unseen. The venue's book has a
spread: what takes is executed a few ticks beside the last price, which moves the price that averaging sells at.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.scene import LIMITS, Bot
from tests.acceptance.test_lockstep import APART, CASH, LEARNER, scene_of
from tests.parity.recording import Decided, by_moment, first_difference, replayed
from tests.parity.scripts import MINUTE
from tests.parity.simulator_run import traded_on_the_simulator

pytestmark = [pytest.mark.recorded, pytest.mark.slow]
FUNDS = {asset: Decimal(amount) for asset, amount in CASH.items()}
#: The widest spread of the simulated book, in ticks.
SPREAD = 3
#: A quarter of a minute: the distance of two trades.
STEP_MS = 15_000
each = pytest.mark.parametrize("bots", [APART, (LEARNER,)], ids=["apart", "learner"])


async def check(folder: Path, data: Path, bots: tuple[Bot, ...], minutes: int) -> None:
    """Every form through so many minutes."""
    scene = replace(scene_of(data, "binance_spot", bots, minutes), step_ms=STEP_MS)
    recordings = await traded_on_the_simulator(folder, scene)
    for bot in scene.bots:
        recording = recordings[bot.number]
        again = by_moment(replayed(bot.kind, bot.params, recording, FUNDS, LIMITS, MINUTE), recording)
        live = by_moment(recording.decisions, recording)
        assert live
        if bot.kind != "dca":
            assert not first_difference(live, again), bot.kind
        assert not first_difference(without_prices(live), without_prices(again)), bot.kind
        print(bot.kind, len(live), moved_by(live, again))  # shown with -s
        assert moved_by(live, again) <= SPREAD


def without_prices(decided: list[Decided]) -> list[Decided]:
    """The same at no price."""
    return [one._replace(what=one.what._replace(ticks=0)) for one in decided]


def moved_by(live: list[Decided], again: list[Decided]) -> int:
    """How far the prices of two sequences are apart at most, in ticks."""
    return max(abs(one.what.ticks - other.what.ticks) for one, other in zip(live, again, strict=True))


@each
@pytest.mark.timeout(600)
async def test_a_simulator_run_replayed_gives_the_identical_orders(
    tmp_path: Path, recorded_data: Path, bots: tuple[Bot, ...]
) -> None:
    await check(tmp_path, recorded_data, bots, 90)


@each
@pytest.mark.acceptance
@pytest.mark.timeout(3_600)
async def test_so_does_a_whole_day(tmp_path: Path, recorded_data: Path, bots: tuple[Bot, ...]) -> None:
    await check(tmp_path, recorded_data, bots, 1_440)
