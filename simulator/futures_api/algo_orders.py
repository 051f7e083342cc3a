"""Conditional orders, which live in the algo service until they trigger."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures_api import order_bodies, words
from simulator.futures_api.new_orders import read_algo
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params


def _one_or_all(params: Params) -> int:
    return 1 if params.peek("symbol") else 40


@endpoint("POST /fapi/v1/algoOrder", market="futures", ws="algoOrder.place", security="TRADE", weight=0, orders=1)
def place_algo_order(call: Call) -> object:
    """A new conditional order; its parameter is triggerPrice, not stopPrice."""
    new = read_algo(call.params)
    words.response_type(call.params)
    algo = call.venue.futures.algo.place(call.account_id, new)
    return order_bodies.algo_accepted(algo, call.venue.futures.instrument(algo.symbol))


@endpoint("DELETE /fapi/v1/algoOrder", market="futures", ws="algoOrder.cancel", security="TRADE")
def cancel_algo_order(call: Call) -> object:
    """Cancel one conditional order; -2011 when it is unknown or has ended."""
    algo_id, client_id = words.algo_identity(call.params)
    algo = call.venue.futures.algo.cancel(call.account_id, algo_id, client_id)
    return {"algoId": algo.algo_id, "clientAlgoId": algo.client_algo_id, "code": "200", "msg": "success"}


@endpoint("DELETE /fapi/v1/algoOpenOrders", market="futures", security="TRADE")
def cancel_all_algo_orders(call: Call) -> object:
    """Cancel every open conditional order of a symbol."""
    call.venue.futures.algo.cancel_all(call.account_id, call.instrument().symbol)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


@endpoint("GET /fapi/v1/algoOrder", market="futures", security="USER_DATA")
def query_algo_order(call: Call) -> object:
    """One conditional order in any state; -2013 when it is unknown."""
    algo_id, client_id = words.algo_identity(call.params)
    algo = call.venue.futures.algo.order(call.account_id, algo_id, client_id)
    return order_bodies.algo_queried(algo, call.venue.futures.instrument(algo.symbol))


@endpoint("GET /fapi/v1/openAlgoOrders", market="futures", security="USER_DATA", weight=_one_or_all)
def open_algo_orders(call: Call) -> object:
    """Conditional orders that wait for their trigger."""
    one = call.optional_instrument()
    _check_algo_type(call.params)
    algo_id = call.params.optional_integer("algoId")
    algos = call.venue.futures.algo.open_orders(call.account_id, one.symbol if one else None, algo_id)
    return [order_bodies.algo_listed(algo, call.venue.futures.instrument(algo.symbol)) for algo in algos]


@endpoint("GET /fapi/v1/allAlgoOrders", market="futures", security="USER_DATA", weight=5)
def all_algo_orders(call: Call) -> object:
    """Conditional orders of a symbol in any state, oldest first."""
    instrument = call.instrument()
    algo_id = call.params.optional_integer("algoId")
    start, end = words.time_range(call.params, 7)
    limit = words.limit(call.params, 500, 1000)
    algos = call.venue.futures.algo.all_orders(call.account_id, instrument.symbol, algo_id, start, end, limit)
    return [order_bodies.algo_listed(algo, instrument) for algo in algos]


def _check_algo_type(params: Params) -> None:
    if params.optional_text("algoType") not in (None, "CONDITIONAL"):
        raise VenueError(-1130, "Data sent for parameter 'algoType' is not valid.")
