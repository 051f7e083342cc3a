"""What is held, what it cost, and what was earned: exact integers, average cost.

Rounding, stated once: when part of a position is closed, the cost that leaves with it is rounded towards zero and the
rest stays with the rest of the position. Nothing is lost: over a full close the parts add up to the whole cost.
"""

from __future__ import annotations

from typing import NamedTuple


class Position(NamedTuple):
    """Holdings of one instrument by one owner. Lots are below zero when short; cost has the sign of lots."""

    lots: int = 0
    #: What was paid for the lots now held, in quote quanta (for a short: minus what was received).
    cost: int = 0
    #: Quote quanta earned by what has been closed, before fees.
    realised: int = 0


def trade(position: Position, lots: int, value: int) -> Position:
    """The position after buying (`lots` above zero) or selling; `value` is the notional in quote quanta, never signed.

    A trade through zero closes all of the old side first, then opens the new one with the share that is left.
    """
    if lots == 0:
        return position
    signed_value = value if lots > 0 else -value
    if position.lots == 0 or (position.lots > 0) == (lots > 0):
        return position._replace(lots=position.lots + lots, cost=position.cost + signed_value)
    closing = min(abs(lots), abs(position.lots))
    closing_value = _share(signed_value, closing, abs(lots))
    released = _share(position.cost, closing, abs(position.lots))
    step = 1 if lots > 0 else -1
    left = Position(
        lots=position.lots + step * closing,
        cost=position.cost - released,
        realised=position.realised - closing_value - released,
    )
    opening = abs(lots) - closing
    return left if opening == 0 else trade(left, step * opening, abs(signed_value - closing_value))


def unrealised(position: Position, value_now: int) -> int:
    """Quote quanta that closing at the present notional would earn; `value_now` is signed like the lots."""
    return value_now - position.cost


def lose_lots(position: Position, lots: int) -> Position:
    """The position after a fee took `lots` of what is held; their cost stays, so the rest has become dearer."""
    return position._replace(lots=position.lots - lots)


def _share(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole`, rounded towards zero."""
    sign = -1 if amount < 0 else 1
    return sign * (abs(amount) * part // whole)
