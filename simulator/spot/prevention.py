"""Self-trade prevention: two orders of one account meet, and the taker's mode says which of them gives way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.spot.desk import Desk, Listing
from simulator.spot.funds import need
from simulator.spot.types import PreventedMatch, SpotOrder

if TYPE_CHECKING:
    from simulator.spot.engine import Engine


def prevent(engine: Engine, desk: Desk, listing: Listing, taker: SpotOrder, maker: SpotOrder, price: int) -> None:
    """Record the prevented match, take the prevented quantities away and end the orders that have nothing left.

    TRANSFER acts as DECREMENT: accounts here belong to no trade group.
    """
    from_taker, from_maker = _prevented_quantities(taker, maker)
    match = PreventedMatch(
        listing.next_prevented_id,
        listing.instrument.symbol,
        taker.order_id,
        maker.order_id,
        -1,
        taker.self_trade_prevention,
        price,
        from_maker,
        desk.clock.now_ms(),
        from_taker,
    )
    listing.next_prevented_id += 1
    listing.archive(taker.account_id).prevented.append(match)
    for order, quantity in ((maker, from_maker), (taker, from_taker)):
        if quantity:
            _take_away(engine, desk, listing, order, quantity, match)
        elif order is taker:
            taker.prevented_matches.append(match)


def _prevented_quantities(taker: SpotOrder, maker: SpotOrder) -> tuple[int, int]:
    mode = taker.self_trade_prevention
    if mode in ("DECREMENT", "TRANSFER"):
        smaller = min(taker.remaining, maker.remaining)
        return smaller, smaller
    from_taker = taker.remaining if mode in ("EXPIRE_TAKER", "EXPIRE_BOTH") else 0
    from_maker = maker.remaining if mode in ("EXPIRE_MAKER", "EXPIRE_BOTH") else 0
    return from_taker, from_maker


def _take_away(
    engine: Engine, desk: Desk, listing: Listing, order: SpotOrder, quantity: int, match: PreventedMatch
) -> None:
    order.prevented_quantity += quantity
    order.prevented_matches.append(match)
    if order.remaining <= 0:
        engine.end(listing, order, "EXPIRED_IN_MATCH", "TRADE_PREVENTION", prevented=(match, quantity))
        return
    order.update_ms = match.time_ms
    if order.price:
        engine.release(listing, order, min(order.locked, need(listing, order)))
    listing.book.changed()
    desk.report(order, "TRADE_PREVENTION", prevented=(match, quantity))
