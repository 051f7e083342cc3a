"""Exact amounts: every price and quantity inside the venue is a Python int counted in quanta of 1e-8.

One fixed unit (and not ticks of a symbol) lets an operator change a symbol's tick or lot while orders rest.
`Instrument` checks that tick x lot is a whole number of quote quanta, so notionals are exact too.
"""

from __future__ import annotations

import re

DECIMALS = 8
ONE: int = 10**DECIMALS
"""Quanta in one whole unit of any asset, price or quantity."""

_PLAIN_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)


class NotADecimal(ValueError):
    """The text is not a plain, non-negative decimal number such as 12.50."""


class TooPrecise(ValueError):
    """The text has more than eight significant decimals."""


def parse_quanta(text: str) -> int:
    """Quanta of a plain decimal text, exactly.

    Raises `NotADecimal` for signs, exponents, blanks or letters, `TooPrecise` for more than eight decimals.
    """
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise NotADecimal(text)
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > DECIMALS:
        raise TooPrecise(text)
    return int(whole) * ONE + int(fraction.ljust(DECIMALS, "0") or "0")


def format_quanta(value: int, decimals: int = DECIMALS) -> str:
    """The decimal text of quanta with a fixed number of decimals (cut, never rounded); negative values keep a sign."""
    sign = "-" if value < 0 else ""
    whole, fraction = divmod(abs(value), ONE)
    if decimals == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{f'{fraction:08d}'[:decimals]}"


def trim_quanta(value: int) -> str:
    """The shortest decimal text of quanta: 1.5 for 150,000,000 and 0 for 0."""
    text = format_quanta(value)
    return text.rstrip("0").rstrip(".")


def notional(price: int, quantity: int) -> int:
    """Quote quanta of `quantity` at `price`; exact when both stand on the symbol's grid, else rounded down."""
    return price * quantity // ONE
