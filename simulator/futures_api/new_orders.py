"""From parameters to an order request. Which parameters go with which type is for the exchange to say."""

from __future__ import annotations

from typing import get_args

from simulator.errors import VenueError
from simulator.futures.refusals import bad_target, not_required, refuse
from simulator.futures.types import NewOrder, OrderType, TimeInForce
from simulator.futures_api import words
from simulator.market.types import Side
from simulator.wire.params import Params

SIDES: tuple[Side, ...] = get_args(Side)
_TIMES_IN_FORCE: tuple[TimeInForce, ...] = get_args(TimeInForce)
_TYPES: tuple[OrderType, ...] = tuple(word for word in get_args(OrderType) if word != "LIQUIDATION")
CONDITIONAL: tuple[OrderType, ...] = tuple(word for word in _TYPES if word not in ("LIMIT", "MARKET"))


def read_order(params: Params) -> NewOrder:
    """An ordinary order: LIMIT or MARKET. -4120 for the types that moved to the algo service."""
    symbol = params.symbol()
    side = params.choice("side", SIDES)
    kind = params.choice("type", _TYPES)
    if kind in CONDITIONAL:
        raise refuse(-4120)
    if params.boolean("closePosition"):
        raise bad_target(kind)
    if params.has("stopPrice"):
        raise not_required("stopPrice")
    new = NewOrder(symbol, side, kind)
    _read_rest(params, new)
    new.client_order_id = params.client_id("newClientOrderId")
    return new


def read_algo(params: Params) -> NewOrder:
    """A conditional order of the algo service; `activationPrice` is the older name of activatePrice."""
    if params.text("algoType") != "CONDITIONAL":
        raise VenueError(-1130, "Data sent for parameter 'algoType' is not valid.")
    symbol = params.symbol()
    side = params.choice("side", SIDES)
    kind = params.choice("type", _TYPES)
    if kind not in CONDITIONAL:
        raise VenueError(-1116, "Invalid orderType.")
    new = NewOrder(symbol, side, kind)
    _read_rest(params, new)
    new.client_order_id = params.client_id("clientAlgoId")
    new.trigger_price = params.optional_decimal("triggerPrice")
    new.callback_rate = params.optional_decimal("callbackRate")
    new.activate_price = params.optional_decimal("activatePrice")
    if new.activate_price is None:
        new.activate_price = params.optional_decimal("activationPrice")
    new.price_protect = params.boolean("priceProtect")
    new.close_position = params.boolean("closePosition")
    return new


def _read_rest(params: Params, new: NewOrder) -> None:
    new.position_side = words.position_side(params)
    new.time_in_force = params.optional_choice("timeInForce", _TIMES_IN_FORCE)
    new.quantity = params.optional_decimal("quantity")
    new.price = params.optional_decimal("price")
    new.price_match = words.price_match(params)
    new.working_type = words.working_type(params)
    new.reduce_only = words.reduce_only(params)
    new.self_trade_prevention = words.self_trade_prevention(params)
    new.good_till_ms = params.optional_integer("goodTillDate")
