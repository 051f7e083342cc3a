"""The beat of a venue: moves market time with the wall, or as fast as it goes, and keeps protocol timers."""

from __future__ import annotations

import asyncio
from fractions import Fraction

from simulator.clock import monotonic
from simulator.venue import Venue

BEAT_SECONDS = 0.02
"""How often a paced market moves; streams of 100 ms stay smooth at normal speed."""
SLICE_MS = 3_600_000
"""Market time that one step covers at most before requests get their turn."""


class Runner:
    """Moves one venue until it is cancelled. A stepped venue only gets its protocol timers."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._started_at = monotonic()
        self._started_ms = venue.clock.now_ms()

    async def run(self) -> None:
        """Run for ever; `max` speed stops moving when the replayed data ends."""
        factor = self._venue.config.speed.factor
        while True:
            self._venue.on_protocol_time()
            if factor is None:
                await self._as_fast_as_possible()
            elif factor:
                await self._catch_up(factor)
            self._venue.warm_charts()
            await asyncio.sleep(BEAT_SECONDS)

    async def _catch_up(self, factor: Fraction) -> None:
        elapsed_us = int((monotonic() - self._started_at) * 1_000_000)
        target = self._started_ms + elapsed_us * factor.numerator // (factor.denominator * 1000)
        while (now := self._venue.clock.now_ms()) < target:
            self._venue.advance_to(min(target, now + SLICE_MS))
            await asyncio.sleep(0)

    async def _as_fast_as_possible(self) -> None:
        deadline = monotonic() + 1
        while not self._venue.has_ended and monotonic() < deadline:
            self._venue.advance_to(self._venue.clock.now_ms() + SLICE_MS)
            await asyncio.sleep(0)
