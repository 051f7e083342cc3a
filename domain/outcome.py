"""What became of a request that places or cancels an order: accepted, rejected, or not known.

There is no fourth answer and no exception in its place: whoever sends an order gets one of these three values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from domain.errors import Refused
from domain.order import OrderReport


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue holds the order, or has taken its cancel."""

    #: The venue's own id of the order, as text.
    venue_order_id: str
    #: The end of the order, where the answer to its cancel tells it.
    end: OrderReport | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The order does not exist at the venue, provably; its reservation is free again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may or may not have arrived; its slot and reservation stay locked until the venue was asked."""

    cause: str


Outcome: TypeAlias = Accepted | Rejected | Unknown


def outcome_of_failure(error: Exception, *, request_left: bool) -> Rejected | Unknown:
    """The outcome of a request that ended in `error`.

    Before the first byte left nothing can exist at the venue. After it, only the venue's own refusal is proof;
    everything else, foreseen or not, is unknown.
    """
    if not request_left or isinstance(error, Refused):
        return Rejected(str(error))
    return Unknown(f"{type(error).__name__}: {error}")


def is_settled(outcome: Outcome) -> bool:
    """Whether the outcome is proven, so that its slot may move on."""
    return not isinstance(outcome, Unknown)
