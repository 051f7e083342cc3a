"""The strategy in the market: the only part of the kernel that is made anew for each strategy."""

from __future__ import annotations

from typing import Any

from domain import events, slots
from domain.events import Event, View
from domain.indicators import Memory
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel import market, venue, wishes
from engine.backtest.kernel.layout import Cells


def decide(law: Any, state: Cells, memory: Memory, view: View, event: Event, out: Cells) -> int:
    """The strategy's decision; each strategy has a copy of this module in which its own stands here."""
    raise NotImplementedError


def pass_bars(law: Any, state: Cells, memory: Memory, closes: Cells, place: int, end: int) -> int:
    """The strategy's own, where it has one: see `core.base_strategy.PassBars`."""
    return place


def address(array: Cells) -> Cells:
    """The array itself; in compiled copies where its first number lies.

    That is one number to hand on instead of seven, and no place in it is looked at for being counted from the end.
    """
    return array


def replay(
    law: Any, state: Cells, memory: Memory, out: Cells, cells: Cells, log: Cells, gauge: Memory, times: Cells,
    opens: Cells, highs: Cells, lows: Cells, closes: Cells, volumes: Cells, marks: Cells, end: int,
) -> None:  # fmt: skip
    """`run` on arrays. What the strategy keeps and writes stays an array for it."""
    run(
        law, state, memory, out, address(state), address(out), address(cells), address(log), address(gauge),
        address(times), address(opens), address(highs), address(lows), address(closes), address(volumes),
        address(marks), end,
    )  # fmt: skip


def run(
    law: Any, state: Cells, memory: Memory, out: Cells, wished: Cells, noted: Cells, cells: Cells, log: Cells,
    gauge: Memory, times: Cells, opens: Cells, highs: Cells, lows: Cells, closes: Cells, volumes: Cells, marks: Cells,
    end: int,
) -> None:  # fmt: skip
    """Replay bars from where `cells` stand to before `end`, or until the log has to be made longer, or on trouble.

    A new run shows the bars before its place to the indicators and starts the strategy at the close of the last of
    them. Columns are in milliseconds, ticks and lots; `marks` tell of blocks of bars. `wished` and `noted` are `state`
    and `out` as the kernel reads them.
    """
    if cells[lay.IS_NEW] != 0:
        cells[lay.IS_NEW] = 0
        for past in range(cells[lay.PLACE]):
            cells[lay.NOW] = times[past] + cells[lay.BAR_MS]
            cells[lay.LAST] = closes[past]
            if cells[lay.WANTS_BARS] != 0:
                # Nothing is decided on the past: what the strategy wishes is not looked at.
                event = bar_event(times[past], opens[past], highs[past], lows[past], closes[past], volumes[past])
                decide(law, state, memory, wishes.view_of(cells), event, out)
                state[slots.LAST_BAR] = times[past]
        market.measure(cells, gauge, cells[lay.LAST])
        venue.tell_market(cells, events.START, 0)
    while True:
        if cells[lay.WANTS_BARS] != 0:
            show_quiet_bars(
                law, state, memory, out, wished, noted, cells, log, gauge, times, opens, highs, lows, closes, volumes,
                marks, end,
            )  # fmt: skip
        if not market.advance(cells, wished, log, noted, gauge, times, opens, highs, lows, closes, marks, end):
            return
        place = cells[lay.PLACE]
        for row in range(cells[lay.QUEUED]):
            at = cells[lay.QUEUE_AT] + row * lay.EVENT_WIDTH
            kind, slot = cells[at], cells[at + 1]
            if kind == events.BAR:
                event = bar_event(
                    times[place], opens[place], highs[place], lows[place], closes[place], volumes[place]
                )  # fmt: skip
                state[slots.LAST_BAR] = times[place]
            else:
                event = Event(
                    kind, cells[lay.NOW], slot, cells[at + 2], cells[at + 3], cells[at + 4], cells[at + 5],
                    cells[at + 6], cells[at + 7], cells[at + 8], 0, 0, 0, 0, 0,
                )  # fmt: skip
            count = decide(law, state, memory, wishes.view_of(cells), event, out)
            if count > 0 or kind == events.ORDER_DONE:
                wishes.consider(cells, wished, log, noted, count, slot if kind == events.ORDER_DONE else -1)
        cells[lay.QUEUED] = 0


def bar_event(time: int, opened: int, high: int, low: int, close: int, volume: int) -> Event:
    """A closed bar as the strategy hears of it."""
    return Event(events.BAR, time, 0, 0, 0, 0, close, 0, 0, 0, opened, high, low, close, volume)


def show_quiet_bars(
    law: Any, state: Cells, memory: Memory, out: Cells, wished: Cells, noted: Cells, cells: Cells, log: Cells,
    gauge: Memory, times: Cells, opens: Cells, highs: Cells, lows: Cells, closes: Cells, volumes: Cells, marks: Cells,
    end: int,
) -> None:  # fmt: skip
    """Show bars one after the other while nothing rests, waits or is due, until the strategy wishes something."""
    if not market.is_quiet(cells):
        return
    if cells[lay.STAGE] == market.SHOWN:
        market.leave_bar(cells, gauge, closes[cells[lay.PLACE]])
    if cells[lay.STAGE] != market.NEXT:
        return
    begin = place = cells[lay.PLACE]
    bar_ms, count, can_pass = cells[lay.BAR_MS], 0, market.is_undisturbed(cells, wished)
    while place < end and count == 0:
        if can_pass:
            passed = pass_bars(law, state, memory, closes, place, end)
            if passed > place:
                market.measure_bars(cells, gauge, closes, marks, place, passed)
                place = passed
                cells[lay.NOW] = times[place - 1] + bar_ms
                cells[lay.LAST] = closes[place - 1]
                continue
        close, until_ms = closes[place], times[place] + bar_ms
        if market.may_wake(cells, wished, until_ms, highs[place], lows[place]):
            break
        cells[lay.NOW] = until_ms
        cells[lay.LAST] = close
        event = bar_event(times[place], opens[place], highs[place], lows[place], close, volumes[place])
        count = decide(law, state, memory, wishes.view_of(cells), event, out)
        market.measure(cells, gauge, close)
        place += 1
    if place > begin:
        state[slots.LAST_BAR] = times[place - 1]
        cells[lay.PLACE] = place
        cells[lay.MOMENT] = lay.BETWEEN
        cells[lay.STEPS] = 0
    if count > 0:
        wishes.consider(cells, wished, log, noted, count, -1)
