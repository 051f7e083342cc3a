"""Which parameters go with which order type, in the venue's codes and words. Needs no market and no account."""

from __future__ import annotations

from simulator.errors import VenueError, missing_parameter
from simulator.spot.types import NewOrder, OrderType

_WIRE_NAMES = {
    "time_in_force": "timeInForce",
    "quantity": "quantity",
    "quote_quantity": "quoteOrderQty",
    "price": "price",
    "stop_price": "stopPrice",
    "trailing_delta": "trailingDelta",
    "iceberg_quantity": "icebergQty",
}
MINIMUM_STRATEGY_TYPE = 1_000_000


class _Composition:
    """Parameters an order type must have, and those it may have besides; all others are refused."""

    def __init__(self, mandatory: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
        self.optional = optional
        forbidden = [name for name in _WIRE_NAMES if name not in mandatory and name not in optional]
        self.looked_at = [(name, _WIRE_NAMES[name], True) for name in mandatory]
        self.looked_at += [(name, _WIRE_NAMES[name], False) for name in forbidden]


_STOP = ("stop_price", "trailing_delta")
_COMPOSITIONS: dict[OrderType, _Composition] = {
    "LIMIT": _Composition(("time_in_force", "quantity", "price"), ("iceberg_quantity",)),
    "MARKET": _Composition((), ("quantity", "quote_quantity")),
    "LIMIT_MAKER": _Composition(("quantity", "price"), ("iceberg_quantity",)),
    "STOP_LOSS": _Composition(("quantity",), _STOP),
    "TAKE_PROFIT": _Composition(("quantity",), _STOP),
    "STOP_LOSS_LIMIT": _Composition(("time_in_force", "quantity", "price"), (*_STOP, "iceberg_quantity")),
    "TAKE_PROFIT_LIMIT": _Composition(("time_in_force", "quantity", "price"), (*_STOP, "iceberg_quantity")),
}


def _neither(first: str, second: str) -> VenueError:
    return VenueError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def _not_required(name: str) -> VenueError:
    return VenueError(-1106, f"Parameter '{_WIRE_NAMES[name]}' sent when not required.")


def check_composition(new: NewOrder) -> None:
    """Refuse missing, surplus and contradictory parameters (-1102, -1106, -1014, -1134, -1013)."""
    rule = _COMPOSITIONS[new.type]
    for name, wire_name, is_mandatory in rule.looked_at:
        if (getattr(new, name) is None) is is_mandatory:
            raise missing_parameter(wire_name) if is_mandatory else _not_required(name)
    if new.type == "MARKET":
        _check_market(new)
    elif "stop_price" in rule.optional and new.stop_price is None and new.trailing_delta is None:
        raise _neither("stopPrice", "trailingDelta")
    _check_values(new)
    if new.iceberg_quantity:
        _check_iceberg(new)


def _check_market(new: NewOrder) -> None:
    if new.quantity is None and new.quote_quantity is None:
        raise _neither("quantity", "quoteOrderQty")
    if new.quantity is not None and new.quote_quantity is not None:
        raise _not_required("quote_quantity")


def _check_values(new: NewOrder) -> None:
    """Amounts that are zero, and a strategy type below the venue's own range."""
    if new.quantity == 0:
        raise VenueError(-1013, "Invalid quantity.")
    if new.quote_quantity == 0:
        raise VenueError(-1013, "Invalid quoteOrderQty.")
    if new.price == 0:
        raise VenueError(-1013, "Invalid price.")
    if new.stop_price == 0:
        raise VenueError(-1013, "Invalid stopPrice.")
    if new.strategy_type is not None and new.strategy_type < MINIMUM_STRATEGY_TYPE:
        raise VenueError(-1134, f"strategyType was less than {MINIMUM_STRATEGY_TYPE}.")


def _check_iceberg(new: NewOrder) -> None:
    if new.time_in_force in ("IOC", "FOK"):
        raise VenueError(-1014, "Unsupported order combination.")
    if new.iceberg_quantity is not None and new.quantity is not None and new.iceberg_quantity > new.quantity:
        raise VenueError(-1013, "IcebergQty exceeds QTY.")
