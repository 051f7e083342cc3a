"""An order book kept from changes, with the sequence checked at every step."""

from __future__ import annotations

from decimal import Decimal

from domain.errors import Transient
from exchanges._binance.hot import DepthChange

#: Every way to write a quantity of nothing.
_ZEROS = frozenset({"0", *(f"0.{'0' * digits}" for digits in range(1, 19))})


class BookGap(Transient):
    """Changes of the book are missing; take a new snapshot."""


class Book:
    """One symbol's book as the venue's texts: price -> quantity."""

    def __init__(self, *, chained: bool) -> None:
        #: Futures chain changes by `pu`; spot counts without holes.
        self._chained = chained
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self.last_id = 0
        self._is_first = True

    def load(self, last_id: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        """Start from a snapshot."""
        self.bids, self.asks, self.last_id = dict(bids), dict(asks), last_id
        self._is_first = True

    def apply(self, change: DepthChange) -> bool:
        """Follow a change; False when it is older than the book. `BookGap` when one before it is missing."""
        if change.u <= self.last_id and not (self._chained and change.u == self.last_id):
            return False
        if not self._follows(change):
            raise BookGap(f"the book is at {self.last_id} and the next change begins at {change.U}.")
        self._is_first = False
        self.last_id = change.u
        _fold(self.bids, change.b)
        _fold(self.asks, change.a)
        return True

    def best(self) -> tuple[str, str]:
        """The highest bid and the lowest ask; empty texts where a side is empty."""
        return max(self.bids, key=Decimal, default=""), min(self.asks, key=Decimal, default="")

    def _follows(self, change: DepthChange) -> bool:
        if self._is_first:
            return self.last_id + 1 >= change.U
        return change.pu == self.last_id if self._chained else self.last_id + 1 == change.U


def _fold(side: dict[str, str], levels: list[tuple[str, str]]) -> None:
    side.update(levels)
    for price, quantity in levels:
        if quantity in _ZEROS:
            # A level may be removed that was never sent.
            side.pop(price, None)
