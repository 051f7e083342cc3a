"""How often streams may be opened: a bound per five minutes, and a pause that grows by chance."""

from __future__ import annotations

import asyncio
import random
from collections import deque

from core.clock import MachineTime

WINDOW_NS = 300 * 1_000_000_000


class ConnectBudget:
    """At most so many streams of a venue are opened by this process in any five minutes."""

    def __init__(self, limit: int, machine: MachineTime) -> None:
        self._limit = limit
        self._machine = machine
        self._opened: deque[int] = deque()

    async def take(self) -> None:
        """Wait until one more may be opened."""
        while True:
            now = self._machine.steady_ns()
            while self._opened and self._opened[0] <= now - WINDOW_NS:
                self._opened.popleft()
            if len(self._opened) < self._limit:
                self._opened.append(now)
                return
            await asyncio.sleep((self._opened[0] + WINDOW_NS - now) / 1e9 + 0.001)

    @property
    def used(self) -> int:
        """Streams opened in the last five minutes."""
        return sum(1 for moment in self._opened if moment > self._machine.steady_ns() - WINDOW_NS)


def full_jitter_seconds(failures: int, base_ms: int, longest_ms: int, chance: random.Random) -> float:
    """A pause after so many failures in a row: anything from nothing to the doubled-up bound.

    Chance over the whole range spreads a fleet's attempts better than a fixed pause with a little noise.
    """
    bound = min(base_ms * 2 ** min(max(failures - 1, 0), 20), longest_ms)
    return chance.uniform(0, bound) / 1000
