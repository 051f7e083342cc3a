"""What is held, what it cost, and what was earned: exact integers, average cost.

Rounding, stated once: when part of a position is closed, the cost that leaves with it is rounded towards zero and the
rest stays with the rest of the position. Nothing is lost: over a full close the parts add up to the whole cost.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.lawful import lawful
from domain.proportion import scaled


class Position(NamedTuple):
    """Holdings of one instrument by one owner. Lots are below zero when short; cost has the sign of lots."""

    lots: int = 0
    #: What was paid for the lots now held, in quote quanta (for a short: minus what was received).
    cost: int = 0
    #: Quote quanta earned by what has been closed, before fees.
    realised: int = 0


@lawful
def trade(position: Position, lots: int, value: int) -> Position:
    """The position after buying (`lots` above zero) or selling; `value` is the notional in quote quanta, never signed.

    A trade through zero closes all of the old side first, then opens the new one with the share that is left.
    """
    if lots == 0:
        return position
    signed_value = value if lots > 0 else -value
    if position.lots == 0 or (position.lots > 0) == (lots > 0):
        return Position(position.lots + lots, position.cost + signed_value, position.realised)
    closing = min(abs(lots), abs(position.lots))
    closing_value = share(signed_value, closing, abs(lots))
    released = share(position.cost, closing, abs(position.lots))
    # What is left to open comes with the rest of the value; where nothing is, both are zero.
    return Position(
        position.lots + lots,
        position.cost - released + signed_value - closing_value,
        position.realised - closing_value - released,
    )


def unrealised(position: Position, value_now: int) -> int:
    """Quote quanta that closing at the present notional would earn; `value_now` is signed like the lots."""
    return value_now - position.cost


@lawful
def value_of(base: int, ticks: int, tick_lot: int, base_per_lot: int) -> int:
    """Quote quanta that so many base quanta are worth at a price, rounded down."""
    return scaled(base, ticks * tick_lot, base_per_lot)


@lawful
def lose_lots(position: Position, lots: int) -> Position:
    """The position after a fee took `lots` of what is held; their cost stays, so the rest has become dearer."""
    return Position(position.lots - lots, position.cost, position.realised)


@lawful
def share(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole`, rounded towards zero."""
    if part == whole:
        return amount
    return -scaled(-amount, part, whole) if amount < 0 else scaled(amount, part, whole)
