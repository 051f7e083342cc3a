"""The ladder of a grid, laid out step by step, is the one that a root for each level gives."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as some

from domain.errors import Refused
from domain.level_prices import Spacing, level_prices


def by_roots(lower: int, upper: int, levels: int) -> tuple[int, ...]:
    with localcontext() as context:
        context.prec = 50
        ratio = Decimal(upper) / lower
        exact = [lower * ratio ** (Decimal(level) / levels) for level in range(levels + 1)]
        return tuple(int(price.to_integral_value(ROUND_HALF_EVEN)) for price in exact)


@given(some.integers(1, 10**12), some.integers(1, 10**12), some.integers(1, 500))
def test_steps_taken_one_by_one_end_on_the_same_ticks_as_roots(lower: int, width: int, levels: int) -> None:
    try:
        found = level_prices(lower, lower + width, levels, Spacing.GEOMETRIC)
    except Refused:
        return
    assert found == by_roots(lower, lower + width, levels)


@given(some.integers(1, 9), some.integers(1, 9), some.integers(2, 6), some.integers(1, 999))
def test_a_price_half_way_between_two_ticks_goes_to_the_even_one(low: int, more: int, levels: int, scale: int) -> None:
    """The ratio of these ends is a whole power, so prices are exact, and half a tick where the scale is odd."""
    high = low + more
    lower, upper = scale * low**levels, scale * high**levels
    if lower % 2 == 0 and upper % 2 == 0:
        lower, upper = lower // 2, upper // 2
    try:
        found = level_prices(lower, upper, levels, Spacing.GEOMETRIC)
    except Refused:
        return
    assert found[1:-1] == by_roots(lower, upper, levels)[1:-1]
