"""Smart order routing. Each base asset has one book per symbol here, so a routed order trades like any other."""

from __future__ import annotations

from simulator.errors import VenueError, missing_parameter
from simulator.spot.types import NewOrder
from simulator.spot_api.order_bodies import RESPONSE_TYPES, placed
from simulator.spot_api.order_params import new_order
from simulator.spot_api.orders import check_symbol, commission_for_order, test_weight
from simulator.wire.endpoint import Call, endpoint


def _routed_order(call: Call) -> NewOrder:
    new = new_order(call.params, check_symbol(call), takes_quote_quantity=False)
    if new.type not in ("LIMIT", "MARKET"):
        raise VenueError(-1116, "Invalid orderType.")
    if new.quantity is None:
        raise missing_parameter("quantity")
    new.uses_sor = True
    return new


@endpoint(
    "POST /api/v3/sor/order", market="spot", ws="sor.order.place", security="TRADE", free_on_success=True, orders=1
)
def place_routed(call: Call) -> object:
    """Place a LIMIT or MARKET order; the WebSocket API answers with a list of one."""
    new = _routed_order(call)
    shape = call.params.optional_choice("newOrderRespType", RESPONSE_TYPES) or "FULL"
    call.params.finish()
    body = placed(call.venue.spot.place(call.account_id, new), shape)
    return [body] if call.via == "ws" else body


@endpoint("POST /api/v3/sor/order/test", market="spot", ws="sor.order.test", security="TRADE", weight=test_weight)
def try_routed(call: Call) -> object:
    """Check such an order without placing it."""
    new = _routed_order(call)
    call.params.optional_choice("newOrderRespType", RESPONSE_TYPES)
    with_rates = call.params.boolean("computeCommissionRates")
    call.params.finish()
    call.venue.spot.test(call.account_id, new)
    if not with_rates:
        return {}
    rates = commission_for_order(call, new.symbol)
    del rates["specialCommissionForOrder"]
    return rates
