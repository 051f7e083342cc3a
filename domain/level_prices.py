"""The ladder of a range grid: prices of its levels in ticks, and how an investment is spread over them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from enum import Enum
from itertools import pairwise

from domain.errors import Refused
from domain.instrument import Instrument
from domain.money import to_wire


class Spacing(Enum):
    """How the steps of a ladder grow."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


def level_prices(lower: int, upper: int, levels: int, spacing: Spacing) -> tuple[int, ...]:
    """`levels + 1` prices in ticks from `lower` to `upper`, each rounded half even to a tick.

    `Refused` when the range is so narrow that two prices fall on one tick.
    """
    with localcontext() as context:
        context.prec = 50
        prices = [_price(Decimal(lower), Decimal(upper), level, levels, spacing) for level in range(levels + 1)]
    prices[0], prices[-1] = lower, upper
    if any(low >= high for low, high in pairwise(prices)):
        raise Refused(f"levels: {levels} levels between these prices are closer than one tick; use fewer.")
    return tuple(prices)


def _price(lower: Decimal, upper: Decimal, level: int, levels: int, spacing: Spacing) -> int:
    share = Decimal(level) / levels
    exact = lower + (upper - lower) * share if spacing is Spacing.ARITHMETIC else lower * (upper / lower) ** share
    return int(exact.to_integral_value(ROUND_HALF_EVEN))


def lots_per_level(investment: Decimal, prices: tuple[int, ...], instrument: Instrument) -> tuple[int, ...]:
    """The same number of lots for each level, as many as the investment pays for at the levels' upper prices.

    Counting at the upper prices pays also for the purchase at the start. `Refused` when it is less than one lot each.
    """
    one_lot_each = sum((instrument.notional(ticks, 1) for ticks in prices[1:]), Decimal(0))
    lots = int(investment / one_lot_each)
    if lots < 1:
        raise Refused(
            f"total_investment: {len(prices) - 1} levels of one lot each cost {to_wire(one_lot_each)} "
            f"{instrument.quote}; invest more or use fewer levels."
        )
    return (lots,) * (len(prices) - 1)
