"""How a range grid's ladder of levels moves: slots from 1 are levels, and moving one level shifts the range."""

from __future__ import annotations

from typing import Final

from domain import slots
from domain.events import View
from domain.grid import start_over
from domain.lawful import lawful
from domain.proportion import scaled

# Where the ladder ends, in the strategy's own part of the header.
TOP: Final = slots.OWN
BOTTOM: Final = slots.OWN + 1


@lawful
def step_above(geometric: int, top: int, below: int) -> int:
    """The next price of the ladder above its top."""
    if geometric != 0:
        return max(scaled(top, top, below), top + 1)
    return top + (top - below)


@lawful
def step_below(geometric: int, bottom: int, above: int) -> int:
    """The next price of the ladder below its bottom; 0 when there is none."""
    if geometric != 0:
        return min(scaled(bottom, bottom, above), bottom - 1)
    return max(bottom - (above - bottom), 0)


@lawful
def lowest_level(state: list[int]) -> int:
    """The slot whose entry is lowest."""
    best = 1
    for slot in range(2, slots.count_of(state)):
        entry = state[slots.HEADER + slot * slots.WIDTH + slots.LEVEL_ENTRY]
        if 0 < entry < state[slots.HEADER + best * slots.WIDTH + slots.LEVEL_ENTRY]:
            best = slot
    return best


@lawful
def highest_level(state: list[int]) -> int:
    """The slot whose exit is highest."""
    best = 1
    for slot in range(2, slots.count_of(state)):
        exit_ticks = state[slots.HEADER + slot * slots.WIDTH + slots.LEVEL_EXIT]
        if exit_ticks > state[slots.HEADER + best * slots.WIDTH + slots.LEVEL_EXIT]:
            best = slot
    return best


@lawful
def trail_up(state: list[int], view: View, geometric: int, limit: int) -> None:
    """While the price is above the top, move the lowest level, if it holds nothing, to the top."""
    for _ in range(slots.count_of(state)):
        low, high = lowest_level(state), highest_level(state)
        at = slots.HEADER + low * slots.WIDTH
        below = state[slots.HEADER + high * slots.WIDTH + slots.LEVEL_ENTRY]
        above = step_above(geometric, state[TOP], below)
        if view.last_ticks < above or above > limit or state[at + slots.HELD] > 0:
            return
        state[BOTTOM] = state[at + slots.LEVEL_EXIT]
        state[at + slots.LEVEL_ENTRY] = state[TOP]
        state[at + slots.LEVEL_EXIT] = above
        state[TOP] = above


@lawful
def trail_down(state: list[int], view: View, geometric: int, limit: int) -> None:
    """While the price is below the bottom, move the highest level down; what it holds joins the level beneath it.

    The joined level goes on offering at its own exit, so the grid sells lower than it would have.
    """
    for _ in range(slots.count_of(state)):
        low, high = lowest_level(state), highest_level(state)
        at = slots.HEADER + high * slots.WIDTH
        above = state[slots.HEADER + low * slots.WIDTH + slots.LEVEL_EXIT]
        below = step_below(geometric, state[BOTTOM], above)
        if view.last_ticks > below or below < limit or below <= 0 or low == high:
            return
        top = state[at + slots.LEVEL_ENTRY]
        if state[at + slots.HELD] > 0 and not _join_below(state, high, top):
            return
        state[at + slots.LEVEL_EXIT] = state[BOTTOM]
        state[at + slots.LEVEL_ENTRY] = below
        state[TOP] = top
        state[BOTTOM] = below


@lawful
def _join_below(state: list[int], high: int, top: int) -> bool:
    """Move what the highest level holds to the level that sells at `top`; False when there is none.

    The two levels' exits are wished anew for the joined amount, so their orders are replaced.
    """
    at = slots.HEADER + high * slots.WIDTH
    for slot in range(1, slots.count_of(state)):
        to = slots.HEADER + slot * slots.WIDTH
        if state[to + slots.LEVEL_EXIT] == top and state[to + slots.HELD] > 0:
            state[to + slots.HELD] += state[at + slots.HELD]
            state[to + slots.COST] += state[at + slots.COST]
            state[to + slots.WISH_SIDE] = 0
            state[at + slots.WISH_SIDE] = 0
            start_over(state, high)
            return True
    return False


@lawful
def level_of(prices: tuple[int, ...], entry: int, exit_ticks: int) -> int:
    """Which level of a ladder buys and sells at these prices; -1 for none."""
    for level in range(len(prices) - 1):
        if prices[level] == entry and prices[level + 1] == exit_ticks:
            return level
    return -1


@lawful
def has_level(state: list[int], entry: int, exit_ticks: int) -> bool:
    """Whether a slot buys and sells at these prices."""
    for slot in range(1, slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        if state[at + slots.LEVEL_ENTRY] == entry and state[at + slots.LEVEL_EXIT] == exit_ticks:
            return True
    return False


@lawful
def free_level(state: list[int]) -> int:
    """The first slot that serves no level and holds nothing; 0 when there is none."""
    for slot in range(1, slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        if state[at + slots.LEVEL_LOTS] == 0 and state[at + slots.HELD] == 0:
            return slot
    return 0
