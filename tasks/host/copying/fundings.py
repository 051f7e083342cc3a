"""What futures venues have charged of funding: ideal copies have some where the actual ones hold nothing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from core.base_funding import TellsFundingRates
from domain.copying.tracking import HOUR_MS
from domain.errors import AresError
from domain.funding import FundingRate
from engine.follower_engine.funding import rated_since
from tasks.host.copying.accounts import Owned
from tasks.wiring import Parts, feed_of

log = structlog.get_logger(__name__)
#: Venues list a funding so long after its hour at the latest; until then they are asked again at every look.
LISTED_MS: Final = 60_000
LOOK_SECONDS: Final = 10.0


class Fundings:
    """Tells the books of followers what funding venues have charged, once an hour and symbol for all of them."""

    def __init__(self, parts: Parts, owned: Mapping[int, Owned], keep_soon: Callable[[], None]) -> None:
        self._parts, self._owned, self._keep_soon = parts, owned, keep_soon
        #: (venue, symbol) -> the trading hour up to which its funding was asked for.
        self._hours: dict[tuple[str, str], int] = {}

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("funding_rates_not_told")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask for every symbol that an ideal copy holds, should an hour have passed, and tell the books."""
        now_ms = self._parts.clock.trading.now_ms()
        for (feed, symbol), holders in self._wanted(now_ms).items():
            since_ms = min(since for _, since in holders)
            try:
                venue = await self._parts.venue(feed)
                told: list[FundingRate] = []
                if isinstance(venue.exchange, TellsFundingRates):
                    told = await venue.exchange.funding_rates(symbol, since_ms + 1)
            except AresError as error:
                log.warning("funding_rates_not_read", venue=feed, symbol=symbol, reason=str(error))
                continue
            if now_ms % HOUR_MS >= LISTED_MS:
                self._hours[feed, symbol] = now_ms // HOUR_MS
            self._tell((owned for owned, _ in holders), told)

    def _wanted(self, now_ms: int) -> dict[tuple[str, str], list[tuple[Owned, int]]]:
        """(venue, symbol) -> the accounts that copy it, and since when their books know of no funding."""
        found: dict[tuple[str, str], list[tuple[Owned, int]]] = defaultdict(list)
        for owned in self._owned.values():
            if not owned.is_current or not owned.book.can_short:
                continue
            feed = feed_of(owned.venue_account)
            for symbol in owned.book.instruments:
                if self._hours.get((feed, symbol), -1) >= now_ms // HOUR_MS:
                    continue
                since_ms = rated_since(owned.book, symbol)
                if since_ms is not None and since_ms // HOUR_MS < now_ms // HOUR_MS:
                    found[feed, symbol].append((owned, since_ms))
        return dict(found)

    def _tell(self, holders: Iterable[Owned], told: Iterable[FundingRate]) -> None:
        rates = list(told)
        for owned in holders:
            if self._owned.get(owned.account) is not owned:
                continue
            news = [one for one in rates if owned.take_rate(one)]
            if news:
                self._keep_soon()
