"""Prices of bars in lanes: of four bars the lows lie beside one another, then the highs, the closes and the opens.

So eight bars, which are a block, are looked at together, and so are eight blocks: their lowest lows and highest highs
lie behind the bars, those of eight and then these. Four bars are as much as the machine fetches at once. Trades have
one price each; for them the four are one.
"""

from __future__ import annotations

from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells


def price(prices: Cells, place: int) -> int:
    """A price of the history. However narrow it is kept, what is counted with is a sum, and that has 64 bits."""
    ticks: int = prices[place] + 0
    return ticks


def bar_at(cells: Cells, place: int) -> int:
    """Where a bar's low lies; its high, close and open are one, two and three times `COLUMN` behind it."""
    at: int = (place >> lay.FOUR_BITS) * cells[lay.FOUR_WIDTH] + (place & (lay.FOUR - 1))
    return at


def reached(prices: Cells, at: int, column: int, width: int, lane: int, down: int, up: int) -> int:
    """The first of eight lanes, from one on, whose low is at `down` or below, or its high at `up` or above; or 8.

    Their lows begin at `at`, four and then four more, `width` behind those; each high lies `column` behind its low.
    Compiled, all eight are compared at once.
    """
    while lane < lay.LANES:
        low = at + (lane >> lay.FOUR_BITS) * width + (lane & (lay.FOUR - 1))
        if prices[low] <= down or prices[low + column] >= up:
            break
        lane += 1
    return lane


def first_reached(cells: Cells, bars: Cells, place: int, until: int, down: int, up: int) -> int:
    """The first bar from a place on that reaches one of two prices; `until` when none before it does.

    The blocks that follow are looked at together with the bars of the first, for that takes no longer.
    """
    last, block = lay.LANES - 1, place >> lay.LANE_BITS
    blocks_at, column, width = cells[lay.BLOCKS_AT], cells[lay.COLUMN], cells[lay.FOUR_WIDTH]
    group = (block + 1) >> lay.LANE_BITS
    lane = reached(bars, 2 * block * width, column, width, place & last, down, up)
    at = blocks_at + group * 2 * lay.LANES
    further = reached(bars, at, lay.LANES, lay.FOUR, (block + 1) & last, down, up)
    if lane < lay.LANES:
        return min(block * lay.LANES + lane, until)
    groups = (until + lay.LANES * lay.LANES - 1) >> (2 * lay.LANE_BITS)
    while further > last:
        group += 1
        if group >= groups:
            return until
        further = reached(bars, blocks_at + group * 2 * lay.LANES, lay.LANES, lay.FOUR, 0, down, up)
    block = group * lay.LANES + further
    if block * lay.LANES >= until:
        return until
    return min(block * lay.LANES + reached(bars, 2 * block * width, column, width, 0, down, up), until)


def fetch(prices: Cells, at: int) -> None:
    """Compiled, have the prices from a place on brought near while other work is done; it changes nothing else."""
