"""Leverage tiers: the larger the position, the lower the leverage and the higher its maintenance margin.

The venue keeps a table per symbol; here one table is scaled by the symbol's highest leverage, and its maintenance
rates follow the venue's rule of thumb: half of the initial margin rate.
"""

from __future__ import annotations

from functools import lru_cache

from simulator.futures.reports import Bracket
from simulator.futures.state import ceiling
from simulator.instruments import Instrument
from simulator.units import ONE

# (highest leverage, notional cap in whole quote units, maintenance rate in quanta) of the deepest symbols.
_TIERS: tuple[tuple[int, int, int], ...] = (
    (125, 300_000, 400_000),
    (100, 800_000, 500_000),
    (75, 3_000_000, 650_000),
    (50, 12_000_000, 1_000_000),
    (25, 70_000_000, 2_000_000),
    (20, 100_000_000, 2_500_000),
    (10, 230_000_000, 5_000_000),
    (5, 480_000_000, 10_000_000),
    (4, 600_000_000, 12_500_000),
    (3, 800_000_000, 15_000_000),
    (2, 1_200_000_000, 25_000_000),
    (1, 1_800_000_000, 50_000_000),
)


@lru_cache(maxsize=512)
def brackets_of(maximum_leverage: int, maintenance_rate: int) -> tuple[Bracket, ...]:
    """The tiers of a symbol from its highest leverage and lowest maintenance rate."""
    shrink = 1 if maximum_leverage >= 100 else 10
    first = max((index for index, tier in enumerate(_TIERS) if tier[0] >= maximum_leverage), default=0)
    brackets: list[Bracket] = []
    floor = cumulative = previous = 0
    for leverage, cap, rate in _TIERS[first:]:
        own = max(rate, previous) if brackets else maintenance_rate
        cumulative += floor * (own - previous) // ONE
        top = cap * ONE // shrink
        leverage_here = min(leverage, maximum_leverage) if brackets else maximum_leverage
        brackets.append(Bracket(len(brackets) + 1, leverage_here, floor, top, own, cumulative))
        floor, previous = top, own
    return tuple(brackets)


def brackets_for(instrument: Instrument) -> tuple[Bracket, ...]:
    """The tiers of a symbol, smallest notional first."""
    return brackets_of(instrument.maximum_leverage, instrument.maintenance_rate)


def bracket_at(instrument: Instrument, notional: int) -> Bracket:
    """The tier a notional falls into; the last one also takes what is beyond it."""
    tiers = brackets_of(instrument.maximum_leverage, instrument.maintenance_rate)
    for tier in tiers:
        if notional <= tier.notional_cap:
            return tier
    return tiers[-1]


def maintenance_margin(instrument: Instrument, notional: int) -> int:
    """Margin a position of this notional must keep, rounded up."""
    tier = bracket_at(instrument, notional)
    return ceiling(notional * tier.maintenance_rate, ONE) - tier.cumulative


def maximum_notional(instrument: Instrument, leverage: int) -> int:
    """Largest notional a position may have at a leverage."""
    return max(tier.notional_cap for tier in brackets_for(instrument) if tier.initial_leverage >= leverage)
