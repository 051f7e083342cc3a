"""The account itself: balances, commission, own trades, prevented matches, amendments, limits and filters."""

from __future__ import annotations

from simulator.accounts import Account
from simulator.errors import VenueError
from simulator.spot_api.exchange_info import symbol_filters
from simulator.spot_api.market_data import row_limit
from simulator.spot_api.order_bodies import Body, decimal, own_trade
from simulator.spot_api.orders import check_symbol, discount, time_span
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params

_NOTHING = "0.00000000"
BAD_COMBINATION = (-1128, "Combination of optional parameters invalid.")


def held_assets(call: Call) -> dict[str, tuple[int, int]]:
    """(free, locked) of every asset the venue knows, in the order of its symbols, then whatever else is held."""
    balances = call.venue.spot.balances(call.account_id)
    names: dict[str, None] = {}
    for item in call.venue.spot.instruments.values():
        names[item.base] = names[item.quote] = None
    names.update(dict.fromkeys(balances))
    return {name: (held.free, held.locked) if (held := balances.get(name)) else (0, 0) for name in names}


def basis_points(fee: int) -> int:
    """A commission rate as the old whole-number fields show it."""
    return fee // 10_000


@endpoint("GET /api/v3/account", market="spot", ws="account.status", security="USER_DATA", weight=20)
def account_status(call: Call) -> object:
    """Balances and commission rates."""
    omits_zero = call.params.boolean("omitZeroBalances")
    call.params.finish()
    account = call.account
    return {
        "makerCommission": basis_points(account.maker_fee),
        "takerCommission": basis_points(account.taker_fee),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(account),
        "canTrade": account.can_trade,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.venue.clock.now_ms(),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": decimal(free), "locked": decimal(locked)}
            for asset, (free, locked) in held_assets(call).items()
            if free or locked or not omits_zero
        ],
        "permissions": ["SPOT"],
        "uid": account.account_id,
    }


def _rates(account: Account) -> Body:
    return {
        "maker": decimal(account.maker_fee),
        "taker": decimal(account.taker_fee),
        "buyer": _NOTHING,
        "seller": _NOTHING,
    }


@endpoint("GET /api/v3/account/commission", market="spot", ws="account.commission", security="USER_DATA", weight=20)
def account_commission(call: Call) -> object:
    """Commission rates on one symbol; there are no special or tax commissions here."""
    symbol = check_symbol(call)
    call.params.finish()
    nothing = {"maker": _NOTHING, "taker": _NOTHING, "buyer": _NOTHING, "seller": _NOTHING}
    return {
        "symbol": symbol,
        "standardCommission": _rates(call.account),
        "specialCommission": nothing,
        "taxCommission": nothing,
        "discount": discount(call),
    }


def my_trades_weight(params: Params) -> int:
    """5 for one order, else 20."""
    return 5 if params.has("orderId") else 20


@endpoint("GET /api/v3/myTrades", market="spot", ws="myTrades", security="USER_DATA", weight=my_trades_weight)
def my_trades(call: Call) -> object:
    """Own trades of an order, from an id on, of a day, or the newest."""
    params = call.params
    symbol = check_symbol(call)
    order_id, from_id = params.optional_integer("orderId"), params.optional_integer("fromId")
    start, end = time_span(params)
    limit = row_limit(params)
    params.finish()
    has_span = start is not None or end is not None
    if has_span and (order_id is not None or from_id is not None):
        raise VenueError(*BAD_COMBINATION)
    found = call.venue.spot.trades(call.account_id, symbol, order_id, start, end, from_id, limit)
    return [own_trade(fill) for fill in found]


def prevented_weight(params: Params) -> int:
    """2 by match id, 20 by order."""
    return 2 if params.has("preventedMatchId") else 20


@endpoint(
    "GET /api/v3/myPreventedMatches",
    market="spot",
    ws="myPreventedMatches",
    security="USER_DATA",
    weight=prevented_weight,
)
def my_prevented_matches(call: Call) -> object:
    """Trades with oneself that did not happen, by their id or by order."""
    params = call.params
    symbol = check_symbol(call)
    match_id, order_id = params.optional_integer("preventedMatchId"), params.optional_integer("orderId")
    from_id = params.optional_integer("fromPreventedMatchId")
    has_limit = params.has("limit")
    limit = row_limit(params)
    params.finish()
    if (match_id is None) == (order_id is None) or (match_id is not None and (from_id is not None or has_limit)):
        raise VenueError(*BAD_COMBINATION)
    found = [
        match
        for match in call.venue.spot.prevented_matches(call.account_id, symbol, order_id=order_id)
        if (match_id is None or match.prevented_match_id == match_id)
        and (from_id is None or match.prevented_match_id >= from_id)
    ]
    return [
        {
            "symbol": match.symbol,
            "preventedMatchId": match.prevented_match_id,
            "takerOrderId": match.taker_order_id,
            "makerSymbol": match.symbol,
            "makerOrderId": match.maker_order_id,
            "tradeGroupId": match.trade_group_id,
            "selfTradePreventionMode": match.mode,
            "price": decimal(match.price),
            "makerPreventedQuantity": decimal(match.maker_prevented),
            "transactTime": match.time_ms,
        }
        for match in found[:limit]
    ]


@endpoint("GET /api/v3/myAllocations", market="spot", ws="myAllocations", security="USER_DATA", weight=20)
def my_allocations(call: Call) -> object:
    """Always empty: smart order routing has but one book per symbol here, so nothing is allocated."""
    params = call.params
    check_symbol(call)
    start, end = time_span(params)
    allocation, order_id = params.optional_integer("fromAllocationId"), params.optional_integer("orderId")
    row_limit(params)
    params.finish()
    if (start is not None or end is not None) and (allocation is not None or order_id is not None):
        raise VenueError(*BAD_COMBINATION)
    return []


@endpoint("GET /api/v3/order/amendments", market="spot", ws="order.amendments", security="USER_DATA", weight=4)
def order_amendments(call: Call) -> object:
    """Every amend of one order, oldest first."""
    params = call.params
    symbol = check_symbol(call)
    order_id = params.integer("orderId")
    from_id = params.optional_integer("fromExecutionId")
    limit = row_limit(params)
    params.finish()
    found = call.venue.spot.amendments(call.account_id, symbol, order_id, from_id, limit)
    return [
        {
            "symbol": item.symbol,
            "orderId": item.order_id,
            "executionId": item.execution_id,
            "origClientOrderId": item.original_client_order_id,
            "newClientOrderId": item.new_client_order_id,
            "origQty": decimal(item.original_quantity),
            "newQty": decimal(item.new_quantity),
            "time": item.time_ms,
        }
        for item in found
    ]


@endpoint("GET /api/v3/rateLimit/order", market="spot", ws="account.rateLimits.orders", security="USER_DATA", weight=40)
def order_rate_limits(call: Call) -> object:
    """Unfilled orders counted in each window."""
    call.params.finish()
    return call.venue.limits.order_report("spot", call.account_id)


@endpoint("GET /api/v3/myFilters", market="spot", ws="myFilters", security="USER_DATA", weight=40)
def my_filters(call: Call) -> object:
    """Filters that apply to this account on a symbol; none for the whole venue or an asset."""
    symbol = check_symbol(call)
    call.params.finish()
    return {
        "exchangeFilters": [],
        "symbolFilters": symbol_filters(call.venue.spot.instrument(symbol).filters),
        "assetFilters": [],
    }
