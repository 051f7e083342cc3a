"""What the venue's present state holds back, looked at before the risk rules: halts, its own limits, and pauses.

A symbol's standing is shared by every instance on it, like its last price. A slot whose order the venue has refused,
or has ended by itself, waits before the next attempt, longer each time; the other slots go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from core.base_exchange import TradingRules
from core.order_pace import OrderPace
from domain.order import BUY, FLATTEN, MARKET, STOP, Order
from domain.working import Tally

PPM: Final = 1_000_000
VENUE_CLOSED: Final = "venue_closed"
OUTSIDE_PRICE_RANGE: Final = "outside_price_range"
#: The name that the risk rule of the same meaning has: the farthest entries make room for nearer ones.
TOO_MANY_OPEN_ORDERS: Final = "too_many_open_orders"
TOO_MANY_NEW_ORDERS: Final = "too_many_new_orders"
PAUSING: Final = "pausing_after_refusal"
CATCHING_UP: Final = "catching_up"
NAME_ASKED_FOR: Final = "name_asked_for"

WORDS: Final = {
    VENUE_CLOSED: "The venue takes no new orders for this strategy now; the last error says why.",
    OUTSIDE_PRICE_RANGE: "The venue takes no price so far from the market; the order waits until the market is nearer.",
    TOO_MANY_OPEN_ORDERS: "As many orders rest on the symbol as the venue allows; the nearest to the price go first.",
    CATCHING_UP: "What the venue has done while nobody ran is still being read; the order waits until all is booked.",
    NAME_ASKED_FOR: "The database was older than the venue's orders, so the venue is asked whether it knows the order.",
    TOO_MANY_NEW_ORDERS: "The venue takes so many new orders of an account and no more; it is placed when it may be.",
    PAUSING: "The venue has refused or ended this order; it is tried again after a pause.",
}


@dataclass(slots=True)
class Standing:
    """How one symbol stands at the venue, for one account."""

    rules: TradingRules = field(default_factory=TradingRules)
    #: Why the account may not place anything anywhere: its key was refused. Empty when it may.
    refused: str = ""
    #: Why the venue cannot be reached; stops and flattening are tried all the same.
    unreachable: str = ""
    #: Orders of this account that rest on the symbol and are not ours.
    foreign_orders: int = 0
    #: The orders of every instance on the symbol that are not complete.
    own: Tally = field(default_factory=Tally)
    #: How many orders the account may send; the same for all of its symbols.
    pace: OrderPace | None = None

    @property
    def words(self) -> str:
        """Why no new order may be placed, naming the next step; empty when orders may be placed."""
        return self.refused or self.rules.halt or self.unreachable

    def is_closed_to(self, order: Order) -> bool:
        """Whether this order has to wait for the venue."""
        is_urgent = order.key.leg in (STOP, FLATTEN)
        return bool(self.refused or self.rules.halt or (self.unreachable and not is_urgent))

    def objection(self, order: Order, last_ticks: int) -> str:
        """The name of what holds this order back; empty when nothing does."""
        if self.is_closed_to(order):
            return VENUE_CLOSED
        if order.type != MARKET and not self._is_in_range(order, last_ticks):
            return OUTSIDE_PRICE_RANGE
        limit = self.rules.max_open_orders
        if 0 < limit <= self.own.count + self.foreign_orders:
            return TOO_MANY_OPEN_ORDERS
        if self.pace is not None and not self.pace.has_room(is_urgent=order.reduce_only):
            return TOO_MANY_NEW_ORDERS
        return ""

    def approve(self) -> None:
        """One more order is about to be kept and sent."""
        if self.pace is not None:
            self.pace.approve()

    def _is_in_range(self, order: Order, last_ticks: int) -> bool:
        rules = self.rules
        floor, ceiling = (
            (rules.bid_floor_ppm, rules.bid_ceiling_ppm) if order.side == BUY
            else (rules.ask_floor_ppm, rules.ask_ceiling_ppm)
        )  # fmt: skip
        if last_ticks <= 0:
            return True
        return (not floor or order.ticks * PPM >= last_ticks * floor) and (
            not ceiling or order.ticks * PPM <= last_ticks * ceiling
        )


@dataclass(slots=True)
class _Failures:
    count: int = 0
    until_ms: int = 0
    last_ms: int = 0


class SlotPauses:
    """Which slots wait after the venue has refused or ended their orders, by machine time."""

    def __init__(self, first_ms: int = 1_000, longest_ms: int = 300_000) -> None:
        self._first_ms = first_ms
        self._longest_ms = longest_ms
        self._slots: dict[int, _Failures] = {}

    def refused(self, slot: int, now_ms: int) -> int:
        """The venue refused the slot's order; gives the pause in milliseconds."""
        return self._fail(slot, now_ms, free=0)

    def withdrawn(self, slot: int, now_ms: int) -> int:
        """The venue, or somebody by another way, ended the slot's order: the first time it is placed again at once."""
        return self._fail(slot, now_ms, free=1)

    def worked(self, slot: int) -> None:
        """The slot has traded, so whatever was wrong is over."""
        self._slots.pop(slot, None)

    def forgive(self) -> None:
        """Nothing has to wait any more."""
        self._slots.clear()

    def waits(self, slot: int, now_ms: int) -> bool:
        """Whether the slot has to wait."""
        found = self._slots.get(slot)
        return found is not None and now_ms < found.until_ms

    def _fail(self, slot: int, now_ms: int, free: int) -> int:
        found = self._slots.setdefault(slot, _Failures())
        if now_ms - found.last_ms > 12 * self._longest_ms:
            found.count = 0
        found.count, found.last_ms = found.count + 1, now_ms
        over = found.count - free
        pause = min(self._first_ms << min(over - 1, 30), self._longest_ms) if over > 0 else 0
        found.until_ms = now_ms + pause
        return pause
