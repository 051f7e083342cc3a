"""Market data by REST: few requests at once, none while the breaker is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.base_exchange import Bar, BaseExchange, PriceUpdate
from core.clock import Clock
from domain.errors import AresError, Refused, Transient, unforeseen
from engine.market_data.breaker import Breaker
from engine.market_data.settings import MarketSettings

Answer = TypeVar("Answer")


class RestReader:
    """Reads of one venue. Raises `Transient` (with `CircuitOpen` among it) or `Refused`, and nothing else."""

    def __init__(self, exchange: BaseExchange, clock: Clock, settings: MarketSettings) -> None:
        self._exchange = exchange
        self._timeout = settings.rest_timeout_ms / 1000
        self._turns = asyncio.Semaphore(settings.rest_parallel)
        self.breaker = Breaker(f"{exchange.name} REST", settings.breaker_failures, settings.breaker_ms, clock.machine)
        #: Requests under way or waiting for their turn; requests and failures so far.
        self.in_flight = 0
        self.requests = 0
        self.failures = 0

    async def price(self, symbol: str) -> PriceUpdate:
        """The price now."""
        return await self._read(lambda: self._exchange.last_price(symbol))

    async def bars(self, symbol: str, interval: str, since_ms: int, limit: int) -> list[Bar]:
        """Closed bars, oldest first."""
        return await self._read(lambda: self._exchange.bars(symbol, interval, since_ms, limit))

    async def _read(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        self.in_flight += 1
        try:
            async with self._turns:
                self.breaker.enter()
                self.requests += 1
                return await self._answer(ask)
        finally:
            self.in_flight -= 1

    async def _answer(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await ask()
        except Refused:
            self.breaker.succeed()  # an answer, if not the one that was hoped for
            raise
        except (AresError, OSError) as error:
            self.failures += 1
            self.breaker.fail(error)
            raise (error if isinstance(error, Transient) else Transient(unforeseen(error))) from error
        except BaseException:
            self.breaker.give_up()
            raise
        self.breaker.succeed()
        return answer
