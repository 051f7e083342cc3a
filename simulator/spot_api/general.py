"""ping, time, and the rules by which orders are executed."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.spot_api.selection import STATUSES, listed, listed_symbols, symbol_count
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params


@endpoint("GET /api/v3/ping", market="spot", ws="ping")
def ping(call: Call) -> object:
    """An empty object."""
    call.params.finish()
    return {}


@endpoint("GET /api/v3/time", market="spot", ws="time")
def server_time(call: Call) -> object:
    """Protocol time: signatures are checked against it, not against market time."""
    call.params.finish()
    return {"serverTime": call.now_ms}


def _rules_weight(params: Params) -> int:
    count = symbol_count(params)
    return 40 if count is None else min(40, 2 * count)


@endpoint("GET /api/v3/executionRules", market="spot", ws="executionRules", weight=_rules_weight)
def execution_rules(call: Call) -> object:
    """No symbol here has a price-range rule: each comes with an empty list."""
    params = call.params
    symbol, names = params.optional_symbol(), listed_symbols(params)
    status = params.optional_choice("symbolStatus", STATUSES)
    if sum(item is not None for item in (symbol, names, status)) > 1:
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    params.finish()
    if symbol is not None:
        names = [symbol]
    chosen = list(call.venue.spot.instruments.values()) if names is None else [listed(call, name) for name in names]
    return {"symbolRules": [{"symbol": item.symbol, "rules": []} for item in chosen if status in (None, item.status)]}
