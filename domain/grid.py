"""What the two forms of grid have in common: a level buys at one price, sells at another, and starts over.

Every level is a slot. A level with nothing in hand wishes its entry; a level with something wishes its exit for all
of it. Base quanta too few for a lot (a fee taken in base leaves them) go to the strategy's dust, and the next exit
takes along whatever dust has become whole lots.
"""

from __future__ import annotations

from typing import Final

from domain import events, slots
from domain.events import Event, View
from domain.lawful import lawful
from domain.order import BUY, ENTRY, EXIT, FLATTEN, LIMIT, MARKET, SELL
from domain.sentences import say

# Reasons, told to the user with every order.
LEVEL_ENTRY: Final = 1
LEVEL_EXIT: Final = 2
GRID_MOVED: Final = 3
GRID_PAUSED: Final = 4
GRID_ENDED: Final = 5
STOP_LOSS: Final = 6
TAKE_PROFIT: Final = 7
START_SPLIT: Final = 8
TOO_SMALL: Final = 9

REASONS: Final = {
    LEVEL_ENTRY: say("grid_level_entry", "The level has nothing in hand, so it bids at its entry price."),
    LEVEL_EXIT: say("grid_level_exit", "The level has bought, so it offers what it holds at its exit price."),
    GRID_MOVED: say("grid_grid_moved", "The grid has moved with the price."),
    GRID_PAUSED: say("grid_grid_paused", "The grid is paused: no new entries, exits stay."),
    GRID_ENDED: say("grid_grid_ended", "The grid has ended."),
    STOP_LOSS: say("grid_stop_loss", "The price has reached the stop loss, so everything held is sold at market."),
    TAKE_PROFIT: say(
        "grid_take_profit", "The price has reached the take profit, so everything held is sold at market."
    ),
    START_SPLIT: say("grid_start_split", "Levels above the price start with something to sell, bought at market."),
    TOO_SMALL: say(
        "grid_too_small", "What the level holds is worth less than the venue's smallest order; it waits as dust."
    ),
}


@lawful
def put_wish(state: list[int], slot: int, leg: int, side: int, kind: int, ticks: int, lots: int) -> bool:
    """Wish an order in a slot; whether that is a change."""
    at = slots.HEADER + slot * slots.WIDTH
    same = (
        state[at + slots.WISH_LEG] == leg
        and state[at + slots.WISH_SIDE] == side
        and state[at + slots.WISH_TYPE] == kind
        and state[at + slots.WISH_TICKS] == ticks
        and state[at + slots.WISH_LOTS] == lots
    )
    state[at + slots.WISH_LEG] = leg
    state[at + slots.WISH_SIDE] = side
    state[at + slots.WISH_TYPE] = kind
    state[at + slots.WISH_TICKS] = ticks
    state[at + slots.WISH_LOTS] = lots
    return not same


@lawful
def note(out: list[int], count: int, slot: int, reason: int) -> int:
    """Write a (slot, reason) pair; gives the new count. Pairs past the room of `out` are dropped."""
    if 2 * count + 1 < len(out):
        out[2 * count] = slot
        out[2 * count + 1] = reason
        return count + 1
    return count


@lawful
def no_wish(state: list[int], slot: int, reason: int, out: list[int], count: int) -> int:
    """Wish nothing in a slot; gives the new count of changes."""
    if put_wish(state, slot, 0, 0, 0, 0, 0):
        return note(out, count, slot, reason)
    return count


@lawful
def wish_level(state: list[int], view: View, slot: int, out: list[int], count: int) -> int:
    """Bring a level's wish in line with what it holds; gives the new count of changes.

    An order that already serves the purpose is left alone, also when part of it has been executed.
    """
    at = slots.HEADER + slot * slots.WIDTH
    if state[at + slots.HELD] > 0:
        if state[at + slots.WISH_SIDE] == SELL or _is_bidding_on(state, slot):
            return count
        return wish_exit(state, view, slot, out, count)
    return wish_entry(state, slot, out, count)


@lawful
def wish_entry(state: list[int], slot: int, out: list[int], count: int) -> int:
    """Bid at the level's entry price; nothing while the grid takes no new entries."""
    if state[slots.PHASE] != slots.ACTIVE:
        return no_wish(state, slot, GRID_PAUSED, out, count)
    at = slots.HEADER + slot * slots.WIDTH
    ticks, lots = state[at + slots.LEVEL_ENTRY], state[at + slots.LEVEL_LOTS]
    if lots > 0 and put_wish(state, slot, ENTRY, BUY, LIMIT, ticks, lots):
        return note(out, count, slot, LEVEL_ENTRY)
    return count


@lawful
def _is_bidding_on(state: list[int], slot: int) -> bool:
    """Whether the level's entry, partly executed, may stay as it is."""
    at = slots.HEADER + slot * slots.WIDTH
    return (
        state[slots.PHASE] == slots.ACTIVE
        and state[at + slots.WISH_SIDE] == BUY
        and state[at + slots.WISH_TICKS] == state[at + slots.LEVEL_ENTRY]
        and state[at + slots.WISH_LOTS] == state[at + slots.LEVEL_LOTS]
    )


@lawful
def wish_exit(state: list[int], view: View, slot: int, out: list[int], count: int) -> int:
    """Offer all a level holds at its exit price. What is worth too little joins the dust and the level starts over."""
    at = slots.HEADER + slot * slots.WIDTH
    ticks = state[at + slots.LEVEL_EXIT]
    lots = (state[at + slots.HELD] + state[slots.DUST]) // view.base_per_lot
    if lots < view.min_lots or lots * ticks * view.tick_lot < view.min_notional:
        state[slots.DUST] += state[at + slots.HELD]
        start_over(state, slot)
        count = no_wish(state, slot, TOO_SMALL, out, count)
        return wish_entry(state, slot, out, count) if state[slots.PHASE] == slots.ACTIVE else count
    state[slots.DUST] += state[at + slots.HELD] - lots * view.base_per_lot
    state[at + slots.HELD] = lots * view.base_per_lot
    if put_wish(state, slot, EXIT, SELL, LIMIT, ticks, lots):
        return note(out, count, slot, LEVEL_EXIT)
    return count


@lawful
def start_over(state: list[int], slot: int) -> None:
    """Begin the slot's next cycle with nothing in hand."""
    at = slots.HEADER + slot * slots.WIDTH
    if state[at + slots.HELD] < 0:  # more was sold than held, by an order given up for lost: the next exit sells less
        state[slots.DUST] += state[at + slots.HELD]
    state[at + slots.CYCLE] += 1
    state[at + slots.HELD] = 0
    state[at + slots.COST] = 0
    state[at + slots.ENTRY_MS] = 0


@lawful
def book_fill(state: list[int], event: Event) -> None:
    """Take an execution into the slot: what is held, and what it cost."""
    at = slots.HEADER + event.slot * slots.WIDTH
    if state[at + slots.HELD] == 0 and event.base > 0:
        state[at + slots.ENTRY_MS] = event.time_ms
    state[at + slots.HELD] += event.base
    state[at + slots.COST] -= event.quote


@lawful
def fill(state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """Take an execution into its slot. One that comes when the grid is closing is sold with the rest."""
    book_fill(state, event)
    at = slots.HEADER + event.slot * slots.WIDTH
    if state[slots.PHASE] == slots.CLOSING and state[at + slots.WISH_SIDE] == 0 and state[at + slots.HELD] > 0:
        return sell_level(state, view, event.slot, GRID_ENDED, out, count)
    return count


@lawful
def order_done(state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """Go on after a slot's order has ended: bought, sold, or cancelled on the way."""
    at = slots.HEADER + event.slot * slots.WIDTH
    was_flattening = state[at + slots.WISH_LEG] == FLATTEN
    put_wish(state, event.slot, 0, 0, 0, 0, 0)
    if (event.leg != ENTRY or event.lots > 0) and state[at + slots.HELD] <= 0:
        start_over(state, event.slot)
    elif event.leg != ENTRY and event.lots > 0:
        state[at + slots.CYCLE] += 1  # the rest is another order, also when it is for the same quantity
    if (was_flattening or state[slots.PHASE] == slots.CLOSING) and state[at + slots.HELD] > 0:
        return sell_level(state, view, event.slot, GRID_ENDED, out, count)
    if slots.is_finished(state):
        return no_wish(state, event.slot, GRID_ENDED, out, count)
    return wish_level(state, view, event.slot, out, count)


@lawful
def withdraw_all(state: list[int], reason: int, out: list[int], count: int) -> int:
    """Wish nothing anywhere; what is held stays held."""
    for slot in range(slots.count_of(state)):
        count = no_wish(state, slot, reason, out, count)
    return count


@lawful
def sell_level(state: list[int], view: View, slot: int, reason: int, out: list[int], count: int) -> int:
    """Close what one slot holds at market; what is too small to sell alone joins the dust."""
    at = slots.HEADER + slot * slots.WIDTH
    lots = (state[at + slots.HELD] + state[slots.DUST]) // view.base_per_lot
    if lots < view.min_lots or lots * view.last_ticks * view.tick_lot < view.min_notional:
        state[slots.DUST] += state[at + slots.HELD]
        state[at + slots.HELD] = 0
        return no_wish(state, slot, reason, out, count)
    state[slots.DUST] += state[at + slots.HELD] - lots * view.base_per_lot
    state[at + slots.HELD] = lots * view.base_per_lot
    if put_wish(state, slot, FLATTEN, SELL, MARKET, 0, lots):
        return note(out, count, slot, reason)
    return count


@lawful
def sell_everything(state: list[int], view: View, reason: int, out: list[int], count: int) -> int:
    """Close every slot's holdings at market, each in its own slot.

    So nothing waits for a slot whose order is not settled, and every level knows its own result.
    """
    for slot in range(slots.count_of(state)):
        if state[slots.HEADER + slot * slots.WIDTH + slots.HELD] > 0:
            count = sell_level(state, view, slot, reason, out, count)
        else:
            count = no_wish(state, slot, reason, out, count)
    return count


@lawful
def on_verb(state: list[int], view: View, kind: int, out: list[int], count: int) -> int:
    """What a person asked for: pause, resume, stop and keep, stop and flatten."""
    if kind == events.PAUSE and state[slots.PHASE] == slots.ACTIVE:
        state[slots.PHASE] = slots.PAUSED
    elif kind == events.RESUME and (state[slots.PHASE] == slots.PAUSED or state[slots.PHASE] == slots.DONE):
        state[slots.PHASE] = slots.ACTIVE
    elif kind == events.STOP:
        state[slots.PHASE] = slots.DONE
        return withdraw_all(state, GRID_ENDED, out, count)
    elif kind == events.FLATTEN:
        state[slots.PHASE] = slots.CLOSING
        return sell_everything(state, view, GRID_ENDED, out, count)
    if (kind == events.PAUSE or kind == events.RESUME) and not slots.is_finished(state):
        for slot in range(slots.count_of(state)):
            count = wish_level(state, view, slot, out, count)
    return count
