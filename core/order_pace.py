"""How many new orders an account may send, as its venue counts them: over the last seconds, and over the day.

The venue counts in windows of its own whose beginning we do not know, so an order counts from the moment it is
approved until a whole window after its answer: then no window of the venue's can hold more than we have counted.
An account trades in one process at a time, so the count needs no server. What a predecessor has sent shows with the
first answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from typing import Final

from core.clock import MachineTime

#: How much of a limit entries may use, in per mille; the rest is for orders that make a position smaller.
ENTRIES: Final = 900
#: Longer windows are counted by the venue's own word, which they outlast.
_LONGEST_MS: Final = 60_000
#: Orders that were never answered, and never will be, are forgotten after so long.
_FORGOTTEN_NS: Final = 600_000_000_000
_MILLISECOND: Final = 1_000_000


class OrderPace:
    """The count of one account."""

    def __init__(self, machine: MachineTime) -> None:
        self._machine = machine
        #: Length of a window in ms -> orders that the venue takes in it.
        self._limits: dict[int, int] = {}
        #: Steady times at which orders were approved that have not been answered, and at which others were.
        self._open: deque[int] = deque()
        self._answered: list[int] = []
        #: Length of a window -> what the venue has counted in it, when it said so, and what was approved since.
        self._told: dict[int, tuple[int, int, int]] = {}

    def note_limits(self, limits: Mapping[int, int]) -> None:
        """The venue takes so many new orders of an account in windows of so many ms."""
        self._limits = dict(limits)

    def note_used(self, window_ms: int, orders: int) -> None:
        """The venue has counted so many in its present window, whoever sent them."""
        self._told[window_ms] = orders, self._machine.steady_ns(), 0

    def has_room(self, *, is_urgent: bool = False) -> bool:
        """Whether one more may be sent now; what makes a position smaller may use the whole limit."""
        if not self._limits:
            return True
        now_ns = self._machine.steady_ns()
        self._forget(now_ns)
        share = 1_000 if is_urgent else ENTRIES
        return all(self._used(window, now_ns) < limit * share // 1_000 for window, limit in self._limits.items())

    def approve(self) -> None:
        """One more is about to be kept and sent."""
        if self._limits:
            self._open.append(self._machine.steady_ns())
            self._told = {window: (count, at, since + 1) for window, (count, at, since) in self._told.items()}

    def answered(self, orders: int) -> None:
        """So many have been answered, or were not sent after all."""
        now_ns = self._machine.steady_ns()
        for _ in range(min(orders, len(self._open))):
            self._open.popleft()
            self._answered.append(now_ns)

    def _used(self, window_ms: int, now_ns: int) -> int:
        told, at_ns, since = self._told.get(window_ms, (0, 0, 0))
        if window_ms > _LONGEST_MS:
            return told + since
        reported = told if now_ns - at_ns < window_ms * _MILLISECOND else 0
        return max(len(self._open) + self._counted(window_ms, now_ns), reported)

    def _counted(self, window_ms: int, now_ns: int) -> int:
        return len(self._answered) - bisect_right(self._answered, now_ns - window_ms * _MILLISECOND)

    def _forget(self, now_ns: int) -> None:
        old = bisect_right(self._answered, now_ns - _LONGEST_MS * _MILLISECOND)
        if 2 * old > len(self._answered):
            del self._answered[:old]
        while self._open and self._open[0] <= now_ns - _FORGOTTEN_NS:
            self._open.popleft()
