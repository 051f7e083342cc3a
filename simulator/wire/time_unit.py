"""Answers with their times in microseconds, for who asks with the header X-MBX-TIME-UNIT or the URL's `timeUnit`.

Only spot has this. Waiting times such as `retryAfter` stay in milliseconds.
"""

from __future__ import annotations

from typing import Final

HEADER: Final = "X-MBX-TIME-UNIT"
_TIMES = frozenset(
    {
        "T",
        "authorizedSince",
        "closeTime",
        "connectedSince",
        "openTime",
        "serverTime",
        "time",
        "trailingTime",
        "transactTime",
        "transactionTime",
        "updateTime",
        "workingTime",
    }
)
_KLINE_FIELDS = 12


def wants_microseconds(text: str | None) -> bool:
    """Whether a unit as it was sent means microseconds; the venue knows it in upper and in lower case."""
    return text is not None and text.lower() == "microsecond"


def in_microseconds(body: object) -> object:
    """The same answer with its times in microseconds; times that are -1 (never) stay so."""
    if isinstance(body, dict):
        return {name: _scaled(item) if name in _TIMES else in_microseconds(item) for name, item in body.items()}
    if not isinstance(body, list):
        return body
    if len(body) == _KLINE_FIELDS and isinstance(body[0], int) and isinstance(body[6], int):
        return [body[0] * 1000, *body[1:6], body[6] * 1000 + 999, *body[7:]]
    return [in_microseconds(item) for item in body]


def _scaled(value: object) -> object:
    return value * 1000 if isinstance(value, int) and value > 0 else value
