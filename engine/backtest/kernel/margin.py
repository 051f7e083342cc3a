"""A futures account: isolated margin on one symbol, one position either way, and the last price as the mark.

Money moves as on spot: what is bought costs its whole worth and what is sold short brings it, so the quote may be far
below zero. The wallet is the quote and the cost of the position together; a part of it, the margin, backs the
position, and the rest of the wallet never pays for what the position loses at its liquidation.
"""

from __future__ import annotations

from domain import fills, order
from domain.position_tracker import share
from domain.proportion import scaled
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel import venue
from engine.backtest.kernel.layout import Cells


def reduces(cells: Cells, at: int) -> bool:
    """Whether an order may only make the position smaller."""
    leg: int = cells[at + lay.LEG]
    return leg == order.EXIT or leg == order.STOP or leg == order.FLATTEN


def expose(cells: Cells, at: int, lots: int) -> None:
    """So many lots more of the order that begins at `at` may be executed: what may open something wants margin."""
    if reduces(cells, at):
        return
    worth = lots * cells[at + lay.LOCKED_TICKS] * cells[lay.TICK_LOT]
    cells[lay.BIDS if cells[at + lay.SIDE] == order.BUY else lay.ASKS] += worth


def refuses(cells: Cells, at: int, is_small: bool) -> bool:
    """Whether the venue refuses an order: nothing to reduce, too small to open, too large a position, or no margin."""
    side = cells[at + lay.SIDE]
    if reduces(cells, at):
        return not closes(cells[lay.POSITION], side)
    if is_small:
        return True
    held = cells[lay.POSITION] // cells[lay.BASE_PER_LOT] * cells[lay.LAST] * cells[lay.TICK_LOT]
    bids, asks, left = cells[lay.BIDS], cells[lay.ASKS], cells[at + lay.LOTS] - cells[at + lay.FILLED]
    worth = left * cells[at + lay.LOCKED_TICKS] * cells[lay.TICK_LOT]
    largest = max(abs(held), abs(held + bids), abs(held - asks))
    bids, asks = (bids - worth, asks) if side == order.BUY else (bids, asks - worth)
    if largest <= max(abs(held), abs(held + bids), abs(held - asks)):
        return False
    loss = max(side * (worth - left * cells[lay.LAST] * cells[lay.TICK_LOT]), 0)
    tied = initial(cells, largest) - initial(cells, abs(held))
    return bool(largest > cells[lay.LARGEST_NOTIONAL] or tied + loss > wallet(cells) - cells[lay.MARGIN])


def initial(cells: Cells, notional: int) -> int:
    """The margin that opens so much, rounded up."""
    margin: int = -(-notional // cells[lay.LEVERAGE])
    return margin


def wallet(cells: Cells) -> int:
    """What was put in, earned and paid: the equity without the profit of what is held."""
    owned: int = cells[lay.QUOTE] + cells[lay.COST]
    return owned


def most(cells: Cells, at: int, lots: int) -> int:
    """How many of an order's lots may be executed: one that reduces does not open the other side."""
    if not reduces(cells, at):
        return lots
    held: int = abs(cells[lay.POSITION]) // cells[lay.BASE_PER_LOT]
    return min(lots, held)


def closes(held: int, side: int) -> bool:
    """Whether an execution closes something, so that it has won or lost."""
    return held > 0 if side == order.SELL else held < 0


def book(cells: Cells, held: int, base: int, value: int, earned: int) -> None:
    """An execution of so many base quanta is booked; `held` is the position before it.

    What it has earned goes through the margin. A part that closes frees its share of the margin with its profit, or
    less its loss; a loss beyond the share stays with the rest of the position. What opens takes margin, if it is there.
    """
    before, opened = cells[lay.MARGIN], value
    margin = before + earned
    if held != 0 and (held > 0) != (base > 0):
        closed = min(abs(held), abs(base))
        opened = value - share(value, closed, abs(base))
        if closed == abs(held):
            margin = 0
            cells[lay.UNTIDY] = 1
        else:
            margin -= max(min(share(before, closed, abs(held)) + earned, margin), 0)
    if opened > 0:
        margin += min(initial(cells, opened), max(wallet(cells) - margin, 0))
    cells[lay.MARGIN] = margin
    find_liquidation(cells)


def tidy(cells: Cells) -> None:
    """What rests for nothing goes: orders that could only reduce a position that is not there."""
    if cells[lay.UNTIDY] == 0:
        return
    cells[lay.UNTIDY] = 0
    for slot in range(cells[lay.SLOTS]):
        at = venue.order_at(slot)
        is_open = cells[at + lay.STATUS] == order.OPEN
        if is_open and reduces(cells, at) and not closes(cells[lay.POSITION], cells[at + lay.SIDE]):
            venue.end_order(cells, slot, order.EXPIRED)


def fund(cells: Cells, log: Cells) -> None:
    """Pay and receive what is due by now, at the price now where the history of rates names none."""
    now = cells[lay.NOW]
    while is_waiting(cells, now):
        at = cells[lay.FUNDINGS_AT] + cells[lay.NEXT_FUNDING] * lay.FUNDING_WIDTH
        cells[lay.NEXT_FUNDING] += 1
        if cells[lay.POSITION] != 0:
            cells[lay.NOW] = cells[at]
            pay_funding(cells, log, cells[at], cells[at + 1], cells[at + 2])
            if reaches(cells, cells[lay.LAST]):
                liquidate(cells, log)
            cells[lay.NOW] = now


def pay_funding(cells: Cells, log: Cells, time_ms: int, rate: int, per_lot: int) -> None:
    """Longs pay shorts where the rate is above zero; rounded towards zero."""
    lots = abs(cells[lay.POSITION]) // cells[lay.BASE_PER_LOT]
    worth = lots * (per_lot if per_lot > 0 else cells[lay.LAST] * cells[lay.TICK_LOT])
    amount = scaled(worth, abs(rate), lay.RATE_PARTS)
    if (cells[lay.POSITION] > 0) == (rate > 0):
        amount = -amount
    venue.open_day(cells)
    cells[lay.QUOTE] += amount
    cells[lay.MARGIN] += amount
    cells[lay.FUNDING] += amount
    cells[lay.DAY_RESULT] += amount
    cells[lay.FUNDINGS] += 1
    write(cells, log, time_ms, lay.OF_FUNDING, order.BUY if cells[lay.POSITION] > 0 else order.SELL, 0, lots, 0, amount)
    find_liquidation(cells)


def is_waiting(cells: Cells, until_ms: int) -> bool:
    """Whether a funding happens until then."""
    place = cells[lay.NEXT_FUNDING]
    if place >= cells[lay.FUNDINGS_KNOWN]:
        return False
    return bool(cells[cells[lay.FUNDINGS_AT] + place * lay.FUNDING_WIDTH] <= until_ms)


def is_due(cells: Cells, until_ms: int) -> bool:
    """Whether something is to be paid or received until then."""
    return cells[lay.POSITION] != 0 and is_waiting(cells, until_ms)


def sooner(cells: Cells, wake_ms: int) -> int:
    """When something happens next, 0 for never: the strategy wakes, or funding is due."""
    if cells[lay.POSITION] == 0 or cells[lay.NEXT_FUNDING] >= cells[lay.FUNDINGS_KNOWN]:
        return wake_ms
    due: int = cells[cells[lay.FUNDINGS_AT] + cells[lay.NEXT_FUNDING] * lay.FUNDING_WIDTH]
    return due if wake_ms <= 0 else min(due, wake_ms)


def above(cells: Cells) -> int:
    """The price above at which the position is liquidated."""
    ticks: int = cells[lay.LIQUIDATED_ABOVE]
    return ticks


def below(cells: Cells) -> int:
    """The price below at which the position is liquidated."""
    ticks: int = cells[lay.LIQUIDATED_BELOW]
    return ticks


def maintenance(cells: Cells, notional: int) -> int:
    """The margin that a position of this worth must keep, rounded up."""
    at = cells[lay.TIERS_AT]
    last = at + (cells[lay.TIERS] - 1) * lay.TIER_WIDTH
    while at < last and notional > cells[at]:
        at += lay.TIER_WIDTH
    return fills.fee(notional, cells[at + 1]) - cells[at + 2]  # type: ignore[no-any-return]


def is_short_of_margin(cells: Cells, ticks: int) -> bool:
    """Whether a position would be liquidated at a price: what backs it is no more than it must keep."""
    worth = cells[lay.POSITION] // cells[lay.BASE_PER_LOT] * ticks * cells[lay.TICK_LOT]
    return bool(cells[lay.MARGIN] + worth - cells[lay.COST] <= maintenance(cells, abs(worth)))


def find_liquidation(cells: Cells) -> None:
    """The price nearest to profit at which the position would be liquidated; what backs it rises with every tick."""
    cells[lay.LIQUIDATED_ABOVE] = lay.FAR
    cells[lay.LIQUIDATED_BELOW] = 0
    if cells[lay.POSITION] == 0:
        return
    is_long = cells[lay.POSITION] > 0
    low, high = 0, cells[lay.TOP_TICKS] + 1
    while high - low > 1:
        middle = (low + high) // 2
        if is_short_of_margin(cells, middle) == is_long:
            low = middle
        else:
            high = middle
    if is_long:
        cells[lay.LIQUIDATED_BELOW] = low
    elif high <= cells[lay.TOP_TICKS]:
        cells[lay.LIQUIDATED_ABOVE] = high


def reaches(cells: Cells, ticks: int) -> bool:
    """Whether the position is liquidated at a price."""
    return bool(ticks >= cells[lay.LIQUIDATED_ABOVE] or ticks <= cells[lay.LIQUIDATED_BELOW])


def before_end(cells: Cells, ticks: int) -> int:
    """The slot of an order that is executed before a leap to this price liquidates; -1 for none.

    The venue lets a trade meet what rests, the nearest first, and looks at margins then; stops come last.
    """
    found, best = -1, 0
    if not reaches(cells, ticks):
        return found
    for slot in range(cells[lay.SLOTS]):
        if cells[venue.order_at(slot) + lay.TYPE] == order.STOP_MARKET:
            continue
        beyond = max(ticks - cells[cells[lay.UPS_AT] + slot], cells[cells[lay.DOWNS_AT] + slot] - ticks)
        if beyond >= best and (found < 0 or beyond > best):
            found, best = slot, beyond
    return found


def ends(cells: Cells, log: Cells, up: int, down: int, target: int, is_jump: bool) -> bool:
    """Liquidate, if that is what the price meets first on its way to the target; in a jump it is there already."""
    rise, fall, last = cells[lay.LIQUIDATED_ABOVE], cells[lay.LIQUIDATED_BELOW], cells[lay.LAST]
    if target >= last and rise <= target and (is_jump or rise <= up):
        cells[lay.LAST] = max(rise, last)
    elif target <= last and fall >= target and (is_jump or fall >= down):
        cells[lay.LAST] = min(fall, last)
    else:
        return False
    liquidate(cells, log)
    return True


def liquidate(cells: Cells, log: Cells) -> None:
    """Close the position at the price now, or where nothing is left of its margin, and take the fee from the rest."""
    held, margin, cost = cells[lay.POSITION], cells[lay.MARGIN], cells[lay.COST]
    lots, side = abs(held) // cells[lay.BASE_PER_LOT], order.SELL if held > 0 else order.BUY
    per_tick = lots * cells[lay.TICK_LOT]
    ruin = -((margin - cost) // per_tick) if held > 0 else (margin - cost) // per_tick
    ticks = max(cells[lay.LAST], ruin) if held > 0 else min(cells[lay.LAST], ruin)
    value = ticks * per_tick
    fee = max(min(fills.fee(value, cells[lay.LIQUIDATION_PPM]), margin - side * value - cost), 0)
    venue.open_day(cells)
    cells[lay.QUOTE] -= side * value + fee
    cells[lay.BASE] -= held
    cells[lay.FEE_QUOTE] += fee
    cells[lay.LIQUIDATION_FEE] = fee
    cells[lay.TURNOVER] += value
    cells[lay.LIQUIDATED_MS] = cells[lay.NOW]
    earned = venue.count_result(cells, side, -held, value, ticks, 0, fee)
    cells[lay.MARGIN] = 0
    find_liquidation(cells)
    write(cells, log, cells[lay.NOW], lay.OF_LIQUIDATION, side, ticks, lots, fee, earned)


def left_over(cells: Cells) -> int:
    """Above 0 when there is something to tidy up, or it is over."""
    left: int = cells[lay.UNTIDY] + cells[lay.LIQUIDATED_MS]
    return left


def is_over(cells: Cells) -> bool:
    """Whether the venue has ended it: live, a person has to look."""
    return bool(cells[lay.LIQUIDATED_MS] != 0)


def write(
    cells: Cells, log: Cells, time_ms: int, slot: int, side: int, ticks: int, lots: int, fee: int, earned: int
) -> None:
    """Write a row of the log of fills that belongs to no order, if one is kept."""
    row = cells[lay.FILLS]
    cells[lay.FILLS] = row + 1
    if row >= cells[lay.FILL_ROOM]:
        if cells[lay.FILL_ROOM] > 0:
            cells[lay.TROUBLE] = lay.NO_ROOM
        return
    to = row * lay.FILL_WIDTH
    for field in range(lay.FILL_WIDTH):
        log[to + field] = 0
    log[to] = time_ms
    log[to + 1] = slot
    log[to + 3] = order.FLATTEN
    log[to + 5] = side
    log[to + 6] = ticks
    log[to + 7] = lots
    log[to + 8] = fee
    log[to + 12] = earned
    log[to + 13] = cells[lay.QUOTE]
    log[to + 14] = cells[lay.BASE]
