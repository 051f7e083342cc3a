"""An order book kept from changes, with the sequence checked at every step."""

from __future__ import annotations

from decimal import Decimal

from domain.errors import Transient
from exchanges._binance.hot import DepthChange

#: Every way to write a quantity of nothing.
_ZEROS = frozenset({"0", *(f"0.{'0' * digits}" for digits in range(1, 19))})

_SWEEP_AFTER = 512


class BookGap(Transient):
    """Changes of the book are missing; take a new snapshot."""


class Book:
    """One symbol's book as the venue's texts: price -> quantity.

    Changes come a hundred times more often than somebody looks, so levels of nothing are swept out when one looks, or
    after many changes, and not with every change.
    """

    def __init__(self, *, chained: bool) -> None:
        #: Futures chain changes by `pu`; spot counts without holes.
        self._chained = chained
        self._bids: dict[str, str] = {}
        self._asks: dict[str, str] = {}
        self._unswept = 0
        self.last_id = 0
        self._is_first = True

    @property
    def bids(self) -> dict[str, str]:
        """What is bid."""
        self._sweep()
        return self._bids

    @property
    def asks(self) -> dict[str, str]:
        """What is asked."""
        self._sweep()
        return self._asks

    def load(self, last_id: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        """Start from a snapshot."""
        self._bids, self._asks, self.last_id = dict(bids), dict(asks), last_id
        self._is_first, self._unswept = True, 1

    def apply(self, change: DepthChange) -> bool:
        """Follow a change; False when it is older than the book. `BookGap` when one before it is missing."""
        if change.u <= self.last_id and not (self._chained and change.u == self.last_id):
            return False
        if not self._follows(change):
            raise BookGap(f"the book is at {self.last_id} and the next change begins at {change.U}.")
        self._is_first = False
        self.last_id = change.u
        self._bids.update(change.b)
        self._asks.update(change.a)
        self._unswept += 1
        if self._unswept > _SWEEP_AFTER:
            self._sweep()
        return True

    def best(self) -> tuple[str, str]:
        """The highest bid and the lowest ask; empty texts where a side is empty."""
        return max(self.bids, key=Decimal, default=""), min(self.asks, key=Decimal, default="")

    def _follows(self, change: DepthChange) -> bool:
        if self._is_first:
            return self.last_id + 1 >= change.U
        return change.pu == self.last_id if self._chained else self.last_id + 1 == change.U

    def _sweep(self) -> None:
        if self._unswept:
            self._unswept = 0
            for side in (self._bids, self._asks):
                for price in [price for price, quantity in side.items() if quantity in _ZEROS]:
                    del side[price]
