"""How a follower gets to its target: order = target - position, whatever is in flight taken into account.

One instance follows one symbol of one account, in one slot. Its target comes as an event with a version; older ones
are ignored, so the same target told twice, late or out of order does nothing. An order is placed only when the one
before has ended and all of its executions are booked, so nothing is counted twice. What makes the position smaller
goes at market and is never held back; what makes it larger keeps to the collar and the time limit of the target.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain import events, slots
from domain.events import Event, View
from domain.grid import no_wish, note, put_wish
from domain.indicators import Memory
from domain.lawful import lawful
from domain.order import BUY, ENTRY, EXIT, FLATTEN, LIMIT, MARKET, SELL
from domain.sentences import say

SLOT: Final = 0
#: Orders of one version have numbers of their own; a version's cycles begin at this multiple of it.
USES: Final = 64

# The header's own numbers.
VERSION: Final = slots.OWN
#: Lots, below zero when short.
TARGET: Final = slots.OWN + 1
#: The highest price an entry may pay and the lowest it may sell at, in ticks; 0 is any.
CEILING: Final = slots.OWN + 2
FLOOR: Final = slots.OWN + 3
#: Trading time in milliseconds after which entries are too late; 0 is never.
DEADLINE: Final = slots.OWN + 4
#: Whole lots still missing (below zero: too many) that cannot be traded now, and why.
RESIDUAL: Final = slots.OWN + 5
WHY: Final = slots.OWN + 6
#: The price in ticks at which the target was decided.
REFERENCE: Final = slots.OWN + 7
#: Lots of the order now wished that have been executed.
EXECUTED: Final = slots.OWN + 8

# Reasons: of an order, and of none.
FOLLOWS_IN: Final = 1
FOLLOWS_OUT: Final = 2
CLOSES: Final = 3
TARGET_CHANGED: Final = 4
TOO_SMALL: Final = 5
TOO_LATE: Final = 6
PAUSED: Final = 7
NO_SHORT: Final = 8
ENDED: Final = 9
REASONS: Final = {
    FOLLOWS_IN: say("follow_follows_in", "The target is larger than the position, so the rest of it is entered."),
    FOLLOWS_OUT: say(
        "follow_follows_out", "The target is smaller than the position, so what is too much is closed at market."
    ),
    CLOSES: say("follow_closes", "Copying has ended with closing, so everything held is closed at market."),
    TARGET_CHANGED: say(
        "follow_target_changed", "The target has changed, so an order for the one before is withdrawn."
    ),
    TOO_SMALL: say(
        "follow_too_small",
        "What is missing is below the venue's smallest order; it is remembered until it can be traded.",
    ),
    TOO_LATE: say("follow_too_late", "The time in which this target may be entered has passed; what is held is kept."),
    PAUSED: say("follow_paused", "Copying is paused: nothing new is entered, exits go on."),
    NO_SHORT: say("follow_no_short", "The account cannot hold a short position here, so it stays flat."),
    ENDED: say("follow_ended", "Copying has ended; what is held is kept."),
}


class Law(NamedTuple):
    """What the account allows on the symbol."""

    can_short: int


@lawful
def decide(law: Law, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """The law of following; see `core.base_strategy.Decide`."""
    at = slots.HEADER
    if event.kind == events.TARGET:
        if event.cycle <= state[VERSION]:
            return 0
        _take_target(state, event)
    elif event.kind == events.FILL:
        state[at + slots.HELD] += event.base
        state[at + slots.COST] -= event.quote
        if event.cycle == state[at + slots.CYCLE] and event.leg == state[at + slots.WISH_LEG]:
            state[EXECUTED] += event.lots
        if state[at + slots.WISH_SIDE] != 0:
            return 0  # its order ends before anything else is decided
    elif event.kind == events.ORDER_DONE:
        _wish(state, 0, 0, 0, 0, 0)
        if event.lots > 0:
            _use_again(state)
    else:
        _take_verb(state, event.kind)
    return steer(law, state, view, out, 0)


@lawful
def _take_verb(state: list[int], kind: int) -> None:
    """What a person asked for, or the first start."""
    phase = state[slots.PHASE]
    if kind == events.START and phase == slots.NEW:
        state[slots.PHASE] = slots.ACTIVE
    elif kind == events.PAUSE and phase == slots.ACTIVE:
        state[slots.PHASE] = slots.PAUSED
    elif kind == events.RESUME and (phase == slots.PAUSED or phase == slots.DONE):
        state[slots.PHASE] = slots.ACTIVE
    elif kind == events.STOP:
        state[slots.PHASE] = slots.DONE
    elif kind == events.FLATTEN:
        state[slots.PHASE] = slots.CLOSING


@lawful
def _take_target(state: list[int], event: Event) -> None:
    state[VERSION] = event.cycle
    state[TARGET] = event.lots
    state[CEILING] = event.high
    state[FLOOR] = event.low
    state[DEADLINE] = event.base
    state[REFERENCE] = event.ticks
    state[slots.HEADER + slots.CYCLE] = event.cycle * USES
    state[EXECUTED] = 0


@lawful
def _use_again(state: list[int]) -> None:
    """The next order is another one, also when it is for the same quantity."""
    at = slots.HEADER + slots.CYCLE
    if state[at] < state[VERSION] * USES + USES - 1:
        state[at] += 1


@lawful
def _wish(state: list[int], leg: int, side: int, kind: int, ticks: int, lots: int) -> bool:
    """Wish an order, unless one is wished already that has just so much left to do; whether that is a change."""
    at = slots.HEADER
    is_under_way = (
        side != 0
        and state[EXECUTED] > 0
        and state[at + slots.WISH_LEG] == leg
        and state[at + slots.WISH_SIDE] == side
        and state[at + slots.WISH_TYPE] == kind
        and state[at + slots.WISH_TICKS] == ticks
        and state[at + slots.WISH_LOTS] - state[EXECUTED] == lots
    )
    if is_under_way or not put_wish(state, SLOT, leg, side, kind, ticks, lots):
        return False
    state[EXECUTED] = 0
    return True


@lawful
def gap_lots(state: list[int], base_per_lot: int) -> int:
    """Whole lots from what is held to the target; less than one lot is no gap, whatever the sign."""
    target = 0 if state[slots.PHASE] == slots.CLOSING else state[TARGET]
    gap = target * base_per_lot - state[slots.HEADER + slots.HELD]
    return gap // base_per_lot if gap > 0 else -(-gap // base_per_lot)


@lawful
def steer(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """Wish the order that leads from what is held to the target, or say why there is none."""
    state[slots.WAKE_ABOVE] = 0
    state[slots.WAKE_BELOW] = 0
    state[slots.WAKE_MS] = 0
    state[RESIDUAL] = 0
    state[WHY] = 0
    phase = state[slots.PHASE]
    if phase == slots.NEW:
        return count
    if phase == slots.DONE:
        return _hold(state, ENDED, out, count)
    gap = gap_lots(state, view.base_per_lot)
    if gap == 0:
        return no_wish(state, SLOT, TARGET_CHANGED, out, count)
    held = state[slots.HEADER + slots.HELD]
    held_lots = held // view.base_per_lot if held > 0 else -(-held // view.base_per_lot)
    closing = min(abs(gap), abs(held_lots)) if held_lots * gap < 0 else 0
    if closing == abs(gap) or (closing > 0 and not _is_too_small(law, view, closing)):
        return _exit(law, state, view, closing, BUY if gap > 0 else SELL, out, count)
    return _enter(law, state, view, gap, out, count)


@lawful
def _is_too_small(law: Law, view: View, lots: int) -> bool:
    """Whether so many lots cannot be closed by themselves. A venue with margin takes any value that closes."""
    return lots < view.min_lots or (law.can_short == 0 and lots * view.last_ticks * view.tick_lot < view.min_notional)


@lawful
def _exit(law: Law, state: list[int], view: View, lots: int, side: int, out: list[int], count: int) -> int:
    """Close at market, or remember what is too small for it."""
    lots = min(lots, view.max_lots)
    if _is_too_small(law, view, lots):
        state[RESIDUAL] = lots * side
        state[WHY] = TOO_SMALL
        if lots >= view.min_lots:
            _wake_when_worth(state, view, lots)
        return no_wish(state, SLOT, TOO_SMALL, out, count)
    is_closing = state[slots.PHASE] == slots.CLOSING
    leg = FLATTEN if is_closing else EXIT
    if _wish(state, leg, side, MARKET, 0, lots):
        return note(out, count, SLOT, CLOSES if is_closing else FOLLOWS_OUT)
    return count


@lawful
def _enter(law: Law, state: list[int], view: View, gap: int, out: list[int], count: int) -> int:
    side = BUY if gap > 0 else SELL
    lots = min(abs(gap), view.max_lots)
    state[RESIDUAL] = gap
    if state[slots.PHASE] != slots.ACTIVE:
        return _hold(state, PAUSED, out, count)
    if side == SELL and law.can_short == 0:
        return _hold(state, NO_SHORT, out, count)
    if 0 < state[DEADLINE] < view.now_ms:
        return _hold(state, TOO_LATE, out, count)
    limit = state[CEILING] if side == BUY else state[FLOOR]
    price = limit if limit > 0 else view.last_ticks
    if lots < view.min_lots or lots * min(price, view.last_ticks) * view.tick_lot < view.min_notional:
        if lots >= view.min_lots:
            _wake_when_worth(state, view, lots)
        return _hold(state, TOO_SMALL, out, count)
    state[RESIDUAL] = 0
    if state[DEADLINE] > 0:
        state[slots.WAKE_MS] = state[DEADLINE] + 1
    kind = LIMIT if limit > 0 else MARKET
    ticks = _within(state, view, side, lots, limit) if limit > 0 else 0
    if _wish(state, ENTRY, side, kind, ticks, lots):
        return note(out, count, SLOT, FOLLOWS_IN)
    return count


@lawful
def _within(state: list[int], view: View, side: int, lots: int, limit: int) -> int:
    """The price of an entry: as far as the collar lets it, but never far beyond the market; one that rests stays."""
    at = slots.HEADER
    near = view.last_ticks * 103 // 100 if side == BUY else view.last_ticks * 97 // 100 + 1
    ticks = min(limit, near) if side == BUY else max(limit, near)
    is_there = (
        state[at + slots.WISH_LEG] == ENTRY
        and state[at + slots.WISH_SIDE] == side
        and state[at + slots.WISH_TYPE] == LIMIT
        and state[at + slots.WISH_LOTS] - state[EXECUTED] == lots
    )
    if is_there and (limit - state[at + slots.WISH_TICKS]) * side >= 0:
        return state[at + slots.WISH_TICKS]
    return ticks


@lawful
def _hold(state: list[int], why: int, out: list[int], count: int) -> int:
    state[WHY] = why
    return no_wish(state, SLOT, why, out, count)


@lawful
def _wake_when_worth(state: list[int], view: View, lots: int) -> None:
    """Look again when the price makes so many lots worth the venue's smallest order."""
    one = lots * view.tick_lot
    state[slots.WAKE_ABOVE] = (view.min_notional + one - 1) // one
