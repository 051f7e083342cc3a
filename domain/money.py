"""Exact amounts: decimals at the borders, whole numbers of a unit in the law, plain text on the wire.

Every operation here is exact or refused. The arithmetic context traps rounding, so a result that does not fit
raises instead of losing its last digit.
"""

from __future__ import annotations

from decimal import Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded

from domain.errors import Refused
from domain.sentences import say

#: Digits before and after the point that the database keeps: DECIMAL(36,18).
WHOLE_DIGITS = 18
FRACTION_DIGITS = 18

_EXACT = Context(prec=200, traps=[Clamped, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded])
_LIMIT = Decimal(10) ** WHOLE_DIGITS
_ZERO = Decimal(0)
_FINEST = Decimal(1).scaleb(-FRACTION_DIGITS)


class NotAnAmount(Refused):
    """The value is not an exact, finite amount; give a decimal string such as "0.001"."""


class NotDivisible(Refused):
    """The amount is not a whole number of its unit."""


class TooFine(Refused):
    """The amount does not fit the 18 digits before and 18 digits after the point that are kept."""


def exact(value: str | int | Decimal) -> Decimal:
    """The value as a finite decimal, never rounded. Floats are refused: they have lost digits already."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise NotAnAmount(
            say(
                "no_amount_type",
                "{value!r} is a {type}; give a decimal string, an integer or a Decimal.",
                value=value,
                type=type(value).__name__,
            )
        )
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise NotAnAmount(
            say("not_a_number", '{value!r} is not a number; give a decimal string such as "0.001".', value=value)
        ) from error
    if not amount.is_finite():
        raise NotAnAmount(say("not_finite", "{value!r} is not finite; give a decimal string.", value=value))
    return amount


def to_units(amount: Decimal, unit: Decimal) -> int:
    """How many whole `unit`s make up `amount`; `NotDivisible` when it is not a whole number."""
    whole, rest = divmod_exact(amount, unit)
    if rest:
        raise NotDivisible(
            say(
                "not_a_multiple",
                "{amount} is not a multiple of {unit}; the rest is {rest}.",
                amount=to_wire(amount),
                unit=to_wire(unit),
                rest=to_wire(rest),
            )
        )
    return whole


def from_units(count: int, unit: Decimal) -> Decimal:
    """`count` units as an amount."""
    return _EXACT.multiply(Decimal(count), unit)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """The exact product; Python's default context would keep only 28 digits of it."""
    return _EXACT.multiply(left, right)


def add(*amounts: Decimal) -> Decimal:
    """The exact sum, where Python's default context would keep only 28 digits."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def divmod_exact(amount: Decimal, unit: Decimal) -> tuple[int, Decimal]:
    """Whole units, rounded towards zero, and the rest, which carries the sign of the amount."""
    if unit <= 0:
        raise NotAnAmount(say("unit_not_above_zero", "a unit must be above zero, and {unit} is not.", unit=unit))
    if not amount.is_finite():
        raise NotAnAmount(say("amount_not_finite", "{amount} is not finite; give a decimal string.", amount=amount))
    try:
        whole, rest = _EXACT.divmod(amount, unit)
    except InvalidOperation as error:
        raise NotAnAmount(
            say(
                "too_many_units",
                "{amount} is more units of {unit} than any amount here has; give less.",
                amount=amount,
                unit=unit,
            )
        ) from error
    return int(whole), rest or _ZERO


def to_wire(amount: Decimal) -> str:
    """The amount as plain text: no exponent, no trailing zeros, no minus before zero."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def check_storable(amount: Decimal) -> Decimal:
    """The amount with exactly 18 digits after the point, or `TooFine` when digits would be lost."""
    try:
        stored = amount.quantize(_FINEST, context=_EXACT)
    except (Inexact, InvalidOperation, Rounded) as error:
        raise TooFine(
            say(
                "too_many_fraction_digits",
                "{amount} has more than {most} digits after the point.",
                amount=to_wire(amount),
                most=FRACTION_DIGITS,
            )
        ) from error
    if stored.copy_abs() >= _LIMIT:
        raise TooFine(
            say(
                "too_many_whole_digits",
                "{amount} has more than {most} digits before the point.",
                amount=to_wire(amount),
                most=WHOLE_DIGITS,
            )
        )
    return stored
