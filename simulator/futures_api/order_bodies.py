"""An order as each answer shows it.

New, cancelled and modified orders carry `avgPrice` and `cumQuote` although the newest documents dropped them:
clients in use still read them, and others ignore fields they do not know.
"""

from __future__ import annotations

from simulator.futures.types import AlgoOrder, FuturesOrder
from simulator.futures_api.amounts import average_price, callback_rate, quote_amount, short
from simulator.instruments import Instrument

Body = dict[str, object]


def _common(order: FuturesOrder, instrument: Instrument) -> Body:
    body: Body = {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_order_id,
        "price": instrument.format_price(order.price),
        "avgPrice": average_price(instrument, order.executed_quote, order.executed),
        "origQty": instrument.format_quantity(order.quantity),
        "executedQty": instrument.format_quantity(order.executed),
        "timeInForce": order.time_in_force,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": instrument.format_price(order.trigger_price),
        "workingType": order.working_type,
        "priceProtect": order.price_protect,
        "origType": order.original_type,
        "priceMatch": order.price_match,
        "selfTradePreventionMode": order.self_trade_prevention,
        "goodTillDate": order.good_till_ms,
    }
    if order.original_type == "TRAILING_STOP_MARKET":
        body["activatePrice"] = instrument.format_price(order.activate_price)
        body["priceRate"] = callback_rate(order)
    return body


def acknowledged(order: FuturesOrder, instrument: Instrument) -> Body:
    """Answer to a new order or a cancel."""
    body = _common(order, instrument)
    body["cumQty"] = body["executedQty"]
    body["cumQuote"] = quote_amount(instrument, order.executed_quote)
    body["updateTime"] = order.update_ms or order.time_ms
    return body


def as_accepted(order: FuturesOrder, instrument: Instrument) -> Body:
    """Answer to a new order with newOrderRespType ACK: as it was before anything traded."""
    zero = instrument.format_quantity(0)
    return acknowledged(order, instrument) | {
        "status": "NEW",
        "executedQty": zero,
        "cumQty": zero,
        "avgPrice": average_price(instrument, 0, 0),
        "cumQuote": quote_amount(instrument, 0),
        "updateTime": order.time_ms,
    }


def modified(order: FuturesOrder, instrument: Instrument) -> Body:
    """Answer to a modification."""
    return acknowledged(order, instrument) | {"pair": order.symbol, "cumBase": "0"}


def queried(order: FuturesOrder, instrument: Instrument) -> Body:
    """An order in the answer to a query."""
    body = _common(order, instrument)
    body["cumQuote"] = quote_amount(instrument, order.executed_quote)
    body["time"] = order.time_ms
    body["updateTime"] = order.update_ms or order.time_ms
    return body


def listed(order: FuturesOrder, instrument: Instrument) -> Body:
    """An order in allOrders, which also names the pair."""
    return queried(order, instrument) | {"pair": order.symbol, "cumBase": "0"}


def forced(order: FuturesOrder, instrument: Instrument) -> Body:
    """A liquidation order in forceOrders."""
    left_out = ("priceProtect", "priceMatch", "selfTradePreventionMode", "goodTillDate")
    return {name: value for name, value in listed(order, instrument).items() if name not in left_out}


def algo_accepted(algo: AlgoOrder, instrument: Instrument) -> Body:
    """Answer to a new algo order."""
    body: Body = {
        "algoId": algo.algo_id,
        "clientAlgoId": algo.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.type,
        "symbol": algo.symbol,
        "side": algo.side,
        "positionSide": algo.position_side,
        "timeInForce": algo.time_in_force,
        "quantity": instrument.format_quantity(algo.quantity),
        "algoStatus": algo.status,
        "triggerPrice": instrument.format_price(algo.trigger_price),
        "price": instrument.format_price(algo.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": algo.self_trade_prevention,
        "workingType": algo.working_type,
        "priceMatch": algo.price_match,
        "closePosition": algo.close_position,
        "priceProtect": algo.price_protect,
        "reduceOnly": algo.reduce_only,
        "createTime": algo.time_ms,
        "updateTime": algo.update_ms or algo.time_ms,
        "triggerTime": algo.trigger_ms,
        "goodTillDate": algo.good_till_ms,
    }
    if algo.type == "TRAILING_STOP_MARKET":
        body["activatePrice"] = instrument.format_price(algo.activate_price)
        body["callbackRate"] = short(algo.callback_rate)
    return body


def algo_queried(algo: AlgoOrder, instrument: Instrument) -> Body:
    """An algo order in the answer to a query of one."""
    order = algo.order
    body = algo_accepted(algo, instrument) | {
        "actualOrderId": str(order.order_id) if order else "",
        "actualPrice": average_price(instrument, order.executed_quote, order.executed) if order else "0.00000",
        "actualQty": instrument.format_quantity(order.executed if order else 0),
        "actualType": order.type if order else "",
        "tpOrderType": "",
    }
    if algo.reject_reason:
        body["failedReason"] = algo.reject_reason
    return body


def algo_listed(algo: AlgoOrder, instrument: Instrument) -> Body:
    """An algo order in a list."""
    zero = instrument.format_price(0)
    return algo_queried(algo, instrument) | {
        "tpTriggerPrice": zero,
        "tpPrice": zero,
        "slTriggerPrice": zero,
        "slPrice": zero,
    }
