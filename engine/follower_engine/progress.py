"""How far the instance that follows a symbol has come with its target."""

from __future__ import annotations

from typing import Final, NamedTuple

from domain import slots
from domain.client_order_id import decode, is_ours
from domain.copying import follow, terms
from engine.trading_engine import TradingEngine

#: The law's reasons for holding less than the target, as people are told them.
WHY: Final = {
    follow.TOO_SMALL: terms.TOO_SMALL,
    follow.TOO_LATE: terms.TOO_LATE,
    follow.PAUSED: terms.PAUSED,
    follow.NO_SHORT: terms.NO_SHORT,
    follow.ENDED: terms.ENDED,
}


class Progress(NamedTuple):
    """Where an instance stands; everything it has executed is booked."""

    #: The newest target that it has heard of.
    version: int
    #: Targets whose orders have not ended.
    under_way: frozenset[int]
    #: Whether nothing is wished, nothing works and nothing waits.
    is_resting: bool
    #: Why it holds less than the target: a reason of `terms`, `COPIED` when it does not.
    why: int
    #: Base quanta, below zero when short.
    held: int


def progress_of(engine: TradingEngine) -> Progress:
    """Where it stands now."""
    instance = engine.instance
    state, live = instance.state, instance.live_orders()
    at = slots.HEADER
    is_resting = not live and state[at + slots.WISH_SIDE] == 0 and state[slots.PHASE] != slots.NEW
    return Progress(
        state[follow.VERSION],
        frozenset(order.key.cycle // follow.USES for order in live),
        is_resting and not engine.has_news,
        WHY.get(state[follow.WHY], terms.COPIED),
        state[at + slots.HELD],
    )


def target_of_order(client_order_id: str) -> int:
    """The version of the target that an order is for; 0 when the name does not say."""
    return decode(client_order_id).cycle // follow.USES if is_ours(client_order_id) else 0
