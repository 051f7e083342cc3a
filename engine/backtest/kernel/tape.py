"""The market as its trades, one after the other: `advance` stands in the place of the one of `kernel.market`.

Bars are shown to the strategy when they close; within one the price goes from trade to trade. A row of the tape is a
trade: what rests meets it at once, as the venue would let it, and then the strategy hears of everything. Between trades
requests arrive and timers ring when they are due; what takes is executed at the price of the next trade. Where the book
was recorded, what takes is executed at once, from its levels, and rows also tell what came to its best prices.
"""

from __future__ import annotations

from domain import events, order, slots
from engine.backtest.kernel import account, book, market, queue, venue, wishes
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells

# A row of the tape: when, the bar that it belongs to (the last row's is none), the price, the quantity, the lots in
# front of who comes now (of a recorded book: which state it is in), and what it is, as `kernel.queue` names it.
TIME = 0
BAR = 1
TICKS = 2
LOTS = 3
AHEAD = 4
KIND = 5
WIDTH = 6

# Stages of a bar; the others are those of `kernel.market`.
TRADES = 1
TRADED = 2


def advance(
    cells: Cells, state: Cells, log: Cells, out: Cells, gauge: Cells, times: Cells, bars: Cells, closes: Cells,
    tape: Cells, end: int,
) -> bool:  # fmt: skip
    """Carry out what is wished, then let trades happen until there is something to tell; False when it is over."""
    if cells[lay.STAGE] == market.NEXT:
        catch_up(cells, tape)
    while True:
        if account.is_over(cells):
            market.measure(cells, gauge, cells[lay.LAST])
            cells[lay.PLACE] = end
            return False
        account.tidy(cells)
        wishes.settle(cells, state, log, out)
        serve(cells, log, tape)
        if cells[lay.QUEUED] > 0:
            cells[lay.STEPS] += 1
            if cells[lay.STEPS] > lay.MOST_STEPS:
                cells[lay.TROUBLE] = lay.ENDLESS
            return bool(cells[lay.TROUBLE] == lay.FINE)
        if cells[lay.STAGE] == market.NEXT:
            if cells[lay.WAITING] == 0 and cells[lay.HELD_BACK_SLOTS] == 0:
                pass_trades(cells, state, gauge, closes, tape, end)
            if cells[lay.PLACE] >= end or cells[lay.TROUBLE] != lay.FINE:
                return False
        if cells[lay.STAGE] <= TRADES and not market.has_room(cells):
            return False
        place = cells[lay.PLACE]
        go_on(cells, state, log, gauge, tape, market.opens_at(cells, times, place), market.price(closes, place))


def catch_up(cells: Cells, tape: Cells) -> None:
    """Pass the trades of bars that have been shown already."""
    row, place = cells[lay.ROW], cells[lay.PLACE]
    while tape[row * WIDTH + BAR] < place:
        row += 1
    leave_off(cells, tape, row)


def leave_off(cells: Cells, tape: Cells, row: int) -> None:
    """Every trade before this row has happened."""
    cells[lay.ROW] = row
    if row > 0:
        know(cells, tape, (row - 1) * WIDTH)


def know(cells: Cells, tape: Cells, at: int) -> None:
    """Who comes from here on comes behind those whom the row that begins at `at` tells of."""
    if cells[lay.STATES] > 0:
        book.turn_to(cells, tape, tape[at + AHEAD])
    else:
        cells[lay.AHEAD_NOW] = tape[at + AHEAD]


def go_on(cells: Cells, state: Cells, log: Cells, gauge: Cells, tape: Cells, start: int, close: int) -> None:
    """One stage of a bar."""
    stage = cells[lay.STAGE]
    if stage == market.NEXT:
        cells[lay.STAGE] = TRADES
    elif stage == TRADES:
        at = cells[lay.ROW] * WIDTH
        if tape[at + BAR] == cells[lay.PLACE]:
            if not happens_before(cells, state, log, tape, tape[at + TIME]):
                happen(cells, log, tape, at)
        elif cells[lay.WANTS_BARS] == 0 or not happens_before(cells, state, log, tape, start + cells[lay.BAR_MS]):
            cells[lay.STAGE] = market.CLOSED
            book.turn_before(cells, tape, start + cells[lay.BAR_MS])
    elif stage == TRADED:
        if not wakes(cells, state):
            cells[lay.STAGE] = TRADES
            cells[lay.ROW] += 1
            if cells[lay.WAITING] > 0:
                # What is due in a millisecond arrives after everything that happens in it.
                is_last = tape[cells[lay.ROW] * WIDTH + TIME] > cells[lay.NOW]
                wishes.arrivals(cells, state, log, cells[lay.NOW] if is_last else cells[lay.NOW] - 1)
                serve(cells, log, tape)
            market.ring(cells, state)
    elif stage == market.CLOSED and cells[lay.WANTS_BARS] != 0:
        market.end_bar(cells, state, log, start)
    else:
        market.leave_bar(cells, gauge, close)


def happens_before(cells: Cells, state: Cells, log: Cells, tape: Cells, until: int) -> bool:
    """Let what is due first before a moment happen: a request arrives, a timer rings; False when nothing does."""
    now, due = cells[lay.NOW], until
    if now < state[slots.WAKE_MS] < due:
        due = state[slots.WAKE_MS]
    for place in range(cells[lay.WAITING]):
        what = cells[cells[lay.WAITING_AT] + place]
        slot = what if what >= 0 else -1 - what
        arrives = cells[venue.order_at(slot) + (lay.ARRIVES if what >= 0 else lay.CANCEL_ARRIVES)]
        if now < arrives < due:
            due = arrives
    if due >= until:
        return False
    cells[lay.NOW] = due
    cells[lay.MOMENT] = lay.BETWEEN
    book.turn_before(cells, tape, due + 1)
    if cells[lay.WAITING] > 0:
        wishes.arrivals(cells, state, log, due)
        serve(cells, log, tape)
    market.ring(cells, state)
    return True


def happen(cells: Cells, log: Cells, tape: Cells, at: int) -> None:
    """A row of the tape: it meets every order that its price has reached; of a trade, margins are looked at then."""
    ticks = tape[at + TICKS]
    cells[lay.NOW] = tape[at + TIME]
    cells[lay.KIND] = tape[at + KIND]
    is_trade = queue.is_trade(cells)
    account.fund(cells, log)
    cells[lay.LOTS_NOW] = tape[at + LOTS]
    cells[lay.LEFT] = tape[at + LOTS]
    know(cells, tape, at)
    cells[lay.TRADE] += 1
    cells[lay.STEPS] = 0
    cells[lay.STAGE] = TRADED
    if is_trade:
        cells[lay.LAST] = ticks
        cells[lay.MOMENT] = lay.AT_OPEN
        cells[lay.UP_WOKEN] = -1
        cells[lay.DOWN_WOKEN] = -1
    if account.is_over(cells):
        return
    if cells[lay.UP] <= ticks or cells[lay.DOWN] >= ticks:
        slot = queue.next_met(cells, ticks, is_trade and account.reaches(cells, ticks))
        while slot >= 0:
            meet(cells, log, tape, slot, ticks)
            slot = queue.next_met(cells, ticks, is_trade and account.reaches(cells, ticks))
    if is_trade:
        account.ends(cells, log, lay.FAR, 0, ticks, True)


def meet(cells: Cells, log: Cells, tape: Cells, slot: int, ticks: int) -> None:
    """A row reaches a slot's order: a stop is executed at its price or by the book, a limit as far as the row goes."""
    at = venue.order_at(slot)
    if cells[at + lay.TYPE] == order.STOP_MARKET:
        if cells[lay.STATES] > 0:
            take(cells, log, tape, slot)
        else:
            venue.fill_resting(cells, log, slot)
        return
    lots = account.most(cells, at, queue.meet(cells, tape, slot, ticks))
    if lots > 0:
        if queue.takes_of_trade(cells, cells[at + lay.TICKS], ticks):
            cells[lay.LEFT] -= lots
        venue.execute(cells, log, slot, cells[at + lay.TICKS], lots, 1)


def serve(cells: Cells, log: Cells, tape: Cells) -> None:
    """Execute what takes from a recorded book."""
    for place in range(cells[lay.TAKERS]):
        take(cells, log, tape, cells[cells[lay.TAKERS_AT] + place])
    cells[lay.TAKERS] = 0


def take(cells: Cells, log: Cells, tape: Cells, slot: int) -> None:
    """A slot's order takes what the book shows, level by level; what is left of a limit order rests, of others goes."""
    at = venue.order_at(slot)
    side, kind, limit = cells[at + lay.SIDE], cells[at + lay.TYPE], cells[at + lay.TICKS]
    best = cells[lay.ASK_NOW] if side == order.BUY else cells[lay.BID_NOW]
    first, end = (cells[lay.BID_LEVELS], cells[lay.LEVELS]) if side == order.BUY else (0, cells[lay.BID_LEVELS])
    begin = cells[lay.LEVELS_AT]
    level = book.level_at(cells, tape, -side, best) if best > 0 else begin - book.LEVEL_WIDTH
    while begin + first * book.LEVEL_WIDTH <= level < begin + end * book.LEVEL_WIDTH:
        ticks = tape[level + book.TICKS]
        if cells[at + lay.STATUS] != order.OPEN or (kind == order.LIMIT and side * (ticks - limit) > 0):
            break
        left = cells[at + lay.LOTS] - cells[at + lay.FILLED]
        shown = book.shown_at(cells, tape, level)
        lots = account.most(cells, at, min(shown, left))
        if lots > 0:
            venue.execute(cells, log, slot, ticks, lots, 0)
        elif shown > 0:
            break
        level += side * book.LEVEL_WIDTH
    if cells[at + lay.STATUS] == order.OPEN and kind == order.LIMIT:
        venue.rest(cells, slot)
    elif cells[at + lay.STATUS] == order.OPEN:
        venue.end_order(cells, slot, order.EXPIRED)


def wakes(cells: Cells, state: Cells) -> bool:
    """Tell the strategy of a price that it waits for, once for each trade."""
    last, above, below = cells[lay.LAST], state[slots.WAKE_ABOVE], state[slots.WAKE_BELOW]
    if 0 < above <= last and cells[lay.UP_WOKEN] != above:
        cells[lay.UP_WOKEN] = above
    elif 0 < last <= below and cells[lay.DOWN_WOKEN] != below:
        cells[lay.DOWN_WOKEN] = below
    else:
        return False
    venue.tell_market(cells, events.PRICE, last)
    return True


def pass_trades(cells: Cells, state: Cells, gauge: Cells, closes: Cells, tape: Cells, end: int) -> None:
    """Pass bars of whose trades none does anything, taking their closes into the result.

    A strategy that wants bars has to be shown each, so it passes none here.
    """
    cells[lay.UP_WOKEN] = -1
    cells[lay.DOWN_WOKEN] = -1
    up, down = market.up_trigger(cells, state), market.down_trigger(cells, state)
    soon = account.sooner(cells, state[slots.WAKE_MS])
    first = row = cells[lay.ROW]
    place = cells[lay.PLACE]
    while place < end and cells[lay.WANTS_BARS] == 0:
        following = row
        while tape[following * WIDTH + BAR] == place:
            at = following * WIDTH
            is_due = 0 < soon <= tape[at + TIME]
            if is_due or tape[at + TICKS] >= up or tape[at + TICKS] <= down:
                break
            following += 1
        if tape[following * WIDTH + BAR] == place:
            break
        market.measure(cells, gauge, market.price(closes, place))
        row = following
        place += 1
    if row > first:
        cells[lay.NOW] = tape[(row - 1) * WIDTH + TIME]
        cells[lay.LAST] = market.price(closes, place - 1)
        cells[lay.PLACE] = place
        leave_off(cells, tape, row)
