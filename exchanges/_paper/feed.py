"""The market of a venue for every paper account of a process: opened once, followed by one stream."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from core.base_exchange import BaseExchange, MarketEvent, PriceUpdate, TakePrice
from core.clock import MachineTime
from domain.errors import Transient

_log = structlog.get_logger("exchanges.paper")

_RETRY_SECONDS = 1.0
#: How long symbols that are new are collected before the stream is made for them.
_COLLECT_SECONDS = 0.05
#: Streams that new symbols may open beside the first; with more of them everything is put on one again.
_MOST_STREAMS = 4

#: Rules that were read for another account so lately are read for nobody again.
_RULES_NS = 60_000_000_000


class PaperFeed:
    """Hands each price of a venue to every account that follows its symbol, in the order in which it came.

    A symbol that is new gets a stream beside those that run, so that no account misses a trade for another's sake.
    """

    def __init__(self, venue: BaseExchange, machine: MachineTime, *, owns: bool) -> None:
        self.venue = venue
        self._machine = machine
        #: Whether it opens and closes the venue; otherwise whoever made it does.
        self._owns = owns
        self._rules_ns = machine.steady_ns()
        self._users = 0
        self._takers: dict[str, list[TakePrice]] = {}
        self._streams: dict[frozenset[str], asyncio.Task[None]] = {}
        self._collecting: asyncio.Task[None] | None = None
        self._gate = asyncio.Lock()

    async def open(self) -> None:
        """One more account uses it; the first opens the venue, unless somebody else has."""
        async with self._gate:
            if self._owns and not self._users:
                await self.venue.open()
            self._users += 1

    async def close(self) -> None:
        """One account fewer; with the last the streams end."""
        async with self._gate:
            self._users -= 1
            if self._users > 0:
                return
            tasks = [*self._streams.values(), *([self._collecting] if self._collecting else [])]
            self._streams.clear()
            self._collecting = None
            await _end(tasks)
            if self._owns:
                await self.venue.close()

    def follow(self, symbol: str, take: TakePrice) -> None:
        """Hand every price of the symbol to `take`, which may not wait."""
        self._takers.setdefault(symbol, []).append(take)
        if not any(symbol in symbols for symbols in self._streams) and self._collecting is None:
            self._collecting = asyncio.create_task(self._collect(), name="paper feed")

    def leave(self, take: TakePrice) -> None:
        """Hand it nothing any more. What nobody follows leaves the stream when that is made again."""
        for symbol in [symbol for symbol, takers in self._takers.items() if take in takers]:
            self._takers[symbol].remove(take)
            if not self._takers[symbol]:
                del self._takers[symbol]

    async def refresh_instruments(self) -> None:
        """Read the venue's rules again, unless that was done for another account a moment ago."""
        now_ns = self._machine.steady_ns()
        if self._owns or now_ns - self._rules_ns > _RULES_NS:
            self._rules_ns = now_ns
            await self.venue.refresh_instruments()

    async def _collect(self) -> None:
        await asyncio.sleep(_COLLECT_SECONDS)
        self._collecting = None
        new = self._takers.keys() - {symbol for symbols in self._streams for symbol in symbols}
        old: list[asyncio.Task[None]] = []
        if len(self._streams) >= _MOST_STREAMS:
            new, old = set(self._takers), list(self._streams.values())
            self._streams.clear()
        await _end(old)
        if new:
            symbols = frozenset(new)
            self._streams[symbols] = asyncio.create_task(self._watch(symbols), name="paper feed")

    async def _watch(self, symbols: frozenset[str]) -> None:
        """Follow the venue; where it breaks, the price is read by REST before it is followed again."""
        while True:
            try:
                await self.venue.watch_market(set(symbols), set(), self._deliver)
            except (Transient, OSError) as error:
                _log.warning("paper_feed_broke", feed=self.venue.name, reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
            for symbol in symbols:
                with contextlib.suppress(Transient, OSError):
                    self._deliver(await self.venue.last_price(symbol))

    def _deliver(self, update: MarketEvent) -> None:
        if not isinstance(update, PriceUpdate):
            return
        for take in list(self._takers.get(update.symbol, ())):
            take(update)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
