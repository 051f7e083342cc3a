"""What strategies with one position either way, in one slot, have in common: in and out at market, and what goes wrong.

A position below zero is a short one where the venue keeps those; elsewhere it is more sold than was held, and dust.
"""

from __future__ import annotations

from typing import Final

from domain import events, slots
from domain.events import Event, View
from domain.grid import book_fill, no_wish, note, put_wish, start_over
from domain.lawful import lawful
from domain.order import BUY, ENTRY, FLATTEN, MARKET, SELL

SLOT: Final = 0


@lawful
def held(state: list[int], view: View) -> int:
    """Base quanta of the position, below zero when short."""
    quanta = state[slots.HEADER + slots.HELD]
    return 0 if quanta < 0 and view.is_margin == 0 else quanta


@lawful
def is_waiting(state: list[int]) -> bool:
    """Whether an order is wished."""
    return state[slots.HEADER + slots.WISH_SIDE] != 0


@lawful
def enter(state: list[int], side: int, lots: int, reason: int, out: list[int], count: int) -> int:
    """Wish to open a position at market."""
    if put_wish(state, SLOT, ENTRY, side, MARKET, 0, lots):
        return note(out, count, SLOT, reason)
    return count


@lawful
def leave(state: list[int], view: View, leg: int, reason: int, out: list[int], count: int) -> int:
    """Wish to close at market all that is held, with whatever dust has become whole lots.

    What is too little for an order joins the dust, and the slot starts over.
    """
    at = slots.HEADER
    if state[at + slots.HELD] < 0 and view.is_margin != 0:
        side, lots = BUY, -state[at + slots.HELD] // view.base_per_lot
        is_small = lots < view.min_lots
    else:
        side, lots = SELL, (state[at + slots.HELD] + state[slots.DUST]) // view.base_per_lot
        is_worthless = lots * view.last_ticks * view.tick_lot < view.min_notional
        is_small = lots < view.min_lots or (is_worthless and view.is_margin == 0)
    if is_small:
        state[slots.DUST] += state[at + slots.HELD]
        state[at + slots.HELD] = 0
        start_over(state, SLOT)
        return no_wish(state, SLOT, reason, out, count)
    if side == SELL:
        state[slots.DUST] += state[at + slots.HELD] - lots * view.base_per_lot
        state[at + slots.HELD] = lots * view.base_per_lot
    if put_wish(state, SLOT, leg, side, MARKET, 0, min(lots, view.max_lots)):
        return note(out, count, SLOT, reason)
    return count


@lawful
def on_fill(state: list[int], view: View, event: Event, reason: int, out: list[int], count: int) -> int:
    """Take an execution in. One that comes when all is to be closed is closed with the rest."""
    was_flat = state[slots.HEADER + slots.HELD] == 0
    book_fill(state, event)
    if was_flat and event.base < 0:
        state[slots.HEADER + slots.ENTRY_MS] = event.time_ms
    if state[slots.PHASE] == slots.CLOSING and not is_waiting(state) and held(state, view) != 0:
        return leave(state, view, FLATTEN, reason, out, count)
    return count


@lawful
def on_order_done(state: list[int], view: View, event: Event, reason: int, out: list[int], count: int) -> int:
    """The order has ended: an exit starts the next cycle, or closes the rest if it was cut short."""
    leg = state[slots.HEADER + slots.WISH_LEG]
    put_wish(state, SLOT, 0, 0, 0, 0, 0)
    if held(state, view) == 0:
        start_over(state, SLOT)
        return count
    if event.leg != ENTRY and event.lots > 0:
        state[slots.HEADER + slots.CYCLE] += 1  # the rest is another order, also when it is for the same quantity
    if leg == FLATTEN or state[slots.PHASE] == slots.CLOSING:
        return leave(state, view, FLATTEN, reason, out, count)
    if event.leg == ENTRY or state[slots.PHASE] == slots.DONE:
        return count
    return leave(state, view, event.leg, reason, out, count)


@lawful
def on_verb(state: list[int], view: View, kind: int, paused: int, ended: int, out: list[int], count: int) -> int:
    """What a person asked for: start, pause, resume, stop and keep, stop and flatten."""
    phase = state[slots.PHASE]
    if kind == events.START and phase == slots.NEW:
        state[slots.PHASE] = slots.ACTIVE
    elif kind == events.PAUSE and phase == slots.ACTIVE:
        state[slots.PHASE] = slots.PAUSED
        if state[slots.HEADER + slots.WISH_LEG] == ENTRY and held(state, view) == 0:
            return no_wish(state, SLOT, paused, out, count)
    elif kind == events.RESUME and (phase == slots.PAUSED or phase == slots.DONE):
        state[slots.PHASE] = slots.ACTIVE
    elif kind == events.STOP:
        state[slots.PHASE] = slots.DONE
        return no_wish(state, SLOT, ended, out, count)
    elif kind == events.FLATTEN:
        state[slots.PHASE] = slots.CLOSING
        if held(state, view) == 0:
            return no_wish(state, SLOT, ended, out, count)
        return leave(state, view, FLATTEN, ended, out, count)
    return count
