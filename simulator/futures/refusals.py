"""Refusals of the USD-M futures exchange, with the venue's own codes and texts."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.units import trim_quanta

TEXTS: dict[int, str] = {
    -1111: "Precision is over the maximum defined for this asset.",
    -1121: "Invalid symbol.",
    -2007: "Invalid callBack rate.",
    -2011: "Unknown order sent.",
    -2013: "Order does not exist.",
    -2018: "Balance is insufficient.",
    -2019: "Margin is insufficient.",
    -2021: "Order would immediately trigger.",
    -2022: "ReduceOnly Order is rejected.",
    -2025: "Reach max open order limit.",
    -2027: "Exceeded the maximum allowable position at current leverage.",
    -2028: "Leverage is smaller than permitted: insufficient margin balance.",
    -4001: "Price less than 0.",
    -4002: "Price greater than max price.",
    -4003: "Quantity less than or equal to zero.",
    -4004: "Quantity less than min quantity.",
    -4005: "Quantity greater than max quantity.",
    -4006: "Stop price less than zero.",
    -4007: "Stop price greater than max price.",
    -4013: "Price less than min price.",
    -4014: "Price not increased by tick size.",
    -4015: "Client order id is not valid.",
    -4023: "Qty not increased by step size.",
    -4045: "Reach max stop order limit.",
    -4046: "No need to change margin type.",
    -4047: "Margin type cannot be changed if there exists open orders.",
    -4048: "Margin type cannot be changed if there exists position.",
    -4049: "Add margin only support for isolated position.",
    -4050: "Cross balance insufficient.",
    -4051: "Isolated balance insufficient.",
    -4054: "Cannot add position margin: position is 0.",
    -4055: "Amount must be positive.",
    -4059: "No need to change position side.",
    -4061: "Order's position side does not match user's setting.",
    -4067: "Position side cannot be changed if there exists open orders.",
    -4068: "Position side cannot be changed if there exists position.",
    -4088: "User can not place order currently.",
    -4116: "ClientOrderId is duplicated.",
    -4120: "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    -4130: "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    -4131: "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    -4137: "Quantity must be zero with closePosition equals true.",
    -4140: "Invalid symbol status for opening position.",
    -4141: "Symbol is closed.",
    -4161: "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
    -4167: "Unable to adjust to Multi-Assets mode with symbols of USDⓈ-M Futures under isolated-margin mode.",
    -4168: "Unable to adjust to isolated-margin mode under the Multi-Assets mode.",
    -4170: "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures.",
    -4171: "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
    -5021: "Due to the order could not be filled immediately, the FOK order has been rejected. "
    "The order will not be recorded in the order history",
    -5022: "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history",
    -5024: "Symbol is not in trading status. Order amendment is not permitted.",
    -5025: "Only limit order is supported.",
    -5026: "Exceed maximum modify order limit.",
    -5027: "No need to modify the order.",
    -5037: "Invalid price match",
    -5038: "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT",
    -5040: "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than "
    "253402300799000 (UTC 9999-12-31 23:59:59)",
    -5041: "No depth matches this BBO order",
}
"""Code -> text, where the text has no variable part."""


def refuse(code: int) -> VenueError:
    """The refusal with this code and the venue's text for it."""
    return VenueError(code, TEXTS[code])


def missing(name: str) -> VenueError:
    """A parameter this order type needs was not sent (-1102)."""
    return VenueError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def not_required(name: str) -> VenueError:
    """A parameter this order type does not take was sent (-1106); the venue writes the name in lower case."""
    return VenueError(-1106, f"Parameter '{name.lower()}' sent when not required.")


def price_cap(price: str) -> VenueError:
    """A buy stands too far above the mark price (-4016)."""
    return VenueError(-4016, f"Limit price can't be higher than {price}.")


def price_floor(price: str) -> VenueError:
    """A sell stands too far below the mark price (-4024)."""
    return VenueError(-4024, f"Limit price can't be lower than {price}.")


def small_notional(minimum: int) -> VenueError:
    """The order is worth less than the symbol's smallest notional (-4164)."""
    return VenueError(
        -4164, f"Order's notional must be no smaller than {trim_quanta(minimum)} (unless you choose reduce only)."
    )


def bad_leverage(leverage: int) -> VenueError:
    """The symbol does not offer this leverage (-4028)."""
    return VenueError(-4028, f"Leverage {leverage} is not valid")


def bad_target(order_type: str) -> VenueError:
    """closePosition goes with STOP_MARKET and TAKE_PROFIT_MARKET only (-4136)."""
    return VenueError(-4136, f"Target strategy invalid for orderType {order_type},closePosition true")
