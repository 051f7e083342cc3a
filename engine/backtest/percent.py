"""Percent as the whole parts that the kernel counts with; what is finer is refused, not rounded."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from domain.errors import Refused
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
        raise Refused(f"{name}: {percent} is no share; give it in percent.")
    whole = percent * parts
    if whole != int(whole):
        raise Refused(f"{name}: {percent} % is finer than {finest}.")
    return int(whole)
