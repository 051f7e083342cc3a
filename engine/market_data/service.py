"""Market data of one process: every venue's streams once, however many instances live on them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import structlog

from core.base_exchange import BaseExchange
from core.clock import Clock, VenueTime
from engine.market_data.health import NOTHING, REST, STREAM, FeedHealth, MarketHealth
from engine.market_data.prices import NONSENSE
from engine.market_data.settings import MarketSettings
from engine.market_data.stream import StreamKeeper
from engine.market_data.timers import Timers
from engine.market_data.venue import VenueMarket
from engine.market_data.watchdog import Watchdog

log = structlog.get_logger(__name__)

#: The wall may jump: it is looked at again at least this often while somebody waits for a moment.
_LONGEST_NAP_SECONDS = 5.0


class MarketData:
    """The markets of a process. Make it, take a `venue`, and `close` it at the end.

    Trading time that is a `VenueTime` is moved by the venue's timestamps, and wakes whoever waits for a moment;
    otherwise the trading clock itself is waited for.
    """

    def __init__(
        self, clock: Clock, settings: MarketSettings | None = None, chance: random.Random | None = None
    ) -> None:
        self.timers = Timers()
        self.venues: dict[str, VenueMarket] = {}
        self._clock = clock
        self._settings = settings or MarketSettings()
        self._chance = chance or random.Random()  # noqa: S311 - spreads attempts to connect, keeps no secret
        self._bell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.timers.on_earlier = self._bell.set
        if not isinstance(clock.trading, VenueTime):
            self._start(self._run_timers(), "market timers")

    def venue(self, exchange: BaseExchange) -> VenueMarket:
        """The market of an exchange's venue; the first exchange of a venue serves everyone on it."""
        found = self.venues.get(exchange.name)
        if found is None:
            found = VenueMarket(exchange, self._clock, self._settings, self.timers, self._chance)
            self.venues[exchange.name] = found
            self._start(found.price_stream.run(), found.price_stream.name)
            self._start(found.bar_stream.run(), found.bar_stream.name)
            self._start(Watchdog(found, self._clock, self._settings).run(), f"{found.name} watchdog")
        return found

    def pass_time(self, venue_ms: int) -> int:
        """The venue's time is now this, as a driver in lockstep knows; gives how many were woken."""
        trading = self._clock.trading
        if isinstance(trading, VenueTime):
            trading.follow(venue_ms)
        return self.timers.run_due(trading.now_ms())

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way at any venue."""
        return all(venue.is_quiet for venue in self.venues.values())

    @property
    def is_connected(self) -> bool:
        """Whether every stream that is wanted is there, and that of prices has told something."""
        return all(venue.is_connected for venue in self.venues.values())

    def health(self) -> list[MarketHealth]:
        """How every venue's market is."""
        now = self._clock.machine.steady_ns()
        return [_health_of(venue, now) for venue in self.venues.values()]

    async def close(self) -> None:
        """End every stream and every request."""
        for venue in self.venues.values():
            for feed in venue.feeds.values():
                feed.abandon()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_tell_of_end)
        self._tasks.append(task)

    async def _run_timers(self) -> None:
        while True:
            self._bell.clear()
            moment, now = self.timers.next_ms(), self._clock.trading.now_ms()
            if 0 < moment <= now:
                self.timers.run_due(now)
                continue
            nap = min((moment - now) / 1000, _LONGEST_NAP_SECONDS) if moment else None
            try:
                async with asyncio.timeout(nap):
                    await self._bell.wait()
            except TimeoutError:
                continue


def _tell_of_end(task: asyncio.Task[None]) -> None:
    """A keeper that ends by itself is a mistake of ours, and must not go unnoticed."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("market_task_failed", task=task.get_name(), error=f"{type(error).__name__}: {error}")


def _health_of(venue: VenueMarket, now_ns: int) -> MarketHealth:
    prices = venue.prices.values()
    on_rest = any(item.is_on_rest for item in prices)
    skipped = {verdict: venue.verdicts[verdict] for verdict in NONSENSE if venue.verdicts[verdict]}
    wake_failures = sum(item.index.failures for item in prices)
    return MarketHealth(
        venue=venue.name,
        prices=_feed_health(
            "prices", venue.price_stream, venue, on_rest, venue.last_price_ms,
            venue.price_counts.fallbacks, skipped, venue.price_counts.failures + wake_failures,
        ),
        bars=_feed_health(
            "bars", venue.bar_stream, venue, not venue.bar_stream.is_up, venue.last_bar_ms,
            venue.bar_counts.filled, {"impossible": venue.bar_counts.impossible}, venue.bar_counts.failures,
        ),
        breaker=venue.rest.breaker.state,
        breaker_opened=venue.rest.breaker.opened,
        rest_requests=venue.rest.requests,
        rest_failures=venue.rest.failures,
        oldest_ms=max((item.age_ms(now_ns) for item in prices), default=0),
        connects_in_5_minutes=venue.budget.used,
    )  # fmt: skip


def _feed_health(
    kind: str, stream: StreamKeeper[Any], venue: VenueMarket, on_rest: bool, last_update_ms: int,
    fallbacks: int, skipped: dict[str, int], failures: int,
) -> FeedHealth:  # fmt: skip
    is_there = stream.is_sound if kind == "prices" else stream.is_up  # bars are told when they close, not before
    source = STREAM if is_there else NOTHING
    if on_rest and stream.wanted:
        source = REST if venue.rest.breaker.permits() else source
    return FeedHealth(
        kind=kind,
        connected=is_there,
        source=source,
        symbols=stream.wanted,
        last_update_ms=last_update_ms,
        reconnects=stream.counts.reconnects,
        stalls=stream.counts.stalls,
        fallbacks=fallbacks,
        skipped=skipped,
        failures=failures + stream.counts.failures,
        last_error=stream.last_error,
    )
