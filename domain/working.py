"""The orders of an instance that are not complete, and what they come to, counted as they come and go.

Every order is vetted by these sums. Counted anew for each, laying out a ladder would cost the square of its levels.
"""

from __future__ import annotations

from domain.capital import Free
from domain.instrument import Instrument
from domain.order import BUY, Order, is_complete, unbooked


class Tally:
    """How many orders several instances have that are not complete."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class WorkingOrders:
    """One instance's; whatever changes an order of it says so by `put`."""

    __slots__ = ("_limit_cost", "_market_lots", "_tally", "buy_lots", "by_slot", "sell_lots")

    def __init__(self) -> None:
        self.by_slot: dict[int, Order] = {}
        #: Lots that the books do not show yet: those that may still be executed, and those whose fills are to come.
        self.buy_lots = self.sell_lots = 0
        #: Of the buys: lots times ticks of those with a limit, and the lots of those without.
        self._limit_cost = self._market_lots = 0
        self._tally: Tally | None = None

    def put(self, order: Order) -> None:
        """The order of a slot is this one now."""
        slot, before = order.key.slot, len(self.by_slot)
        if (known := self.by_slot.get(slot)) is not None:
            self._count(known, -1)
        if is_complete(order):
            self.by_slot.pop(slot, None)
        else:
            self.by_slot[slot] = order
            self._count(order, 1)
        if self._tally is not None:
            self._tally.count += len(self.by_slot) - before

    def locked(self, instrument: Instrument, last_ticks: int) -> Free:
        """What they give away or may yet, as `capital.locked` counts it."""
        quote = self._limit_cost + self._market_lots * last_ticks
        return Free(quote * instrument.tick_lot, self.sell_lots * instrument.base_per_lot)

    def join(self, tally: Tally) -> None:
        """Be counted there from now on, and nowhere else."""
        self.leave()
        self._tally = tally
        tally.count += len(self.by_slot)

    def leave(self) -> None:
        """Be counted nowhere any more."""
        if self._tally is not None:
            self._tally.count -= len(self.by_slot)
            self._tally = None

    def _count(self, order: Order, by: int) -> None:
        lots = by * unbooked(order)
        if order.side != BUY:
            self.sell_lots += lots
            return
        self.buy_lots += lots
        if order.ticks:
            self._limit_cost += lots * order.ticks
        else:
            self._market_lots += lots
