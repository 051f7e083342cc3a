"""Where bars begin and end: UTC, weeks on Monday, calendar months, everything else counted from 1970."""

from __future__ import annotations

from datetime import UTC, datetime

from core.clock import ms_from_utc, utc_from_ms
from domain.errors import Refused
from domain.sentences import say

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_FIRST_MONDAY = 4 * _DAY

LENGTHS: dict[str, int] = {
    "1s": 1_000,
    **{f"{count}m": count * _MINUTE for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * _HOUR for count in (1, 2, 4, 6, 8, 12)},
    "1d": _DAY,
    "3d": 3 * _DAY,
    "1w": 7 * _DAY,
}


class UnknownInterval(Refused):
    """No venue has bars of this length."""


def bar_open(interval: str, time_ms: int) -> int:
    """When the bar that holds a moment began, in ms; `UnknownInterval` lists what there is."""
    if interval == "1M":
        moment = utc_from_ms(time_ms)
        return _month(moment.year, moment.month)
    length = LENGTHS.get(interval)
    if length is None:
        raise UnknownInterval(
            say(
                "no_such_interval",
                "{interval!r} is not an interval of bars; there are {choices} and 1M.",
                interval=interval,
                choices=", ".join(LENGTHS),
            )
        )
    shift = _FIRST_MONDAY if interval == "1w" else 0
    return time_ms - (time_ms - shift) % length


def next_open(interval: str, open_ms: int) -> int:
    """When the bar after the one that began at `open_ms` begins, which is when that one ends."""
    if interval == "1M":
        moment = utc_from_ms(open_ms)
        years, month = divmod(moment.month, 12)
        return _month(moment.year + years, month + 1)
    return open_ms + LENGTHS[interval]


def bars_before(interval: str, open_ms: int, count: int) -> int:
    """When the bar `count` bars before the one at `open_ms` began."""
    if interval != "1M":
        return open_ms - count * LENGTHS[interval]
    for _ in range(count):
        open_ms = bar_open(interval, open_ms - 1)
    return open_ms


def _month(year: int, month: int) -> int:
    return ms_from_utc(datetime(year, month, 1, tzinfo=UTC))
