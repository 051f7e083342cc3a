"""What is assumed of the others in the book, where the market is its trades."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from domain import fills
from domain.errors import Refused
from domain.sentences import say

#: A share of what is cancelled may be more than what is traded, within reason.
MOST_PERCENT = 10_000
#: Who cancels where a book was recorded: as `domain.fills.on_shown` counts it.
CANCELLATIONS: Final = {"behind": fills.BEHIND, "shared": fills.SHARED, "ahead": fills.AHEAD}


@dataclass(frozen=True)
class Queue:
    """How much stands in front of an order when it begins to rest, and how it goes.

    Where the book was recorded, it tells what stands there, and `cancellations` says who of a price cancels: those
    behind the order as far as they can, all in equal parts (`shared`), or those ahead of it. Elsewhere
    it is `ahead`, and `share_percent` of what was traded in the `share_ms` before, together. Trades at the order's
    price use it up; for 100 that are traded there, `cancelled_percent` more are taken to be cancelled.
    """

    #: In the base asset.
    ahead: Decimal = Decimal(0)
    share_percent: Decimal = Decimal(0)
    share_ms: int = 60_000
    cancelled_percent: Decimal = Decimal(0)
    #: Whether a trade beyond the price of an order executes all of it, as on paper: the market would have met it first.
    #: Else it executes no more than its own quantity, because that is all that came so far. The same of what comes to
    #: the other side of a recorded book, at the price of the order or beyond it.
    whole_beyond: bool = False
    cancellations: Literal["behind", "shared", "ahead"] = "behind"

    def __post_init__(self) -> None:
        for name in ("ahead", "share_percent", "cancelled_percent"):
            value = getattr(self, name)
            if not value.is_finite() or value < 0:
                raise Refused(
                    say(
                        "queue_below_zero",
                        "{name} is {value}; it must be zero or more.",
                        name=name,
                        value=value,
                        field="queue",
                    )
                )
        for name in ("share_percent", "cancelled_percent"):
            if getattr(self, name) > MOST_PERCENT:
                raise Refused(
                    say(
                        "queue_above_most",
                        "{name} is {value}; more than {most} % is no assumption.",
                        name=name,
                        value=getattr(self, name),
                        most=MOST_PERCENT,
                        field="queue",
                    )
                )
        if self.cancellations not in CANCELLATIONS:
            raise Refused(
                say(
                    "no_such_cancellations",
                    "cancellations {cancellations}: choose from {choices}.",
                    cancellations=self.cancellations,
                    choices=", ".join(CANCELLATIONS),
                    field="queue",
                )
            )
        if self.share_ms <= 0:
            raise Refused(
                say(
                    "queue_share_too_short",
                    "a share of what is traded in {share_ms} ms is none; take a longer time.",
                    share_ms=self.share_ms,
                    field="queue",
                )
            )

    @property
    def assumes_quantities(self) -> bool:
        """Whether it says how much stands in front, or goes."""
        return bool(self.ahead or self.share_percent or self.cancelled_percent)
