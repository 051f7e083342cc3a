"""Whether enough of a symbol is traded for copies of it to be entered: a coin that nobody trades is how masters rob."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import structlog

from domain.errors import AresError
from domain.instrument import Instrument
from tasks.wiring import Parts

log = structlog.get_logger(__name__)
#: What is known is read again after so long, and what could not be read.
AGAIN_NS: Final = 600_000_000_000
FAILED_NS: Final = 10_000_000_000
DAY_MS: Final = 86_400_000


@dataclass(slots=True)
class Known:
    """What was traded of a symbol in a day, in quote; None while nobody knows."""

    volume: Decimal | None
    until_ns: int


class Liquidity:
    """What is traded in a day, by venue and symbol, read when somebody asks and no more often than it takes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[tuple[str, str], Known] = {}

    async def is_enough(self, feed: str, instrument: Instrument, own: Decimal = Decimal(0)) -> bool:
        """Whether copies may be entered; not while it is unknown. Nothing is asked where there is no floor.

        The node's floor holds for everybody; a follower's `own`, in quote, counts where it is higher.
        """
        least = max(self._parts.config.worker.copy_least_volume.get(instrument.quote, Decimal(0)), own)
        if not least:
            return True
        now_ns, key = self._parts.clock.machine.steady_ns(), (feed, instrument.symbol)
        found = self._known.get(key)
        if found is None or found.until_ns <= now_ns:
            found = self._known[key] = await self._read(feed, instrument, now_ns, found)
        return found.volume is not None and found.volume >= least

    async def _read(self, feed: str, instrument: Instrument, now_ns: int, before: Known | None) -> Known:
        since_ms = self._parts.clock.trading.now_ms() - DAY_MS
        try:
            venue = await self._parts.venue(feed)
            bars = await venue.exchange.bars(instrument.symbol, "1h", since_ms, 25)
        except AresError as error:
            log.warning("volume_not_read", venue=feed, symbol=instrument.symbol, reason=str(error))
            return Known(before.volume if before is not None else None, now_ns + FAILED_NS)
        return Known(sum((instrument.notional(bar.close, bar.volume) for bar in bars), Decimal(0)), now_ns + AGAIN_NS)
