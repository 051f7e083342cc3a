"""When a resting order counts as filled, where no venue tells: for paper trading and for tests on history.

Three models, from kind to strict. *Touch*: a trade at the price fills the order. *Through*: only a trade beyond it
does. *Queue*: what stood at the price when the order came is used up first, then the order fills as trades come; a
trade beyond the price fills the rest. None of them lets the market react to the order, and a taker is filled at the
best price on the other side however large it is: both flatter large orders, so keep paper orders small.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.lawful import lawful
from domain.order import BUY
from domain.proportion import scaled

TOUCH: Final = 0
THROUGH: Final = 1
QUEUE: Final = 2

MODELS: Final = {"touch": TOUCH, "through": THROUGH, "queue": QUEUE}

# Who of a price cancels when less is shown there than was traded: those behind an order as far as they can, all in
# equal parts, or those in front of it.
BEHIND: Final = 0
SHARED: Final = 1
AHEAD: Final = 2
PARTS: Final = 1_000_000


class Step(NamedTuple):
    """What one trade of the market does to a resting order."""

    #: Lots of the order that are filled now.
    filled: int
    #: Lots that still stand in front of it.
    ahead: int


@lawful
def is_beyond(side: int, limit: int, ticks: int) -> bool:
    """Whether a trade at `ticks` went past the limit: lower than a buy's, higher than a sell's."""
    return ticks < limit if side == BUY else ticks > limit


@lawful
def is_marketable(side: int, limit: int, bid: int, ask: int) -> bool:
    """Whether an order at this limit would take. A side of the book that is not known (0) cannot be taken."""
    if side == BUY:
        return 0 < ask <= limit
    return 0 < limit <= bid


@lawful
def on_trade(model: int, side: int, limit: int, remaining: int, ahead: int, ticks: int, lots: int) -> Step:
    """A trade of `lots` at `ticks`, and an order of `remaining` lots at `limit` behind `ahead` others."""
    if is_beyond(side, limit, ticks):
        return Step(remaining, 0)
    if ticks != limit or model == THROUGH:
        return Step(0, ahead)
    if model == TOUCH:
        return Step(remaining, 0)
    used = min(ahead, lots)
    return Step(min(remaining, lots - used), ahead - used)


@lawful
def on_shown(model: int, ahead: int, shown: int, traded: int, now: int) -> int:
    """Lots in front of an order when a book shows `now` at its price, and showed `shown` before.

    `traded` lots were traded there in between: `ahead` is without them already. What else is gone was cancelled.
    """
    cancelled = shown - now - traded
    if cancelled > 0 and model == SHARED:
        ahead -= scaled(cancelled, ahead, shown)
    elif cancelled > 0 and model == AHEAD:
        ahead -= min(cancelled, ahead)
    return min(ahead, now)


@lawful
def on_bar(model: int, side: int, limit: int, low: int, high: int) -> bool:
    """Whether a bar fills an order that rested through it. A bar tells no quantities, so a queue is passed through."""
    worst = low if side == BUY else high
    return is_beyond(side, limit, worst) or (model == TOUCH and worst == limit)


@lawful
def queue_ahead(side: int, limit: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> int:
    """Lots in front of a new order: none inside the spread, else what is shown at the best price.

    Deeper levels are not known here; what stands at the best is the estimate for them.
    """
    best, shown = (bid, bid_lots) if side == BUY else (ask, ask_lots)
    improves = limit > best if side == BUY else limit < best
    return 0 if best and improves else shown


@lawful
def fee(received: int, parts_per_million: int) -> int:
    """Quanta that the venue keeps of what is received, rounded up."""
    return -scaled(-received, parts_per_million, PARTS)
