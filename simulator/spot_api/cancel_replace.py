"""Cancel an order and send a new one in its place; and reduce an order without losing its place."""

from __future__ import annotations

from typing import Final, Literal

from simulator.errors import VenueError
from simulator.spot.checks import check_composition
from simulator.spot.types import CancelReplaceMode, CancelReplaceResult, SpotOrder
from simulator.spot_api.order_bodies import Body, ResponseType, amended, cancelled, order_list, placed
from simulator.spot_api.order_params import cancel_restriction, new_order
from simulator.spot_api.orders import check_symbol, order_identity, response_type
from simulator.wire.endpoint import Call, Reply, endpoint
from simulator.wire.params import Params

MODES: Final[tuple[CancelReplaceMode, ...]] = ("STOP_ON_FAILURE", "ALLOW_FAILURE")
LimitMode = Literal["DO_NOTHING", "CANCEL_ONLY"]
_LIMIT_MODES: Final[tuple[LimitMode, ...]] = ("DO_NOTHING", "CANCEL_ONLY")


def orders_to_reserve(params: Params) -> int:
    """One, refused beyond the limit; under CANCEL_ONLY the handler counts for itself and still cancels."""
    return 0 if params.peek("orderRateLimitExceededMode") == "CANCEL_ONLY" else 1


@endpoint(
    "POST /api/v3/order/cancelReplace",
    market="spot",
    ws="order.cancelReplace",
    security="TRADE",
    weight=1,
    free_on_success=True,
    orders=orders_to_reserve,
)
def cancel_replace(call: Call) -> object:
    """Both halves: 200 when both succeed, 409 with -2021 when one does, 400 with -2022 when none does."""
    params = call.params
    symbol = check_symbol(call)
    mode = params.choice("cancelReplaceMode", MODES)
    order_id, client_id = order_identity(params, "cancelOrderId", "cancelOrigClientOrderId")
    cancel_client_id = params.client_id("cancelNewClientOrderId")
    restriction = cancel_restriction(params)
    limit_mode = params.optional_choice("orderRateLimitExceededMode", _LIMIT_MODES)
    new = new_order(params, symbol)
    shape = response_type(params, new)
    check_composition(new)
    params.finish()
    if limit_mode == "CANCEL_ONLY":
        try:
            call.venue.limits.reserve_orders("spot", call.account_id, 1)
        except VenueError as refusal:
            return _cancel_only(call, symbol, (order_id, client_id), cancel_client_id, refusal)
    result = call.venue.spot.cancel_replace(
        call.account_id, mode, order_id, client_id, cancel_client_id, new, restriction
    )
    return answer(result, shape)


def _cancel_only(
    call: Call, symbol: str, identity: tuple[int | None, str | None], cancel_client_id: str | None, refusal: VenueError
) -> Reply:
    """The account has too many unfilled orders: cancel, and refuse the new order. Always 429."""
    try:
        order = call.venue.spot.cancel(
            call.account_id, symbol, *identity, cancel_client_id, cancel_restriction(call.params)
        )
    except VenueError as error:
        return failure(-2022, "Order cancel-replace failed.", 429, error_body(error), None)
    return failure(-2021, "Order cancel-replace partially failed.", 429, cancelled(order), error_body(refusal))


def error_body(error: VenueError) -> Body:
    """A refusal as one half of the answer."""
    return {"code": error.code, "msg": error.message}


def answer(result: CancelReplaceResult, shape: ResponseType) -> Body | Reply:
    """The answer to both halves."""
    cancel, new = result.cancelled, result.placed
    cancel_half = cancelled(cancel) if isinstance(cancel, SpotOrder) else error_body(cancel)
    new_half: Body | None = None
    if new is not None:
        new_half = placed(new, shape) if isinstance(new, SpotOrder) else error_body(new)
    done = isinstance(cancel, SpotOrder) + isinstance(new, SpotOrder)
    if done == 2:
        return {
            "cancelResult": "SUCCESS",
            "newOrderResult": "SUCCESS",
            "cancelResponse": cancel_half,
            "newOrderResponse": new_half,
        }
    if done == 1:
        return failure(-2021, "Order cancel-replace partially failed.", 409, cancel_half, new_half)
    return failure(-2022, "Order cancel-replace failed.", 400, cancel_half, new_half)


def failure(code: int, message: str, status: int, cancel_half: Body, new_half: Body | None) -> Reply:
    """A failed half, or two. A reply and not a refusal: the new order counts as unfilled even if it was not tried."""
    data: Body = {
        "cancelResult": "FAILURE" if "code" in cancel_half else "SUCCESS",
        "newOrderResult": "NOT_ATTEMPTED" if new_half is None else "FAILURE" if "code" in new_half else "SUCCESS",
        "cancelResponse": cancel_half,
        "newOrderResponse": new_half,
    }
    return Reply({"code": code, "msg": message, "data": data}, status)


@endpoint(
    "PUT /api/v3/order/amend/keepPriority",
    market="spot",
    ws="order.amend.keepPriority",
    security="TRADE",
    weight=4,
    free_on_success=True,
)
def amend_keep_priority(call: Call) -> object:
    """Reduce the quantity of an open order; it keeps its place in the queue."""
    params = call.params
    symbol = check_symbol(call)
    order_id, client_id = order_identity(params)
    new_client_id = params.client_id("newClientOrderId")
    quantity = params.decimal("newQty")
    params.finish()
    spot = call.venue.spot
    order, amendment = spot.amend(call.account_id, symbol, order_id, client_id, quantity, new_client_id)
    body: Body = {
        "transactTime": amendment.time_ms,
        "executionId": amendment.execution_id,
        "amendedOrder": amended(order, amendment.original_client_order_id),
    }
    if order.order_list_id >= 0:
        group = order_list(spot.order_list(call.account_id, order.order_list_id, None))
        body["listStatus"] = {
            name: group[name]
            for name in ("orderListId", "contingencyType", "listOrderStatus", "listClientOrderId", "symbol", "orders")
        }
    return body
