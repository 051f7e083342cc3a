"""What a person has chosen of a self-learning strategy, in integers."""

from __future__ import annotations

from typing import NamedTuple


class Terms(NamedTuple):
    """How trades end, what is chosen, what it takes to trade and how much: quote quanta, bars, parts per million."""

    # --- What is seen.
    trend_bars: int
    range_bars: int
    # --- How a trade ends.
    take: int
    stop: int
    horizon: int
    #: The trend may turn against a trade by so many ranges of a bar since its entry; 0 is without a bound.
    counter_trend: int
    #: Fees and slippage of a round trip.
    cost: int
    # --- What is traded.
    allows_short: int
    #: The lowest calibrated chance.
    confidence: int
    #: Labels, and standard errors of the edge, before anything is.
    min_samples: int
    proof: int
    # --- How much.
    stake: int
    kelly: int
    max_leverage: int
    #: Loss of the margin at which the position is closed at once.
    emergency: int
    # --- How it learns.
    compared: int
    margin: int
    is_frozen: int
