"""The venue of a backtest: orders come in, rest, fill and go; money moves to the last unit."""

from __future__ import annotations

from domain import events, fills, order, position_tracker
from domain.position_tracker import Position
from engine.backtest.kernel import account, alone
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells

DAY_MS = 86_400_000


def order_at(slot: int) -> int:
    """Where a slot's order begins."""
    return lay.ORDERS_AT + slot * lay.ORDER


def tell(cells: Cells, kind: int, slot: int, ticks: int, lots: int, base: int, quote: int) -> None:
    """Put an event of a slot's order into the queue that the strategy is told from."""
    row = cells[lay.QUEUED]
    if row >= cells[lay.QUEUE_ROWS]:
        cells[lay.TROUBLE] = lay.NO_ROOM
        return
    at, to = order_at(slot), cells[lay.QUEUE_AT] + row * lay.EVENT_WIDTH
    cells[to] = kind
    cells[to + 1] = slot
    cells[to + 2] = cells[at + lay.LEG]
    cells[to + 3] = cells[at + lay.CYCLE]
    cells[to + 4] = cells[at + lay.SIDE]
    cells[to + 5] = ticks
    cells[to + 6] = lots
    cells[to + 7] = base
    cells[to + 8] = quote
    cells[lay.QUEUED] = row + 1


def tell_market(cells: Cells, kind: int, ticks: int) -> None:
    """Put an event into the queue that is of no order: a price, a time, a bar, the start."""
    row = cells[lay.QUEUED]
    if row >= cells[lay.QUEUE_ROWS]:
        cells[lay.TROUBLE] = lay.NO_ROOM
        return
    to = cells[lay.QUEUE_AT] + row * lay.EVENT_WIDTH
    for field in range(1, lay.EVENT_WIDTH):
        cells[to + field] = 0
    cells[to] = kind
    cells[to + 5] = ticks
    cells[lay.QUEUED] = row + 1


def open_day(cells: Cells) -> None:
    """Begin another day of results, if one has come."""
    if cells[lay.NOW] >= cells[lay.DAY_ENDS]:
        cells[lay.DAY_ENDS] = (cells[lay.NOW] // DAY_MS + 1) * DAY_MS
        cells[lay.DAY_RESULT] = 0
        cells[lay.DAY_TRADES] = 0


def lock(cells: Cells, slot: int, lots: int) -> None:
    """Count so many lots of a slot's order as still to be executed; below zero, as no longer so."""
    at = order_at(slot)
    if cells[at + lay.SIDE] == order.BUY:
        cells[lay.OPEN_BUY] += lots
        cells[lay.LOCKED_QUOTE] += lots * cells[at + lay.LOCKED_TICKS] * cells[lay.TICK_LOT]
    else:
        cells[lay.OPEN_SELL] += lots
    account.expose(cells, at, lots)


def end_order(cells: Cells, slot: int, status: int) -> None:
    """The order will do nothing more; the strategy will be told."""
    at = order_at(slot)
    left = cells[at + lay.LOTS] - cells[at + lay.FILLED]
    if left > 0:
        lock(cells, slot, -left)
    cells[at + lay.STATUS] = status
    cells[lay.OPEN_ORDERS] -= 1
    withdraw(cells, slot)
    tell(cells, events.ORDER_DONE, slot, cells[at + lay.TICKS], cells[at + lay.FILLED], 0, 0)


def rest(cells: Cells, slot: int) -> None:
    """Put an order into the book, where the price will find it."""
    at = order_at(slot)
    side, ticks = cells[at + lay.SIDE], cells[at + lay.TICKS]
    is_stop = cells[at + lay.TYPE] == order.STOP_MARKET
    cells[at + lay.RESTS] = 1
    alone.stand(cells, slot)
    beyond = 1 if cells[lay.FILL_MODEL] == fills.THROUGH and not is_stop else 0
    if (side == order.BUY) == is_stop:
        cells[cells[lay.UPS_AT] + slot] = ticks + beyond
        if step_in(cells, lay.UP_LINE, cells[lay.UPS_AT], slot, 1):
            cells[lay.UP_SLOT] = slot
            cells[lay.UP] = ticks + beyond
    else:
        cells[cells[lay.DOWNS_AT] + slot] = ticks - beyond
        if step_in(cells, lay.DOWN_LINE, cells[lay.DOWNS_AT], slot, -1):
            cells[lay.DOWN_SLOT] = slot
            cells[lay.DOWN] = ticks - beyond


def withdraw(cells: Cells, slot: int) -> None:
    """Take an order out of the book, if it is there."""
    at = order_at(slot)
    if cells[at + lay.RESTS] != 1:
        return
    cells[at + lay.RESTS] = 0
    up = cells[lay.UPS_AT] + slot
    if cells[up] != lay.FAR:
        cells[up] = lay.FAR
        if step_out(cells, lay.UP_LINE, slot):
            find_up(cells)
    else:
        cells[cells[lay.DOWNS_AT] + slot] = 0
        if step_out(cells, lay.DOWN_LINE, slot):
            find_down(cells)


def step_in(cells: Cells, line: int, prices: int, slot: int, sign: int) -> bool:
    """Put a slot into a line: farther from its end than what is nearer to the price, or came before at its price.

    Whether it is the nearest now.
    """
    start, length, far = cells[line], cells[line + 1], sign * cells[prices + slot]
    place = length
    cells[line + 1] = length + 1
    while place > 0 and sign * cells[prices + cells[start + place - 1]] <= far:
        cells[start + place] = cells[start + place - 1]
        place -= 1
    cells[start + place] = slot
    return bool(place == length)


def step_out(cells: Cells, line: int, slot: int) -> bool:
    """Take a slot out of a line; whether it was the last, as most often it is."""
    start, last = cells[line], cells[line + 1] - 1
    place = last
    cells[line + 1] = last
    moved = cells[start + place]
    while moved != slot:
        place -= 1
        cells[start + place], moved = moved, cells[start + place]
    return bool(place == last)


def find_up(cells: Cells) -> None:
    """The nearest resting order above the price."""
    length = cells[lay.UP_LINE + 1]
    slot = cells[cells[lay.UP_LINE] + length - 1] if length > 0 else -1
    cells[lay.UP_SLOT] = slot
    cells[lay.UP] = cells[cells[lay.UPS_AT] + slot] if slot >= 0 else lay.FAR


def find_down(cells: Cells) -> None:
    """The nearest resting order below the price."""
    length = cells[lay.DOWN_LINE + 1]
    slot = cells[cells[lay.DOWN_LINE] + length - 1] if length > 0 else -1
    cells[lay.DOWN_SLOT] = slot
    cells[lay.DOWN] = cells[cells[lay.DOWNS_AT] + slot] if slot >= 0 else 0


def is_refused(cells: Cells, slot: int) -> bool:
    """Whether the venue refuses an order that has arrived: for its size or its worth, or because it would act at once.

    Post-only orders must not take, and stops must not be due already.
    """
    at = order_at(slot)
    last, lots, ticks = cells[lay.LAST], cells[at + lay.LOTS], cells[at + lay.TICKS]
    if lots < cells[lay.MIN_LOTS] or lots > cells[lay.MAX_LOTS]:
        return True
    is_small = lots * (ticks if ticks > 0 else last) * cells[lay.TICK_LOT] < cells[lay.MIN_NOTIONAL]
    if account.refuses(cells, at, is_small):
        return True
    kind, side = cells[at + lay.TYPE], cells[at + lay.SIDE]
    if kind == order.STOP_MARKET:
        return bool(side * (last - ticks) >= 0)
    return kind == order.POST_ONLY and fills.is_marketable(side, ticks, alone.bid(cells), alone.ask(cells))


def takes(cells: Cells, slot: int) -> bool:
    """Whether an order would be executed at once. In the next-bar model limit orders always rest."""
    at = order_at(slot)
    kind = cells[at + lay.TYPE]
    if kind == order.MARKET:
        return True
    if kind != order.LIMIT or cells[lay.BAR_MODEL] == lay.NEXT_BAR:
        return False
    return fills.is_marketable(cells[at + lay.SIDE], cells[at + lay.TICKS], alone.bid(cells), alone.ask(cells))


def arrive(cells: Cells, log: Cells, slot: int) -> None:
    """An order has reached the venue: it is refused, executed, rests, or waits for a price to be executed at."""
    at = order_at(slot)
    leg = cells[at + lay.LEG]
    in_a_row = lay.EXIT_REJECTIONS if leg == order.EXIT or leg == order.FLATTEN else lay.REJECTIONS
    if is_refused(cells, slot):
        cells[in_a_row] += 1
        cells[lay.REFUSALS] += 1
        end_order(cells, slot, order.REJECTED)
        return
    cells[in_a_row] = 0
    moment = cells[lay.MOMENT]
    is_inside = moment == lay.WITHIN and cells[lay.BAR_MODEL] == lay.NEXT_BAR
    if takes(cells, slot):
        if alone.takes(cells, slot):
            cells[at + lay.STATUS] = order.OPEN
            return
        if moment == lay.BETWEEN or is_inside:
            # It is here, and takes from whatever is traded next.
            cells[at + lay.ARRIVES] = cells[lay.NOW] - 1
            wait(cells, slot)
            return
        cells[at + lay.STATUS] = order.OPEN
        worse = cells[lay.SLIPPAGE] * cells[at + lay.SIDE]
        execute(cells, log, slot, cells[lay.LAST] + worse, cells[at + lay.LOTS] - cells[at + lay.FILLED], 0)
        return
    cells[at + lay.STATUS] = order.OPEN
    if is_inside:
        join(cells, slot)
    else:
        rest(cells, slot)


def join(cells: Cells, slot: int) -> None:
    """Let a slot's order rest from the next bar on. A slot whose order has been replaced since stands there already."""
    at = order_at(slot)
    if cells[at + lay.RESTS] != lay.JOINS:
        cells[at + lay.RESTS] = lay.JOINS
        cells[cells[lay.JOINING_AT] + cells[lay.JOINING]] = slot
        cells[lay.JOINING] += 1


def wait(cells: Cells, what: int) -> None:
    """Put an order on its way; a cancellation is -1 less its slot."""
    cells[cells[lay.WAITING_AT] + cells[lay.WAITING]] = what
    cells[lay.WAITING] += 1


def cancel_now(cells: Cells, slot: int) -> None:
    """A cancellation has reached the venue. One that comes too late does nothing."""
    at = order_at(slot)
    if cells[at + lay.STATUS] == order.OPEN and cells[at + lay.CANCEL_ARRIVES] != 0:
        end_order(cells, slot, order.CANCELLED)


def fill_resting(cells: Cells, log: Cells, slot: int) -> None:
    """A resting order is reached: a limit fills at its limit, a stop at the price now."""
    at = order_at(slot)
    left = cells[at + lay.LOTS] - cells[at + lay.FILLED]
    is_stop = cells[at + lay.TYPE] == order.STOP_MARKET
    worse = cells[lay.SLIPPAGE] * cells[at + lay.SIDE]
    execute(cells, log, slot, cells[lay.LAST] + worse if is_stop else cells[at + lay.TICKS], left, 0 if is_stop else 1)


def execute(cells: Cells, log: Cells, slot: int, ticks: int, lots: int, maker: int) -> None:
    """Fill lots of an order at a price: money, position, log, and what the strategy is to hear."""
    at = order_at(slot)
    side, held = cells[at + lay.SIDE], cells[lay.POSITION]
    lots = account.most(cells, at, lots)
    base = side * lots * cells[lay.BASE_PER_LOT]
    value = lots * ticks * cells[lay.TICK_LOT]
    rate = cells[lay.MAKER_PPM] if maker != 0 else cells[lay.TAKER_PPM]
    fee_base, fee_quote = 0, 0
    if cells[lay.FEE_ASSET] == lay.FEE_IN_QUOTE or side != order.BUY:
        fee_quote = fills.fee(value, rate)
    else:
        fee_base = fills.fee(base, rate)
    open_day(cells)
    lock(cells, slot, -lots)
    cells[at + lay.FILLED] += lots
    cells[lay.QUOTE] -= side * value + fee_quote
    cells[lay.BASE] += base - fee_base
    cells[lay.FEE_QUOTE] += fee_quote
    cells[lay.FEE_BASE] += fee_base
    cells[lay.TURNOVER] += value
    cells[lay.MAKER_FILLS] += maker
    earned = count_result(cells, side, base, value, ticks, fee_base, fee_quote)
    account.book(cells, held, base, value, earned)
    log_fill(cells, log, slot, ticks, lots, maker, fee_base, fee_quote, earned)
    tell(cells, events.FILL, slot, ticks, lots, base - fee_base, -side * value - fee_quote)
    if cells[at + lay.FILLED] >= cells[at + lay.LOTS]:
        end_order(cells, slot, order.FILLED)


def count_result(cells: Cells, side: int, base: int, value: int, ticks: int, fee_base: int, fee_quote: int) -> int:
    """Fold a fill into the position and the day's result; gives what it has earned before fees.

    A fee in base counts as a sale of that much at the fill's price and a fee of what it brings, so realised plus
    unrealised less fees is the change of equity to the last unit.
    """
    before = Position(cells[lay.POSITION], cells[lay.COST], cells[lay.REALISED])
    after = position_tracker.trade(before, base, value)
    fee = fee_quote
    if fee_base != 0:
        fee = position_tracker.value_of(fee_base, ticks, cells[lay.TICK_LOT], cells[lay.BASE_PER_LOT])
        after = position_tracker.trade(after, -fee_base, fee)
    if cells[lay.FEE_ASSET] == lay.FEE_IN_QUOTE:
        cells[lay.LAW_COST] = after.cost
    else:
        cells[lay.LAW_COST] = position_tracker.trade(Position(before.lots, cells[lay.LAW_COST], 0), base, value).cost
    earned = after.realised - before.realised
    if before.lots == 0:
        cells[lay.HELD_SINCE] = cells[lay.NOW]
    if after.lots == 0:
        cells[lay.HELD_MS] += cells[lay.NOW] - cells[lay.HELD_SINCE]
    cells[lay.POSITION] = after.lots
    cells[lay.COST] = after.cost
    cells[lay.REALISED] = after.realised
    cells[lay.FEES] += fee
    cells[lay.DAY_RESULT] += earned - fee
    cells[lay.DAY_TRADES] += 1
    if account.closes(before.lots, side):
        count_sale(cells, earned - fee)
    return earned


def count_sale(cells: Cells, result: int) -> None:
    """Count a sale, or what else has closed, as won or lost, after fees."""
    if result < 0:
        cells[lay.LOSSES_IN_A_ROW] += 1
        cells[lay.LAST_LOSS] = cells[lay.NOW]
        cells[lay.LOSSES] += 1
        cells[lay.LOST] -= result
    else:
        cells[lay.LOSSES_IN_A_ROW] = 0
        cells[lay.WINS] += 1
        cells[lay.GAINED] += result


def log_fill(
    cells: Cells, log: Cells, slot: int, ticks: int, lots: int, maker: int, fee_base: int, fee_quote: int, earned: int
) -> None:
    """Write a row of the log of fills, if one is kept."""
    row = cells[lay.FILLS]
    cells[lay.FILLS] = row + 1
    if row >= cells[lay.FILL_ROOM]:
        if cells[lay.FILL_ROOM] > 0:
            cells[lay.TROUBLE] = lay.NO_ROOM
        return
    at, to = order_at(slot), row * lay.FILL_WIDTH
    log[to] = cells[lay.NOW]
    log[to + 1] = slot
    log[to + 2] = cells[at + lay.CYCLE]
    log[to + 3] = cells[at + lay.LEG]
    log[to + 4] = cells[at + lay.ATTEMPT]
    log[to + 5] = cells[at + lay.SIDE]
    log[to + 6] = ticks
    log[to + 7] = lots
    log[to + 8] = fee_base + fee_quote
    log[to + 9] = 1 if fee_base != 0 else 0
    log[to + 10] = maker
    log[to + 11] = cells[at + lay.REASON]
    log[to + 12] = earned
    log[to + 13] = cells[lay.QUOTE]
    log[to + 14] = cells[lay.BASE]
