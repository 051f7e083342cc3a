"""What an operator has asked to happen at a later market time."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[], None]


class Agenda:
    """Actions by market time; those of one time run in the order they were asked for."""

    def __init__(self) -> None:
        self._items: list[tuple[int, int, Action]] = []
        self._count = 0

    def add(self, time_ms: int, action: Action) -> None:
        """Let `action` run once market time has come to `time_ms`."""
        self._count += 1
        heapq.heappush(self._items, (time_ms, self._count, action))

    def next_ms(self) -> int | None:
        """Time of the next action."""
        return self._items[0][0] if self._items else None

    def run_due(self, now_ms: int) -> None:
        """Run everything whose time has come."""
        while self._items and self._items[0][0] <= now_ms:
            heapq.heappop(self._items)[2]()
