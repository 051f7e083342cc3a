"""From wishes to orders: the law of slots says what to do, the risk rules vet it, the venue gets it."""

from __future__ import annotations

from core.base_strategy import OUT_PAIRS
from domain import nearest, order, slots
from domain.events import View
from domain.risk_manager import RiskIntent, RiskLimits, RiskView
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel import venue
from engine.backtest.kernel.layout import Cells


def check(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> int:
    """`domain.risk_manager.check`; in compiled copies the same rules, one after the other."""
    raise NotImplementedError


def view_of(cells: Cells) -> View:
    """The snapshot that a decision reads."""
    return View(
        cells[lay.NOW],
        cells[lay.LAST],
        cells[lay.TICK_LOT],
        cells[lay.BASE_PER_LOT],
        cells[lay.MIN_NOTIONAL],
        cells[lay.MIN_LOTS],
        cells[lay.MAX_LOTS],
        cells[lay.QUOTE] - cells[lay.LOCKED_QUOTE],
        cells[lay.BASE] - cells[lay.OPEN_SELL] * cells[lay.BASE_PER_LOT],
        cells[lay.IS_MARGIN],
    )


def limits_of(cells: Cells) -> RiskLimits:
    """The risk limits of the instance."""
    at = lay.LIMITS
    return RiskLimits(
        cells[at], cells[at + 1], cells[at + 2], cells[at + 3], cells[at + 4], cells[at + 5], cells[at + 6],
        cells[at + 7], cells[at + 8], cells[at + 9], cells[at + 10], cells[at + 11], cells[at + 12], cells[at + 13],
        cells[at + 14], cells[at + 15],
    )  # fmt: skip


def risk_view_of(cells: Cells, state: Cells, limits: RiskLimits) -> RiskView:
    """The snapshot that the risk rules read."""
    per_lot = cells[lay.BASE_PER_LOT]
    return RiskView(
        cells[lay.NOW],
        cells[lay.LAST],
        0,
        cells[lay.TICK_LOT],
        cells[lay.POSITION] // per_lot,
        cells[lay.OPEN_BUY],
        cells[lay.OPEN_SELL],
        cells[lay.OPEN_ORDERS],
        count_positions(cells, state) if limits.max_positions > 0 else 0,
        cells[lay.DAY_RESULT],
        cells[lay.DAY_TRADES],
        cells[lay.LOSSES_IN_A_ROW],
        cells[lay.LAST_LOSS],
        messages_of(cells),
        cells[lay.REJECTIONS],
        max(cells[lay.LAW_COST], 0) + cells[lay.LOCKED_QUOTE],
        cells[lay.QUOTE] - cells[lay.LOCKED_QUOTE],
        cells[lay.BASE] // per_lot - cells[lay.OPEN_SELL],
        cells[lay.IS_MARGIN],
        0,
        cells[lay.EXIT_REJECTIONS],
    )


def few_limits_of(cells: Cells) -> RiskLimits:
    """The limits where the others are off: `RiskLimits.are_few`."""
    at = lay.LIMITS
    return RiskLimits(0, 0, 0, 0, 0, 0, cells[at + 6], cells[at + 7], 0, 0, 0, 0, cells[at + 12], cells[at + 13], 0, 1)


def few_of(cells: Cells, intent: RiskIntent) -> RiskView:
    """What of the snapshot the rules read where the other limits are off."""
    free = cells[lay.BASE] // cells[lay.BASE_PER_LOT] - cells[lay.OPEN_SELL] if intent.side == order.SELL else 0
    return RiskView(
        cells[lay.NOW], cells[lay.LAST], 0, cells[lay.TICK_LOT], 0, 0, 0, 0, 0, 0, 0, 0, 0, messages_of(cells),
        cells[lay.REJECTIONS], 0, cells[lay.QUOTE] - cells[lay.LOCKED_QUOTE], free, cells[lay.IS_MARGIN], 0,
        cells[lay.EXIT_REJECTIONS],
    )  # fmt: skip


def messages_of(cells: Cells) -> int:
    """Requests of the last second as far as it matters: all that are allowed, which the ring holds, or none."""
    size: int = cells[lay.RING_SIZE]
    is_busy = size > 0 and cells[cells[lay.RING_START] + cells[lay.RING_AT]] > cells[lay.NOW] - 1_000
    return size if is_busy else 0


def count_positions(cells: Cells, state: Cells) -> int:
    """Slots that hold a position, or an entry that may still become one."""
    count = 0
    for slot in range(cells[lay.SLOTS]):
        at = venue.order_at(slot)
        lives = is_alive(cells[at + lay.STATUS]) and cells[at + lay.LEG] == order.ENTRY
        if lives or state[slots.HEADER + slot * slots.WIDTH + slots.HELD] != 0:
            count += 1
    return count


def is_alive(status: int) -> bool:
    """Whether an order is on its way or at the venue."""
    return status == order.PENDING or status == order.OPEN


def act_of(cells: Cells, state: Cells, slot: int) -> int:
    """What the law of slots says of a slot."""
    wish, at = slots.HEADER + slot * slots.WIDTH, venue.order_at(slot)
    status = cells[at + lay.STATUS]
    is_same = (
        status != lay.NO_ORDER
        and state[wish + slots.WISH_SIDE] == cells[at + lay.SIDE]
        and state[wish + slots.WISH_TYPE] == cells[at + lay.TYPE]
        and state[wish + slots.WISH_TICKS] == cells[at + lay.TICKS]
        and state[wish + slots.WISH_LOTS] == cells[at + lay.LOTS]
        and state[wish + slots.CYCLE] == cells[at + lay.CYCLE]
        and state[wish + slots.WISH_LEG] == cells[at + lay.LEG]
    )
    side, is_done = state[wish + slots.WISH_SIDE], not is_alive(status)
    return slots.act_on(side, is_same, status, is_done, cells[at + lay.FILLED], cells[at + lay.LOTS])


def consider(cells: Cells, state: Cells, log: Cells, out: Cells, count: int, done_slot: int) -> None:
    """Look at every slot whose wish has changed: cancels first, then orders by their distance from the price.

    A slot that changed twice counts where it first stood, with its last reason. The slot of an order that has ended
    (`done_slot`, -1 for none) is looked at even when no wish changed.
    """
    kept = count
    if count != 1 or 0 <= done_slot != out[0]:
        kept = 0
        for place in range(count):
            kept = keep(out, kept, out[2 * place], out[2 * place + 1], True)
        if done_slot >= 0:
            kept = keep(out, kept, done_slot, 0, False)
    places = 0
    for place in range(kept):
        action = act_of(cells, state, out[2 * place])
        if action == slots.CANCEL:
            send_cancel(cells, log, out[2 * place])
        elif action == slots.PLACE:
            out[2 * places] = out[2 * place]
            out[2 * places + 1] = out[2 * place + 1]
            places += 1
    vet_nearest_first(cells, state, log, out, places)


def keep(out: Cells, kept: int, slot: int, reason: int, is_change: bool) -> int:
    """Add a slot to the first `kept` of `out`, or give it another reason; gives how many there are."""
    for place in range(kept):
        if out[2 * place] == slot:
            if is_change:
                out[2 * place + 1] = reason
            return kept
    if kept < OUT_PAIRS:
        out[2 * kept] = slot
        out[2 * kept + 1] = reason
        return kept + 1
    return kept


def vet_nearest_first(cells: Cells, state: Cells, log: Cells, out: Cells, count: int) -> None:
    """Vet the slots in `out` by their distance from the price; equals in the order they stand."""
    last = cells[lay.LAST]
    for place in range(1, count):
        slot, reason = out[2 * place], out[2 * place + 1]
        far = nearest.distance(wished_ticks(state, slot), last)
        to = place
        while to > 0 and nearest.distance(wished_ticks(state, out[2 * to - 2]), last) > far:
            out[2 * to] = out[2 * to - 2]
            out[2 * to + 1] = out[2 * to - 1]
            to -= 1
        out[2 * to] = slot
        out[2 * to + 1] = reason
    for place in range(count):
        vet(cells, state, log, out[2 * place], out[2 * place + 1])


def wished_ticks(state: Cells, slot: int) -> int:
    """The price that a slot wishes an order at; 0 at market."""
    ticks: int = state[slots.HEADER + slot * slots.WIDTH + slots.WISH_TICKS]
    return ticks


def vet(cells: Cells, state: Cells, log: Cells, slot: int, reason: int) -> None:
    """Ask the risk rules; take the order down as about to be sent, or the slot as held back."""
    wish, at = slots.HEADER + slot * slots.WIDTH, venue.order_at(slot)
    leg = state[wish + slots.WISH_LEG]
    is_exit = leg == order.EXIT or leg == order.STOP or leg == order.FLATTEN
    intent = RiskIntent(
        state[wish + slots.WISH_SIDE],
        state[wish + slots.WISH_TYPE],
        leg,
        state[wish + slots.WISH_TICKS],
        state[wish + slots.WISH_LOTS],
        1 if is_exit else 0,
    )
    venue.open_day(cells)
    if cells[lay.IS_LIMITED] == 0:
        verdict = check(few_limits_of(cells), few_of(cells, intent), intent)
    else:
        limits = limits_of(cells)
        verdict = check(limits, risk_view_of(cells, state, limits), intent)
    if verdict != 0:
        if cells[at + lay.HELD_BACK] == 0:
            cells[lay.HELD_BACK_SLOTS] += 1
            cells[lay.HOLDS] += 1
        cells[at + lay.HELD_BACK] = verdict
        return
    if cells[at + lay.HELD_BACK] != 0:
        cells[at + lay.HELD_BACK] = 0
        cells[lay.HELD_BACK_SLOTS] -= 1
    count_message(cells)
    take_down(cells, state, slot, intent, reason)
    if cells[lay.ORDER_ROOM] > 0:
        log_order(cells, log, slot, 0)


def count_message(cells: Cells) -> None:
    """Remember that a request is about to leave."""
    if cells[lay.RING_SIZE] > 0:
        at = cells[lay.RING_AT]
        cells[cells[lay.RING_START] + at] = cells[lay.NOW]
        cells[lay.RING_AT] = at + 1 if at + 1 < cells[lay.RING_SIZE] else 0


def take_down(cells: Cells, state: Cells, slot: int, intent: RiskIntent, reason: int) -> None:
    """The slot's order is now this one, about to be sent."""
    at = venue.order_at(slot)
    cycle = state[slots.HEADER + slot * slots.WIDTH + slots.CYCLE]
    is_next = (
        cells[at + lay.STATUS] != lay.NO_ORDER and cells[at + lay.CYCLE] == cycle and cells[at + lay.LEG] == intent.leg
    )
    cells[at + lay.ATTEMPT] = cells[at + lay.ATTEMPT] + 1 if is_next else 0
    cells[at + lay.STATUS] = order.PENDING
    cells[at + lay.SIDE] = intent.side
    cells[at + lay.TYPE] = intent.type
    cells[at + lay.TICKS] = intent.ticks
    cells[at + lay.LOTS] = intent.lots
    cells[at + lay.FILLED] = 0
    cells[at + lay.CYCLE] = cycle
    cells[at + lay.LEG] = intent.leg
    cells[at + lay.REASON] = reason
    cells[at + lay.CANCEL_ARRIVES] = 0
    cells[at + lay.LOCKED_TICKS] = intent.ticks if intent.ticks > 0 else cells[lay.LAST]
    cells[lay.OPEN_ORDERS] += 1
    venue.lock(cells, slot, intent.lots)
    cells[cells[lay.SENDS_AT] + cells[lay.SENDS]] = slot
    cells[lay.SENDS] += 1


def send_cancel(cells: Cells, log: Cells, slot: int) -> None:
    """Take down that a slot's order is about to be cancelled, once."""
    at = venue.order_at(slot)
    if cells[at + lay.CANCEL_ARRIVES] != 0:
        return
    cells[at + lay.CANCEL_ARRIVES] = cells[lay.NOW] + cells[lay.LATENCY_MS]
    cells[cells[lay.CANCELS_AT] + cells[lay.CANCELS]] = slot
    cells[lay.CANCELS] += 1
    if cells[lay.ORDER_ROOM] > 0:
        log_order(cells, log, slot, 1)


def log_order(cells: Cells, log: Cells, slot: int, cancel: int) -> None:
    """Write a row of the log of orders, behind the room of the fills."""
    row, at = cells[lay.ORDERS], venue.order_at(slot)
    if row >= cells[lay.ORDER_ROOM]:
        cells[lay.TROUBLE] = lay.NO_ROOM
        return
    to = cells[lay.FILL_ROOM] * lay.FILL_WIDTH + row * lay.ORDER_WIDTH
    cells[lay.ORDERS] = row + 1
    log[to] = cells[lay.NOW]
    log[to + 1] = slot
    log[to + 2] = cells[at + lay.CYCLE]
    log[to + 3] = cells[at + lay.LEG]
    log[to + 4] = cells[at + lay.ATTEMPT]
    log[to + 5] = cells[at + lay.SIDE]
    log[to + 6] = cells[at + lay.TYPE]
    log[to + 7] = cells[at + lay.TICKS]
    log[to + 8] = cells[at + lay.LOTS]
    log[to + 9] = cells[at + lay.REASON]
    log[to + 10] = cancel


def settle(cells: Cells, state: Cells, log: Cells, out: Cells) -> None:
    """Try again what the rules held back, and send what was vetted: orders first, then cancellations."""
    if cells[lay.HELD_BACK_SLOTS] > 0:
        place_what_waits(cells, state, log, out)
    sends, cancels = cells[lay.SENDS], cells[lay.CANCELS]
    cells[lay.SENDS] = 0
    cells[lay.CANCELS] = 0
    for place in range(sends):
        slot = cells[cells[lay.SENDS_AT] + place]
        if cells[lay.LATENCY_MS] > 0:
            cells[venue.order_at(slot) + lay.ARRIVES] = cells[lay.NOW] + cells[lay.LATENCY_MS]
            venue.wait(cells, slot)
        else:
            venue.arrive(cells, log, slot)
    for place in range(cancels):
        slot = cells[cells[lay.CANCELS_AT] + place]
        if cells[lay.LATENCY_MS] > 0:
            venue.wait(cells, -1 - slot)
        else:
            venue.cancel_now(cells, slot)


def place_what_waits(cells: Cells, state: Cells, log: Cells, out: Cells) -> None:
    """Try again what the rules held back, nearest to the price first; make room for it if it is nearer."""
    count = 0
    for slot in range(cells[lay.SLOTS]):
        at = venue.order_at(slot)
        if cells[at + lay.HELD_BACK] == 0:
            continue
        if act_of(cells, state, slot) == slots.PLACE:
            out[2 * count] = slot
            out[2 * count + 1] = 0
            count += 1
        else:
            cells[at + lay.HELD_BACK] = 0
            cells[lay.HELD_BACK_SLOTS] -= 1
    vet_nearest_first(cells, state, log, out, count)
    if cells[lay.HELD_BACK_SLOTS] > 0 and limits_of(cells).max_open_orders > 0:
        make_room(cells, state, log)


def make_room(cells: Cells, state: Cells, log: Cells) -> None:
    """Cancel the farthest working entry if a slot that waits for room is nearer by more than a tenth."""
    last = cells[lay.LAST]
    near, far, farthest = lay.FAR, -1, -1
    for slot in range(cells[lay.SLOTS]):
        at = venue.order_at(slot)
        if cells[at + lay.HELD_BACK] == lay.TOO_MANY_OPEN:
            near = min(near, nearest.distance(wished_ticks(state, slot), last))
        is_entry = cells[at + lay.LEG] == order.ENTRY and cells[at + lay.FILLED] == 0
        if is_entry and cells[at + lay.STATUS] == order.OPEN:
            distance = nearest.distance(cells[at + lay.TICKS], last)
            if distance >= far:
                far, farthest = distance, slot
    if near != lay.FAR and farthest >= 0 and far * 10 > near * 11:
        send_cancel(cells, log, farthest)


def arrivals(cells: Cells, state: Cells, log: Cells, until: int) -> None:
    """Everything on its way that is due until this moment reaches the venue."""
    count, left, start = cells[lay.WAITING], 0, cells[lay.WAITING_AT]
    for place in range(count):
        what = cells[start + place]
        slot = what if what >= 0 else -1 - what
        at = venue.order_at(slot)
        due = cells[at + lay.ARRIVES] if what >= 0 else cells[at + lay.CANCEL_ARRIVES]
        cells[lay.WAITING] = left
        if due > until:
            venue.wait(cells, what)
        elif what < 0:
            venue.cancel_now(cells, slot)
        else:
            venue.arrive(cells, log, slot)
            # Its wish may have changed while it was on its way.
            is_open = cells[at + lay.STATUS] == order.OPEN
            if is_open and act_of(cells, state, slot) == slots.CANCEL:
                send_cancel(cells, log, slot)
        left = cells[lay.WAITING]
