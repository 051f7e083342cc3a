"""What happened to an account, as its user data stream shows it (without the subscription's envelope)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.spot.types import (
    AccountPosition,
    BalanceUpdate,
    ExecutionReport,
    ListStatus,
    SpotEvent,
)
from simulator.spot_api.order_bodies import EXPIRY_REASONS, Body, decimal, own_client_id
from simulator.units import format_quanta

if TYPE_CHECKING:
    from simulator.venue import Venue

_ZERO = "0.00000000"


def payload(event: SpotEvent, venue: Venue) -> Body | None:
    """The event on the wire. Must be called while the event is delivered: orders go on living after it."""
    if isinstance(event, ExecutionReport):
        return execution_report(event, venue)
    if isinstance(event, AccountPosition):
        return account_position(event)
    if isinstance(event, BalanceUpdate):
        return balance_update(event)
    return list_status(event)


def execution_report(event: ExecutionReport, venue: Venue) -> Body:
    """executionReport, conditional fields included."""
    order, fill = event.order, event.fill
    is_rename = event.execution in ("CANCELED", "REPLACED")
    body: Body = {
        "e": "executionReport",
        "E": event.time_ms,
        "s": order.symbol,
        "c": (event.request_client_id or order.client_order_id) if is_rename else order.client_order_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": decimal(order.quantity),
        "p": decimal(order.price),
        "P": decimal(order.stop_price),
        "F": decimal(order.iceberg_quantity),
        "g": order.order_list_id,
        "C": (order.original_client_order_id or order.client_order_id) if is_rename else "",
        "x": event.execution,
        "X": order.status,
        "r": event.reject_reason,
        "i": order.order_id,
        "l": _ZERO if fill is None else decimal(fill.quantity),
        "z": decimal(order.executed),
        "L": _ZERO if fill is None else decimal(fill.price),
        "n": "0" if fill is None else decimal(fill.commission),
        "N": None if fill is None else fill.commission_asset,
        "T": event.time_ms,
        "t": -1 if fill is None else fill.trade_id,
        "I": event.execution_id,
        "w": order.is_working,
        "m": fill is not None and fill.is_maker,
        "M": fill is not None,
        "O": order.time_ms,
        "Z": decimal(order.executed_quote),
        "Y": _ZERO if fill is None else decimal(fill.quote),
        "Q": decimal(order.quote_quantity),
    }
    if order.working_ms >= 0:
        body["W"] = order.working_ms
    body["V"] = order.self_trade_prevention
    _add_conditional(body, event, venue)
    return body


def _add_conditional(body: Body, event: ExecutionReport, venue: Venue) -> None:
    order = event.order
    if order.trailing_delta:
        body["d"] = order.trailing_delta
        if order.trailing_time_ms >= 0:
            body["D"] = order.trailing_time_ms
    if order.strategy_id:
        body["j"] = order.strategy_id
    if order.strategy_type:
        body["J"] = order.strategy_type
    if order.uses_sor:
        body["k"] = "SOR"
        body["uS"] = True
    if event.execution == "TRADE_PREVENTION":
        _add_prevention(body, event, venue)
    if event.execution == "EXPIRED" and order.expiry_reason:
        body["eR"] = EXPIRY_REASONS[order.expiry_reason]


def _add_prevention(body: Body, event: ExecutionReport, venue: Venue) -> None:
    """What self-trade prevention stopped: the trade with this counter order that did not happen."""
    order, match = event.order, event.prevented_match
    body["A"] = decimal(order.prevented_quantity)
    body["B"] = decimal(event.last_prevented)
    if match is None:
        return
    body["v"] = match.prevented_match_id
    body["u"] = match.trade_group_id
    body["U"] = match.maker_order_id if match.taker_order_id == order.order_id else match.taker_order_id
    body["Cs"] = match.symbol
    body["pl"] = decimal(event.last_prevented)
    body["pL"] = decimal(match.price)
    body["pY"] = decimal(venue.spot.instrument(match.symbol).notional(match.price, event.last_prevented))


def account_position(event: AccountPosition) -> Body:
    """outboundAccountPosition: the balances that may have changed."""
    return {
        "e": "outboundAccountPosition",
        "E": event.time_ms,
        "u": event.time_ms,
        "B": [
            {"a": asset, "f": decimal(free), "l": decimal(locked)} for asset, (free, locked) in event.balances.items()
        ],
    }


def balance_update(event: BalanceUpdate) -> Body:
    """balanceUpdate: a deposit, withdrawal or transfer."""
    return {
        "e": "balanceUpdate",
        "E": event.time_ms,
        "a": event.asset,
        "d": format_quanta(event.delta),
        "T": event.time_ms,
    }


def list_status(event: ListStatus) -> Body:
    """listStatus: an order list began, ended or was refused."""
    group = event.order_list
    return {
        "e": "listStatus",
        "E": event.time_ms,
        "s": group.symbol,
        "g": group.order_list_id,
        "c": group.contingency,
        "l": group.status_type,
        "L": group.order_status,
        "r": event.reject_reason,
        "C": group.client_id,
        "T": event.time_ms,
        "O": [{"s": order.symbol, "i": order.order_id, "c": own_client_id(order)} for order in group.orders],
    }
