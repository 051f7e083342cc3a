"""The market service on the adapters, against the simulated venue and the faults that its streams have."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.base_exchange import Bar, BaseExchange
from core.clock import Clock, SystemTime, VenueTime
from engine.market_data.service import MarketData
from engine.market_data.settings import MarketSettings
from engine.market_data.venue import VenueMarket
from tests.exchange_venue import BOTH, BTC, DEADLINE_SECONDS, OPTIONS, opened
from tests.simulator_process import SimulatorProcess, simulator_process

MINUTE = 60_000
STEP_MS = 10_000
#: Connects are not counted: at pauses so short, a few seconds of refusals would use up those of five minutes.
FAST = MarketSettings(
    silence_ms=600, look_ms=50, poll_ms=200, collect_ms=50, overlap_ms=1_500, backoff_ms=50, backoff_max_ms=400,
    bar_grace_ms=300, breaker_ms=1_000, connects_per_5_minutes=100_000,
)  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("market"), *OPTIONS) as process:
        yield process


@pytest.fixture
def process(running: SimulatorProcess) -> Iterator[SimulatorProcess]:
    yield running
    running.delete("faults")


@dataclass
class Stall:
    """A market of the service on a venue whose time the test moves."""

    process: SimulatorProcess
    exchange: BaseExchange
    data: MarketData
    market: VenueMarket
    bars: list[Bar] = field(default_factory=list)
    woken: list[int] = field(default_factory=list)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let market time go on until it is so."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not is_so():
                self.process.post("advance", {"ms": STEP_MS})
                await asyncio.sleep(0.02)

    def strike(self, kind: str, **fields: Any) -> None:
        """A fault on every stream that is open now; streams opened later work."""
        for connection in self.process.get("connections"):
            self.process.post("faults", {"kind": kind, "connection": connection["id"], **fields})

    async def check_bars(self) -> None:
        """Every bar that has come is the venue's, each once and in order, none left out.

        By REST the newest may still be missing: a bar is not known to be closed before the next one has begun.
        """
        seen = list(self.bars)
        expected = await self.exchange.bars(BTC, "1m", seen[0].open_ms, 1_000)
        assert seen[: len(expected)] == expected[: len(seen)]
        assert len(seen) - len(expected) <= 1


@asynccontextmanager
async def stall_at(process: SimulatorProcess, name: str) -> AsyncIterator[Stall]:
    clock = Clock(VenueTime(process.post("settle")["market_ms"]), SystemTime())
    async with opened(name, process, clock, silence_seconds=60.0) as exchange:
        data = MarketData(clock, FAST, random.Random(1))
        market = data.venue(exchange)
        made = Stall(process, exchange, data, market)
        try:
            market.watch(BTC, lambda kind, ticks, time_ms: made.woken.append(ticks)).arm(any_price=True)
            made.bars += await market.join_bars(BTC, "1m", made.bars.append, 5)
            await made.until(lambda: market.is_connected and len(made.bars) > 6)
            yield made
        finally:
            await data.close()


@pytest.mark.parametrize("name", BOTH)
async def test_history_and_live_bars_are_the_venues_and_a_price_wakes_once(
    process: SimulatorProcess, name: str
) -> None:
    async with stall_at(process, name) as at:
        await at.until(lambda: len(at.bars) >= 10)
        await at.check_bars()
        assert len(at.woken) == 1
        (health,) = at.data.health()
        assert (health.prices.source, health.bars.source, health.breaker) == ("stream", "stream", "closed")
        assert [stream.counts.connects for stream in (at.market.price_stream, at.market.bar_stream)] == [1, 1]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("kind", ["stall", "freeze", "half_open", "disconnect"])
async def test_a_stream_that_fails_is_replaced_and_neither_price_nor_bar_is_missing(
    process: SimulatorProcess, name: str, kind: str
) -> None:
    async with stall_at(process, name) as at:
        count = len(at.bars)
        at.strike(kind)
        await at.until(lambda: at.market.price_stream.counts.reconnects > 0 and at.market.price_stream.is_sound)
        await at.until(lambda: at.market.bar_stream.counts.reconnects > 0 and len(at.bars) > count + 3)
        await at.check_bars()
        process.post("settle")
        now = await at.exchange.last_price(BTC)
        await at.until(lambda: (price := at.market.price(BTC)) is not None and price.time_ms >= now.time_ms)
        (health,) = at.data.health()
        assert (health.prices.source, health.prices.connected) == ("stream", True)


@pytest.mark.parametrize("fault", ["drop", "duplicate", "reorder", "malformed_frame"])
async def test_every_bar_is_told_once_and_in_order_whatever_happens_to_its_frames(
    process: SimulatorProcess, fault: str
) -> None:
    async with stall_at(process, "binance_spot") as at:
        count = len(at.bars)
        process.post("faults", {"kind": fault, "stream": "*kline*", "for_ms": 600})
        await at.until(lambda: len(at.bars) > count + 8)
        await at.check_bars()


async def test_without_streams_prices_and_bars_come_by_rest_and_the_stream_comes_back(
    process: SimulatorProcess,
) -> None:
    async with stall_at(process, "binance_spot") as at:
        count = len(at.bars)
        process.post("faults", {"kind": "refuse_ws", "args": {"status": 503}})
        at.strike("disconnect")
        await at.until(lambda: at.data.health()[0].prices.source == "rest" and len(at.bars) > count + 2)
        await at.check_bars()
        process.delete("faults")
        await at.until(lambda: at.data.health()[0].prices.source == "stream")
        await at.check_bars()


async def test_when_rest_fails_too_the_breaker_opens_and_closes_again(process: SimulatorProcess) -> None:
    async with stall_at(process, "binance_spot") as at:
        process.post("faults", {"kind": "refuse_ws", "args": {"status": 503}})
        process.post("faults", {"kind": "proxy_page", "path": "/api/v3/*"})
        at.strike("disconnect")
        await at.until(lambda: at.data.health()[0].breaker == "opened")
        assert at.data.health()[0].prices.source == "nothing"
        process.delete("faults")
        await at.until(lambda: at.data.health()[0].breaker == "closed" and at.market.price_stream.is_sound)
        await at.check_bars()
