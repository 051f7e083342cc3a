"""Lists of orders and trades of an account, cancelling all of them, and the dead man's switch."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures.reports import Amendment
from simulator.futures.types import Fill
from simulator.futures_api import order_bodies, words
from simulator.futures_api.amounts import money, quote_amount
from simulator.instruments import Instrument
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params

LONGEST_COUNTDOWN_MS = 86_400_000_000


def _one_or_all(params: Params) -> int:
    return 1 if params.peek("symbol") else 40


def _force_weight(params: Params) -> int:
    return 20 if params.peek("symbol") else 50


@endpoint("GET /fapi/v1/openOrders", market="futures", security="USER_DATA", weight=_one_or_all)
def open_orders(call: Call) -> object:
    """Open orders of a symbol, or of all."""
    one = call.optional_instrument()
    orders = call.venue.futures.history.open_orders(call.account_id, one.symbol if one else None)
    return [order_bodies.queried(order, call.venue.futures.instrument(order.symbol)) for order in orders]


@endpoint("GET /fapi/v1/allOrders", market="futures", security="USER_DATA", weight=5)
def all_orders(call: Call) -> object:
    """Orders of a symbol in any state, oldest first; without times the last seven days."""
    instrument = call.instrument()
    order_id = call.params.optional_integer("orderId")
    start, end = words.time_range(call.params, 7)
    limit = words.limit(call.params, 500, 1000)
    orders = call.venue.futures.history.all_orders(call.account_id, instrument.symbol, order_id, start, end, limit)
    return [order_bodies.listed(order, instrument) for order in orders]


@endpoint("GET /fapi/v1/userTrades", market="futures", security="USER_DATA", weight=5)
def user_trades(call: Call) -> object:
    """The account's trades on a symbol, oldest first."""
    instrument = call.instrument()
    order_id = call.params.optional_integer("orderId")
    from_id = call.params.optional_integer("fromId")
    start, end = words.time_range(call.params, 7)
    if from_id is not None and (start is not None or end is not None):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    limit = words.limit(call.params, 500, 1000)
    fills = call.venue.futures.history.trades(call.account_id, instrument.symbol, order_id, start, end, from_id, limit)
    return [trade_body(fill, instrument) for fill in fills]


@endpoint("GET /fapi/v1/forceOrders", market="futures", security="USER_DATA", weight=_force_weight)
def force_orders(call: Call) -> object:
    """Liquidation and ADL orders of the account."""
    one = call.optional_instrument()
    kind = call.params.optional_choice("autoCloseType", ("LIQUIDATION", "ADL"))
    start, end = words.time_range(call.params, 7)
    limit = words.limit(call.params, 50, 100)
    futures = call.venue.futures
    found = futures.history.force_orders(call.account_id, one.symbol if one else None, kind, start, end, limit)
    return [order_bodies.forced(order, futures.instrument(order.symbol)) for order in found]


@endpoint("DELETE /fapi/v1/allOpenOrders", market="futures", security="TRADE")
def cancel_all_orders(call: Call) -> object:
    """Cancel every open order of a symbol; having none is no error."""
    call.venue.futures.cancel_all(call.account_id, call.instrument().symbol)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


@endpoint("POST /fapi/v1/countdownCancelAll", market="futures", security="TRADE", weight=10)
def countdown_cancel_all(call: Call) -> object:
    """Cancel all orders of a symbol after so many ms of protocol time, unless asked again; 0 stops the countdown."""
    instrument = call.instrument()
    countdown = call.params.integer("countdownTime", 0, LONGEST_COUNTDOWN_MS)
    call.venue.futures.countdown.set(call.account_id, instrument.symbol, countdown, call.now_ms)
    return {"symbol": instrument.symbol, "countdownTime": str(countdown)}


@endpoint("GET /fapi/v1/orderAmendment", market="futures", security="USER_DATA")
def order_amendments(call: Call) -> object:
    """What was modified on one order, newest first."""
    instrument = call.instrument()
    order_id, client_id = words.order_identity(call.params)
    start, end = words.time_range(call.params)
    limit = words.limit(call.params, 50, 100)
    found = call.venue.futures.history.amendments(
        call.account_id, instrument.symbol, order_id, client_id, start, end, limit
    )
    return [_amendment(item, instrument) for item in found]


def trade_body(fill: Fill, instrument: Instrument) -> dict[str, object]:
    """One trade of an account."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": instrument.format_price(fill.price),
        "qty": instrument.format_quantity(fill.quantity),
        "baseQty": instrument.format_quantity(fill.quantity),
        "realizedPnl": money(fill.realized_pnl),
        "marginAsset": instrument.quote,
        "quoteQty": quote_amount(instrument, fill.quote),
        "commission": money(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "positionSide": fill.position_side,
        "pair": fill.symbol,
        "buyer": fill.side == "BUY",
        "maker": fill.is_maker,
    }


def _amendment(item: Amendment, instrument: Instrument) -> dict[str, object]:
    return {
        "amendmentId": item.amendment_id,
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "orderId": item.order_id,
        "clientOrderId": item.client_order_id,
        "time": item.time_ms,
        "amendment": {
            "price": {
                "before": instrument.format_price(item.price_before),
                "after": instrument.format_price(item.price_after),
            },
            "origQty": {
                "before": instrument.format_quantity(item.quantity_before),
                "after": instrument.format_quantity(item.quantity_after),
            },
            "count": item.count,
        },
    }
