"""The life of an order as a join: reports may come late, twice or out of order and the end is the same.

A status has a rank; merging keeps the higher rank and the larger cumulative quantity. Merging is commutative,
associative and idempotent, so the order of arrival cannot matter, and a terminal status is never left.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.client_order_id import OrderKey

BUY: Final = 1
SELL: Final = -1

LIMIT: Final = 0
MARKET: Final = 1
#: A limit order that is refused rather than taken: LIMIT_MAKER on spot, GTX on futures.
POST_ONLY: Final = 2
STOP_MARKET: Final = 3

# Legs of a slot: what an order does there.
ENTRY: Final = 0
EXIT: Final = 1
STOP: Final = 2
FLATTEN: Final = 3
START: Final = 4

# Statuses by rank. PENDING: journaled, and the venue's word is not known yet; it counts as if it were open.
PENDING: Final = 0
OPEN: Final = 1
REJECTED: Final = 2
EXPIRED: Final = 3
CANCELLED: Final = 4
FILLED: Final = 5

STATUS_NAMES: Final = ("pending", "open", "rejected", "expired", "cancelled", "filled")
LEG_NAMES: Final = ("entry", "exit", "stop", "flatten", "start")


class OrderReport(NamedTuple):
    """What the venue said of one order at one moment, in lots."""

    client_order_id: str
    venue_order_id: str
    status: int
    #: Cumulative quantity executed, in lots.
    filled: int
    #: Venue time of the report in milliseconds.
    time_ms: int
    #: Why the venue refused the order, in its own words; empty when it did not.
    reason: str = ""


class Order(NamedTuple):
    """An order of ours, from the moment its intent is journaled."""

    key: OrderKey
    client_order_id: str
    symbol: str
    side: int
    type: int
    #: Limit price in ticks; 0 for a market order.
    ticks: int
    lots: int
    reduce_only: bool = False
    status: int = PENDING
    filled: int = 0
    venue_order_id: str = ""
    #: Lots whose fills have been booked. Complete when terminal and equal to `filled`.
    booked: int = 0
    updated_ms: int = 0


def merge(order: Order, report: OrderReport) -> Order:
    """The order after a report; the same whatever order the reports come in."""
    filled = max(order.filled, report.filled)
    status = FILLED if filled >= order.lots else max(order.status, report.status)
    return order._replace(
        status=status,
        filled=filled,
        venue_order_id=order.venue_order_id or report.venue_order_id,
        updated_ms=max(order.updated_ms, report.time_ms),
    )


def book(order: Order, lots: int) -> Order:
    """The order after a fill of `lots` was booked. A fill proves that its quantity was executed."""
    booked = order.booked + lots
    filled = max(order.filled, booked)
    status = FILLED if filled >= order.lots else max(order.status, OPEN)
    return order._replace(status=status, filled=filled, booked=booked)


def is_terminal(order: Order) -> bool:
    """Whether the venue will do nothing more with it."""
    return order.status >= REJECTED


def is_complete(order: Order) -> bool:
    """Whether it is terminal and every executed lot is booked; only then is its slot free."""
    return is_terminal(order) and order.booked >= order.filled


def remaining(order: Order) -> int:
    """Lots that may still be executed: an order whose fate is unknown counts as open."""
    return 0 if is_terminal(order) else order.lots - order.filled


def unbooked(order: Order) -> int:
    """Lots that the books do not show yet: those that may still be executed, and those whose fills are to come."""
    return max((order.filled if is_terminal(order) else order.lots) - order.booked, 0)
