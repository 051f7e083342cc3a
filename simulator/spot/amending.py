"""Amend, keep priority: an open order may become smaller without losing its place."""

from __future__ import annotations

from simulator.errors import DUPLICATE_ORDER, VenueError, filter_failure
from simulator.spot.desk import Desk, Listing
from simulator.spot.engine import Engine
from simulator.spot.filters import notional_fits, quantity_fits
from simulator.spot.funds import need
from simulator.spot.lists import Lists
from simulator.spot.types import Amendment, SpotOrder
from simulator.units import notional

_REJECTED = -2038
_NO_CHANGE = "The requested action would change no state; rejecting."
_INCREASE = "Order amend (quantity increase) is not supported."


def check_amend(listing: Listing, order: SpotOrder, quantity: int, client_order_id: str | None) -> None:
    """Refuse what cannot be amended (-2038) or would break the symbol's filters (-1013)."""
    filters = listing.instrument.filters
    if quantity == order.quantity:
        raise VenueError(_REJECTED, _NO_CHANGE)
    if quantity > order.quantity:
        raise VenueError(_REJECTED, _INCREASE)
    if not quantity_fits(filters, quantity):
        raise filter_failure("LOT_SIZE")
    if order.price and not notional_fits(filters, notional(order.price, quantity)):
        raise filter_failure("NOTIONAL")
    if quantity <= order.executed + order.prevented_quantity:
        raise VenueError(_REJECTED, "Order amend to a quantity that is already executed is not supported.")
    if order.amends >= filters.maximum_amends:
        raise VenueError(_REJECTED, "Filter failure: MAX_NUM_ORDER_AMENDS")
    taken = listing.archive(order.account_id).open_clients.get(client_order_id or "")
    if taken is not None and taken is not order:
        raise VenueError(_REJECTED, DUPLICATE_ORDER)


def amend_order(
    desk: Desk,
    engine: Engine,
    lists: Lists,
    listing: Listing,
    order: SpotOrder,
    quantity: int,
    client_order_id: str | None,
) -> Amendment:
    """Lower the quantity of an open order, and of its partner in an OCO; refusals change nothing."""
    check_amend(listing, order, quantity, client_order_id)
    partner = lists.partner(order)
    amendment = _amend_one(desk, engine, listing, order, quantity, client_order_id)
    if partner is not None and partner.is_open:
        _amend_one(desk, engine, listing, partner, quantity, None)
        lists.relock(listing, order)
    if order.order_list_id >= 0:
        lists.renamed(desk.lists[order.order_list_id])
    return amendment


def _amend_one(
    desk: Desk, engine: Engine, listing: Listing, order: SpotOrder, quantity: int, client_order_id: str | None
) -> Amendment:
    archive = listing.archive(order.account_id)
    before, old_client_id = order.quantity, order.client_order_id
    order.quantity = quantity
    order.amends += 1
    order.update_ms = desk.clock.now_ms()
    if 0 < quantity < order.iceberg_quantity:
        order.iceberg_quantity = quantity
    archive.rename(order, client_order_id or desk.client_ids.next())
    if order.locked:
        engine.release(listing, order, min(order.locked, need(listing, order)))
    if order.order_id in listing.resting:
        listing.book.changed()
    execution_id = desk.report(order, "REPLACED", request_client_id=order.client_order_id)
    amendment = Amendment(
        order.symbol,
        order.order_id,
        execution_id,
        old_client_id,
        order.client_order_id,
        before,
        quantity,
        order.update_ms,
    )
    archive.amendments.append(amendment)
    return amendment
