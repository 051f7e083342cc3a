"""The venue's two clocks. The only module of the simulator that reads the machine's time.

Protocol time (recvWindow, rate limits, listen keys, pings) is real and never accelerated. Market time (bars, trades,
order times) is data time: it follows the wall at `speed`, or stands still until it is told to advance.
"""

from __future__ import annotations

import time


class ProtocolClock:
    """Real UTC milliseconds, plus a step that a fault may inject."""

    def __init__(self) -> None:
        self.step_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch as this venue believes them to be."""
        return time.time_ns() // 1_000_000 + self.step_ms

    def now_us(self) -> int:
        """The same in microseconds."""
        return time.time_ns() // 1_000 + self.step_ms * 1000


class MarketClock:
    """Milliseconds of market time; moved only by the venue's runner, never backwards."""

    def __init__(self, start_ms: int) -> None:
        self._now = start_ms

    def now_ms(self) -> int:
        """Market time now."""
        return self._now

    def move_to(self, time_ms: int) -> None:
        """Set market time; a time in the past is refused."""
        if time_ms < self._now:
            raise ValueError(f"market time may not go back from {self._now} to {time_ms}")
        self._now = time_ms


def monotonic() -> float:
    """Seconds that never step, for durations."""
    return time.monotonic()
