"""How often something may happen: a sliding minute for each who does it."""

from __future__ import annotations

from collections import deque
from typing import Final

from core.clock import MachineTime

_MINUTE_NS: Final = 60_000_000_000
_MOST_KEYS: Final = 10_000


class MinuteLimit:
    """So many a minute and key."""

    def __init__(self, most: int, time: MachineTime) -> None:
        self._most = most
        self._time = time
        self._seen: dict[str, deque[int]] = {}

    def allows(self, key: str) -> bool:
        """Whether this one may happen; it counts if so."""
        now = self._time.steady_ns()
        if len(self._seen) >= _MOST_KEYS:
            self._seen = {name: times for name, times in self._seen.items() if times[-1] > now - _MINUTE_NS}
        times = self._seen.setdefault(key, deque())
        while times and times[0] <= now - _MINUTE_NS:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now)
        return True
