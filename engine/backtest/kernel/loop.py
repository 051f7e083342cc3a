"""The strategy in the market: the only part of the kernel that is made anew for each strategy."""

from __future__ import annotations

from typing import Any

from domain import events, slots
from domain.events import Event, View
from domain.indicators import Memory
from engine.backtest.kernel import equity, lanes, market, venue, wishes
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells, Tape


def decide(law: Any, state: Cells, memory: Memory, view: View, event: Event, out: Cells) -> int:
    """The strategy's decision; each strategy has a copy of this module in which its own stands here."""
    raise NotImplementedError


def pass_bars(law: Any, state: Cells, memory: Memory, closes: Cells, place: int, end: int) -> int:
    """The strategy's own, where it has one: see `core.base_strategy.PassBars`."""
    return place


def address(array: Any) -> Any:
    """The array itself; in compiled copies where its first number lies. Of a tuple of arrays each of them.

    That is one number to hand on instead of seven, and no place in it is looked at for being counted from the end.
    """
    return array


def replay(
    law: Any, state: Cells, memory: Memory, out: Cells, cells: Cells, log: Cells, gauge: Memory, times: Cells,
    bars: Cells, closes: Cells, volumes: Cells, marks: Cells, tape: Tape, end: int,
) -> None:  # fmt: skip
    """`run` on arrays. What the strategy keeps and writes stays an array for it, but while it passes bars."""
    run(
        law, state, memory, out, address(state), address(memory), address(out), address(cells), address(log),
        address(gauge), address(times), address(bars), address(closes), address(volumes), address(marks), address(tape),
        end,
    )  # fmt: skip


def run(
    law: Any, state: Cells, memory: Memory, out: Cells, wished: Cells, window: Memory, noted: Cells, cells: Cells,
    log: Cells, gauge: Memory, times: Cells, bars: Cells, closes: Cells, volumes: Cells, marks: Cells, tape: Tape,
    end: int,
) -> None:  # fmt: skip
    """Replay bars from where `cells` stand to before `end`, or until the log has to be made longer, or on trouble.

    A new run shows the bars before its place to the indicators and starts the strategy at the close of the last of
    them. Columns are in milliseconds, ticks and lots; `bars` has the prices of a bar beside one another, `marks` tell
    of blocks of bars, `tape` of the trades in them where they are walked. `wished`, `window` and `noted` are `state`,
    `memory` and `out` as addresses.
    """
    if cells[lay.IS_NEW] != 0:
        cells[lay.IS_NEW] = 0
        for past in range(cells[lay.PLACE]):
            opens_ms = market.opens_at(cells, times, past)
            cells[lay.NOW] = opens_ms + cells[lay.BAR_MS]
            cells[lay.LAST] = lanes.price(closes, past)
            if cells[lay.WANTS_BARS] != 0:
                # Nothing is decided on the past: what the strategy wishes is not looked at.
                decide(law, state, memory, wishes.view_of(cells), bar_event(cells, opens_ms, bars, volumes, past), out)
                state[slots.LAST_BAR] = opens_ms
        equity.measure(cells, gauge, cells[lay.LAST])
        venue.tell_market(cells, events.START, 0)
    while True:
        if cells[lay.WANTS_BARS] != 0:
            show_quiet_bars(
                law, state, memory, out, wished, window, noted, cells, log, gauge, times, bars, closes, volumes, marks,
                end,
            )  # fmt: skip
        if not market.advance(cells, wished, log, noted, gauge, times, bars, closes, marks, tape, end):
            return
        place = cells[lay.PLACE]
        for row in range(cells[lay.QUEUED]):
            at = cells[lay.QUEUE_AT] + row * lay.EVENT_WIDTH
            kind, slot = cells[at], cells[at + 1]
            if kind == events.BAR:
                opens_ms = market.opens_at(cells, times, place)
                event = bar_event(cells, opens_ms, bars, volumes, place)
                state[slots.LAST_BAR] = opens_ms
            else:
                event = Event(
                    kind, cells[lay.NOW], slot, cells[at + 2], cells[at + 3], cells[at + 4], cells[at + 5],
                    cells[at + 6], cells[at + 7], cells[at + 8], 0, 0, 0, 0, 0,
                )  # fmt: skip
            count = decide(law, state, memory, wishes.view_of(cells), event, out)
            if count > 0 or kind == events.ORDER_DONE:
                wishes.consider(cells, wished, log, noted, count, slot if kind == events.ORDER_DONE else -1)
        cells[lay.QUEUED] = 0


def bar_event(cells: Cells, opens_ms: int, bars: Cells, volumes: Cells, place: int) -> Event:
    """A closed bar as the strategy hears of it."""
    at = lanes.bar_at(cells, place)
    column = cells[lay.COLUMN]
    low, high = lanes.price(bars, at), lanes.price(bars, at + column)
    close, opened = lanes.price(bars, at + 2 * column), lanes.price(bars, at + 3 * column)
    return Event(events.BAR, opens_ms, 0, 0, 0, 0, close, 0, 0, 0, opened, high, low, close, volumes[place])


def show_quiet_bars(
    law: Any, state: Cells, memory: Memory, out: Cells, wished: Cells, window: Memory, noted: Cells, cells: Cells,
    log: Cells, gauge: Memory, times: Cells, bars: Cells, closes: Cells, volumes: Cells, marks: Cells, end: int,
) -> None:  # fmt: skip
    """Show bars one after the other while nothing rests, waits or is due, until the strategy wishes something."""
    if not market.is_quiet(cells):
        return
    if cells[lay.STAGE] == market.SHOWN:
        market.leave_bar(cells, gauge, lanes.price(closes, cells[lay.PLACE]))
    if cells[lay.STAGE] != market.NEXT:
        return
    begin = place = cells[lay.PLACE]
    bar_ms, count, can_pass = cells[lay.BAR_MS], 0, market.is_undisturbed(cells, wished)
    while place < end and count == 0:
        if can_pass:
            lanes.fetch(bars, lanes.bar_at(cells, place))
            passed = pass_bars(law, state, window, closes, place, end)
            if passed > place:
                equity.measure_bars(cells, gauge, closes, marks, place, passed)
                place = passed
                cells[lay.NOW] = market.opens_at(cells, times, place - 1) + bar_ms
                cells[lay.LAST] = lanes.price(closes, place - 1)
                continue
        opens_ms = market.opens_at(cells, times, place)
        event = bar_event(cells, opens_ms, bars, volumes, place)
        if market.may_wake(cells, wished, opens_ms + bar_ms, event.high, event.low):
            break
        cells[lay.NOW] = opens_ms + bar_ms
        cells[lay.LAST] = event.close
        count = decide(law, state, memory, wishes.view_of(cells), event, out)
        equity.measure(cells, gauge, event.close)
        place += 1
    if place > begin:
        state[slots.LAST_BAR] = market.opens_at(cells, times, place - 1)
        cells[lay.PLACE] = place
        cells[lay.MOMENT] = lay.BETWEEN
        cells[lay.STEPS] = 0
    if count > 0:
        wishes.consider(cells, wished, log, noted, count, -1)
