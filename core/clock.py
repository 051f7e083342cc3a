"""The one clock, with two faces.

*Trading time* answers what the market's time is: bars, time stops, day boundaries. In an accelerated replay it
follows the venue. *Machine time* answers how long something took and what the wall shows: leases, timeouts, signed
windows, rate limits. It is never accelerated. No other module of the house asks the machine for the time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class TradingTime(Protocol):
    """The market's time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...


class MachineTime(Protocol):
    """The machine's time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC, as the wall shows; it may jump."""
        ...

    def steady_ns(self) -> int:
        """Nanoseconds that only ever grow, counting the time the machine slept; for durations and deadlines."""
        ...


class SystemTime:
    """Both faces, read from the operating system."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def steady_ns(self) -> int:
        """Nanoseconds since the machine started, sleep included where the system can tell."""
        return time.clock_gettime_ns(_STEADY)


class VenueTime:
    """Trading time that follows the timestamps a venue sends, and never runs backwards."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """The latest venue time seen."""
        return self._now_ms

    def follow(self, venue_ms: int) -> None:
        """Move to `venue_ms`; an older timestamp, arriving late, changes nothing."""
        self._now_ms = max(self._now_ms, venue_ms)


@dataclass(frozen=True, slots=True)
class Clock:
    """The two faces, handed to whoever needs time."""

    trading: TradingTime
    machine: MachineTime


def system_clock() -> Clock:
    """The clock of live trading: both faces show real time."""
    face = SystemTime()
    return Clock(trading=face, machine=face)


def utc_from_ms(milliseconds: int) -> datetime:
    """An aware UTC datetime, exact to the millisecond."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest * 1000)


def ms_from_utc(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, rounded down; a naive one is an error."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; make it aware, in UTC.")
    elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000
