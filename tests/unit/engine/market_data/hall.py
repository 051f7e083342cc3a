"""A market hall in virtual time: the service, one fake exchange, and a list of what instances were told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.base_exchange import Bar
from core.clock import Clock
from engine.market_data.levels import Watcher
from engine.market_data.service import MarketData
from engine.market_data.settings import MarketSettings
from engine.market_data.venue import VenueMarket
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.fake_market import FakeMarket
from tests.fakes.virtual_time import START_MS, virtual_clock
from tests.law_harness import BTCUSDT

ETHUSDT = replace(BTCUSDT, symbol="ETHUSDT", base="ETH", max_price=Decimal(100_000))
MINUTE = 60_000
#: The first bar that is still open when a test begins.
NOW_OPEN = START_MS - START_MS % MINUTE


@dataclass
class Hall:
    """Everything a test touches."""

    exchange: FakeExchange
    data: MarketData
    venue: VenueMarket
    woken: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def market(self) -> FakeMarket:
        return self.exchange.market

    def watch(self, name: str, symbol: str = "BTCUSDT", max_age_ms: int = 0) -> Watcher:
        return self.venue.watch(symbol, lambda kind, ticks, time_ms: self.woken.append((name, kind, ticks)), max_age_ms)

    async def connected(self) -> None:
        """Let the streams be made."""
        await asyncio.sleep(0.3)
        assert self.market.streams

    async def tell(self, last: int, symbol: str = "BTCUSDT") -> None:
        """The price changes, and everyone has heard of it."""
        self.market.price(symbol, last)
        await self.market.drained()


@asynccontextmanager
async def hall(settings: MarketSettings | None = None, clock: Clock | None = None) -> AsyncIterator[Hall]:
    """Opens in virtual time; nothing may be left running at the end."""
    time = clock or virtual_clock()
    exchange = FakeExchange(BTCUSDT, ETHUSDT, clock=virtual_clock())
    data = MarketData(time, settings, random.Random(1))
    try:
        yield Hall(exchange, data, data.venue(exchange))
    finally:
        await data.close()
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left


async def passes(seconds: float) -> None:
    """So much virtual time."""
    await asyncio.sleep(seconds)


def bar(number: int, close: int = 100, symbol: str = "BTCUSDT") -> Bar:
    """A one-minute bar: 0 is the one that is open when a test begins, -1 the last closed one."""
    return Bar(symbol, "1m", NOW_OPEN + number * MINUTE, 100, max(100, close), min(100, close), close, 1)
