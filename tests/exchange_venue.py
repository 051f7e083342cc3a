"""Adapters opened against a simulated venue, and orders for them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import SecretStr

import exchanges
from core.base_exchange import EXCHANGES, BaseExchange, Credentials, UserEvent, VenueSettings
from core.clock import Clock, system_clock
from domain.client_order_id import OrderKey, encode
from domain.order import BUY, POST_ONLY, Order
from tests.simulator_process import SimulatorProcess

Found = TypeVar("Found")
KEY, SECRET = "key-of-adapters", "secret-of-adapters"
FUNDS = "USDT=50000000,BTC=500,ETH=5000,BNB=100"
OPTIONS: tuple[str, ...] = ("--market", "generated:7", "--symbols", "BTCUSDT,ETHUSDT", "--speed", "0")
OPTIONS = (*OPTIONS, "--lift-limits", "--account", f"{KEY}:{SECRET}:{FUNDS}")
BOTH = ("binance_spot", "binance_futures")
BTC = "BTCUSDT"
DEADLINE_SECONDS = 180.0

_cycles = itertools.count(1)


def scan() -> None:
    """Fill the registry."""
    EXCHANGES.scan(exchanges)


def settings_for(venue: SimulatorProcess, **changes: Any) -> VenueSettings:
    """How a test reaches the venue: short waits, and a window that a busy machine can keep."""
    base = VenueSettings(
        credentials=Credentials(SecretStr(KEY), SecretStr(SECRET)),
        rest_url=venue.rest,
        stream_url=venue.stream,
        receive_window_ms=5_000,
        timeout_seconds=5.0,
    )
    return replace(base, **changes)


@asynccontextmanager
async def opened(
    name: str, venue: SimulatorProcess, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[BaseExchange]:
    """An adapter of the registry, connected."""
    scan()
    exchange = EXCHANGES.get(name)(settings_for(venue, **changes), clock or system_clock())
    await exchange.open()
    try:
        yield exchange
    finally:
        await exchange.close()


def machine_ms() -> int:
    """The moment at which an intent would be committed."""
    return system_clock().machine.now_ms()


def order_for(exchange: BaseExchange, ticks: int, **changes: Any) -> Order:
    """A post-only buy of a size that every market takes, under a name no other test uses."""
    key = OrderKey(1, 7, 0, 0, next(_cycles), 0, 0)
    lots = 20 if exchange.capabilities.market == "futures" else 2_000
    return Order(key, encode(key), BTC, BUY, POST_ONLY, ticks, lots)._replace(**changes)


async def resting(exchange: BaseExchange, **changes: Any) -> Order:
    """An order that will rest: one percent below the market."""
    price = await exchange.last_price(BTC)
    return order_for(exchange, price.bid - price.bid // 100, **changes)


async def until(look: Callable[[], Awaitable[Found]], what: str) -> Found:
    """Ask until the answer is true; fails when it never is."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.02)
    raise AssertionError(what)


@dataclass(slots=True)
class Listener:
    """What a private stream has told so far."""

    events: list[UserEvent]
    changed: asyncio.Event

    async def wait_for(self, wanted: Callable[[UserEvent], bool], after: int = 0) -> UserEvent:
        """The first event that is wanted, once it has come."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                self.changed.clear()
                for event in self.events[after:]:
                    if wanted(event):
                        return event
                await self.changed.wait()


@asynccontextmanager
async def listening(exchange: BaseExchange) -> AsyncIterator[Listener]:
    """Listen to the private stream in the background."""
    listener = Listener([], asyncio.Event())

    async def listen() -> None:
        async for event in exchange.user_events():
            listener.events.append(event)
            listener.changed.set()

    task = asyncio.create_task(listen())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
