"""Whether a strategy looks ahead: what it did before a moment must not change with what came after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy

from core.base_strategy import StrategyKind
from engine.backtest.history import History
from engine.backtest.kernel import layout as lay
from engine.backtest.runtime import run
from engine.backtest.settings import Settings

#: A strategy, or a function that makes one from a history, as one that has been trained on it.
Maker = StrategyKind | Callable[[History], StrategyKind]
_TIME: Final = lay.ORDER_FIELDS.index("time_ms")


def look_ahead(
    maker: Maker, params: Any, history: History, settings: Settings | None = None, cuts: int = 3
) -> list[str]:
    """Replay with another future after each of several moments, and compare the orders before them.

    Gives a sentence for each moment where they differ; nothing is found in a strategy that does not look ahead. The
    other future is the same bars mirrored in price.
    """
    settings = replace(settings or Settings(), log_orders=True)
    whole = _orders(maker, params, history, settings)
    found = []
    for part in range(1, cuts + 1):
        at = len(history) * part // (cuts + 1)
        moment = int(history.open_ms[at])
        other = _orders(maker, params, _mirrored(history, at), settings)
        before, after = _until(whole, moment), _until(other, moment)
        if before.shape != after.shape or (before != after).any():
            row = _first_difference(before, after)
            found.append(f"orders before bar {at} change with what comes after it; the first is number {row + 1}.")
    return found


def _orders(maker: Maker, params: Any, history: History, settings: Settings) -> Any:
    kind = maker if isinstance(maker, StrategyKind) else maker(history)
    return run(kind, params, history, settings).orders


def _until(orders: Any, moment: int) -> Any:
    return orders[orders[:, _TIME] < moment]


def _first_difference(one: Any, other: Any) -> int:
    shared = min(len(one), len(other))
    differs = (one[:shared] != other[:shared]).any(axis=1)
    return int(numpy.argmax(differs)) if differs.any() else shared


def _mirrored(history: History, at: int) -> History:
    """From bar `at` on every price as far on the other side of the close before it; never below one tick."""
    around = 2 * int(history.close[at - 1])
    _, opens, highs, lows, closes, _ = (column.copy() for column in history.columns)
    new_high, new_low = around - lows[at:], around - highs[at:]
    for column, values in (
        (opens, around - opens[at:]), (highs, new_high), (lows, new_low), (closes, around - closes[at:])
    ):  # fmt: skip
        column[at:] = numpy.maximum(values, 1)
    return replace(history, open=opens, high=highs, low=lows, close=closes)
