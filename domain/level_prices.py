"""The ladder of a range grid: prices of its levels in ticks, and how an investment is spread over them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from enum import Enum
from itertools import pairwise
from typing import Final

from domain.errors import Refused
from domain.instrument import Instrument
from domain.money import to_wire
from domain.sentences import say

_DIGITS: Final = 50
_HALF: Final = Decimal("0.5")
#: Far more than five hundred steps of fifty digits can be off.
_NEAR: Final = Decimal("1e-9")
_ROUGH: Final = Context(prec=10)


class Spacing(Enum):
    """How the steps of a ladder grow."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


def level_prices(lower: int, upper: int, levels: int, spacing: Spacing) -> tuple[int, ...]:
    """`levels + 1` prices in ticks from `lower` to `upper`, each rounded half even to a tick.

    `Refused` when the range is so narrow that two prices fall on one tick.
    """
    with localcontext() as context:
        context.prec = _DIGITS
        prices = list(_PRICES[spacing](Decimal(lower), Decimal(upper), levels))
    prices[0], prices[-1] = lower, upper
    if any(low >= high for low, high in pairwise(prices)):
        raise Refused(
            say(
                "levels_too_close",
                "{levels} levels between these prices are closer than one tick; use fewer.",
                levels=levels,
                field="levels",
            )
        )
    return tuple(prices)


def _arithmetic(lower: Decimal, upper: Decimal, levels: int) -> Iterator[int]:
    for level in range(levels + 1):
        yield _rounded(lower + (upper - lower) * (Decimal(level) / levels))


def _geometric(lower: Decimal, upper: Decimal, levels: int) -> Iterator[int]:
    """Step by step, as a root for each level takes twenty times as long; a price that might be a tie takes its root."""
    ratio, price = upper / lower, lower
    step = _root(ratio, levels)
    for level in range(levels + 1):
        is_tie = abs(price % 1 - _HALF) < _NEAR
        yield _rounded(lower * ratio ** (Decimal(level) / levels) if is_tie else price)
        price *= step


def _root(ratio: Decimal, degree: int) -> Decimal:
    """By Newton's method: ten digits become more than fifty in three steps, in a quarter of the time of a power."""
    root = _ROUGH.exp(_ROUGH.divide(_ROUGH.ln(ratio), Decimal(degree)))
    for _ in range(3):
        root -= (root - ratio / root ** (degree - 1)) / degree
    return root


def _rounded(price: Decimal) -> int:
    return int(price.to_integral_value(ROUND_HALF_EVEN))


_PRICES: Final = {Spacing.ARITHMETIC: _arithmetic, Spacing.GEOMETRIC: _geometric}


def lots_per_level(investment: Decimal, prices: tuple[int, ...], instrument: Instrument) -> tuple[int, ...]:
    """The same number of lots for each level, as many as the investment pays for at the levels' upper prices.

    Counting at the upper prices pays also for the purchase at the start. `Refused` when it is less than one lot each.
    """
    one_lot_each = sum((instrument.notional(ticks, 1) for ticks in prices[1:]), Decimal(0))
    lots = int(investment / one_lot_each)
    if lots < 1:
        raise Refused(
            say(
                "investment_too_small",
                "{levels} levels of one lot each cost {cost} {quote}; invest more or use fewer levels.",
                levels=len(prices) - 1,
                cost=to_wire(one_lot_each),
                quote=instrument.quote,
                field="total_investment",
            )
        )
    return (lots,) * (len(prices) - 1)
