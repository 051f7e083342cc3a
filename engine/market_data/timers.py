"""Wake-ups by trading time, for as many instances as like: a heap of moments."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol

_SPARE = 64


class Sleeper(Protocol):
    """Who waits for a moment."""

    number: int
    #: The moment in ms of trading time; 0 is never.
    wake_ms: int

    def time_has_come(self, now_ms: int) -> None:
        """The moment is reached; `wake_ms` is 0 again."""


class Timers:
    """Moments by time. A moment that was changed stays in the heap and is passed over when it comes up."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Sleeper]] = []
        self._waiting = 0
        #: Called when a moment earlier than all others was set.
        self.on_earlier: Callable[[], None] = lambda: None

    def set(self, sleeper: Sleeper, wake_ms: int) -> None:
        """Wake `sleeper` at `wake_ms` instead of whenever it was to be woken; 0 is never."""
        if wake_ms == sleeper.wake_ms:
            return
        self._waiting += (wake_ms > 0) - (sleeper.wake_ms > 0)
        sleeper.wake_ms = wake_ms
        if wake_ms > 0:
            heapq.heappush(self._heap, (wake_ms, sleeper.number, sleeper))
            if self._heap[0][2] is sleeper:
                self.on_earlier()
        if len(self._heap) > 2 * self._waiting + _SPARE:
            self._heap = [item for item in set(self._heap) if item[2].wake_ms == item[0]]
            heapq.heapify(self._heap)

    def next_ms(self) -> int:
        """The earliest moment anyone waits for; 0 when nobody does."""
        heap = self._heap
        while heap and heap[0][2].wake_ms != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else 0

    def run_due(self, now_ms: int) -> int:
        """Wake everyone whose moment has come, earliest first; gives how many."""
        due = []
        while 0 < self.next_ms() <= now_ms:
            sleeper = heapq.heappop(self._heap)[2]
            sleeper.wake_ms = 0
            due.append(sleeper)
        self._waiting -= len(due)
        for sleeper in due:
            sleeper.time_has_come(now_ms)
        return len(due)

    def __len__(self) -> int:
        return self._waiting
