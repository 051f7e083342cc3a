"""A platform that trades in the process at hand, and time that its driver moves; see `lockstep` and `crash`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.clock import VenueTime
from db.journal import GroupCommitJournal
from engine.account_hub import AccountHub
from engine.engine_manager import EngineManager
from engine.market_data.service import MarketData
from engine.market_data.settings import MarketSettings
from exchanges._binance.exchange import BinanceExchange

ACCOUNT = 1
DEADLINE_SECONDS = 180.0
#: Between two looks at whether everything has settled.
_PAUSE_SECONDS = 0.0005
#: Streams are quiet while market time stands, so the wall must not make anyone suspicious.
MARKET = MarketSettings(
    max_age_ms=600_000, silence_ms=600_000, audit_ms=600_000, bar_grace_ms=600_000, max_jump_ppm=1_000_000,
    collect_ms=1, overlap_ms=200, backoff_ms=20, backoff_max_ms=100, connects_per_5_minutes=1_000,
)  # fmt: skip


class SteppedTime(VenueTime):
    """Trading time that the driver alone moves, once all that happened until then has been read.

    Sockets bring their news in any order; a moment that somebody waits for must not come between them.
    """

    def follow(self, venue_ms: int) -> None:
        """What a stream says of the time does not count."""

    def move_to(self, venue_ms: int) -> None:
        """It is so late now."""
        super().follow(venue_ms)


@dataclass(slots=True)
class Node:
    """The platform's process, as one object: it may end, and another may come."""

    exchange: BinanceExchange
    hub: AccountHub
    manager: EngineManager
    market: MarketData
    journal: GroupCommitJournal
    trading: SteppedTime

    @property
    def activity(self) -> int:
        """A number that changes whenever the venue was asked for anything that may have consequences."""
        return self.hub.gateway.requests + self.hub.status.sweeps

    async def idle(self) -> None:
        """Until nothing is under way in here."""
        async with deadline("an idle engine"):
            while not self.is_idle:
                await asyncio.sleep(_PAUSE_SECONDS)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way in here."""
        return self.manager.is_idle and self.hub.is_idle and self.market.is_quiet


async def until(is_true: Callable[[], bool], what: str) -> None:
    """Let the others run until it is so; fails with what was waited for."""
    async with deadline(what):
        while not is_true():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def deadline(what: str) -> AsyncIterator[None]:
    """Fail with what was waited for when the block takes too long."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            yield
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {DEADLINE_SECONDS} s") from None
