"""What is assumed of the others in the book, where the market is its trades."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.errors import Refused

#: A share of what is cancelled may be more than what is traded, within reason.
MOST_PERCENT = 10_000


@dataclass(frozen=True)
class Queue:
    """How much stands in front of an order when it begins to rest, and how it goes.

    It is `ahead`, and `share_percent` of what was traded in the `share_ms` before, together. Trades at the order's
    price use it up; for 100 that are traded there, `cancelled_percent` more are taken to be cancelled.
    """

    #: In the base asset.
    ahead: Decimal = Decimal(0)
    share_percent: Decimal = Decimal(0)
    share_ms: int = 60_000
    cancelled_percent: Decimal = Decimal(0)
    #: Whether a trade beyond the price of an order executes all of it, as on paper: the market would have met it first.
    #: Else it executes no more than its own quantity, because that is all that came so far.
    whole_beyond: bool = False

    def __post_init__(self) -> None:
        for name in ("ahead", "share_percent", "cancelled_percent"):
            value = getattr(self, name)
            if not value.is_finite() or value < 0:
                raise Refused(f"queue: {name} is {value}; it must be zero or more.")
        for name in ("share_percent", "cancelled_percent"):
            if getattr(self, name) > MOST_PERCENT:
                raise Refused(f"queue: {name} is {getattr(self, name)}; more than {MOST_PERCENT} % is no assumption.")
        if self.share_ms <= 0:
            raise Refused(f"queue: a share of what is traded in {self.share_ms} ms is none; take a longer time.")
