"""Where our orders stand among others, and what one trade of the market gives them.

A trade executes no more of our orders than its own quantity: those at the best price first, at one price those that
came first. Where it is assumed so, an order at a better price than the trade's is executed whole and takes nothing of
it. What stands in front of an order at its price is used up before it, by trades there and by cancellations, which
nobody sees and which are taken to be a share of those trades. A trade beyond the price has used up all of it.
"""

from __future__ import annotations

from domain import fills, order
from domain.proportion import scaled
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells

#: What is known of a slot's order: the last trade that it has met, and when it came, counted in orders.
MET = 0
CAME = 1
WIDTH = 2


def stand(cells: Cells, slot: int) -> None:
    """A slot's order begins to rest, behind what stands there now."""
    at = cells[lay.STANDS_AT] + slot * WIDTH
    cells[lay.CAME_LAST] += 1
    cells[at + MET] = 0
    cells[at + CAME] = cells[lay.CAME_LAST]
    cells[lay.ORDERS_AT + slot * lay.ORDER + lay.AHEAD] = cells[lay.AHEAD_NOW]


def next_met(cells: Cells, ticks: int, only_limits: bool) -> int:
    """The next slot whose order a trade at this price meets: the best price first, then who came first; -1 for none.

    Stops are left out where the trade liquidates unless a limit order prevents that.
    """
    found, best, came, trade = -1, 0, 0, cells[lay.TRADE]
    ups, downs, stands = cells[lay.UPS_AT], cells[lay.DOWNS_AT], cells[lay.STANDS_AT]
    for slot in range(cells[lay.SLOTS]):
        above, below = ticks - cells[ups + slot], cells[downs + slot] - ticks
        if above < 0 and below < 0:
            continue
        at = stands + slot * WIDTH
        if cells[at + MET] == trade:
            continue
        if only_limits and cells[lay.ORDERS_AT + slot * lay.ORDER + lay.TYPE] == order.STOP_MARKET:
            continue
        beyond = max(above, below)
        if found < 0 or beyond > best or (beyond == best and cells[at + CAME] < came):
            found, best, came = slot, beyond, cells[at + CAME]
    if found >= 0:
        cells[stands + found * WIDTH + MET] = trade
    return found


def meet(cells: Cells, slot: int, ticks: int) -> int:
    """How many lots of a slot's limit order a trade at this price executes; what stands in front of it goes first."""
    at = lay.ORDERS_AT + slot * lay.ORDER
    side, limit, ahead = cells[at + lay.SIDE], cells[at + lay.TICKS], cells[at + lay.AHEAD]
    remaining, left = cells[at + lay.LOTS] - cells[at + lay.FILLED], cells[lay.LEFT]
    step = fills.on_trade(cells[lay.FILL_MODEL], side, limit, remaining, ahead, ticks, left)
    filled = step.filled
    if cells[lay.FILL_MODEL] == fills.QUEUE:
        gone = scaled(ahead - step.ahead, cells[lay.CANCELLED_PPM], fills.PARTS)
        cells[at + lay.AHEAD] = max(step.ahead - gone, 0)
        if takes_of_trade(cells, limit, ticks):
            filled = min(filled, left)
    return filled


def takes_of_trade(cells: Cells, limit: int, ticks: int) -> bool:
    """Whether what an order gets of a trade at this price is no longer there for others."""
    return bool(limit == ticks or cells[lay.WHOLE_BEYOND] == 0)
