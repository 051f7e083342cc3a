"""An order, a fill or an order list as each answer shows it.

Which field appears when is taken from the venue's "conditional fields in order responses": nothing is sent as null.
Spot writes every amount with eight decimals.
"""

from __future__ import annotations

from typing import Literal

from simulator.spot.types import Fill, OrderList, SpotOrder
from simulator.units import ONE

Body = dict[str, object]
ResponseType = Literal["ACK", "RESULT", "FULL"]
RESPONSE_TYPES: tuple[ResponseType, ...] = ("ACK", "RESULT", "FULL")

EXPIRY_REASONS = (
    "",
    "REJECTED",
    "EXCHANGE_CANCELED",
    "OCO_TRIGGER",
    "OTO_PHASE_ONE_EXPIRED",
    "UNFILLED_IOC_QUANTITY_EXPIRED",
    "UNFILLED_FOK_ORDER_EXPIRED",
    "INSUFFICIENT_LIQUIDITY",
    "EXECUTION_RULE_PRICE_RANGE_EXCEEDED",
)
"""Texts of `expiryReason` and `eR`, by the number the venue gives them in its binary schema."""

_ZERO = "0.00000000"
_PLAIN = frozenset({"LIMIT", "MARKET", "LIMIT_MAKER"})


def decimal(value: int) -> str:
    """Eight decimals of an amount that is not negative."""
    return f"{value // ONE}.{value % ONE:08d}"


def default_response(order_type: str) -> ResponseType:
    """newOrderRespType when it is not sent: FULL for LIMIT and MARKET, ACK for the rest."""
    return "FULL" if order_type in ("LIMIT", "MARKET") else "ACK"


def placed(order: SpotOrder, shape: ResponseType) -> Body:
    """Answer to a new order."""
    body: Body = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": order.time_ms,
    }
    if shape == "ACK":
        return body
    _amounts(body, order)
    body["workingTime"] = order.working_ms
    if shape == "FULL":
        body["fills"] = [_fill(fill) for fill in order.fills]
    body["selfTradePreventionMode"] = order.self_trade_prevention
    _add_conditional(body, order)
    return body


def _amounts(body: Body, order: SpotOrder) -> None:
    """The part that new, cancelled and listed orders share, in the venue's order."""
    executed, quote = order.executed, order.executed_quote
    body["price"] = decimal(order.price)
    body["origQty"] = decimal(order.quantity)
    body["executedQty"] = decimal(executed) if executed else _ZERO
    body["origQuoteOrderQty"] = decimal(order.quote_quantity) if order.quote_quantity else _ZERO
    body["cummulativeQuoteQty"] = decimal(quote) if quote else _ZERO
    body["status"] = order.status
    body["timeInForce"] = order.time_in_force
    body["type"] = order.type
    body["side"] = order.side


def _fill(fill: Fill) -> Body:
    return {
        "price": decimal(fill.price),
        "qty": decimal(fill.quantity),
        "commission": decimal(fill.commission),
        "commissionAsset": fill.commission_asset,
        "tradeId": fill.trade_id,
    }


def _add_conditional(body: Body, order: SpotOrder) -> None:
    """Fields that appear only when they have something to say."""
    if order.type not in _PLAIN:
        body["stopPrice"] = decimal(order.stop_price)
        if order.trailing_delta:
            body["trailingDelta"] = order.trailing_delta
            body["trailingTime"] = order.trailing_time_ms
    if order.iceberg_quantity:
        body["icebergQty"] = decimal(order.iceberg_quantity)
    _add_labels(body, order)


def _add_labels(body: Body, order: SpotOrder) -> None:
    if order.strategy_id:
        body["strategyId"] = order.strategy_id
    if order.strategy_type:
        body["strategyType"] = order.strategy_type
    if order.uses_sor:
        body["workingFloor"] = "SOR"
        body["usedSor"] = True
    if order.expiry_reason and order.status == "EXPIRED":
        body["expiryReason"] = EXPIRY_REASONS[order.expiry_reason]
    if order.prevented_matches:
        body["preventedMatchId"] = order.prevented_matches[-1].prevented_match_id
        body["preventedQuantity"] = decimal(order.prevented_quantity)


def cancelled(order: SpotOrder) -> Body:
    """Answer to a cancel: the order under the cancel's client id, its own id in `origClientOrderId`."""
    body: Body = {
        "symbol": order.symbol,
        "origClientOrderId": order.original_client_order_id or order.client_order_id,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": order.update_ms,
    }
    _amounts(body, order)
    body["selfTradePreventionMode"] = order.self_trade_prevention
    _add_conditional(body, order)
    return body


def queried(order: SpotOrder) -> Body:
    """An order as the queries show it, with stopPrice and icebergQty always."""
    body: Body = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
        "price": decimal(order.price),
        "origQty": decimal(order.quantity),
        "executedQty": decimal(order.executed),
        "cummulativeQuoteQty": decimal(order.executed_quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        "stopPrice": decimal(order.stop_price),
        "icebergQty": decimal(order.iceberg_quantity),
        "time": order.time_ms,
        "updateTime": order.update_ms,
        "isWorking": order.is_working,
        "workingTime": order.working_ms,
        "origQuoteOrderQty": decimal(order.quote_quantity),
        "selfTradePreventionMode": order.self_trade_prevention,
    }
    if order.trailing_delta:
        body["trailingDelta"] = order.trailing_delta
        body["trailingTime"] = order.trailing_time_ms
    _add_labels(body, order)
    return body


def amended(order: SpotOrder, original_client_id: str) -> Body:
    """`amendedOrder` of an amend: other names for the amounts than everywhere else."""
    body: Body = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "origClientOrderId": original_client_id,
        "clientOrderId": order.client_order_id,
        "price": decimal(order.price),
        "qty": decimal(order.quantity),
        "executedQty": decimal(order.executed),
        "preventedQty": decimal(order.prevented_quantity),
        "quoteOrderQty": decimal(order.quote_quantity),
        "cumulativeQuoteQty": decimal(order.executed_quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
    }
    if order.working_ms >= 0:
        body["workingTime"] = order.working_ms
    body["selfTradePreventionMode"] = order.self_trade_prevention
    _add_conditional(body, order)
    return body


def order_list(group: OrderList, reports: list[Body] | None = None) -> Body:
    """An order list; `reports` is given for placing and cancelling, not for queries."""
    body: Body = {
        "orderListId": group.order_list_id,
        "contingencyType": group.contingency,
        "listStatusType": group.status_type,
        "listOrderStatus": group.order_status,
        "listClientOrderId": group.client_id,
        "transactionTime": group.time_ms,
        "symbol": group.symbol,
        "orders": [
            {"symbol": order.symbol, "orderId": order.order_id, "clientOrderId": own_client_id(order)}
            for order in group.orders
        ],
    }
    if reports is not None:
        body["orderReports"] = reports
    return body


def own_client_id(order: SpotOrder) -> str:
    """The client id an order had of its own, before a cancel put the cancel's id in its place."""
    if order.status == "CANCELED" and order.original_client_order_id:
        return order.original_client_order_id
    return order.client_order_id


def cancelled_list(group: OrderList) -> Body:
    """Answer to the cancel of a list, or of one of its orders."""
    return order_list(group, [cancelled(order) for order in group.orders])


def own_trade(fill: Fill) -> Body:
    """One row of myTrades."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": fill.order_list_id,
        "price": decimal(fill.price),
        "qty": decimal(fill.quantity),
        "quoteQty": decimal(fill.quote),
        "commission": decimal(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "isBuyer": fill.is_buyer,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }
