"""Several orders in one request: each item has an outcome of its own, in the order sent."""

from __future__ import annotations

from collections.abc import Callable

from simulator.errors import VenueError, missing_parameter
from simulator.futures_api import order_bodies
from simulator.futures_api.order_bodies import Body
from simulator.futures_api.orders import modify, place
from simulator.venue import Venue
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params, texts_of

MOST_PLACED = 5
MOST_CANCELLED = 10
One = Callable[[Venue, int, Params], Body]


@endpoint("POST /fapi/v1/batchOrders", market="futures", security="TRADE", weight=5, orders=5, orders_longer=1)
def place_batch(call: Call) -> object:
    """Up to five new orders."""
    return _each(call, place)


@endpoint("PUT /fapi/v1/batchOrders", market="futures", security="TRADE", weight=5, orders=5, orders_longer=1)
def modify_batch(call: Call) -> object:
    """Up to five modifications."""
    return _each(call, modify)


@endpoint("DELETE /fapi/v1/batchOrders", market="futures", security="TRADE")
def cancel_batch(call: Call) -> object:
    """Up to ten cancels by orderIdList or origClientOrderIdList."""
    instrument = call.instrument()
    wanted = _wanted(call.params)
    outcomes = []
    for order_id, client_id in wanted:
        try:
            order = call.venue.futures.cancel(call.account_id, instrument.symbol, order_id, client_id)
            outcomes.append(order_bodies.acknowledged(order, instrument))
        except VenueError as refusal:
            outcomes.append(_refused(refusal))
    return outcomes


def _wanted(params: Params) -> list[tuple[int | None, str | None]]:
    # The venue takes both spellings, and its clients send either.
    numbers = params.json_list("orderIdList") or params.json_list("orderidlist")
    names = params.json_list("origClientOrderIdList") or params.json_list("origclientorderidlist")
    if not numbers and not names:
        raise VenueError(
            -1102, "Param 'origClientOrderIdList' or 'orderIdList' must be sent, but both were empty/null!"
        )
    chosen: list[tuple[int | None, str | None]] = []
    if numbers:
        chosen = [(_order_number(item), None) for item in numbers]
    elif names:
        chosen = [(None, str(item)) for item in names]
    if len(chosen) > MOST_CANCELLED:
        raise VenueError(-4032, f"Exceed maximum cancel order size {MOST_CANCELLED}")
    return chosen


def _order_number(item: object) -> int:
    text = str(item)
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise VenueError(-1130, "Data sent for parameter 'orderIdList' is not valid.")
    return int(text)


def _each(call: Call, one: One) -> list[Body]:
    items = call.params.json_list("batchOrders")
    if items is None:
        raise missing_parameter("batchOrders")
    if not 1 <= len(items) <= MOST_PLACED:
        raise VenueError(-4082, "Invalid number of batch place orders.")
    outcomes = []
    for item in items:
        try:
            if not isinstance(item, dict):
                raise VenueError(-1130, "Data sent for parameter 'batchOrders' is not valid.")
            outcomes.append(one(call.venue, call.account_id, Params(texts_of(item), "futures")))
        except VenueError as refusal:
            outcomes.append(_refused(refusal))
    return outcomes


def _refused(refusal: VenueError) -> Body:
    return {"code": refusal.code, "msg": refusal.message}
