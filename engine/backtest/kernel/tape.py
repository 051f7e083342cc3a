"""The market as its trades, one after the other: `advance` stands in the place of the one of `kernel.market`.

Bars are shown to the strategy when they close; within one the price goes from trade to trade. A row of the tape is a
trade: what rests meets it at once, as the venue would let it, and then the strategy hears of everything. Between trades
requests arrive and timers ring when they are due; what takes is executed at the price of the next trade. Where the book
was recorded, what takes is executed at once, from its levels, and rows also tell what came to its best prices.
"""

from __future__ import annotations

from domain import events, order, slots
from engine.backtest.kernel import account, book, equity, lanes, market, queue, venue, wishes
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells, Tape

# Stages of a bar; the others are those of `kernel.market`.
TRADES = 1
TRADED = 2


def advance(
    cells: Cells, state: Cells, log: Cells, out: Cells, gauge: Cells, times: Cells, bars: Cells, closes: Cells,
    marks: Cells, tape: Tape, end: int,
) -> bool:  # fmt: skip
    """Carry out what is wished, then let trades happen until there is something to tell; False when it is over."""
    if cells[lay.STAGE] == market.NEXT and cells[lay.PLACE] > 0:
        # Bars may have been shown without their trades: what was due then was nobody's to pay.
        know(cells, tape, end_of(cells, tape, cells[lay.PLACE] - 1) - 1)
        account.fund(cells, log)
    while True:
        if account.is_over(cells):
            equity.measure(cells, gauge, cells[lay.LAST])
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
            # What a rule has held back is tried again at every trade, and a strategy that wants bars is shown each.
            if cells[lay.HELD_BACK_SLOTS] == 0 and cells[lay.WANTS_BARS] == 0:
                pass_bars(cells, state, log, gauge, closes, marks, tape, end)
            if cells[lay.PLACE] >= end or cells[lay.TROUBLE] != lay.FINE:
                return False
        if cells[lay.STAGE] <= TRADES and not market.has_room(cells):
            return False
        place = cells[lay.PLACE]
        go_on(cells, state, log, gauge, tape, market.opens_at(cells, times, place), lanes.price(closes, place))


def begin_of(cells: Cells, tape: Tape, place: int) -> int:
    """The first row of a bar."""
    row: int = place if cells[lay.IS_EACH_A_BAR] != 0 else tape.begins[place]
    return row


def end_of(cells: Cells, tape: Tape, place: int) -> int:
    """The row behind the last of a bar. A bar without rows has those of the one before it behind it."""
    row: int = place + 1 if cells[lay.IS_EACH_A_BAR] != 0 else tape.ends[place]
    return row


def know(cells: Cells, tape: Tape, row: int) -> None:
    """Who comes from here on comes behind those whom a row tells of."""
    cells[lay.KNOWN] = row
    if cells[lay.STATES] > 0 and row >= 0:
        book.turn_to(cells, tape.book, tape.states[row])


def go_on(cells: Cells, state: Cells, log: Cells, gauge: Cells, tape: Tape, start: int, close: int) -> None:
    """One stage of a bar."""
    stage = cells[lay.STAGE]
    if stage == market.NEXT:
        cells[lay.STAGE] = TRADES
        cells[lay.ROW] = begin_of(cells, tape, cells[lay.PLACE])
    elif stage == TRADES:
        end = end_of(cells, tape, cells[lay.PLACE])
        if cells[lay.ROW] + 1 < end and cells[lay.HELD_BACK_SLOTS] == 0:
            leave_behind(cells, log, tape, first_met(cells, state, tape, cells[lay.ROW], end))
        row = cells[lay.ROW]
        if row < end:
            if not happens_before(cells, state, log, tape, tape.times[row]):
                happen(cells, log, tape, row)
        elif cells[lay.WANTS_BARS] == 0 or not happens_before(cells, state, log, tape, start + cells[lay.BAR_MS]):
            cells[lay.STAGE] = market.CLOSED
            book.turn_before(cells, tape.book, start + cells[lay.BAR_MS])
    elif stage == TRADED:
        if not (queue.is_trade(cells) and wakes(cells, state)):
            leave_row(cells, state, log, tape)
    elif stage == market.CLOSED and cells[lay.WANTS_BARS] != 0:
        market.end_bar(cells, state, log, start)
    else:
        market.leave_bar(cells, gauge, close)


def leave_row(cells: Cells, state: Cells, log: Cells, tape: Tape) -> None:
    """The row has happened: what is due by now arrives, timers ring."""
    cells[lay.STAGE] = TRADES
    cells[lay.ROW] += 1
    if cells[lay.WAITING] > 0:
        # What is due in a millisecond arrives after everything that happens in it.
        is_last = cells[lay.ROW] >= cells[lay.ROWS] or tape.times[cells[lay.ROW]] > cells[lay.NOW]
        wishes.arrivals(cells, state, log, cells[lay.NOW] if is_last else cells[lay.NOW] - 1)
        serve(cells, log, tape)
    market.ring(cells, state)


def first_met(cells: Cells, state: Cells, tape: Tape, row: int, end: int) -> int:
    """The first row from one on, before `end`, at which something happens or is due; `end` when there is none.

    A block of rows whose prices reach nothing, and which is over before anything is due, is not looked into: a queue
    moves by what reaches the price of its order alone.
    """
    cells[lay.UP_WOKEN] = -1
    cells[lay.DOWN_WOKEN] = -1
    up, down, due = market.up_trigger(cells, state), market.down_trigger(cells, state), next_due(cells, state)
    while row < end:
        block = row // lay.BLOCK
        stop = min((block + 1) * lay.BLOCK, end)
        mark = block * lay.MARK_WIDTH
        if tape.marks[mark] > down and tape.marks[mark + 1] < up and (due >= lay.FAR or tape.times[stop - 1] < due):
            row = stop
            continue
        while row < stop:
            ticks = tape.ticks[row]
            if (ticks >= up or ticks <= down) and is_met(cells, tape, row, ticks >= up, ticks <= down):
                return row
            if due < lay.FAR and tape.times[row] >= due:
                return row
            row += 1
    return row


def is_met(cells: Cells, tape: Tape, row: int, is_up: bool, is_down: bool) -> bool:
    """Whether something may meet a row that is as high, or as low, as that: what came to a side is of the other."""
    kind = queue.kind_of(cells, tape, row)
    return bool((is_up and kind != queue.OFFERS_CAME) or (is_down and kind != queue.BIDS_CAME))


def next_due(cells: Cells, state: Cells) -> int:
    """When the next request arrives, a timer rings or funding is paid: `FAR` for never."""
    soon = account.sooner(cells, state[slots.WAKE_MS])
    due = soon if soon > 0 else lay.FAR
    for place in range(cells[lay.WAITING]):
        due = min(due, arrives_at(cells, place))
    return due


def arrives_at(cells: Cells, place: int) -> int:
    """When what is on its way arrives, by its place among what is."""
    what = cells[cells[lay.WAITING_AT] + place]
    at = venue.order_at(what if what >= 0 else -1 - what)
    time: int = cells[at + (lay.ARRIVES if what >= 0 else lay.CANCEL_ARRIVES)]
    return time


def leave_behind(cells: Cells, log: Cells, tape: Tape, end: int) -> None:
    """Every row before `end` has happened, and none of them has done anything."""
    row = end - 1
    if row < cells[lay.ROW]:
        return
    cells[lay.NOW] = tape.times[row]
    cells[lay.STEPS] = 0
    know(cells, tape, row)
    while row >= cells[lay.ROW] and abs(queue.kind_of(cells, tape, row)) >= queue.BIDS_CAME:
        row -= 1
    if row >= cells[lay.ROW]:
        cells[lay.LAST] = tape.ticks[row]
        cells[lay.MOMENT] = lay.AT_OPEN
    cells[lay.ROW] = end
    account.fund(cells, log)


def pass_bars(
    cells: Cells, state: Cells, log: Cells, gauge: Cells, closes: Cells, marks: Cells, tape: Tape, end: int
) -> None:
    """Pass bars of whose trades none does anything, taking their closes into the result."""
    first = place = cells[lay.PLACE]
    if place >= end:
        return
    cells[lay.ROW] = begin_of(cells, tape, place)
    row = first_met(cells, state, tape, cells[lay.ROW], end_of(cells, tape, end - 1))
    if cells[lay.IS_EACH_A_BAR] != 0:
        place = row
    while place < end and end_of(cells, tape, place) <= row:
        place += 1
    if place > first:
        equity.measure_bars(cells, gauge, closes, marks, first, place)
        cells[lay.PLACE] = place
        leave_behind(cells, log, tape, end_of(cells, tape, place - 1))


def happens_before(cells: Cells, state: Cells, log: Cells, tape: Tape, until: int) -> bool:
    """Let what is due first before a moment happen: a request arrives, a timer rings; False when nothing does."""
    now, due = cells[lay.NOW], until
    if now < state[slots.WAKE_MS] < due:
        due = state[slots.WAKE_MS]
    for place in range(cells[lay.WAITING]):
        arrives = arrives_at(cells, place)
        if now < arrives < due:
            due = arrives
    if due >= until:
        return False
    cells[lay.NOW] = due
    cells[lay.MOMENT] = lay.BETWEEN
    book.turn_before(cells, tape.book, due + 1)
    account.fund(cells, log)
    if account.is_over(cells):
        return True
    if cells[lay.WAITING] > 0:
        wishes.arrivals(cells, state, log, due)
        serve(cells, log, tape)
    market.ring(cells, state)
    return True


def happen(cells: Cells, log: Cells, tape: Tape, row: int) -> None:
    """A row of the tape: it meets every order that its price has reached; of a trade, margins are looked at then."""
    ticks = tape.ticks[row]
    cells[lay.NOW] = tape.times[row]
    cells[lay.KIND] = queue.kind_of(cells, tape, row)
    is_trade = queue.is_trade(cells)
    account.fund(cells, log)
    cells[lay.LOTS_NOW] = tape.lots[row]
    cells[lay.LEFT] = tape.lots[row]
    know(cells, tape, row)
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


def meet(cells: Cells, log: Cells, tape: Tape, slot: int, ticks: int) -> None:
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


def serve(cells: Cells, log: Cells, tape: Tape) -> None:
    """Execute what takes from a recorded book."""
    for place in range(cells[lay.TAKERS]):
        take(cells, log, tape, cells[cells[lay.TAKERS_AT] + place])
    cells[lay.TAKERS] = 0


def take(cells: Cells, log: Cells, tape: Tape, slot: int) -> None:
    """A slot's order takes what the book shows, level by level; what is left of a limit order rests, of others goes."""
    at = venue.order_at(slot)
    side, kind, limit = cells[at + lay.SIDE], cells[at + lay.TYPE], cells[at + lay.TICKS]
    best = cells[lay.ASK_NOW] if side == order.BUY else cells[lay.BID_NOW]
    first, end = (cells[lay.BID_LEVELS], cells[lay.LEVELS]) if side == order.BUY else (0, cells[lay.BID_LEVELS])
    begin = cells[lay.LEVELS_AT]
    level = book.level_at(cells, tape.book, -side, best) if best > 0 else begin - book.LEVEL_WIDTH
    while begin + first * book.LEVEL_WIDTH <= level < begin + end * book.LEVEL_WIDTH:
        ticks = tape.book[level + book.TICKS]
        if cells[at + lay.STATUS] != order.OPEN or (kind == order.LIMIT and side * (ticks - limit) > 0):
            break
        left = cells[at + lay.LOTS] - cells[at + lay.FILLED]
        shown = book.shown_at(cells, tape.book, level)
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
