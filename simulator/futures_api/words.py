"""Reading of parameters whose wrong values USD-M answers with a code of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar, get_args

from simulator.errors import VenueError
from simulator.futures.types import PositionSide, SelfTradePrevention, WorkingType
from simulator.wire.params import Params

TextT = TypeVar("TextT", bound=str)
ResponseType = Literal["ACK", "RESULT"]
PriceMatch = Literal["OPPONENT", "OPPONENT_5", "OPPONENT_10", "OPPONENT_20", "QUEUE", "QUEUE_5", "QUEUE_10", "QUEUE_20"]

_RESPONSE_TYPES: tuple[ResponseType, ...] = get_args(ResponseType)
_PRICE_MATCHES: tuple[str, ...] = (*get_args(PriceMatch), "NONE")
_POSITION_SIDES: tuple[PositionSide, ...] = get_args(PositionSide)
_WORKING_TYPES: tuple[WorkingType, ...] = get_args(WorkingType)
_SELF_TRADE_PREVENTIONS: tuple[SelfTradePrevention, ...] = get_args(SelfTradePrevention)

DAY_MS = 86_400_000
_LATEST_MS = 4_102_444_800_000
"""2100-01-01: later times count as this one, there is no data beyond it."""


def _word(params: Params, name: str, values: Sequence[TextT], code: int, message: str) -> TextT | None:
    text = params.optional_text(name)
    if text is None:
        return None
    for value in values:
        if value == text:
            return value
    raise VenueError(code, message)


def position_side(params: Params) -> PositionSide:
    """positionSide, BOTH when it was not sent; -4060."""
    return _word(params, "positionSide", _POSITION_SIDES, -4060, "Invalid position side.") or "BOTH"


def working_type(params: Params) -> WorkingType:
    """workingType, CONTRACT_PRICE when it was not sent; -4031."""
    sent = params.peek("workingType")
    text = f"Invalid parameter working type: {sent}"
    return _word(params, "workingType", _WORKING_TYPES, -4031, text) or "CONTRACT_PRICE"


def self_trade_prevention(params: Params) -> SelfTradePrevention | None:
    """selfTradePreventionMode; -5039."""
    text = "Invalid self trade prevention mode"
    return _word(params, "selfTradePreventionMode", _SELF_TRADE_PREVENTIONS, -5039, text)


def price_match(params: Params) -> str | None:
    """priceMatch, None for NONE; -5037."""
    found = _word(params, "priceMatch", _PRICE_MATCHES, -5037, "Invalid price match")
    return None if found == "NONE" else found


def response_type(params: Params) -> ResponseType:
    """newOrderRespType, ACK when it was not sent; -1136."""
    return _word(params, "newOrderRespType", _RESPONSE_TYPES, -1136, "Invalid newOrderRespType.") or "ACK"


def reduce_only(params: Params) -> bool:
    """reduceOnly; -4062 for anything but true and false."""
    text = "Invalid or improper reduceOnly value."
    found = _word(params, "reduceOnly", ("true", "false", "True", "False", "TRUE", "FALSE"), -4062, text)
    return found is not None and found.lower() == "true"


def order_identity(params: Params) -> tuple[int | None, str | None]:
    """orderId and origClientOrderId, at least one of them; -1102 when both are missing."""
    order_id = params.optional_integer("orderId")
    client_id = params.optional_text("origClientOrderId")
    if order_id is None and client_id is None:
        raise VenueError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return order_id, client_id


def algo_identity(params: Params) -> tuple[int | None, str | None]:
    """algoId and clientAlgoId, at least one of them; -1102 when both are missing."""
    algo_id = params.optional_integer("algoId")
    client_id = params.optional_text("clientAlgoId")
    if algo_id is None and client_id is None:
        raise VenueError(-1102, "Param 'clientAlgoId' or 'algoId' must be sent, but both were empty/null!")
    return algo_id, client_id


def time_range(params: Params, days: int | None = None) -> tuple[int | None, int | None]:
    """startTime and endTime; -1023 when they are the wrong way round, -4165 when further apart than `days`."""
    start, end = _time(params, "startTime"), _time(params, "endTime")
    if start is not None and end is not None:
        if start > end:
            raise VenueError(-1023, "Start time is greater than end time.")
        if days is not None and end - start > days * DAY_MS:
            raise VenueError(-4165, f"Invalid time interval, cannot be longer than {days} days")
    return start, end


def _time(params: Params, name: str) -> int | None:
    value = params.optional_integer(name)
    return None if value is None else min(value, _LATEST_MS)


def limit(params: Params, default: int, maximum: int) -> int:
    """How many rows; more than the maximum counts as the maximum, 0 and below is refused (-1130)."""
    value = params.optional_integer("limit", 1)
    return default if value is None else min(value, maximum)
