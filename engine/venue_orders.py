"""What an order is at the venue, whole: for orders of which the journal does not know."""

from __future__ import annotations

from core.base_exchange import BaseExchange, DescribesOrders
from domain.order import Order, merge


async def order_at_venue(exchange: BaseExchange, asked: Order) -> Order | None:
    """The order of this name as the venue holds it, nothing of it booked; None when it knows of none.

    Where a venue tells no more than what became of it, the rest is taken from what was asked for.
    """
    if not isinstance(exchange, DescribesOrders):
        report = await exchange.query(asked)
        return None if report is None else merge(asked, report)
    found = await exchange.describe(asked)
    if found is None:
        return None
    plain = asked._replace(side=found.side, type=found.type, ticks=found.ticks, lots=found.lots)
    return merge(plain, found.report)
