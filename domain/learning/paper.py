"""Trades on paper: every proposal is entered at the close of its bar and followed to its end by the strategy's exits.

So a label comes of each, whether it was traded or not. Within a bar the stop counts as reached before the take profit.
"""

from __future__ import annotations

from typing import Final

from domain.events import Event
from domain.indicators import Memory
from domain.lawful import lawful
from domain.learning import layout as lay
from domain.learning import model, signals, sizing
from domain.learning.sizing import paper_of
from domain.learning.terms import Terms

PARTS: Final = 1_000_000

# Why a trade has ended.
STOP_LOSS: Final = 10
TAKE_PROFIT: Final = 11
HORIZON: Final = 12
PREMISE_GONE: Final = 13
COUNTER_TREND: Final = 14


@lawful
def stop_ticks(entry: int, side: int, distance: int) -> int:
    """The price at which a loss of so many parts per million is reached."""
    return entry - side * (entry * distance // PARTS)


@lawful
def take_ticks(entry: int, side: int, distance: int) -> int:
    """The price at which a profit of so many parts per million is reached."""
    return entry + side * (entry * distance // PARTS)


@lawful
def is_open(memory: Memory, signal: int, serial: int) -> bool:
    """Whether this trade on paper has not ended."""
    at = paper_of(signal)
    return memory[at + lay.SIDE] != 0.0 and int(memory[at + lay.SERIAL]) == serial


@lawful
def end_of(memory: Memory, terms: Terms, signal: int, event: Event) -> int:
    """Why the trade of a signal ends with this bar; 0 when it goes on."""
    at = paper_of(signal)
    side, entry = int(memory[at + lay.SIDE]), int(memory[at + lay.ENTRY])
    worst, best = (event.low, event.high) if side > 0 else (event.high, event.low)
    if (worst - stop_ticks(entry, side, terms.stop)) * side <= 0:
        return STOP_LOSS
    if (best - take_ticks(entry, side, terms.take)) * side >= 0:
        return TAKE_PROFIT
    if memory[at + lay.AGE] >= terms.horizon:
        return HORIZON
    if not signals.has_premise(memory, signal, side):
        return PREMISE_GONE
    turned = memory[at + lay.SEEN_INPUTS] - side * signals.trend(memory)
    return COUNTER_TREND if 0 < terms.counter_trend < turned * PARTS else 0


@lawful
def result_of(memory: Memory, terms: Terms, signal: int, event: Event, why: int) -> float:
    """What the trade brings after costs, as a share of what is traded. A gap beyond the stop is paid in full."""
    at = paper_of(signal)
    side, entry = int(memory[at + lay.SIDE]), int(memory[at + lay.ENTRY])
    ticks = event.close
    if why == STOP_LOSS:
        stop = stop_ticks(entry, side, terms.stop)
        ticks = event.open if (event.open - stop) * side < 0 else stop
    elif why == TAKE_PROFIT:
        ticks = take_ticks(entry, side, terms.take)
    return (ticks - entry) * side / entry - terms.cost / PARTS


@lawful
def follow(memory: Memory, terms: Terms, event: Event) -> None:
    """A bar has closed: trades that end with it become labels, and what was predicted of them is judged."""
    for signal in range(lay.GROUPS):
        at = paper_of(signal)
        if memory[at + lay.SIDE] == 0.0:
            continue
        memory[at + lay.AGE] += 1.0
        why = end_of(memory, terms, signal, event)
        if why != 0:
            _end(memory, terms, signal, result_of(memory, terms, signal, event, why))
            memory[at + lay.ENDED_BY] = float(why)
            memory[at + lay.SIDE] = 0.0


@lawful
def _end(memory: Memory, terms: Terms, signal: int, result: float) -> None:
    """Judge what was predicted of a trade that has ended, then learn from it. Frozen, it is judged alone."""
    at = paper_of(signal)
    label, inputs = 1 if result > 0.0 else 0, at + lay.SEEN_INPUTS
    model.judge(memory, lay.CHAMPION, memory[at + lay.CHANCE], label)
    model.judge(memory, lay.CHALLENGER, memory[at + lay.CHALLENGER_CHANCE], label)
    if memory[at + lay.TAKEN_BY] != 0.0:
        model.judge_taken(memory, lay.CHAMPION, result)
    if memory[at + lay.TAKEN_BY_CHALLENGER] != 0.0:
        model.judge_taken(memory, lay.CHALLENGER, result)
    model.count_label(memory, label)
    if terms.is_frozen == 0:
        model.calibrate(memory, lay.CHAMPION, memory[at + lay.CHANCE], label)
        model.calibrate(memory, lay.CHALLENGER, memory[at + lay.CHALLENGER_CHANCE], label)
        sizing.count_result(memory, signal, result)
        model.scale(memory, lay.CHALLENGER, inputs)
        model.step(memory, lay.CHALLENGER, signal, inputs, label)
    model.compare(memory, terms.compared, terms.margin, terms.is_frozen)


@lawful
def propose(memory: Memory, terms: Terms, event: Event) -> int:
    """Open a trade on paper for every signal that proposes one; gives 1 + the signal the champion chooses, or 0.

    A model chooses the best expected result of those it is confident of, while nothing it chose before is open.
    """
    opened = 0
    for signal in range(lay.GROUPS):
        at = paper_of(signal)
        side = signals.proposed(memory, signal)
        if memory[at + lay.SIDE] != 0.0 or side == 0 or (side < 0 and terms.allows_short == 0):
            continue
        signals.look(memory, side, at + lay.SEEN_INPUTS)
        memory[at + lay.SIDE] = float(side)
        memory[at + lay.ENTRY] = float(event.close)
        memory[at + lay.AGE] = 0.0
        memory[at + lay.SERIAL] += 1.0
        memory[at + lay.TAKEN_BY] = 0.0
        memory[at + lay.TAKEN_BY_CHALLENGER] = 0.0
        memory[at + lay.CHANCE] = model.predict(memory, lay.CHAMPION, signal, at + lay.SEEN_INPUTS)
        memory[at + lay.CHALLENGER_CHANCE] = model.predict(memory, lay.CHALLENGER, signal, at + lay.SEEN_INPUTS)
        opened |= 1 << signal
    _choose(memory, terms, lay.CHALLENGER, opened, lay.CHALLENGER_CHANCE, lay.TAKEN_BY_CHALLENGER)
    chosen = _choose(memory, terms, lay.CHAMPION, opened, lay.CHANCE, lay.TAKEN_BY)
    if chosen > 0:
        _tell_choice(memory, terms, chosen - 1, event)
    return chosen


@lawful
def value(memory: Memory, terms: Terms, of: int, signal: int, chance: float) -> float:
    """What a proposal is expected to bring after costs, by the calibrated chance; below 0 without confidence."""
    calibrated = model.calibrated(memory, of, chance)
    if calibrated * PARTS < terms.confidence:
        return -1.0
    win = sizing.win_of(memory, signal, terms.take, terms.cost)
    return sizing.value_of(calibrated, win, sizing.loss_of(memory, signal, terms.stop, terms.cost))


@lawful
def _choose(memory: Memory, terms: Terms, of: int, opened: int, chance_in: int, taken_in: int) -> int:
    """1 + the signal of the best of the new trades, which is marked; 0 when none is worth it, or one is open."""
    chosen, best = 0, 0.0
    for signal in range(lay.GROUPS):
        at = paper_of(signal)
        if memory[at + lay.SIDE] != 0.0 and memory[at + taken_in] != 0.0:
            return 0
        if (opened >> signal) & 1 != 0:
            expected = value(memory, terms, of, signal, memory[at + chance_in])
            if expected > best:
                chosen, best = signal + 1, expected
    if chosen > 0:
        memory[paper_of(chosen - 1) + taken_in] = 1.0
    return chosen


@lawful
def _tell_choice(memory: Memory, terms: Terms, signal: int, event: Event) -> None:
    """Write down why this one: its chance, its expected result, and what each input added to the score."""
    at = paper_of(signal)
    chance = memory[at + lay.CHANCE]
    memory[lay.CHOSEN] = float(signal + 1)
    memory[lay.CHOSEN_SIDE] = memory[at + lay.SIDE]
    memory[lay.CHOSEN_MS] = float(event.time_ms)
    memory[lay.CHOSEN_CHANCE] = model.calibrated(memory, lay.CHAMPION, chance)
    memory[lay.CHOSEN_VALUE] = value(memory, terms, lay.CHAMPION, signal, chance)
    weights = lay.CHAMPION + lay.WEIGHTS + signal * lay.WEIGHTS_EACH
    memory[lay.CONTRIBUTIONS] = memory[weights]
    for place in range(lay.INPUTS):
        given = model.scaled_input(memory, lay.CHAMPION, place, memory[at + lay.SEEN_INPUTS + place])
        memory[lay.CONTRIBUTIONS + 1 + place] = memory[weights + 1 + place] * given
