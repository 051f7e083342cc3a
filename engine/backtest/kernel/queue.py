"""Where our orders stand among others, and what one trade of the market gives them.

A trade executes no more of our orders than its own quantity: those at the best price first, at one price those that
came first. Where it is assumed so, an order at a better price than the trade's is executed whole and takes nothing of
it. What stands in front of an order at its price is used up before it, by trades there and by cancellations, which
nobody sees and which are taken to be a share of those trades. A trade beyond the price has used up all of it.

Where the book was recorded, that much stands in front as it shows, and what is gone without having been traded was
cancelled. What comes to the other side of the book at the price of an order, or beyond it, meets it as a trade does.
"""

from __future__ import annotations

from domain import fills, order
from domain.proportion import scaled
from engine.backtest.kernel import book
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells, Tape

#: What is known of a slot's order: the last trade that it has met, and when it came, counted in orders.
MET = 0
CAME = 1
#: After which row of the tape it came, or in which state of a recorded book.
CAME_IN = 2
# Of a recorded book: the next change at its price and where the changes end (0: what stands in front of it was not
# looked up yet, with a book or without), what the book has shown there last, and what was traded there since.
CHANGE = 3
CHANGES_END = 4
SHOWN = 5
TRADED = 6
WIDTH = 7

# What a row of the tape is. Trades: of an unknown side (they meet bids and offers alike), by a buyer, by a seller. Not
# trades: bids or offers that came to the book.
BY_ANYBODY = 0
BY_BUYER = 1
BY_SELLER = -1
BIDS_CAME = 2
OFFERS_CAME = -2


def stand(cells: Cells, slot: int) -> None:
    """A slot's order begins to rest, behind what stands there now: that is looked up when something meets it."""
    at = cells[lay.STANDS_AT] + slot * WIDTH
    cells[lay.CAME_LAST] += 1
    cells[at + MET] = 0
    cells[at + CAME] = cells[lay.CAME_LAST]
    cells[at + CAME_IN] = cells[lay.STATE_NOW] if cells[lay.STATES] > 0 else cells[lay.KNOWN]
    cells[at + CHANGES_END] = 0


def bid(cells: Cells) -> int:
    """The best price that somebody bids: without a book the last one is for both sides."""
    ticks: int = cells[lay.BID_NOW] if cells[lay.STATES] > 0 else cells[lay.LAST]
    return ticks


def ask(cells: Cells) -> int:
    """The best price that somebody offers at."""
    ticks: int = cells[lay.ASK_NOW] if cells[lay.STATES] > 0 else cells[lay.LAST]
    return ticks


def takes(cells: Cells, slot: int) -> bool:
    """Whether a slot's order is executed by what a recorded book shows; then it stands in the list of those."""
    if cells[lay.STATES] == 0:
        return False
    cells[cells[lay.TAKERS_AT] + cells[lay.TAKERS]] = slot
    cells[lay.TAKERS] += 1
    return True


def kind_of(cells: Cells, tape: Tape, row: int) -> int:
    """What a row of the tape is: without a book a trade of which nobody knows who took."""
    kind: int = tape.kinds[row] if cells[lay.STATES] > 0 else BY_ANYBODY
    return kind


def is_trade(cells: Cells) -> bool:
    """Whether what happens now is a trade of the market."""
    return bool(BY_SELLER <= cells[lay.KIND] <= BY_BUYER)


def passes_by(cells: Cells, slot: int) -> bool:
    """Whether what happens does not reach a slot's order, because it is not of the other side."""
    at, kind = lay.ORDERS_AT + slot * lay.ORDER, cells[lay.KIND]
    if cells[at + lay.TYPE] == order.STOP_MARKET:
        return not is_trade(cells)
    return bool(kind * cells[at + lay.SIDE] > 0)


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
        if cells[lay.KIND] != BY_ANYBODY and passes_by(cells, slot):
            continue
        if only_limits and cells[lay.ORDERS_AT + slot * lay.ORDER + lay.TYPE] == order.STOP_MARKET:
            continue
        beyond = max(above, below)
        if found < 0 or beyond > best or (beyond == best and cells[at + CAME] < came):
            found, best, came = slot, beyond, cells[at + CAME]
    if found >= 0:
        cells[stands + found * WIDTH + MET] = trade
    return found


def line_up(cells: Cells, tape: Tape, slot: int) -> None:
    """Look up how much was assumed to stand in front of a slot's order when it came, if that was not done."""
    at = cells[lay.STANDS_AT] + slot * WIDTH
    if cells[at + CHANGES_END] == 0:
        cells[at + CHANGES_END] = 1
        cells[lay.ORDERS_AT + slot * lay.ORDER + lay.AHEAD] = ahead_after(cells, tape, cells[at + CAME_IN])


def ahead_after(cells: Cells, tape: Tape, row: int) -> int:
    """Lots in front of an order that comes after a row (-1: before the first), rounded up."""
    if row < 0:
        return 0
    least: int = cells[lay.AHEAD_LEAST]
    if cells[lay.AHEAD_PPM] == 0:
        return least
    low, high, before = 0, row, tape.times[row] - cells[lay.AHEAD_MS]
    while low < high:
        middle = (low + high) // 2
        if tape.times[middle] <= before:
            low = middle + 1
        else:
            high = middle
    within, share = tape.traded[row + 1] - tape.traded[low], cells[lay.AHEAD_PPM]
    # In two parts, so that the product stays below 64 bits.
    whole = within // fills.PARTS
    lots: int = least + whole * share - (-((within - whole * fills.PARTS) * share) // fills.PARTS)
    return lots


def move_up(cells: Cells, recorded: Cells, slot: int) -> None:
    """Take what the book has shown at the price of a slot's order, up to now, into what stands in front of it."""
    at, to = cells[lay.STANDS_AT] + slot * WIDTH, lay.ORDERS_AT + slot * lay.ORDER
    if cells[at + CHANGES_END] == 0:
        level = book.level_at(cells, recorded, cells[to + lay.SIDE], cells[to + lay.TICKS])
        change = book.next_change(recorded, level, cells[at + CAME_IN]) if level > 0 else 1
        cells[at + CHANGE] = change
        cells[at + CHANGES_END] = recorded[level + book.LEVEL_WIDTH + book.CHANGES] if level > 0 else 1
        cells[at + SHOWN] = book.shown_before(recorded, level, change) if level > 0 else 0
        cells[at + TRADED] = 0
        cells[to + lay.AHEAD] = cells[at + SHOWN]
    change, end, state = cells[at + CHANGE], cells[at + CHANGES_END], cells[lay.STATE_NOW]
    while change < end and recorded[change + book.CAME_WITH] <= state:
        now = recorded[change + book.SHOWN]
        cells[to + lay.AHEAD] = fills.on_shown(
            cells[lay.CANCELLATIONS], cells[to + lay.AHEAD], cells[at + SHOWN], cells[at + TRADED], now
        )
        cells[at + SHOWN] = now
        cells[at + TRADED] = 0
        change += book.CHANGE_WIDTH
    cells[at + CHANGE] = change


def meet(cells: Cells, tape: Tape, slot: int, ticks: int) -> int:
    """How many lots of a slot's limit order a trade at this price executes; what stands in front of it goes first."""
    at = lay.ORDERS_AT + slot * lay.ORDER
    if cells[lay.STATES] > 0:
        move_up(cells, tape.book, slot)
        if ticks == cells[at + lay.TICKS] and is_trade(cells):
            cells[cells[lay.STANDS_AT] + slot * WIDTH + TRADED] += cells[lay.LOTS_NOW]
    else:
        line_up(cells, tape, slot)
    side, limit, ahead = cells[at + lay.SIDE], cells[at + lay.TICKS], cells[at + lay.AHEAD]
    remaining, left = cells[at + lay.LOTS] - cells[at + lay.FILLED], cells[lay.LEFT]
    step = fills.on_trade(cells[lay.FILL_MODEL], side, limit, remaining, ahead, ticks, left)
    filled = step.filled if is_trade(cells) or cells[lay.WHOLE_BEYOND] == 0 else remaining
    if cells[lay.FILL_MODEL] == fills.QUEUE:
        gone = scaled(ahead - step.ahead, cells[lay.CANCELLED_PPM], fills.PARTS)
        cells[at + lay.AHEAD] = max(step.ahead - gone, 0)
        if takes_of_trade(cells, limit, ticks):
            filled = min(filled, left)
    return filled


def takes_of_trade(cells: Cells, limit: int, ticks: int) -> bool:
    """Whether what an order gets of a trade at this price is no longer there for others."""
    return bool(cells[lay.WHOLE_BEYOND] == 0 or (limit == ticks and is_trade(cells)))
