"""The venue's kline intervals and where their bars begin: UTC, weeks on Monday, calendar months, 3d from the epoch."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
WEEK = 7 * DAY
_FIRST_MONDAY = 4 * DAY

FIXED: dict[str, int] = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "1w": WEEK,
}
"""Milliseconds of every interval of fixed length; only the month is not among them."""

INTERVALS: tuple[str, ...] = (*FIXED, "1M")
"""Every interval the venue offers, shortest first."""


def bar_open(interval: str, time_ms: int, offset_ms: int = 0) -> int:
    """Open time of the bar that holds a moment.

    `offset_ms` is the time zone's distance from UTC (klines' `timeZone`). Raises KeyError for an unknown interval.
    """
    local = time_ms + offset_ms
    if interval == "1M":
        moment = datetime.fromtimestamp(local // 1000, UTC)
        return _month(moment.year, moment.month) - offset_ms
    length = FIXED[interval]
    shift = _FIRST_MONDAY if interval == "1w" else 0
    return local - (local - shift) % length - offset_ms


def next_open(interval: str, open_ms: int, offset_ms: int = 0) -> int:
    """Open time of the bar after the one that opens at `open_ms`."""
    if interval == "1M":
        moment = datetime.fromtimestamp((open_ms + offset_ms) // 1000, UTC)
        years, month = divmod(moment.month, 12)
        return _month(moment.year + years, month + 1) - offset_ms
    return open_ms + FIXED[interval]


def previous_open(interval: str, open_ms: int, offset_ms: int = 0) -> int:
    """Open time of the bar before the one that opens at `open_ms`."""
    return bar_open(interval, open_ms - 1, offset_ms)


def _month(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
