"""Reading a new order from a request: which parameter each type needs, takes and refuses, in the venue's words."""

from __future__ import annotations

from typing import Final, NamedTuple

from simulator.errors import VenueError, missing_parameter
from simulator.market.types import Side
from simulator.spot.types import CancelRestriction, NewOrder, OrderType, SelfTradePrevention, TimeInForce
from simulator.wire.params import Params

SIDES: Final[tuple[Side, ...]] = ("BUY", "SELL")
TYPES: Final[tuple[OrderType, ...]] = (
    "LIMIT",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
    "LIMIT_MAKER",
)
TIMES_IN_FORCE: Final[tuple[TimeInForce, ...]] = ("GTC", "IOC", "FOK")
PREVENTIONS: Final[tuple[SelfTradePrevention, ...]] = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")
"""What every symbol allows; NONE and TRANSFER exist on the venue but no symbol has them."""
_KNOWN_PREVENTIONS: Final[tuple[SelfTradePrevention, ...]] = (*PREVENTIONS, "NONE", "TRANSFER")
_RESTRICTIONS: Final[tuple[CancelRestriction, ...]] = ("ONLY_NEW", "ONLY_PARTIALLY_FILLED")
PEGS = ("pegPriceType", "pegOffsetType", "pegOffsetValue")


class _Takes(NamedTuple):
    """What a type does with the optional parameters."""

    price: bool
    time_in_force: bool
    trigger: bool
    iceberg: bool


_TAKES: Final[dict[str, _Takes]] = {
    "LIMIT": _Takes(True, True, False, True),
    "LIMIT_MAKER": _Takes(True, False, False, True),
    "MARKET": _Takes(False, False, False, False),
    "STOP_LOSS": _Takes(False, False, True, False),
    "TAKE_PROFIT": _Takes(False, False, True, False),
    "STOP_LOSS_LIMIT": _Takes(True, True, True, True),
    "TAKE_PROFIT_LIMIT": _Takes(True, True, True, True),
}


def prefixed(prefix: str, name: str) -> str:
    """Name of a parameter of one leg: prefixed("above", "price") is abovePrice, and price without a prefix."""
    return prefix + name[0].upper() + name[1:] if prefix else name


def new_order(params: Params, symbol: str, *, takes_quote_quantity: bool = True) -> NewOrder:
    """The order of a single placement, read but not checked for what its type needs: the exchange does that."""
    side = params.choice("side", SIDES)
    kind = params.choice("type", TYPES)
    order = NewOrder(
        symbol=symbol,
        side=side,
        type=kind,
        time_in_force=params.optional_choice("timeInForce", TIMES_IN_FORCE),
        quantity=params.optional_decimal("quantity"),
        quote_quantity=params.optional_decimal("quoteOrderQty") if takes_quote_quantity else None,
        price=params.optional_decimal("price"),
        client_order_id=params.client_id("newClientOrderId"),
    )
    _read_extras(params, order, "")
    order.self_trade_prevention = self_trade_prevention(params)
    return order


def leg(params: Params, prefix: str, symbol: str, side: Side, kind: OrderType, quantity: int | None) -> NewOrder:
    """One order of an order list, from parameters that carry `prefix` (above, below, working, pending...)."""
    order = NewOrder(
        symbol=symbol,
        side=side,
        type=kind,
        time_in_force=leg_time_in_force(params, prefixed(prefix, "timeInForce")),
        quantity=quantity,
        price=params.optional_decimal(prefixed(prefix, "price")),
        client_order_id=params.client_id(prefixed(prefix, "clientOrderId")),
    )
    _read_extras(params, order, prefix)
    check_combination(order, prefix)
    return order


def leg_time_in_force(params: Params, name: str) -> TimeInForce | None:
    """A timeInForce under another name; -1115 for a wrong word."""
    value = params.optional_text(name)
    for word in TIMES_IN_FORCE:
        if word == value:
            return word
    if value is not None:
        raise VenueError(-1115, "Invalid timeInForce.")
    return None


def leg_type(params: Params, name: str, allowed: tuple[OrderType, ...]) -> OrderType:
    """The type of a leg; -1102 when absent, -1116 for no type at all, -1158 for one that has no place there."""
    found = optional_leg_type(params, name, allowed)
    if found is None:
        raise missing_parameter(name)
    return found


def optional_leg_type(params: Params, name: str, allowed: tuple[OrderType, ...]) -> OrderType | None:
    """The same where the leg may be left out."""
    value = params.optional_text(name)
    if value is None:
        return None
    for word in TYPES:
        if word == value:
            if word not in allowed:
                raise VenueError(-1158, "Order type not supported in OCO.")
            return word
    raise VenueError(-1116, "Invalid orderType.")


def leg_side(params: Params, name: str) -> Side:
    """The side of a leg; -1117 for a wrong word."""
    value = params.text(name)
    for word in SIDES:
        if word == value:
            return word
    raise VenueError(-1117, "Invalid side.")


def _read_extras(params: Params, order: NewOrder, prefix: str) -> None:
    order.stop_price = params.optional_decimal(prefixed(prefix, "stopPrice"))
    order.trailing_delta = params.optional_integer(prefixed(prefix, "trailingDelta"))
    order.iceberg_quantity = params.optional_decimal(prefixed(prefix, "icebergQty"))
    order.strategy_id, order.strategy_type = strategy(params, prefix)
    if any(params.has(prefixed(prefix, name)) for name in PEGS):
        raise VenueError(-1013, "Pegged orders are not supported for this symbol.")


def strategy(params: Params, prefix: str) -> tuple[int | None, int | None]:
    """strategyId and strategyType; -1134 for a type below 1,000,000."""
    identity = params.optional_integer(prefixed(prefix, "strategyId"))
    kind = params.optional_integer(prefixed(prefix, "strategyType"))
    if kind is not None and kind < 1_000_000:
        raise VenueError(-1134, "strategyType was less than 1000000.")
    return identity, kind


def self_trade_prevention(params: Params) -> SelfTradePrevention | None:
    """selfTradePreventionMode, if it is one the symbols allow."""
    mode = params.optional_choice("selfTradePreventionMode", _KNOWN_PREVENTIONS)
    if mode is not None and mode not in PREVENTIONS:
        raise VenueError(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    return mode


def cancel_restriction(params: Params) -> CancelRestriction | None:
    """cancelRestrictions; -1145 for any other word."""
    value = params.optional_text("cancelRestrictions")
    for word in _RESTRICTIONS:
        if word == value:
            return word
    if value is not None:
        raise VenueError(-1145, "Invalid cancelRestrictions")
    return None


def not_required(name: str) -> VenueError:
    """-1106: the parameter has no place in this order."""
    return VenueError(-1106, f"Parameter '{name}' sent when not required.")


def both_empty(first: str, second: str) -> VenueError:
    """-1102: one of two parameters is needed."""
    return VenueError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def check_combination(order: NewOrder, prefix: str) -> None:
    """Refuse what the type of a leg needs and has not (-1102), or has and does not take (-1106, -1160)."""
    takes = _TAKES[order.type]
    _check_use(prefixed(prefix, "timeInForce"), takes.time_in_force, order.time_in_force)
    _check_use(prefixed(prefix, "price"), takes.price, order.price)
    names = prefixed(prefix, "stopPrice"), prefixed(prefix, "trailingDelta")
    if not takes.trigger:
        for name, value in zip(names, (order.stop_price, order.trailing_delta), strict=True):
            _check_use(name, is_taken=False, value=value)
    elif order.stop_price is None and order.trailing_delta is None:
        raise both_empty(*names)
    if order.iceberg_quantity is None:
        return
    names = prefixed(prefix, "icebergQty"), prefixed(prefix, "timeInForce")
    _check_use(names[0], takes.iceberg, order.iceberg_quantity)
    if order.time_in_force in ("IOC", "FOK"):
        raise VenueError(-1160, f"Parameter '{names[0]}' is not supported if '{names[1]}' is not GTC.")


def _check_use(name: str, is_taken: bool, value: object) -> None:
    if is_taken and value is None:
        raise missing_parameter(name)
    if not is_taken and value is not None:
        raise not_required(name)
