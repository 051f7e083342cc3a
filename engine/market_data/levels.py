"""Price levels of everyone on one symbol: a tick costs two comparisons, and wakes only whom it concerns.

Two heaps hold the levels, nearest on top. Moving a level files a new entry; the old one is passed over when it comes
up, and swept out when such entries outnumber the living. A level that is reached is taken out: whoever was woken
looks at the world and files again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Final

import structlog

from domain.events import PRICE, TIMER
from engine.market_data.timers import Timers

log = structlog.get_logger(__name__)

#: `wake(kind, ticks, time_ms)`: kind is `domain.events.PRICE` or `TIMER`, ticks the price now. It must not wait.
Wake = Callable[[int, int, int], None]

_SPARE: Final = 64
_numbers = count(1)


class Watcher:
    """One instance on one symbol: what it waits for."""

    __slots__ = ("_index", "_timers", "_wake", "above", "below", "is_alert", "max_age_ms", "number", "wake_ms")

    def __init__(self, index: LevelIndex, timers: Timers, wake: Wake, max_age_ms: int = 0) -> None:
        self.number = next(_numbers)
        #: How old a price may be for it; 0 leaves it to the settings.
        self.max_age_ms = max_age_ms
        self.above = 0
        self.below = 0
        self.wake_ms = 0
        #: Woken by the next price, whatever it is.
        self.is_alert = False
        self._index = index
        self._timers = timers
        self._wake = wake

    def arm(self, above: int = 0, below: int = 0, wake_ms: int = 0, *, any_price: bool = False) -> None:
        """Wait for a price of at least `above` or at most `below` ticks, or for a trading time; 0 is never.

        Replaces what was waited for. A level that the price has passed already counts from the next price on.
        """
        self._index.file(self, above, below, any_price)
        self._timers.set(self, wake_ms)

    def time_has_come(self, now_ms: int) -> None:
        """The trading time that was waited for is there."""
        self._call(TIMER, self._index.ticks, now_ms)

    def price_is_there(self, ticks: int, time_ms: int) -> None:
        """The price is where it was waited for."""
        self._call(PRICE, ticks, time_ms)

    def _call(self, kind: int, ticks: int, time_ms: int) -> None:
        try:
            self._wake(kind, ticks, time_ms)
        except Exception as error:  # noqa: BLE001 - one instance's fault must not keep the others from being woken
            self._index.failures += 1
            log.error("wake_failed", watcher=self.number, error=f"{type(error).__name__}: {error}")


class LevelIndex:
    """The levels of one symbol."""

    def __init__(self) -> None:
        self._above: list[tuple[int, int, Watcher]] = []
        #: Negative levels, so that the highest comes first.
        self._below: list[tuple[int, int, Watcher]] = []
        self._alert: dict[Watcher, None] = {}
        self._counts = [0, 0]
        #: The last price.
        self.ticks = 0
        #: Wake-ups that raised.
        self.failures = 0

    def file(self, watcher: Watcher, above: int, below: int, any_price: bool) -> None:
        """Take down what a watcher waits for, instead of what it waited for before."""
        if above != watcher.above:
            self._counts[0] += (above > 0) - (watcher.above > 0)
            watcher.above = above
            if above > 0:
                heapq.heappush(self._above, (above, watcher.number, watcher))
        if below != watcher.below:
            self._counts[1] += (below > 0) - (watcher.below > 0)
            watcher.below = below
            if below > 0:
                heapq.heappush(self._below, (-below, watcher.number, watcher))
        if any_price != watcher.is_alert:
            watcher.is_alert = any_price
            if any_price:
                self._alert[watcher] = None
            else:
                del self._alert[watcher]
        self._sweep()

    def tick(self, ticks: int, time_ms: int) -> int:
        """The price is now so many ticks: wake everyone whose level it has reached; gives how many."""
        self.ticks = ticks
        above, below = self._above, self._below
        if (above and above[0][0] <= ticks) or (below and -below[0][0] >= ticks) or self._alert:
            reached = self._take(ticks)
            for watcher in reached:
                watcher.price_is_there(ticks, time_ms)
            return len(reached)
        return 0

    def __len__(self) -> int:
        """How many levels are waited for."""
        return sum(self._counts)

    def _take(self, ticks: int) -> list[Watcher]:
        """Take out what is reached: who waits for any price first, then from the nearest level on."""
        reached = self._alert
        self._alert = {}
        for watcher in reached:
            watcher.is_alert = False
        above, below = self._above, self._below
        while above and above[0][0] <= ticks:
            level, _, watcher = heapq.heappop(above)
            if watcher.above == level:
                watcher.above = 0
                self._counts[0] -= 1
                reached[watcher] = None
        while below and -below[0][0] >= ticks:
            level, _, watcher = heapq.heappop(below)
            if watcher.below == -level:
                watcher.below = 0
                self._counts[1] -= 1
                reached[watcher] = None
        return list(reached)

    def _sweep(self) -> None:
        if len(self._above) > 2 * self._counts[0] + _SPARE:
            self._above = [item for item in set(self._above) if item[2].above == item[0]]
            heapq.heapify(self._above)
        if len(self._below) > 2 * self._counts[1] + _SPARE:
            self._below = [item for item in set(self._below) if item[2].below == -item[0]]
            heapq.heapify(self._below)
