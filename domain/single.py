"""What strategies with one position in one slot have in common: go in at market, go out at market, keep the dust."""

from __future__ import annotations

from typing import Final

from domain import events, slots
from domain.events import Event, View
from domain.grid import fill, no_wish, note, put_wish, sell_level, start_over
from domain.lawful import lawful
from domain.order import BUY, ENTRY, EXIT, FLATTEN, MARKET, SELL
from domain.sentences import say

SLOT: Final = 0

SIGNAL_IN: Final = 1
SIGNAL_OUT: Final = 2
ENDED: Final = 3
PAUSED: Final = 4
REASONS: Final = {
    SIGNAL_IN: say("single_signal_in", "The signal says to be in, so the position is bought at market."),
    SIGNAL_OUT: say("single_signal_out", "The signal says to be out, so the position is sold at market."),
    ENDED: say("single_ended", "The strategy has ended."),
    PAUSED: say("single_paused", "The strategy is paused: no new entries."),
}


@lawful
def is_flat(state: list[int]) -> bool:
    """Whether nothing is held and nothing is wished."""
    return state[slots.HEADER + slots.HELD] <= 0 and state[slots.HEADER + slots.WISH_SIDE] == 0


@lawful
def is_long(state: list[int]) -> bool:
    """Whether something is held and no exit is on its way."""
    return state[slots.HEADER + slots.HELD] > 0 and state[slots.HEADER + slots.WISH_SIDE] == 0


@lawful
def enter(state: list[int], lots: int, reason: int, out: list[int], count: int) -> int:
    """Wish to buy at market, if the strategy is active."""
    if state[slots.PHASE] == slots.ACTIVE and put_wish(state, SLOT, ENTRY, BUY, MARKET, 0, lots):
        return note(out, count, SLOT, reason)
    return count


@lawful
def leave(state: list[int], view: View, reason: int, out: list[int], count: int) -> int:
    """Wish to sell at market all that is held, with whatever dust has become whole lots."""
    at = slots.HEADER
    lots = (state[at + slots.HELD] + state[slots.DUST]) // view.base_per_lot
    if lots < view.min_lots or lots * view.last_ticks * view.tick_lot < view.min_notional:
        state[slots.DUST] += state[at + slots.HELD]
        start_over(state, SLOT)
        return no_wish(state, SLOT, reason, out, count)
    state[slots.DUST] += state[at + slots.HELD] - lots * view.base_per_lot
    state[at + slots.HELD] = lots * view.base_per_lot
    if put_wish(state, SLOT, EXIT, SELL, MARKET, 0, lots):
        return note(out, count, SLOT, reason)
    return count


@lawful
def on_common(state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """Executions, ends of orders, and what a person asked for."""
    kind = event.kind
    if kind == events.FILL:
        return fill(state, view, event, out, count)
    if kind == events.ORDER_DONE:
        return _on_order_done(state, view, event, out, count)
    if kind == events.START and state[slots.PHASE] == slots.NEW:
        state[slots.PHASE] = slots.ACTIVE
    elif kind == events.PAUSE and state[slots.PHASE] == slots.ACTIVE:
        state[slots.PHASE] = slots.PAUSED
        if state[slots.HEADER + slots.WISH_LEG] == ENTRY and state[slots.HEADER + slots.HELD] == 0:
            return no_wish(state, SLOT, PAUSED, out, count)
    elif kind == events.RESUME and (state[slots.PHASE] == slots.PAUSED or state[slots.PHASE] == slots.DONE):
        state[slots.PHASE] = slots.ACTIVE
    elif kind == events.STOP:
        state[slots.PHASE] = slots.DONE
        return no_wish(state, SLOT, ENDED, out, count)
    elif kind == events.FLATTEN:
        state[slots.PHASE] = slots.CLOSING
        return sell_level(state, view, SLOT, ENDED, out, count)
    return count


@lawful
def _on_order_done(state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """The order has ended: an exit starts the next cycle, or sells the rest if it was cut short."""
    is_ending = state[slots.HEADER + slots.WISH_LEG] == FLATTEN or state[slots.PHASE] == slots.CLOSING
    put_wish(state, SLOT, 0, 0, 0, 0, 0)
    if state[slots.HEADER + slots.HELD] <= 0:
        start_over(state, SLOT)
        return count
    if event.leg != ENTRY and event.lots > 0:
        state[slots.HEADER + slots.CYCLE] += 1  # the rest is another order, also when it is for the same quantity
    if is_ending:
        return sell_level(state, view, SLOT, ENDED, out, count)
    if event.leg == ENTRY or state[slots.PHASE] == slots.DONE:
        return count
    return leave(state, view, SIGNAL_OUT, out, count)
