"""A clock whose hands a test moves."""

from __future__ import annotations

from datetime import timedelta


class Hands:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.ms = 1_764_000_000_000

    def now_ms(self) -> int:
        """The time of the day, in milliseconds since 1970."""
        return self.ms

    def steady_ns(self) -> int:
        """The same in nanoseconds: nobody sets this clock."""
        return self.ms * 1_000_000

    def pass_time(self, span: timedelta) -> None:
        """Later by so much."""
        self.ms += int(span.total_seconds() * 1_000)
