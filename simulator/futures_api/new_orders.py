"""From parameters to an order request, with the refusals that need no look at the market."""

from __future__ import annotations

from typing import get_args

from simulator.errors import VenueError
from simulator.futures.refusals import bad_target, missing, not_required, refuse
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
    if params.has("closePosition") and params.boolean("closePosition"):
        raise bad_target(kind)
    new = NewOrder(symbol, side, kind)
    _read_rest(params, new)
    new.client_order_id = params.client_id("newClientOrderId")
    _refuse(params, "stopPrice")
    if kind == "MARKET":
        if new.price_match is not None:
            raise refuse(-5038)
        _refuse(params, "price", "timeInForce")
        _need(new.quantity, "quantity")
    else:
        _need(new.time_in_force, "timeInForce")
        _need(new.quantity, "quantity")
        _check_price(params, new)
    return new


def read_algo(params: Params) -> NewOrder:
    """A conditional order of the algo service."""
    algo_type = params.text("algoType")
    if algo_type != "CONDITIONAL":
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
    new.price_protect = params.boolean("priceProtect")
    new.close_position = params.boolean("closePosition")
    _check_algo(params, new)
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
    if new.time_in_force == "GTD" and new.good_till_ms is None:
        raise missing("goodTillDate")


def _check_algo(params: Params, new: NewOrder) -> None:
    is_limit = new.type in ("STOP", "TAKE_PROFIT")
    if new.type == "TRAILING_STOP_MARKET":
        _read_trailing(params, new)
    else:
        _need(new.trigger_price, "triggerPrice")
    if new.close_position:
        _check_closing(new)
    else:
        _need(new.quantity, "quantity")
    if is_limit:
        _check_price(params, new)
    else:
        if new.price_match is not None:
            raise refuse(-5038)
        _refuse(params, "price")


def _read_trailing(params: Params, new: NewOrder) -> None:
    """callbackRate is in percent, 0.1 to 10; `activationPrice` is the older name of activatePrice."""
    new.callback_rate = params.optional_decimal("callbackRate")
    _need(new.callback_rate, "callbackRate")
    new.activate_price = params.optional_decimal("activatePrice")
    if new.activate_price is None:
        new.activate_price = params.optional_decimal("activationPrice")


def _check_closing(new: NewOrder) -> None:
    if new.type not in ("STOP_MARKET", "TAKE_PROFIT_MARKET"):
        raise bad_target(new.type)
    if new.quantity:
        raise refuse(-4137)
    if new.reduce_only:
        raise not_required("reduceOnly")


def _check_price(params: Params, new: NewOrder) -> None:
    if new.price_match is None:
        _need(new.price, "price")
    else:
        _refuse(params, "price")


def _need(value: object, name: str) -> None:
    if value is None:
        raise missing(name)


def _refuse(params: Params, *names: str) -> None:
    for name in names:
        if params.has(name):
            raise not_required(name)
