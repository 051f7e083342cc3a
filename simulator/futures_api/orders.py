"""Place, test, modify, cancel and query one order."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures.types import FuturesOrder
from simulator.futures_api import order_bodies, words
from simulator.futures_api.new_orders import SIDES, read_order
from simulator.venue import Venue
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params

Body = order_bodies.Body


@endpoint("POST /fapi/v1/order", market="futures", ws="order.place", security="TRADE", weight=0, orders=1)
def place_order(call: Call) -> object:
    """A new order; ACK shows it as accepted, RESULT as it stands after matching."""
    return place(call.venue, call.account_id, call.params)


@endpoint("POST /fapi/v1/order/test", market="futures", security="TRADE")
def test_order(call: Call) -> object:
    """Every check of a new order; nothing is placed."""
    new = read_order(call.params)
    words.response_type(call.params)
    order = call.venue.futures.test(call.account_id, new)
    body = order_bodies.as_accepted(order, call.venue.futures.instrument(order.symbol))
    return body | {"clientOrderId": new.client_order_id or ""}


@endpoint("PUT /fapi/v1/order", market="futures", ws="order.modify", security="TRADE", weight=0, orders=1)
def modify_order(call: Call) -> object:
    """Another price or quantity for a LIMIT order, which goes to the end of the queue."""
    return modify(call.venue, call.account_id, call.params)


@endpoint("DELETE /fapi/v1/order", market="futures", ws="order.cancel", security="TRADE")
def cancel_order(call: Call) -> object:
    """Cancel one order; -2011 when it is unknown or no longer open."""
    instrument = call.instrument()
    order_id, client_id = words.order_identity(call.params)
    order = call.venue.futures.cancel(call.account_id, instrument.symbol, order_id, client_id)
    return order_bodies.acknowledged(order, instrument)


@endpoint("GET /fapi/v1/order", market="futures", ws="order.status", security="USER_DATA")
def query_order(call: Call) -> object:
    """One order in any state; -2013 when it is unknown."""
    instrument = call.instrument()
    order_id, client_id = words.order_identity(call.params)
    order = call.venue.futures.history.order(call.account_id, instrument.symbol, order_id, client_id)
    return order_bodies.queried(order, instrument)


@endpoint("GET /fapi/v1/openOrder", market="futures", security="USER_DATA")
def query_open_order(call: Call) -> object:
    """One order that is still open; -2013 once it has ended."""
    instrument = call.instrument()
    order_id, client_id = words.order_identity(call.params)
    order = call.venue.futures.history.open_order(call.account_id, instrument.symbol, order_id, client_id)
    return order_bodies.queried(order, instrument)


def place(venue: Venue, account_id: int, params: Params) -> Body:
    """One new order, from the request itself or from an item of a batch."""
    new = read_order(params)
    answer = words.response_type(params)
    order = venue.futures.place(account_id, new)
    return _answer(venue, order, answer)


def modify(venue: Venue, account_id: int, params: Params) -> Body:
    """One modification, from the request itself or from an item of a batch."""
    instrument = venue.futures.instrument(params.symbol())
    order_id, client_id = words.order_identity(params)
    side = params.choice("side", SIDES)
    quantity = params.decimal("quantity")
    match = words.price_match(params)
    price = params.decimal("price") if match is None else None
    modify_id = params.optional_integer("modifyId")
    if words.reduce_only(params):
        original = venue.futures.history.order(account_id, instrument.symbol, order_id, client_id)
        if not original.reduce_only:
            raise VenueError(-5047, "The original order is not a reduce-only order.")
    order = venue.futures.modify(account_id, instrument.symbol, order_id, client_id, side, quantity, price, match)
    body = order_bodies.modified(order, instrument)
    if modify_id is not None:
        body["modifyId"] = modify_id
    return body


def _answer(venue: Venue, order: FuturesOrder, answer: words.ResponseType) -> Body:
    instrument = venue.futures.instrument(order.symbol)
    shape = order_bodies.as_accepted if answer == "ACK" else order_bodies.acknowledged
    return shape(order, instrument)
