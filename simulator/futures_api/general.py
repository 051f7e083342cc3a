"""Connectivity, server time and the trading rules of every symbol."""

from __future__ import annotations

from simulator.futures_api.trading_rules import ASSETS, symbol_rules
from simulator.wire.endpoint import Call, endpoint


@endpoint("GET /fapi/v1/ping", market="futures", ws="ping")
def ping(call: Call) -> object:
    """An empty object."""
    call.params.finish()
    return {}


@endpoint("GET /fapi/v1/time", market="futures", ws="time")
def server_time(call: Call) -> object:
    """Protocol time."""
    call.params.finish()
    return {"serverTime": call.now_ms}


@endpoint("GET /fapi/v1/exchangeInfo", market="futures")
def exchange_information(call: Call) -> object:
    """Trading rules; a `symbol` filters, as clients of other venues' habits expect."""
    one = call.optional_instrument()
    call.params.finish()
    listed = call.venue.futures.instruments.values() if one is None else [one]
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": call.venue.limits.rules("futures"),
        "exchangeFilters": [],
        "assets": ASSETS,
        "symbols": [symbol_rules(instrument) for instrument in listed],
    }
