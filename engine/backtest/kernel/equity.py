"""What the account is worth at the closes: its highest, its deepest fall, and bars at which it makes neither."""

from __future__ import annotations

from engine.backtest.kernel import lanes
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells


def measure(cells: Cells, gauge: Cells, close: int) -> None:
    """Take the equity at a close into the highest seen and the deepest fall from it."""
    equity = float(cells[lay.QUOTE]) + float(cells[lay.BASE]) * gauge[lay.UNIT] * close
    gauge[lay.PEAK] = max(gauge[lay.PEAK], equity)
    gauge[lay.FALL] = max(gauge[lay.FALL], gauge[lay.PEAK] - equity)


def measure_bars(cells: Cells, gauge: Cells, closes: Cells, marks: Cells, begin: int, end: int) -> None:
    """The same for every bar from `begin` to before `end`, in which nothing changes hands.

    A block of them is passed over where no close of it is a new high of the equity or a deeper fall: what is owned does
    not change in between, so the equity is at its ends where the close is.
    """
    if cells[lay.BASE] == 0:
        measure(cells, gauge, lanes.price(closes, begin))
        return
    quote, unit = float(cells[lay.QUOTE]), float(cells[lay.BASE]) * gauge[lay.UNIT]
    peak, fall = gauge[lay.PEAK], gauge[lay.FALL]
    place = begin
    while place < end:
        block = place // lay.BLOCK
        stop = min((block + 1) * lay.BLOCK, end)
        mark = block * lay.MARK_WIDTH
        at_low, at_high = quote + unit * marks[mark + 2], quote + unit * marks[mark + 3]
        if max(at_low, at_high) > peak or peak - min(at_low, at_high) > fall:
            for each in range(place, stop):
                equity = quote + unit * closes[each]
                peak = max(peak, equity)
                fall = max(fall, peak - equity)
        place = stop
    gauge[lay.PEAK] = peak
    gauge[lay.FALL] = fall


def pass_over(cells: Cells, gauge: Cells, bars: Cells, until: int, down: int, up: int) -> int:
    """The first bar from the place on that reaches one of two prices, or `until`; closes before it are taken in.

    What comes next does not wait for the equity: that is looked at when the bar is found.
    """
    begin: int = cells[lay.PLACE]
    place = lanes.first_reached(cells, bars, begin, until, down, up)
    if place > begin:
        take_in(cells, gauge, bars, begin, place, down, up)
    return place


def take_in(cells: Cells, gauge: Cells, bars: Cells, place: int, end: int, down: int, up: int) -> None:
    """Take in the closes of bars from a place to before `end`, all between two prices, none of which they reach.

    What is owned does not change in between, so the equity is at its ends where the close is: of bars between the two
    prices at which it would make a new high or a deeper fall, no close is looked at.
    """
    quote, unit = float(cells[lay.QUOTE]), float(cells[lay.BASE]) * gauge[lay.UNIT]
    at_down, at_up = quote + unit * down, quote + unit * up
    lowest, highest = min(at_down, at_up), max(at_down, at_up)
    peak, fall, column = gauge[lay.PEAK], gauge[lay.FALL], cells[lay.COLUMN]
    while place < end and (highest > peak or peak - lowest > fall):
        below = max(down, turns_below(quote, unit, peak, fall))
        above = min(up, turns_above(quote, unit, peak, fall))
        place = lanes.first_reached(cells, bars, place, end, below, above)
        stop = min((place | (lay.FOUR - 1)) + 1, end)
        at = lanes.bar_at(cells, place)
        while place < stop:
            equity = quote + unit * bars[at + 2 * column]
            peak = max(peak, equity)
            fall = max(fall, peak - equity)
            place += 1
            at += 1
    gauge[lay.PEAK] = peak
    gauge[lay.FALL] = fall


def turns_below(quote: float, unit: float, peak: float, fall: float) -> int:
    """The price at or below which the equity may make a new high or a deeper fall; 0 for none. See `turn`."""
    if unit == 0.0:
        return 0 if 0.0 <= peak - quote <= fall else lay.FAR
    below = turn(quote, unit, peak - fall, 1.0) if unit > 0.0 else turn(quote, unit, peak, -1.0)
    return min(below + 1, lay.FAR) if below > 0 else 0


def turns_above(quote: float, unit: float, peak: float, fall: float) -> int:
    """The price at or above which the equity may make a new high or a deeper fall; `FAR` for none."""
    if unit == 0.0:
        return lay.FAR
    return turn(quote, unit, peak, -1.0) if unit > 0.0 else turn(quote, unit, peak - fall, 1.0)


def turn(quote: float, unit: float, equity: float, sign: float) -> int:
    """The whole ticks of a price at which quote and `unit` for each tick are worth so much, from 0 to `FAR`.

    Whoever is nearer to it than floats are sure of is taken to be beyond it: `sign` says on which side of the equity
    that is. What is beyond is looked at bar by bar, so only time is lost.
    """
    unsure = lay.UNSURE * (abs(quote) + abs(equity))
    ticks = (equity + sign * unsure - quote) / unit
    if ticks <= 0.0:
        return 0
    return int(ticks) if ticks < lay.FARTHEST else lay.FAR
