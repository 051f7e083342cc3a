"""The market moves until the strategy has something to hear.

A bar is its open, then the nearer extreme, the other extreme, its close; a tie goes to the low first. Between two of
these points the price passes through every tick. At the open it jumps: what lies between the last close and the open
fills at its own limit, as a resting order does. A bar in which nothing can happen costs a look at its high and its low.
"""

from __future__ import annotations

from domain import events, order, slots
from engine.backtest.kernel import account, equity, lanes, venue, wishes
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells, Tape

# Stages of a bar; between its points they are odd.
NEXT = 0
JUMP = 1
OPENED = 2
FIRST = 3
AT_FIRST = 4
SECOND = 5
AT_SECOND = 6
LAST_LEG = 7
CLOSED = 8
SHOWN = 9


def advance(
    cells: Cells, state: Cells, log: Cells, out: Cells, gauge: Cells, times: Cells, bars: Cells, closes: Cells,
    marks: Cells, tape: Tape, end: int,
) -> bool:  # fmt: skip
    """Carry out what is wished, then let the market move until there is something to tell; False when it is over.

    It is over at the bar `end`, on trouble, and when the log is nearly full: then it goes on with a longer one. There
    is no tape here.
    """
    while True:
        if account.is_over(cells):
            equity.measure(cells, gauge, cells[lay.LAST])
            cells[lay.PLACE] = end
            return False
        account.tidy(cells)
        wishes.settle(cells, state, log, out)
        if cells[lay.QUEUED] > 0:
            cells[lay.STEPS] += 1
            if cells[lay.STEPS] > lay.MOST_STEPS:
                cells[lay.TROUBLE] = lay.ENDLESS
            return bool(cells[lay.TROUBLE] == lay.FINE)
        is_going = True
        while is_going:
            if cells[lay.STAGE] == NEXT:
                if cells[lay.WANTS_BARS] == 0 and cells[lay.WAITING] == 0 and cells[lay.HELD_BACK_SLOTS] == 0:
                    pass_over(cells, state, gauge, times, bars, end)
                if cells[lay.PLACE] >= end or cells[lay.TROUBLE] != lay.FINE or not has_room(cells):
                    return False
            place = cells[lay.PLACE]
            at = lanes.bar_at(cells, place)
            column = cells[lay.COLUMN]
            low, high = lanes.price(bars, at), lanes.price(bars, at + column)
            close, opened = lanes.price(bars, at + 2 * column), lanes.price(bars, at + 3 * column)
            go_on(cells, state, log, gauge, opens_at(cells, times, place), opened, high, low, close)
            is_going = not has_work(cells)


def opens_at(cells: Cells, times: Cells, place: int) -> int:
    """When a bar opens. Where none is missing that is known without looking."""
    time: int = times[place] if cells[lay.IS_EVEN] == 0 else cells[lay.FIRST_MS] + place * cells[lay.BAR_MS]
    return time


def has_work(cells: Cells) -> bool:
    """Whether something is to be told, sent, tried again or tidied up before the market moves on."""
    waiting = cells[lay.QUEUED] + cells[lay.SENDS] + cells[lay.CANCELS] + cells[lay.HELD_BACK_SLOTS]
    return bool(waiting + account.left_over(cells) > 0)


def go_on(
    cells: Cells, state: Cells, log: Cells, gauge: Cells, start: int, opened: int, high: int, low: int, close: int
) -> None:
    """The stages of a bar one after the other, until there is something to be told or done, or it is over."""
    if cells[lay.STAGE] == NEXT:
        if rings_before(cells, state, log, start):
            return
        begin_bar(cells, log, start, opened)
        if has_work(cells):
            return
    can_leap = is_calm(cells, state, start)
    while cells[lay.STAGE] < CLOSED:
        if can_leap:
            leap(cells, state, log, start, opened, high, low, close)
        if cells[lay.STAGE] != CLOSED:
            move(cells, state, log, start, opened, high, low, close)
        if has_work(cells):
            return
    if cells[lay.STAGE] == CLOSED:
        end_bar(cells, state, log, start)
        if has_work(cells):
            return
    leave_bar(cells, gauge, close)


def move(cells: Cells, state: Cells, log: Cells, start: int, opened: int, high: int, low: int, close: int) -> None:
    """One stage: along a leg to the next thing that is met, or on from a point."""
    stage = cells[lay.STAGE]
    if stage & 1:
        near, far = (low, high) if opened - low <= high - opened else (high, low)
        target = near if stage == FIRST else far
        walk(cells, state, log, opened if stage == JUMP else close if stage == LAST_LEG else target)
    else:
        at_point(cells, state, log)
        leave_point(cells, state, stage, start, high, low, close)


def is_calm(cells: Cells, state: Cells, start: int) -> bool:
    """Whether nothing is on its way, held back, timed or due within a bar."""
    waits = cells[lay.WAITING] + cells[lay.HELD_BACK_SLOTS] > 0 or state[slots.WAKE_MS] > 0
    return not waits and not account.is_due(cells, start + cells[lay.BAR_MS])


def leap(cells: Cells, state: Cells, log: Cells, start: int, opened: int, high: int, low: int, close: int) -> None:
    """Where nothing waits for a time, the market leaps to the close if nothing is met before, or over the first leg.

    So it does from the open, where the price lies between the two that something happens at.
    """
    if closes_unmet(cells, state, high, low, close):
        return
    up, down = up_trigger(cells, state), down_trigger(cells, state)
    if cells[lay.STAGE] > OPENED or not down < cells[lay.LAST] < up:
        return
    is_low_first = opened - low <= high - opened
    is_met_first = down >= low if is_low_first else up <= high
    third = cells[lay.THIRD_MS]
    cells[lay.NOW] = start + third
    cells[lay.STAGE] = FIRST
    cells[lay.MOMENT] = lay.WITHIN
    if not is_met_first:
        cells[lay.LAST] = low if is_low_first else high
        # Who holds nothing has no part in a funding of the first leg, whatever is bought on the second.
        account.fund(cells, log)
        cells[lay.NOW] += third
        cells[lay.STAGE] = SECOND


def closes_unmet(cells: Cells, state: Cells, high: int, low: int, close: int) -> bool:
    """Go to the close if nothing is met in the whole bar; whether that is so."""
    if up_trigger(cells, state) <= high or down_trigger(cells, state) >= low:
        return False
    cells[lay.STAGE] = CLOSED
    cells[lay.LAST] = close
    return True


def leave_point(cells: Cells, state: Cells, stage: int, start: int, high: int, low: int, close: int) -> None:
    """The market moves on from a point of the bar: to the next, or from the open to the close if nothing is met."""
    is_quiet = cells[lay.QUEUED] == 0 and cells[lay.WAITING] == 0 and stage == OPENED
    is_quiet = is_quiet and not account.is_due(cells, start + cells[lay.BAR_MS])
    if is_quiet and closes_unmet(cells, state, high, low, close):
        return
    third = cells[lay.THIRD_MS]
    cells[lay.NOW] = start + third if stage == OPENED else cells[lay.NOW] + third
    cells[lay.MOMENT] = lay.WITHIN


def rings_before(cells: Cells, state: Cells, log: Cells, start: int) -> bool:
    """Whether a timer rings before the next bar opens: bars may be apart, as trades are, and the price stands still."""
    wake = state[slots.WAKE_MS]
    if not cells[lay.NOW] < wake < start:
        return False
    cells[lay.NOW] = wake
    cells[lay.MOMENT] = lay.BETWEEN
    account.fund(cells, log)
    if not account.is_over(cells):
        ring(cells, state)
    return True


def begin_bar(cells: Cells, log: Cells, start: int, opened: int) -> None:
    """Levels may fire again."""
    cells[lay.STEPS] = 0
    cells[lay.UP_WOKEN] = -1
    cells[lay.DOWN_WOKEN] = -1
    cells[lay.NOW] = start
    cells[lay.MOMENT] = lay.AT_OPEN
    account.fund(cells, log)
    cells[lay.LAST] = opened
    cells[lay.STAGE] = JUMP if cells[lay.BAR_MODEL] == lay.PATH else OPENED


def up_trigger(cells: Cells, state: Cells) -> int:
    """The nearest price above at which something happens."""
    nearest: int = min(cells[lay.UP], account.above(cells))
    wake = state[slots.WAKE_ABOVE]
    return min(nearest, wake) if wake > 0 and cells[lay.UP_WOKEN] != wake else nearest


def down_trigger(cells: Cells, state: Cells) -> int:
    """The nearest price below at which something happens; 0 is none."""
    nearest: int = max(cells[lay.DOWN], account.below(cells))
    wake = state[slots.WAKE_BELOW]
    return max(nearest, wake) if wake > 0 and cells[lay.DOWN_WOKEN] != wake else nearest


def walk(cells: Cells, state: Cells, log: Cells, target: int) -> None:
    """The price goes there through every tick: to the next thing that it meets, or to the end of the stage.

    At the open it is there already, and meets what it has jumped over.
    """
    first = account.before_end(cells, target) if cells[lay.STAGE] == JUMP else -1
    if first >= 0:
        venue.fill_resting(cells, log, first)
        return
    up, down, last = up_trigger(cells, state), down_trigger(cells, state), cells[lay.LAST]
    if account.ends(cells, log, up, down, target, cells[lay.STAGE] == JUMP):
        return
    if target >= last and up <= target:
        cells[lay.LAST] = max(up, last)
        is_order, slot = cells[lay.UP] <= up, cells[lay.UP_SLOT]
        cells[lay.UP_WOKEN] = cells[lay.UP_WOKEN] if is_order else state[slots.WAKE_ABOVE]
    elif target <= last and down >= target:
        cells[lay.LAST] = min(down, last)
        is_order, slot = cells[lay.DOWN] >= down, cells[lay.DOWN_SLOT]
        cells[lay.DOWN_WOKEN] = cells[lay.DOWN_WOKEN] if is_order else state[slots.WAKE_BELOW]
    else:
        cells[lay.LAST] = target
        cells[lay.STAGE] += 1
        return
    if is_order:
        venue.fill_resting(cells, log, slot)
    else:
        venue.tell_market(cells, events.PRICE, cells[lay.LAST])


def at_point(cells: Cells, state: Cells, log: Cells) -> None:
    """A moment at which the price is known: what is on its way arrives, timers ring."""
    cells[lay.STAGE] += 1
    account.fund(cells, log)
    if account.is_over(cells):
        return
    if cells[lay.WAITING] > 0:
        wishes.arrivals(cells, state, log, cells[lay.NOW])
    ring(cells, state)


def ring(cells: Cells, state: Cells) -> None:
    """Wake the strategy if its time has come."""
    if 0 < state[slots.WAKE_MS] <= cells[lay.NOW]:
        venue.tell_market(cells, events.TIMER, 0)


def end_bar(cells: Cells, state: Cells, log: Cells, start: int) -> None:
    """The close: orders of this bar begin to rest, timers ring, the strategy sees the bar."""
    cells[lay.STAGE] = SHOWN
    cells[lay.MOMENT] = lay.BETWEEN
    cells[lay.NOW] = start + cells[lay.BAR_MS]
    account.fund(cells, log)
    for place in range(cells[lay.JOINING]):
        slot = cells[cells[lay.JOINING_AT] + place]
        cells[venue.order_at(slot) + lay.RESTS] = 0
        if cells[venue.order_at(slot) + lay.STATUS] == order.OPEN:
            venue.rest(cells, slot)
    cells[lay.JOINING] = 0
    ring(cells, state)
    if cells[lay.WANTS_BARS] != 0:
        venue.tell_market(cells, events.BAR, 0)


def leave_bar(cells: Cells, gauge: Cells, close: int) -> None:
    """The bar is over: its close goes into the result, and the next one begins."""
    equity.measure(cells, gauge, close)
    cells[lay.PLACE] += 1
    cells[lay.STAGE] = NEXT


def is_quiet(cells: Cells) -> bool:
    """Whether no order rests, waits or is to be sent, and nothing is to be told."""
    busy = cells[lay.OPEN_ORDERS] + cells[lay.HELD_BACK_SLOTS] + cells[lay.SENDS] + cells[lay.CANCELS]
    return bool(busy + cells[lay.WAITING] + cells[lay.QUEUED] == 0)


def is_undisturbed(cells: Cells, state: Cells) -> bool:
    """Whether neither the account nor the strategy waits for a level or a time."""
    is_calm = account.above(cells) >= lay.FAR and account.below(cells) <= 0 and not account.is_due(cells, lay.FAR)
    return bool(is_calm and state[slots.WAKE_MS] <= 0 and state[slots.WAKE_ABOVE] <= 0 and state[slots.WAKE_BELOW] <= 0)


def may_wake(cells: Cells, state: Cells, now: int, high: int, low: int) -> bool:
    """Whether something is to happen within a bar that ends now, by a level or by the time."""
    if account.above(cells) <= high or account.below(cells) >= low or account.is_due(cells, now):
        return True
    if 0 < state[slots.WAKE_MS] <= now or low <= state[slots.WAKE_BELOW]:
        return True
    return bool(0 < state[slots.WAKE_ABOVE] <= high)


def pass_over(cells: Cells, state: Cells, gauge: Cells, times: Cells, bars: Cells, end: int) -> None:
    """Pass over bars in which nothing happens, taking their closes into the result."""
    cells[lay.UP_WOKEN] = -1
    cells[lay.DOWN_WOKEN] = -1
    up, down = up_trigger(cells, state), down_trigger(cells, state)
    first = cells[lay.PLACE]
    until = first_bar_at(times, first, end, account.sooner(cells, state[slots.WAKE_MS]), cells[lay.BAR_MS])
    if first >= until:
        return
    place = equity.pass_over(cells, gauge, bars, until, down, up)
    # What comes after this bar is looked at when it is over; until then it can be on its way.
    lanes.fetch(bars, lanes.bar_at(cells, place))
    cells[lay.PLACE] = place
    # The next bar tells its own time.
    if place > first:
        cells[lay.LAST] = lanes.price(bars, lanes.bar_at(cells, place - 1) + 2 * cells[lay.COLUMN])
    if place > first and place >= end:
        cells[lay.NOW] = opens_at(cells, times, place - 1) + cells[lay.BAR_MS]


def first_bar_at(times: Cells, begin: int, end: int, wake_ms: int, bar_ms: int) -> int:
    """The first bar that has not closed before a moment; `end` when there is none or nothing is waited for."""
    if wake_ms <= 0:
        return end
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if times[middle] + bar_ms < wake_ms:
            low = middle + 1
        else:
            high = middle
    return low


def has_room(cells: Cells) -> bool:
    """Whether the log has room for a busy bar."""
    fills, orders = cells[lay.FILL_ROOM], cells[lay.ORDER_ROOM]
    if fills > 0 and cells[lay.FILLS] + lay.SPARE_ROWS > fills:
        return False
    return not (orders > 0 and cells[lay.ORDERS] + lay.SPARE_ROWS > orders)
