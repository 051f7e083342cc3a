"""Markets to learn in: one where a surge of volume is followed by a move, one where nothing follows from anything."""

from __future__ import annotations

from typing import Any, Final

import numpy

from engine.backtest import History
from tests.histories import BEGIN, MINUTE
from tests.law_harness import BTCUSDT

#: Parameters that trade after a few bars, for tests of what is done rather than of what is learned.
EAGER: Final[dict[str, Any]] = {
    "stake": "200", "take_profit_percent": "5", "stop_loss_percent": "1", "cost_percent": "0", "horizon_bars": 4,
    "trend_bars": 4, "range_bars": 2, "min_confidence_percent": "0", "min_samples": 0, "proof": "0",
    "kelly_percent": "100", "history_bars": 0, "promotion_samples": 10, "promotion_margin": "0",
}  # fmt: skip
PRICE: Final = 6_000_000


def surging(seed: int, count: int, follows: float, is_two_sided: bool = False) -> History:
    """A random walk of 0.12 % a bar with surges of volume now and then.

    After an upward surge (a downward one too, if `is_two_sided`) the price drifts on by `follows` a bar for 20 bars.
    """
    dice = numpy.random.default_rng(seed)
    moves, drift = dice.normal(0, 0.0012, count), numpy.zeros(count)
    volumes = dice.integers(800, 1_200, count)
    place = 50
    while place < count - 30:
        side = 1 if dice.random() < 0.5 else -1
        volumes[place] *= 5
        moves[place] = side * (abs(moves[place]) + 0.0005)
        if side > 0 or is_two_sided:
            drift[place + 1 : place + 21] += side * follows
        place += int(dice.integers(30, 90))
    closes = (PRICE * numpy.exp(numpy.cumsum(moves + drift))).astype(numpy.int64)
    opens = numpy.concatenate([[PRICE], closes[:-1]])
    wicks = (PRICE * numpy.abs(dice.normal(0, 0.0005, count))).astype(numpy.int64)
    highs, lows = numpy.maximum(opens, closes) + wicks, numpy.minimum(opens, closes) - wicks
    times = BEGIN + MINUTE * numpy.arange(count, dtype=numpy.int64)
    return History(BTCUSDT, MINUTE, times, opens, highs, lows, closes, volumes)
