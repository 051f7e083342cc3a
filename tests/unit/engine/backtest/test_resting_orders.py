"""The lines in which orders rest, beside lists that are put in order anew each time."""

from __future__ import annotations

import random

from domain import order
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel import venue

SLOTS = 12


def empty() -> list[int]:
    """A venue at which nothing rests yet."""
    lists = lay.ORDERS_AT + SLOTS * lay.ORDER
    cells = [0] * (lists + 4 * SLOTS)
    for count, name in enumerate((lay.UPS_AT, lay.DOWNS_AT, lay.UP_LINE, lay.DOWN_LINE)):
        cells[name] = lists + count * SLOTS
    cells[lay.SLOTS] = SLOTS
    cells[lists : lists + SLOTS] = [lay.FAR] * SLOTS
    venue.find_up(cells)
    venue.find_down(cells)
    return cells


def test_the_nearest_order_is_the_best_price_and_at_one_price_the_first_that_came() -> None:
    dice = random.Random(7)
    cells = empty()
    #: (price, when it came, slot) of what rests above and below.
    above: list[tuple[int, int, int]] = []
    below: list[tuple[int, int, int]] = []
    for turn in range(4_000):
        slot, at = dice.randrange(SLOTS), lay.ORDERS_AT
        at += slot * lay.ORDER
        if cells[at + lay.RESTS]:
            venue.withdraw(cells, slot)
            above = [each for each in above if each[2] != slot]
            below = [each for each in below if each[2] != slot]
        else:
            cells[at + lay.SIDE] = dice.choice((order.BUY, order.SELL))
            cells[at + lay.TYPE] = dice.choice((order.LIMIT, order.STOP_MARKET))
            cells[at + lay.TICKS] = dice.randrange(100, 106)
            is_above = (cells[at + lay.SIDE] == order.BUY) == (cells[at + lay.TYPE] == order.STOP_MARKET)
            (above if is_above else below).append((cells[at + lay.TICKS], turn, slot))
            venue.rest(cells, slot)
        up = min(above, default=(lay.FAR, 0, -1))
        down = min(below, key=lambda each: (-each[0], each[1]), default=(0, 0, -1))
        assert (cells[lay.UP], cells[lay.UP_SLOT]) == (up[0], up[2])
        assert (cells[lay.DOWN], cells[lay.DOWN_SLOT]) == (down[0], down[2])
