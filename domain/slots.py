"""Slots and wishes: a strategy says which order it wishes in each slot, and this law says what to do about it.

A strategy's state is a flat vector of integers: `HEADER` numbers for the strategy as a whole, then `WIDTH` numbers
for each slot. The wish of a slot is part of it, so restarting, editing and repricing are all the same step: compare
the wish with the order that is there. Lists of Python ints when trading live, int64 arrays when compiled.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.lawful import lawful
from domain.order import CANCELLED, FILLED, OPEN, PENDING, REJECTED, Order, is_complete

# The header.
PHASE: Final = 0
#: Wake the strategy when the price reaches or passes these ticks; 0 is never.
WAKE_ABOVE: Final = 1
WAKE_BELOW: Final = 2
#: Base quanta held that are less than one lot, carried until they make a lot.
DUST: Final = 3
#: Wake the strategy at this trading time in milliseconds; 0 is never.
WAKE_MS: Final = 4
#: When the last bar opened that the strategy has seen: kept by the engine, so that no bar is shown twice.
LAST_BAR: Final = 5
#: The rest of the header belongs to the strategy, but for its last number.
OWN: Final = 6
#: Which parameters the state was last decided with, as the engine numbers them; 0 is not known.
LAW: Final = 15
HEADER: Final = 16

# One slot.
CYCLE: Final = 0
#: Base quanta bought in this cycle and not yet sold (below zero: sold short).
HELD: Final = 1
#: Quote quanta paid for what is held, fees in quote included.
COST: Final = 2
ENTRY_MS: Final = 3
WISH_LEG: Final = 4
#: 0 when no order is wished.
WISH_SIDE: Final = 5
WISH_TYPE: Final = 6
WISH_TICKS: Final = 7
WISH_LOTS: Final = 8
#: A grid level: where it buys, where it sells, and how much.
LEVEL_ENTRY: Final = 9
LEVEL_EXIT: Final = 10
LEVEL_LOTS: Final = 11
WIDTH: Final = 12

# Phases that the engine knows; a strategy may use numbers from 10 for its own.
NEW: Final = 0
ACTIVE: Final = 1
#: No new entries; exits stay.
PAUSED: Final = 2
#: Finished: nothing is wished any more.
DONE: Final = 3
#: Finished, and whatever is still held, or comes in late, is sold.
CLOSING: Final = 4

# Actions.
KEEP: Final = 0
PLACE: Final = 1
CANCEL: Final = 2
#: The slot's order is not settled; do nothing until it is.
WAIT: Final = 3


class Wish(NamedTuple):
    """The order that a slot should hold; `side` 0 wishes none."""

    slot: int
    cycle: int
    leg: int
    side: int
    type: int
    ticks: int
    lots: int


@lawful
def is_finished(state: list[int]) -> bool:
    """Whether the strategy has ended, keeping or selling what it holds."""
    return state[PHASE] == DONE or state[PHASE] == CLOSING


@lawful
def count_of(state: list[int]) -> int:
    """How many slots a state has."""
    return (len(state) - HEADER) // WIDTH


def size_of(slots: int) -> int:
    """Numbers in the state of a strategy with so many slots."""
    return HEADER + slots * WIDTH


def wish_of(state: list[int], slot: int) -> Wish:
    """The wish of one slot."""
    at = HEADER + slot * WIDTH
    return Wish(
        slot,
        state[at + CYCLE],
        state[at + WISH_LEG],
        state[at + WISH_SIDE],
        state[at + WISH_TYPE],
        state[at + WISH_TICKS],
        state[at + WISH_LOTS],
    )


def action_for(wish: Wish, order: Order | None) -> int:
    """What to do in a slot, given the last order that was journaled for it."""
    if order is None:
        return act_on(wish.side, False, FILLED, True, 0, 0)
    return act_on(wish.side, _is_same(wish, order), order.status, is_complete(order), order.filled, order.lots)


@lawful
def act_on(side: int, is_same: bool, status: int, is_done: bool, filled: int, lots: int) -> int:
    """What to do in a slot that wishes `side`, about an order that is the wished one or is not.

    An order is replaced only after it has ended and every lot it executed is booked, so one slot never has two
    orders alive. While the venue's word on an order is open the slot waits. A wish that has been carried out is not
    placed again: the strategy has not yet taken notice of the end of its order.
    """
    if is_done:
        is_satisfied = is_same and status != CANCELLED and filled >= lots
        return PLACE if side != 0 and not is_satisfied else KEEP
    if status >= REJECTED or status == PENDING:
        return WAIT
    return KEEP if status == OPEN and is_same else CANCEL


def next_attempt(wish: Wish, order: Order | None) -> int:
    """The attempt number for placing this wish: one more than the last of the same cycle and leg."""
    if order is None or order.key.cycle != wish.cycle or order.key.leg != wish.leg:
        return 0
    return order.key.attempt + 1


def _is_same(wish: Wish, order: Order) -> bool:
    return (
        wish.side == order.side
        and wish.type == order.type
        and wish.ticks == order.ticks
        and wish.lots == order.lots
        and wish.cycle == order.key.cycle
        and wish.leg == order.key.leg
    )
