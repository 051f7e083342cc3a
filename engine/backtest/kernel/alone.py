"""Who else is in the book: nobody. An order of ours stands alone, and this costs nothing: the compiler leaves it out.

Where the market is its trades, `kernel.queue` stands in its place, with the same names.
"""

from __future__ import annotations

from engine.backtest.kernel.layout import Cells


def stand(cells: Cells, slot: int) -> None:
    """A slot's order begins to rest."""
