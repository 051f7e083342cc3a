"""Who else is in the book: nobody. An order of ours stands alone, and this costs nothing: the compiler leaves it out.

Where the market is its trades, `kernel.queue` stands in its place, with the same names.
"""

from __future__ import annotations

from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import Cells


def stand(cells: Cells, slot: int) -> None:
    """A slot's order begins to rest."""


def bid(cells: Cells) -> int:
    """The best price that somebody bids."""
    ticks: int = cells[lay.LAST]
    return ticks


def ask(cells: Cells) -> int:
    """The best price that somebody offers at."""
    ticks: int = cells[lay.LAST]
    return ticks


def takes(cells: Cells, slot: int) -> bool:
    """Whether a slot's order is executed by what a recorded book shows; then it will be."""
    return False
