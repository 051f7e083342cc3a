"""Indicators over closed bars, one bar at a time, in a window of floats that the strategy's memory holds.

Floats stay inside: what comes out is compared, never paid. Each gives, bar by bar, what the batch formula gives.
A `memory` vector starts as zeros; `at` says where in it an indicator lives.
"""

from __future__ import annotations

from domain.lawful import lawful

Memory = list[float]
"""What indicators remember between bars. The only floats of the law."""


def new_memory(size: int) -> Memory:
    """A memory in which nothing has been seen."""
    return [0.0] * size


@lawful
def sma_size(period: int) -> int:
    """Floats that a moving average of `period` bars needs."""
    return period + 3


@lawful
def sma_update(memory: Memory, at: int, period: int, value: int) -> None:
    """Take the next value into a simple moving average. Values in ticks are whole, so the running sum is exact."""
    place = int(memory[at])
    memory[at + 2] += value - memory[at + 3 + place]
    memory[at + 3 + place] = float(value)
    memory[at] = float(place + 1) if place + 1 < period else 0.0
    memory[at + 1] += 1.0


@lawful
def sma_pass(memory: Memory, at: int, period: int, values: list[int], begin: int, end: int, total: int) -> None:
    """Take the values from `begin` to before `end`; `total` is the sum of the last `period` of them."""
    place, passed = int(memory[at]), end - begin
    # The window is a ring: what is left of the values goes up to its end, and on from its beginning.
    taken, window = min(passed, period), at + 3
    to = (place + passed - taken) % period
    first = min(taken, period - to)
    for each in range(first):
        memory[window + to + each] = float(values[end - taken + each])
    for each in range(taken - first):
        memory[window + each] = float(values[end - taken + first + each])
    memory[at] = float((place + passed) % period)
    memory[at + 1] += passed
    memory[at + 2] = float(total)


@lawful
def sma_value(memory: Memory, at: int, period: int) -> float:
    """The mean of the last `period` values; 0 before there are so many."""
    return memory[at + 2] / period if sma_ready(memory, at, period) else 0.0


@lawful
def sma_sum(memory: Memory, at: int) -> float:
    """The sum of the values that the average is made of; whole where they are."""
    return memory[at + 2]


@lawful
def sma_ready(memory: Memory, at: int, period: int) -> bool:
    """Whether the average has seen `period` values."""
    return memory[at + 1] >= period


@lawful
def rsi_ready(memory: Memory, at: int, period: int) -> bool:
    """Whether the index has seen `period` changes."""
    return memory[at] > period


@lawful
def rsi_size() -> int:
    """Floats that an RSI needs."""
    return 4


@lawful
def rsi_update(memory: Memory, at: int, period: int, close: int) -> None:
    """Take the next close into Wilder's relative strength index (J. W. Wilder, New Concepts, 1978).

    The first averages are plain means of `period` changes, later ones are smoothed by 1/period.
    """
    count = memory[at]
    if count > 0.0:
        change = float(close) - memory[at + 1]
        gain = max(change, 0.0)
        loss = max(-change, 0.0)
        if count <= period:
            memory[at + 2] += gain / period
            memory[at + 3] += loss / period
        else:
            memory[at + 2] = (memory[at + 2] * (period - 1) + gain) / period
            memory[at + 3] = (memory[at + 3] * (period - 1) + loss) / period
    memory[at] = count + 1.0
    memory[at + 1] = float(close)


@lawful
def rsi_value(memory: Memory, at: int, period: int) -> float:
    """The index from 0 to 100; below 0 before there are enough bars. Without any change it is 50."""
    if not rsi_ready(memory, at, period):
        return -1.0
    total = memory[at + 2] + memory[at + 3]
    return 50.0 if total == 0.0 else 100.0 * memory[at + 2] / total
