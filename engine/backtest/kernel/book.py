"""A recorded book: one state follows another, and of every price it is known how much stood there from which state on.

Nothing is carried along while nobody asks: what stands at a price in a state is looked up among the changes there. The
states, the levels (a price of a side, bids first, by their prices) and the changes of each level lie behind one another
in one column.
"""

from __future__ import annotations

from domain.order import BUY
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells

# A state: since when, and its best prices, 0 where a side is empty.
SINCE = 0
BID = 1
ASK = 2
STATE_WIDTH = 3
# A level: its price, and where its changes begin; they end where those of the next one begin.
TICKS = 0
CHANGES = 1
LEVEL_WIDTH = 2
# A change: the state that it came with, and the lots that stand there since.
CAME_WITH = 0
SHOWN = 1
CHANGE_WIDTH = 2


def turn_to(cells: Cells, recorded: Cells, state: int) -> None:
    """The book is in this state."""
    at = cells[lay.STATES_AT] + state * STATE_WIDTH
    cells[lay.STATE_NOW] = state
    cells[lay.BID_NOW] = recorded[at + BID]
    cells[lay.ASK_NOW] = recorded[at + ASK]


def turn_before(cells: Cells, recorded: Cells, until: int) -> None:
    """Every state that began before a moment has come."""
    if cells[lay.STATES] == 0:
        return
    state = cells[lay.STATE_NOW]
    while state + 1 < cells[lay.STATES] and recorded[cells[lay.STATES_AT] + (state + 1) * STATE_WIDTH + SINCE] < until:
        state += 1
    turn_to(cells, recorded, state)


def level_at(cells: Cells, recorded: Cells, side: int, ticks: int) -> int:
    """Where the level of a price lies; 0 where nobody has ever stood."""
    low, high = (0, cells[lay.BID_LEVELS]) if side == BUY else (cells[lay.BID_LEVELS], cells[lay.LEVELS])
    end = high
    while low < high:
        middle = (low + high) // 2
        if recorded[cells[lay.LEVELS_AT] + middle * LEVEL_WIDTH + TICKS] < ticks:
            low = middle + 1
        else:
            high = middle
    at: int = cells[lay.LEVELS_AT] + low * LEVEL_WIDTH
    return at if low < end and recorded[at + TICKS] == ticks else 0


def next_change(recorded: Cells, level: int, state: int) -> int:
    """Where the first change of a level lies that comes after a state."""
    begin, end = recorded[level + CHANGES], recorded[level + LEVEL_WIDTH + CHANGES]
    low, high = 0, (end - begin) // CHANGE_WIDTH
    while low < high:
        middle = (low + high) // 2
        if recorded[begin + middle * CHANGE_WIDTH + CAME_WITH] <= state:
            low = middle + 1
        else:
            high = middle
    place: int = begin + low * CHANGE_WIDTH
    return place


def shown_before(recorded: Cells, level: int, change: int) -> int:
    """Lots that stand at a level before one of its changes."""
    lots: int = recorded[change - CHANGE_WIDTH + SHOWN] if change > recorded[level + CHANGES] else 0
    return lots


def shown_at(cells: Cells, recorded: Cells, level: int) -> int:
    """Lots that stand at a level now."""
    return shown_before(recorded, level, next_change(recorded, level, cells[lay.STATE_NOW]))
