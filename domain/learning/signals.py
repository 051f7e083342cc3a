"""The signals that compete, and what the model looks at: averages of closed bars, one bar at a time.

A signal proposes a side (1 long, -1 short, 0 none) and has a premise: when that is gone its trade is, too.
"""

from __future__ import annotations

from typing import Final

from domain import indicators
from domain.events import Event
from domain.indicators import Memory
from domain.lawful import lawful
from domain.learning import layout as lay
from domain.learning.numbers import bounded

#: Bars of the relative strength index.
RSI_BARS: Final = 14
OVERSOLD: Final = 30.0
OVERBOUGHT: Final = 70.0
MIDDLE: Final = 50.0
#: A trend is an average this many ranges of a bar from the other.
TREND_STRENGTH: Final = 0.5
#: A surge is a bar of this many times the usual volume.
SURGE_TIMES: Final = 2.0
#: The longest range that can be asked for.
MOST_BARS: Final = 48
#: The slow average is of so many times the bars of the fast one; volatility is compared over so many ranges.
SLOWER: Final = 4

COUNT: Final = lay.SIGNALS_AT
FAST: Final = COUNT + 1
SLOW: Final = COUNT + 2
#: The mean range of a bar, and the same over a longer time.
RANGE: Final = COUNT + 3
LONG_RANGE: Final = COUNT + 4
#: The usual volume before the last bar, and after it.
USUAL: Final = COUNT + 5
USUAL_NOW: Final = COUNT + 6
VOLUME: Final = COUNT + 7
CLOSE: Final = COUNT + 8
CHANGE: Final = COUNT + 9
BODY: Final = COUNT + 10
#: Of the bars before the last one.
HIGHEST: Final = COUNT + 11
LOWEST: Final = COUNT + 12
PLACE: Final = COUNT + 13
RSI: Final = COUNT + 14
HIGHS: Final = RSI + 4
LOWS: Final = HIGHS + MOST_BARS
MEMORY: Final = LOWS + MOST_BARS


def bars_needed(trend_bars: int, range_bars: int) -> int:
    """Bars before anything is proposed."""
    return max(trend_bars, range_bars * SLOWER, RSI_BARS + 1)


@lawful
def is_ready(memory: Memory, trend_bars: int, range_bars: int) -> bool:
    """Whether enough bars were seen, and the price has moved."""
    needed = max(trend_bars, range_bars * SLOWER, RSI_BARS + 1)
    return memory[COUNT] >= needed and memory[RANGE] > 0.0 and memory[LONG_RANGE] > 0.0


@lawful
def update(memory: Memory, event: Event, trend_bars: int, range_bars: int) -> None:
    """Take a closed bar."""
    close, before = float(event.close), memory[CLOSE]
    is_first = memory[COUNT] == 0.0
    if is_first:
        memory[FAST], memory[SLOW], before = close, close, close
    fast_bars = max(trend_bars // SLOWER, 1)
    memory[FAST] += 2.0 * (close - memory[FAST]) / (fast_bars + 1)
    memory[SLOW] += 2.0 * (close - memory[SLOW]) / (trend_bars + 1)
    width = max(float(event.high), before) - min(float(event.low), before)
    count = memory[COUNT] + 1.0
    memory[RANGE] += (width - memory[RANGE]) / min(count, float(range_bars))
    memory[LONG_RANGE] += (width - memory[LONG_RANGE]) / min(count, float(range_bars * SLOWER))
    memory[USUAL] = memory[USUAL_NOW]
    memory[USUAL_NOW] += (event.volume - memory[USUAL_NOW]) / min(count, float(range_bars))
    memory[VOLUME] = float(event.volume)
    memory[CHANGE] = close - before
    memory[BODY] = close - float(event.open)
    memory[CLOSE] = close
    memory[COUNT] = count
    indicators.rsi_update(memory, RSI, RSI_BARS, event.close)
    _take_range(memory, event, range_bars)


@lawful
def _take_range(memory: Memory, event: Event, range_bars: int) -> None:
    """The highest and lowest of the last bars before this one; then this one joins them."""
    place, high, low = int(memory[PLACE]), 0.0, 0.0
    for back in range(1, range_bars + 1):
        at = (place - back) % MOST_BARS
        if memory[HIGHS + at] > 0.0:
            high = max(high, memory[HIGHS + at])
            low = memory[LOWS + at] if low == 0.0 else min(low, memory[LOWS + at])
    memory[HIGHEST], memory[LOWEST] = high, low
    memory[HIGHS + place] = float(event.high)
    memory[LOWS + place] = float(event.low)
    memory[PLACE] = float((place + 1) % MOST_BARS)


@lawful
def _sign(value: float, bound: float) -> int:
    """1 above the bound, -1 below its negative, else 0."""
    return 1 if value > bound else -1 if value < -bound else 0


@lawful
def trend(memory: Memory) -> float:
    """How far the fast average is above the slow one, in ranges of a bar."""
    return (memory[FAST] - memory[SLOW]) / memory[RANGE]


@lawful
def strength(memory: Memory) -> float:
    """The relative strength index."""
    return indicators.rsi_value(memory, RSI, RSI_BARS)


@lawful
def _surge(memory: Memory) -> int:
    """The side of a bar with far more volume than usual; 0 of any other."""
    is_surge = memory[USUAL] > 0.0 and memory[VOLUME] >= SURGE_TIMES * memory[USUAL]
    return _sign(memory[BODY], 0.0) if is_surge else 0


@lawful
def proposed(memory: Memory, signal: int) -> int:
    """The side that a signal proposes after the last bar."""
    if signal == lay.TREND:
        return _sign(trend(memory), TREND_STRENGTH)
    if signal == lay.REVERSION:
        index = strength(memory)
        return 1 if index <= OVERSOLD else -1 if index >= OVERBOUGHT else 0
    if signal == lay.BREAKOUT:
        above, below = memory[CLOSE] > memory[HIGHEST], memory[CLOSE] < memory[LOWEST]
        return 1 if above else -1 if below else 0
    return _surge(memory)


@lawful
def has_premise(memory: Memory, signal: int, side: int) -> bool:
    """Whether what the signal had seen is still there."""
    if signal == lay.TREND:
        return trend(memory) * side > 0.0
    if signal == lay.REVERSION:
        return (strength(memory) - MIDDLE) * side < 0.0
    if signal == lay.BREAKOUT:
        return (2.0 * memory[CLOSE] - memory[HIGHEST] - memory[LOWEST]) * side > 0.0
    return _surge(memory) != -side


@lawful
def look(memory: Memory, side: int, at: int) -> None:
    """Write what the model looks at, seen from a side, to a place in the memory."""
    width, high, low = memory[RANGE], memory[HIGHEST], memory[LOWEST]
    memory[at] = side * trend(memory)
    memory[at + 1] = side * (memory[CLOSE] - memory[SLOW]) / width
    memory[at + 2] = side * (strength(memory) - MIDDLE) / MIDDLE
    memory[at + 3] = side * bounded((2.0 * memory[CLOSE] - high - low) / max(high - low, width), 2.0)
    memory[at + 4] = side * memory[CHANGE] / width
    memory[at + 5] = width / memory[LONG_RANGE]
    memory[at + 6] = min(memory[VOLUME] / max(memory[USUAL], 1.0), 10.0)
