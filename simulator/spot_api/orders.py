"""Placing, testing, cancelling and querying single orders."""

from __future__ import annotations

from simulator.errors import INVALID_SYMBOL, VenueError
from simulator.market.intervals import DAY
from simulator.spot.types import NewOrder, OrderList
from simulator.spot_api.market_data import row_limit
from simulator.spot_api.order_bodies import (
    RESPONSE_TYPES,
    Body,
    ResponseType,
    cancelled,
    cancelled_list,
    decimal,
    default_response,
    placed,
    queried,
)
from simulator.spot_api.order_params import both_empty, cancel_restriction, new_order
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params

BNB_DISCOUNT = "0.25000000"
_NOTHING = "0.00000000"


def check_symbol(call: Call) -> str:
    """The name of a listed symbol; -1121 otherwise."""
    symbol = call.params.symbol()
    if symbol not in call.venue.spot.instruments:
        raise VenueError(*INVALID_SYMBOL)
    return symbol


def response_type(params: Params, new: NewOrder) -> ResponseType:
    """newOrderRespType, or what the order's type takes without it."""
    return params.optional_choice("newOrderRespType", RESPONSE_TYPES) or default_response(new.type)


@endpoint(
    "POST /api/v3/order",
    market="spot",
    ws="order.place",
    security="TRADE",
    weight=1,
    free_on_success=True,
    orders=1,
)
def place_order(call: Call) -> object:
    """Send in an order."""
    params = call.params
    new = new_order(params, check_symbol(call))
    shape = response_type(params, new)
    params.finish()
    return placed(call.venue.spot.place(call.account_id, new), shape)


def test_weight(params: Params) -> int:
    """20 when commission rates are asked for, else 1."""
    return 20 if (params.peek("computeCommissionRates") or "").lower() == "true" else 1


@endpoint("POST /api/v3/order/test", market="spot", ws="order.test", security="TRADE", weight=test_weight)
def try_order(call: Call) -> object:
    """Check an order as placing would, without placing it."""
    params = call.params
    new = new_order(params, check_symbol(call))
    response_type(params, new)
    with_rates = params.boolean("computeCommissionRates")
    params.finish()
    call.venue.spot.test(call.account_id, new)
    return commission_for_order(call, new.symbol) if with_rates else {}


def commission_for_order(call: Call, symbol: str) -> Body:
    """Commission rates that trades of this order would have."""
    account = call.account
    return {
        "standardCommissionForOrder": {"maker": decimal(account.maker_fee), "taker": decimal(account.taker_fee)},
        "specialCommissionForOrder": {"maker": _NOTHING, "taker": _NOTHING},
        "taxCommissionForOrder": {"maker": _NOTHING, "taker": _NOTHING},
        "discount": discount(call),
    }


def discount(call: Call) -> Body:
    """The discount for paying commission in BNB."""
    return {
        "enabledForAccount": call.account.pay_fees_in_bnb,
        "enabledForSymbol": True,
        "discountAsset": "BNB",
        "discount": BNB_DISCOUNT,
    }


def order_identity(
    params: Params, by_id: str = "orderId", by_client: str = "origClientOrderId"
) -> tuple[int | None, str | None]:
    """Both ids of an existing order; -1102 when neither was sent."""
    order_id, client_id = params.optional_integer(by_id), params.optional_text(by_client)
    if order_id is None and client_id is None:
        raise both_empty(by_client, by_id)
    return order_id, client_id


@endpoint("DELETE /api/v3/order", market="spot", ws="order.cancel", security="TRADE", weight=1, free_on_success=True)
def cancel_order(call: Call) -> object:
    """Cancel an order; one of a list takes its list with it, and the answer is the list."""
    params = call.params
    symbol = check_symbol(call)
    order_id, client_id = order_identity(params)
    new_client_id = params.client_id("newClientOrderId")
    restriction = cancel_restriction(params)
    params.finish()
    spot = call.venue.spot
    order = spot.cancel(call.account_id, symbol, order_id, client_id, new_client_id, restriction)
    if order.order_list_id >= 0:
        return cancelled_list(spot.order_list(call.account_id, order.order_list_id, None))
    return cancelled(order)


@endpoint(
    "DELETE /api/v3/openOrders",
    market="spot",
    ws="openOrders.cancelAll",
    security="TRADE",
    weight=1,
    free_on_success=True,
)
def cancel_open_orders(call: Call) -> object:
    """Cancel everything open on a symbol; -2011 when nothing is."""
    symbol = check_symbol(call)
    call.params.finish()
    return [
        cancelled_list(item) if isinstance(item, OrderList) else cancelled(item)
        for item in call.venue.spot.cancel_all(call.account_id, symbol)
    ]


@endpoint("GET /api/v3/order", market="spot", ws="order.status", security="USER_DATA", weight=4)
def query_order(call: Call) -> object:
    """One order, open or not."""
    symbol = check_symbol(call)
    order_id, client_id = order_identity(call.params)
    call.params.finish()
    return queried(call.venue.spot.order(call.account_id, symbol, order_id, client_id))


def open_orders_weight(params: Params) -> int:
    """6 for one symbol, 80 for all."""
    return 6 if params.has("symbol") else 80


@endpoint(
    "GET /api/v3/openOrders", market="spot", ws="openOrders.status", security="USER_DATA", weight=open_orders_weight
)
def open_orders(call: Call) -> object:
    """Open orders of a symbol or of all, oldest first."""
    item = call.optional_instrument()
    call.params.finish()
    found = call.venue.spot.open_orders(call.account_id, item.symbol if item else None)
    return [queried(order) for order in found]


def time_span(params: Params) -> tuple[int | None, int | None]:
    """startTime and endTime; -1127 when they are more than a day apart."""
    start, end = params.optional_integer("startTime"), params.optional_integer("endTime")
    if start is not None and end is not None and end - start > DAY:
        raise VenueError(-1127, "More than 24 hours between startTime and endTime.")
    return start, end


@endpoint("GET /api/v3/allOrders", market="spot", ws="allOrders", security="USER_DATA", weight=20)
def all_orders(call: Call) -> object:
    """Orders from an id on, of a day, or the newest; a time span makes the id count for nothing."""
    params = call.params
    symbol = check_symbol(call)
    order_id = params.optional_integer("orderId")
    start, end = time_span(params)
    limit = row_limit(params)
    params.finish()
    if start is not None or end is not None:
        order_id = None
    found = call.venue.spot.all_orders(call.account_id, symbol, order_id, start, end, limit)
    return [queried(order) for order in found]
