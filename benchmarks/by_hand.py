"""Kernels written by hand for one strategy each: fees, money, equity and its deepest fall; no rules and no record.

They are what the same work costs when nothing is general, and are compiled by the caller.
"""

from __future__ import annotations

from typing import Any

import numpy


def cross(
    opens: Any, closes: Any, sums: Any, fast: int = 10, slow: int = 30, fee: float = 0.001
) -> tuple[int, float, float]:
    """Averages of closes whose running sums are given: fills, equity, deepest fall."""
    money, held, wanted, highest, fall, fills, before = 1e7, 0.0, 0, 1e7, 0.0, 0, 0
    for place in range(len(closes)):
        if wanted != 0:
            money -= wanted * opens[place] + opens[place] * fee
            held += wanted
            fills += 1
            wanted = 0
        worth = money + held * closes[place]
        highest = max(highest, worth)
        fall = max(fall, highest - worth)
        if place + 1 >= slow:
            quick = (sums[place + 1] - sums[place + 1 - fast]) / fast
            steady = (sums[place + 1] - sums[place + 1 - slow]) / slow
            sign = 1 if quick > steady else (-1 if quick < steady else 0)
            if before < 0 and sign > 0 and held == 0:
                wanted = 1
            elif before > 0 and sign < 0 and held > 0:
                wanted = -1
            before = sign if sign != 0 else before
    return fills, money + held * closes[-1], fall


def grid(highs: Any, lows: Any, closes: Any, levels: Any, fee: float = 0.001) -> tuple[int, float, float]:
    """A grid that looks at its levels only where the nearest is reached: fills, equity, deepest fall."""
    count = len(levels) - 1
    sells = numpy.zeros(count, numpy.int8)
    money, held, fills, buy, sell = 1e7, 0.0, 0, -numpy.inf, numpy.inf
    for level in range(count):
        if levels[level] >= closes[0]:
            sells[level] = 1
            held, fills = held + 1, fills + 1
            money -= closes[0] * (1 + fee)
            sell = min(sell, levels[level + 1])
        else:
            buy = max(buy, levels[level])
    highest, fall = money + held * closes[0], 0.0
    for place in range(1, len(closes)):
        low, high = lows[place], highs[place]
        if low <= buy or high >= sell:
            buy, sell = -numpy.inf, numpy.inf
            for level in range(count):
                if sells[level] == 0 and low <= levels[level]:
                    money, held, fills = money - levels[level] * (1 + fee), held + 1, fills + 1
                    sells[level] = 1
                elif sells[level] == 1 and high >= levels[level + 1]:
                    money, held, fills = money + levels[level + 1] * (1 - fee), held - 1, fills + 1
                    sells[level] = 0
                if sells[level] == 0:
                    buy = max(buy, levels[level])
                else:
                    sell = min(sell, levels[level + 1])
        worth = money + held * closes[place]
        highest = max(highest, worth)
        fall = max(fall, highest - worth)
    return fills, money + held * closes[-1], fall
