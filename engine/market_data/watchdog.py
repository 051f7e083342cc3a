"""Looks after the ages: asks by REST for what has gone stale, and has streams replaced that have missed something.

A socket that is open and answers pings may still tell nothing, or the same thing again and again. So silence is
compared with REST: when the price there is the same, the market is quiet and all is well; when it is not, the stream
has missed something.
"""

from __future__ import annotations

import asyncio
import heapq

import structlog

from core.clock import Clock
from domain.errors import Refused, Transient
from engine.market_data.prices import SymbolPrices
from engine.market_data.settings import MarketSettings
from engine.market_data.venue import VenueMarket

log = structlog.get_logger(__name__)

#: How many of the liveliest symbols tell whether a silent stream has missed something.
PROBES = 3


class Watchdog:
    """The watchdog of one venue's market."""

    def __init__(self, venue: VenueMarket, clock: Clock, settings: MarketSettings) -> None:
        self._venue = venue
        self._machine = clock.machine
        self._settings = settings
        self._asking: set[asyncio.Task[None]] = set()
        self._audited_ns = clock.machine.steady_ns()
        self._audits = 0
        self._overtaken = 0

    async def run(self) -> None:
        """Look again and again until cancelled."""
        try:
            while True:
                await asyncio.sleep(self._settings.look_ms / 1000)
                self.look()
        finally:
            for task in self._asking:
                task.cancel()

    def look(self) -> None:
        """Look once."""
        self._look_at_bars()
        if self._venue.price_stream.silent_ms() >= self._settings.silence_ms:
            self._look_at_silence()
        if not self._venue.rest.breaker.permits():
            return
        self._look_at_ages()
        self._audit()

    def _look_at_ages(self) -> None:
        now = self._machine.steady_ns()
        stale = [
            prices for prices in self._venue.prices.values() if not prices.is_asked and self._is_stale(prices, now)
        ]
        free = max(self._settings.rest_parallel - len(self._asking), 0)
        for prices in heapq.nsmallest(free, stale, key=lambda item: item.seen_ns):
            self._start(prices, is_stale=True)

    def _is_stale(self, prices: SymbolPrices, now_ns: int) -> bool:
        """Whether it is time to ask: an answer that does not help is not asked for again at once."""
        bound_ms = self._bound_ms(prices)
        pause_ns = min(bound_ms, self._settings.poll_ms) * 1_000_000
        return prices.age_ms(now_ns) >= bound_ms and now_ns - prices.asked_ns >= pause_ns

    def _bound_ms(self, prices: SymbolPrices) -> int:
        """How old this price may become. While the stream is down nobody has to wait for the full bound."""
        bound = self._settings.look_ms if prices.is_needed else prices.max_age_ms
        if prices.is_on_rest:
            return min(bound, self._settings.poll_ms)
        stream = self._venue.price_stream
        is_served = stream.is_sound and stream.covers(prices.symbol)
        return bound if is_served else min(bound, self._settings.silence_ms)

    def _look_at_silence(self) -> None:
        """The stream as a whole has told nothing new: has it missed anything?"""
        stream = self._venue.price_stream
        if not self._venue.rest.breaker.permits():
            stream.replace("it tells nothing, and REST is not there to compare with")
            return
        known = [(item.last.time_ms, item.symbol) for item in self._venue.prices.values() if item.last]
        for _, symbol in heapq.nlargest(PROBES, known):
            if not self._venue.prices[symbol].is_asked:
                self._start(self._venue.prices[symbol], is_silent=True)

    def _audit(self) -> None:
        """Compare one symbol after another with REST even while the stream is busy: it may be frozen."""
        now = self._machine.steady_ns()
        symbols = sorted(self._venue.prices)
        if not symbols or now - self._audited_ns < self._settings.audit_ms * 1_000_000:
            return
        self._audited_ns = now
        self._audits += 1
        prices = self._venue.prices[symbols[self._audits % len(symbols)]]
        if not prices.is_asked:
            self._start(prices)

    def _look_at_bars(self) -> None:
        venue = self._venue
        if venue.rest.breaker.permits():
            for feed in venue.feeds.values():
                if feed.is_overdue():
                    feed.fill()
        if venue.bar_counts.overtaken > self._overtaken:
            self._overtaken = venue.bar_counts.overtaken
            if venue.bar_stream.silent_ms() >= self._settings.bar_grace_ms:
                venue.bar_stream.replace("it has missed a bar")

    def _start(self, prices: SymbolPrices, *, is_stale: bool = False, is_silent: bool = False) -> None:
        prices.is_asked = True
        task = asyncio.create_task(self._ask(prices, is_stale, is_silent), name=f"ask for {prices.symbol}")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, prices: SymbolPrices, is_stale: bool, is_silent: bool) -> None:
        stream = self._venue.price_stream
        bound_ppm = 0 if is_stale or is_silent else self._settings.divergence_ppm
        try:
            has_missed = await self._venue.ask(prices, bound_ppm)
        except (Transient, Refused) as error:
            log.info("price_not_asked", symbol=prices.symbol, reason=str(error))
            if is_silent and isinstance(error, Transient):
                stream.replace(f"it tells nothing, and REST does not answer: {error}")
            return
        is_covered = stream.covers(prices.symbol)
        if has_missed and is_covered:
            stream.replace(f"it has missed a price of {prices.symbol}")
        elif is_silent:
            stream.note_sound()
        is_fallback = is_stale and (has_missed or not is_covered or not stream.is_sound)
        if is_fallback and not prices.is_on_rest:
            prices.is_on_rest = True
            self._venue.price_counts.fallbacks += 1
