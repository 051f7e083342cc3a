"""Real input: recorded markets through the simulated venue, the adapter and the engine, in lockstep.

The checker compares the journal's rows with the venue's tape and balances at every quiet moment at which anything has
happened, and once more at the end.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import Engine

from tests.acceptance.live_node import Node, until
from tests.acceptance.lockstep import KEY, SECRET, Lockstep, Operator, node
from tests.acceptance.scene import Bot, Scene, series
from tests.journal_database import prepare
from tests.learning_markets import EAGER
from tests.simulator_process import SimulatorProcess, simulator_process

pytestmark = [pytest.mark.recorded, pytest.mark.slow]
DAY = 1_440
CASH = {"USDT": "50000"}
SPOT = (
    Bot(1, "grid", "BTCUSDT", {"lower_price": "93000", "upper_price": "97000", "levels": 40,
                               "quantity_per_level": "0.01"}, CASH),
    Bot(2, "trailing_grid", "ETHUSDT", {"quantity": "0.5", "offset_percent": "0.2", "sell_offset_percent": "0.3",
                                        "reprice_percent": "0.4", "grid_levels": 8}, CASH),
    Bot(3, "dca", "SOLUSDT", {"amount": "200", "interval_minutes": 30, "take_profit_percent": "0.5"}, CASH),
    Bot(4, "ma_cross", "BTCUSDT", {"size": "0.05", "fast": 5, "slow": 20}, CASH),
    Bot(5, "rsi", "ETHUSDT", {"size": "1", "period": 14}, CASH, "5m"),
)  # fmt: skip
#: On one symbol each, so that no two of them ever meet in the book at the same instant.
APART = (
    replace(SPOT[0], params={**SPOT[0].params, "split_at_start": False}),
    SPOT[1],
    SPOT[2],
    Bot(6, "ma_cross", "XRPUSDT", {"size": "2000", "fast": 5, "slow": 20}, CASH),
    Bot(7, "rsi", "BNBUSDT", {"size": "5", "period": 10}, CASH),
)
#: The recorded symbols of that time are taken: this one trades by itself.
LEARNER = Bot(8, "self_learning", "XRPUSDT", EAGER, CASH)
FUTURES = (
    Bot(1, "grid", "BTCUSDT", {"lower_price": "93000", "upper_price": "97000", "levels": 40,
                               "quantity_per_level": "0.01"}, CASH),
    Bot(2, "trailing_grid", "ETHUSDT", {"quantity": "0.5", "offset_percent": "0.2", "sell_offset_percent": "0.3",
                                        "reprice_percent": "0.4", "grid_levels": 8}, CASH),
    Bot(3, "dca", "SOLUSDT", {"amount": "200", "interval_minutes": 30, "take_profit_percent": "0.5"}, CASH),
    # Two on one symbol: they share its funding.
    Bot(4, "dca", "BTCUSDT", {"amount": "777", "interval_minutes": 20, "take_profit_percent": "2"}, CASH),
    # Long and short.
    Bot(5, "self_learning", "XRPUSDT", {**EAGER, "direction": "both"}, CASH),
)  # fmt: skip
#: Three hours and a minute before funding.
BEFORE_FUNDING, TO_FUNDING = "2025-05-05T04:59:00Z", 181


@dataclass(slots=True)
class Run:
    """A venue that is up, a database, and the driver."""

    scene: Scene
    venue: SimulatorProcess
    database: Engine
    driver: Lockstep
    start_ms: int

    @asynccontextmanager
    async def node(self) -> AsyncIterator[Node]:
        """The platform, taken up now."""
        async with node(self.venue, self.scene, self.database, max(self.start_ms, self.driver.now_ms)) as up:
            yield up


@asynccontextmanager
async def running(folder: Path, scene: Scene, url: str, check_every_ms: int = 0) -> AsyncIterator[Run]:
    folder.mkdir(exist_ok=True)
    database = prepare(url, {bot.number: 1 for bot in scene.bots})
    try:
        with simulator_process(folder, *scene.simulator_options(KEY, SECRET)) as venue:
            async with aiohttp.ClientSession() as session:
                operator = Operator(session, venue)
                start_ms = (await operator.get("time"))["market_ms"]
                yield Run(scene, venue, database, Lockstep(operator, scene, database, check_every_ms), start_ms)
    finally:
        database.dispose()


def scene_of(data: Path, venue: str, bots: tuple[Bot, ...], minutes: int) -> Scene:
    names = sorted({f"{bot.symbol}-1m-2025" for bot in bots})
    return Scene(venue, series(data, *names), "2025-05-05T00:00:00Z", minutes, bots)


@dataclass(slots=True)
class End:
    """How a run ended, without what differs from run to run: ids of the venue, and times."""

    states: dict[int, tuple[list[int], list[float]]]
    orders: dict[str, tuple[object, ...]]
    fills: list[tuple[object, ...]]
    realised: dict[int, object]

    @classmethod
    def of(cls, up: Node, driver: Lockstep) -> End:
        engines = up.manager.engines
        return cls(
            {number: (engine.instance.state, engine.instance.memory) for number, engine in engines.items()},
            {name: (one.status, one.filled, one.price, one.quantity) for name, one in driver.stored.intents.items()},
            sorted(
                (one.client, one.price, one.quantity, one.fee, one.fee_asset) for one in driver.stored.fills.values()
            ),
            dict(driver.stored.realised),
        )


async def whole_run(folder: Path, scene: Scene, disturb: Callable[[Run, Node], Awaitable[None]] | None = None) -> End:
    """A run in one piece; `disturb` comes after a third of it."""
    async with running(folder, scene, f"sqlite:///{folder}.sqlite3") as run, run.node() as up:
        await run.driver.run(up, scene.minutes // 3)
        if disturb is not None:
            await disturb(run, up)
        await run.driver.run(up, scene.minutes - scene.minutes // 3)
        return End.of(up, run.driver)


@pytest.mark.timeout(600)
async def test_books_of_five_strategies_equal_the_venues_through_a_recorded_day(
    tmp_path: Path, recorded_data: Path
) -> None:
    scene = scene_of(recorded_data, "binance_spot", SPOT, DAY)
    async with running(tmp_path, scene, f"sqlite:///{tmp_path / 'ares.sqlite3'}") as run, run.node() as up:
        await run.driver.run(up, scene.minutes)
        print(run.driver.figures, len(run.driver.stored.fills))  # shown with -s
        assert {fill.instance for fill in run.driver.stored.fills.values()} == {bot.number for bot in SPOT}
        assert run.driver.figures.checks > 100


async def test_books_equal_the_venues_on_both_databases(tmp_path: Path, recorded_data: Path, database_url: str) -> None:
    scene = scene_of(recorded_data, "binance_spot", SPOT, 120)
    async with running(tmp_path, scene, database_url) as run, run.node() as up:
        await run.driver.run(up, scene.minutes)
        assert len(run.driver.stored.fills) > 10


async def test_books_equal_the_venues_on_futures(tmp_path: Path, recorded_data: Path) -> None:
    scene = replace(scene_of(recorded_data, "binance_futures", FUTURES, 360), start=BEFORE_FUNDING)
    async with running(tmp_path, scene, f"sqlite:///{tmp_path / 'ares.sqlite3'}") as run, run.node() as up:
        await run.driver.run(up, scene.minutes)
        assert {fill.instance for fill in run.driver.stored.fills.values()} == {bot.number for bot in FUTURES}
        assert funded(run) >= {1, 3, 4}


async def test_funding_that_comes_while_nobody_runs_is_booked_once_by_whoever_comes(
    tmp_path: Path, recorded_data: Path, database_url: str
) -> None:
    scene = replace(scene_of(recorded_data, "binance_futures", FUTURES, 240), start=BEFORE_FUNDING)
    async with running(tmp_path, scene, database_url) as run:
        async with run.node() as up:
            await run.driver.run(up, TO_FUNDING - 1)
        await run.driver.operator.post("advance", ms=120_000)
        for _ in range(2):
            async with run.node() as up:
                await run.driver.run(up, 5)
                assert funded(run) >= {1, 3, 4}


def funded(run: Run) -> set[int]:
    """Instances that have booked a share of funding; whether it is the right one is the checker's."""
    references = [reference for kind, reference in run.driver.stored.entry_sums if kind == "funding"]
    assert len(references) == len(set(references))
    return {int(reference.rpartition(":")[2]) for reference in references}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, End]:
    """A run that nothing disturbs, and how it ends: the measure of those that are disturbed."""
    folder = os.environ.get("ARES_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("ARES_DATA_DIR does not name a folder of recorded market data")
    scene = scene_of(Path(folder), "binance_spot", APART, 150)
    with asyncio.Runner() as runner:
        end = runner.run(whole_run(tmp_path_factory.mktemp("plain"), scene))
    assert len(end.fills) > 20
    return scene, end


async def test_the_same_run_ends_the_same(tmp_path: Path, plain: tuple[Scene, End]) -> None:
    scene, end = plain
    assert await whole_run(tmp_path / "again", scene) == end


async def test_streams_that_repeat_reorder_and_break_change_nothing(tmp_path: Path, plain: tuple[Scene, End]) -> None:
    scene, end = plain

    async def disturb(run: Run, up: Node) -> None:
        post = run.driver.operator.post
        gaps = up.hub.status.gaps
        await post("faults", kind="disconnect", path="/ws-api/v3")
        await until(lambda: up.hub.status.gaps > gaps, "the private stream's return")
        await run.driver.quiet(up)
        await post("faults", kind="duplicate", args={"copies": 3})
        await post("faults", kind="reorder", path="/ws-api/v3", args={"behind": 2, "hold_ms": 20})

    assert await whole_run(tmp_path / "disturbed", scene, disturb) == end


async def test_a_restart_in_the_middle_ends_as_an_uninterrupted_run(tmp_path: Path, plain: tuple[Scene, End]) -> None:
    scene, end = plain
    async with running(tmp_path, scene, f"sqlite:///{tmp_path / 'ares.sqlite3'}") as run:
        async with run.node() as up:
            await run.driver.run(up, scene.minutes // 2)
        async with run.node() as up:
            await run.driver.run(up, scene.minutes - scene.minutes // 2)
            assert End.of(up, run.driver) == end
