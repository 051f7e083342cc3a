"""Order lists: placing OCO, OTO and OTOCO, cancelling and querying them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from simulator.errors import VenueError, missing_parameter
from simulator.spot.types import NewList, NewOrder, OrderList, OrderType, SpotOrder
from simulator.spot_api.market_data import row_limit
from simulator.spot_api.order_bodies import RESPONSE_TYPES, Body, ResponseType, cancelled_list, order_list, placed
from simulator.spot_api.order_params import (
    SIDES,
    TYPES,
    check_combination,
    leg,
    leg_side,
    leg_time_in_force,
    leg_type,
    optional_leg_type,
    self_trade_prevention,
    strategy,
)
from simulator.spot_api.orders import check_symbol, order_identity, time_span
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params, invalid_data

LEGS: Final[tuple[OrderType, ...]] = ("STOP_LOSS_LIMIT", "STOP_LOSS", "LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
WORKING: Final[tuple[OrderType, ...]] = ("LIMIT", "LIMIT_MAKER")
_UNTOUCHED: Final = {"executedQty": "0.00000000", "cummulativeQuoteQty": "0.00000000", "workingTime": -1}


def place(call: Call, request: NewList) -> Body:
    """Place a list whose own parameters have been read; reads what is common to all lists, then answers."""
    params = call.params
    request.client_id = params.client_id("listClientOrderId")
    prevention = self_trade_prevention(params)
    shape: ResponseType = params.optional_choice("newOrderRespType", RESPONSE_TYPES) or "RESULT"
    params.finish()
    for order in request.orders:
        order.self_trade_prevention = prevention
    group = call.venue.spot.place_list(call.account_id, request)
    return order_list(group, [_report(group, order, shape) for order in group.orders])


def _report(group: OrderList, order: SpotOrder, shape: ResponseType) -> Body:
    """A new order of a list. Pending ones are shown as pending even if their turn has come at once, as on the venue."""
    body = placed(order, shape)
    if shape != "ACK" and group.contingency == "OTO" and order is not group.orders[0] and order.working_ms >= 0:
        body |= {"status": "PENDING_NEW", **_UNTOUCHED}
        if shape == "FULL":
            body["fills"] = []
    return body


@endpoint(
    "POST /api/v3/orderList/oco",
    market="spot",
    ws="orderList.place.oco",
    security="TRADE",
    free_on_success=True,
    orders=2,
)
def place_oco(call: Call) -> object:
    """One cancels the other: a pair around the price."""
    params = call.params
    symbol = check_symbol(call)
    side = params.choice("side", SIDES)
    quantity = params.decimal("quantity")
    kinds = leg_type(params, "aboveType", LEGS), leg_type(params, "belowType", LEGS)
    above = leg(params, "above", symbol, side, kinds[0], quantity)
    below = leg(params, "below", symbol, side, kinds[1], quantity)
    return place(call, NewList(symbol, "OCO", [above, below]))


@endpoint(
    "POST /api/v3/order/oco",
    market="spot",
    ws="orderList.place",
    security="TRADE",
    free_on_success=True,
    orders=2,
)
def place_old_oco(call: Call) -> object:
    """The older form of the same: a limit leg and a stop leg."""
    params = call.params
    symbol = check_symbol(call)
    side = params.choice("side", SIDES)
    limit = NewOrder(
        symbol=symbol,
        side=side,
        type="LIMIT_MAKER",
        quantity=params.decimal("quantity"),
        price=params.decimal("price"),
        iceberg_quantity=params.optional_decimal("limitIcebergQty"),
        client_order_id=params.client_id("limitClientOrderId"),
    )
    limit.strategy_id, limit.strategy_type = strategy(params, "limit")
    stop = _old_stop(params, limit)
    above, below = (limit, stop) if side == "SELL" else (stop, limit)
    return place(call, NewList(symbol, "OCO", [above, below]))


def _old_stop(params: Params, limit: NewOrder) -> NewOrder:
    price = params.optional_decimal("stopLimitPrice")
    stop = replace(
        limit,
        type="STOP_LOSS" if price is None else "STOP_LOSS_LIMIT",
        price=price,
        stop_price=params.decimal("stopPrice"),
        trailing_delta=params.optional_integer("trailingDelta"),
        time_in_force=leg_time_in_force(params, "stopLimitTimeInForce"),
        iceberg_quantity=params.optional_decimal("stopIcebergQty"),
        client_order_id=params.client_id("stopClientOrderId"),
    )
    stop.strategy_id, stop.strategy_type = strategy(params, "stop")
    if price is not None and stop.time_in_force is None:
        raise missing_parameter("stopLimitTimeInForce")
    check_combination(stop, "stop")
    return stop


def working_leg(params: Params, symbol: str) -> NewOrder:
    """The order that goes on the book at once."""
    kind = leg_type(params, "workingType", TYPES)
    if kind not in WORKING:
        raise invalid_data("workingType")
    side = leg_side(params, "workingSide")
    quantity = params.decimal("workingQuantity")
    return leg(params, "working", symbol, side, kind, quantity)


@endpoint(
    "POST /api/v3/orderList/oto",
    market="spot",
    ws="orderList.place.oto",
    security="TRADE",
    free_on_success=True,
    orders=2,
)
def place_oto(call: Call) -> object:
    """One triggers the other: the pending order is placed when the working one is filled."""
    params = call.params
    symbol = check_symbol(call)
    working = working_leg(params, symbol)
    kind = leg_type(params, "pendingType", TYPES)
    side = leg_side(params, "pendingSide")
    pending = leg(params, "pending", symbol, side, kind, params.decimal("pendingQuantity"))
    return place(call, NewList(symbol, "OTO", [working, pending]))


def otoco_orders(params: Params) -> int:
    """Three orders, or two without a pending order below."""
    return 3 if params.has("pendingBelowType") else 2


@endpoint(
    "POST /api/v3/orderList/otoco",
    market="spot",
    ws="orderList.place.otoco",
    security="TRADE",
    free_on_success=True,
    orders=otoco_orders,
)
def place_otoco(call: Call) -> object:
    """One triggers a pair; without pendingBelowType the pair is but one order, and the list an OTO."""
    params = call.params
    symbol = check_symbol(call)
    working = working_leg(params, symbol)
    side = leg_side(params, "pendingSide")
    quantity = params.decimal("pendingQuantity")
    above_kind = leg_type(params, "pendingAboveType", LEGS)
    below_kind = optional_leg_type(params, "pendingBelowType", LEGS)
    above = leg(params, "pendingAbove", symbol, side, above_kind, quantity)
    if below_kind is None:
        return place(call, NewList(symbol, "OTO", [working, above]))
    below = leg(params, "pendingBelow", symbol, side, below_kind, quantity)
    return place(call, NewList(symbol, "OTOCO", [working, above, below]))


@endpoint(
    "POST /api/v3/orderList/opoco", market="spot", ws="orderList.place.opoco", security="TRADE", free_on_success=True
)
@endpoint("POST /api/v3/orderList/opo", market="spot", ws="orderList.place.opo", security="TRADE", free_on_success=True)
def place_opo(call: Call) -> object:
    """One pays the other: no symbol here allows it (exchangeInfo's opoAllowed), so it is always refused."""
    check_symbol(call)
    working_leg(call.params, call.params.symbol())
    raise VenueError(-1013, "OPO orders are not supported for this symbol.")


@endpoint(
    "DELETE /api/v3/orderList", market="spot", ws="orderList.cancel", security="TRADE", weight=1, free_on_success=True
)
def cancel_list(call: Call) -> object:
    """Cancel all orders of a list."""
    params = call.params
    symbol = check_symbol(call)
    list_id, client_id = order_identity(params, "orderListId", "listClientOrderId")
    new_client_id = params.client_id("newClientOrderId")
    params.finish()
    return cancelled_list(call.venue.spot.cancel_list(call.account_id, symbol, list_id, client_id, new_client_id))


@endpoint("GET /api/v3/orderList", market="spot", ws="orderList.status", security="USER_DATA", weight=4)
def query_list(call: Call) -> object:
    """One list, by its id or client id."""
    list_id, client_id = order_identity(call.params, "orderListId", "origClientOrderId")
    call.params.finish()
    return order_list(call.venue.spot.order_list(call.account_id, list_id, client_id))


@endpoint("GET /api/v3/allOrderList", market="spot", ws="allOrderLists", security="USER_DATA", weight=20)
def all_lists(call: Call) -> object:
    """Lists from an id on, of a day, or the newest."""
    params = call.params
    from_id = params.optional_integer("fromId")
    start, end = time_span(params)
    limit = row_limit(params)
    params.finish()
    if from_id is not None and (start is not None or end is not None):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    return _bodies(call.venue.spot.all_order_lists(call.account_id, from_id, start, end, limit))


@endpoint("GET /api/v3/openOrderList", market="spot", ws="openOrderLists.status", security="USER_DATA", weight=6)
def open_lists(call: Call) -> object:
    """Lists that have not ended."""
    call.params.finish()
    return _bodies(call.venue.spot.open_order_lists(call.account_id))


def _bodies(groups: list[OrderList]) -> list[Body]:
    return [order_list(group) for group in groups]
