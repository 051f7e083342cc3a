"""What an account does beside moving money. On spot that is nothing, and costs nothing: the compiler leaves it out.

For futures `kernel.margin` stands in its place, with the same names.
"""

from __future__ import annotations

from domain import order
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells


def expose(cells: Cells, at: int, lots: int) -> None:
    """So many lots more of the order that begins at `at` may be executed."""


def refuses(cells: Cells, at: int, is_small: bool) -> bool:
    """Whether the venue refuses an order for its worth."""
    return is_small


def most(cells: Cells, at: int, lots: int) -> int:
    """How many of an order's lots may be executed."""
    return lots


def closes(held: int, side: int) -> bool:
    """Whether an execution closes something, so that it has won or lost."""
    return side == order.SELL


def book(cells: Cells, held: int, base: int, value: int, earned: int) -> None:
    """An execution of so many base quanta is booked; `held` is the position before it."""


def tidy(cells: Cells) -> None:
    """What rests for nothing goes."""


def fund(cells: Cells, log: Cells) -> None:
    """Pay and receive what is due by now."""


def sooner(cells: Cells, wake_ms: int) -> int:
    """When something happens next, 0 for never."""
    return wake_ms


def is_due(cells: Cells, until_ms: int) -> bool:
    """Whether something is to be paid or received until then."""
    return False


def above(cells: Cells) -> int:
    """The price above at which the position is liquidated."""
    return lay.FAR


def below(cells: Cells) -> int:
    """The price below at which the position is liquidated."""
    return 0


def ends(cells: Cells, log: Cells, up: int, down: int, target: int, is_jump: bool) -> bool:
    """Liquidate, if that is what the price meets first on its way to the target."""
    return False


def reaches(cells: Cells, ticks: int) -> bool:
    """Whether the position is liquidated at a price."""
    return False


def before_end(cells: Cells, ticks: int) -> int:
    """The slot of an order that is executed before a leap to this price liquidates; -1 for none."""
    return -1


def left_over(cells: Cells) -> int:
    """Above 0 when there is something to tidy up, or it is over."""
    return 0


def is_over(cells: Cells) -> bool:
    """Whether the venue has ended it."""
    return False
