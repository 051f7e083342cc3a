"""Markets by chance with a seed: one without any edge, and one in which following the trend pays."""

from __future__ import annotations

import numpy

from engine.backtest import History
from tests.histories import bars

HOUR = 3_600_000


def random_walk(seed: int, count: int = 3_000, spread: float = 0.004) -> History:
    """Nothing that was says anything of what comes."""
    steps = numpy.random.default_rng(seed).normal(0, spread, count)
    return _bars(steps)


def trending(seed: int, count: int = 3_000, spread: float = 0.004, drift: float = 0.0015) -> History:
    """Up for some days, then down for some, and so on."""
    dice = numpy.random.default_rng(seed)
    way = numpy.repeat(numpy.resize([1, -1], count // 40 + 1), dice.integers(40, 120, count // 40 + 1))[:count]
    return _bars(dice.normal(0, spread, count) + drift * way)


def _bars(steps: numpy.typing.NDArray[numpy.float64]) -> History:
    closes = numpy.round(6_000_000 * numpy.exp(numpy.cumsum(steps))).astype(int).tolist()
    rows = []
    for opened, close in zip([6_000_000, *closes], closes, strict=False):
        rows.append((opened, max(opened, close), min(opened, close), close))
    return bars(rows, HOUR)
