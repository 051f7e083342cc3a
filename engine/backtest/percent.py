"""Percent as the whole parts that the kernel counts with; what is finer is refused, not rounded."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from domain.errors import Refused
from domain.sentences import say
from engine.backtest.kernel.layout import RATE_PARTS

_PPM: Final = 10_000
_RATE: Final = RATE_PARTS // 100


def to_ppm(name: str, percent: Decimal) -> int:
    """Percent in parts per million; `Refused` when it is finer."""
    return _whole(name, percent, _PPM, "0.0001 %; give at most four decimals")


def to_rate(name: str, percent: Decimal) -> int:
    """A funding rate of so many percent in `RATE_PARTS`; `Refused` when it is finer."""
    return _whole(name, percent, _RATE, "0.000001 %; give at most six decimals")


def _whole(name: str, percent: Decimal, parts: int, finest: str) -> int:
    if not percent.is_finite():
        raise Refused(say("no_percentage", "{percent} is no share; give it in percent.", percent=percent, field=name))
    whole = percent * parts
    if whole != int(whole):
        raise Refused(
            say(
                "percentage_too_fine", "{percent} % is finer than {finest}.", percent=percent, finest=finest, field=name
            )
        )
    return int(whole)
