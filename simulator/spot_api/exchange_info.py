"""exchangeInfo: limits, symbols with their trading rules, and which of them the request asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from simulator.errors import VenueError, illegal_characters
from simulator.instruments import Filters, Instrument
from simulator.spot_api.order_bodies import Body, decimal
from simulator.spot_api.order_params import PREVENTIONS, TYPES
from simulator.spot_api.selection import STATUSES, listed, listed_symbols
from simulator.units import trim_quanta
from simulator.wire.endpoint import Call, endpoint

DEFAULT_PREVENTION: Final = "EXPIRE_MAKER"
_SHOWN_BY_DEFAULT = frozenset({"SPOT", "MARGIN", "LEVERAGED"})
_PERMISSIONS_RANGE = r'^(\[("[A-Z0-9_]{1,50}"(,"[A-Z0-9_]{1,50}"){0,}){0,1}\]|[A-Z0-9_]{1,50})$'
_PERMISSIONS = re.compile(r'\["[A-Z0-9_]{1,50}"(,"[A-Z0-9_]{1,50}")*\]|[A-Z0-9_]{1,50}')


@endpoint("GET /api/v3/exchangeInfo", market="spot", ws="exchangeInfo", weight=20)
def exchange_info(call: Call) -> object:
    """Rules of all symbols, of one, of some, or of those with a permission or a status."""
    params = call.params
    symbol, names = params.optional_symbol(), listed_symbols(params)
    permissions = _permissions(call)
    status = params.optional_choice("symbolStatus", STATUSES)
    shows_sets = params.boolean("showPermissionSets", default=True)
    is_named = symbol is not None or names is not None
    if (symbol is not None and names is not None) or (is_named and (permissions or status)):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    params.finish()
    if symbol is not None:
        chosen = [listed(call, symbol)]
    elif names is not None:
        chosen = [listed(call, name) for name in names]
    else:
        wanted = permissions or _SHOWN_BY_DEFAULT
        chosen = [
            item
            for item in call.venue.spot.instruments.values()
            if wanted.intersection(item.permissions) and status in (None, item.status)
        ]
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "rateLimits": call.venue.limits.rules("spot"),
        "exchangeFilters": [],
        "symbols": [symbol_body(item, shows_sets=shows_sets) for item in chosen],
        "sors": _routes(call.venue.spot.instruments.values()),
    }


def _routes(instruments: Iterable[Instrument]) -> list[Body]:
    """Every symbol takes routed orders; there is one book behind each."""
    symbols: dict[str, list[str]] = {}
    for item in instruments:
        symbols.setdefault(item.base, []).append(item.symbol)
    return [{"baseAsset": base, "symbols": names} for base, names in symbols.items()]


def _permissions(call: Call) -> frozenset[str]:
    text = call.params.optional_text("permissions")
    if text is None:
        return frozenset()
    if not _PERMISSIONS.fullmatch(text):
        raise illegal_characters("permissions", _PERMISSIONS_RANGE)
    return frozenset(json.loads(text) if text.startswith("[") else [text])


def symbol_body(item: Instrument, *, shows_sets: bool) -> Body:
    """One symbol with its rules."""
    return {
        "symbol": item.symbol,
        "status": item.status,
        "baseAsset": item.base,
        "baseAssetPrecision": 8,
        "quoteAsset": item.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(TYPES),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": "SPOT" in item.permissions,
        "isMarginTradingAllowed": "MARGIN" in item.permissions,
        "filters": symbol_filters(item.filters),
        "permissions": [],
        "permissionSets": [list(item.permissions)] if shows_sets else [],
        "defaultSelfTradePreventionMode": DEFAULT_PREVENTION,
        "allowedSelfTradePreventionModes": list(PREVENTIONS),
    }


def symbol_filters(rules: Filters) -> list[Body]:
    """Every filter of a symbol, in the venue's order."""
    filters = [*_amount_filters(rules), *_count_filters(rules)]
    if rules.maximum_position:
        filters.append({"filterType": "MAX_POSITION", "maxPosition": decimal(rules.maximum_position)})
    return filters


def _amount_filters(rules: Filters) -> list[Body]:
    up, down = trim_quanta(rules.percent_up), trim_quanta(rules.percent_down)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": decimal(rules.minimum_price),
            "maxPrice": decimal(rules.maximum_price),
            "tickSize": decimal(rules.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": decimal(rules.minimum_quantity),
            "maxQty": decimal(rules.maximum_quantity),
            "stepSize": decimal(rules.lot),
        },
        {"filterType": "ICEBERG_PARTS", "limit": rules.iceberg_parts},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": decimal(0),
            "maxQty": decimal(rules.market_maximum_quantity),
            "stepSize": decimal(0),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": rules.trailing_minimum,
            "maxTrailingAboveDelta": rules.trailing_maximum,
            "minTrailingBelowDelta": rules.trailing_minimum,
            "maxTrailingBelowDelta": rules.trailing_maximum,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up,
            "bidMultiplierDown": down,
            "askMultiplierUp": up,
            "askMultiplierDown": down,
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": decimal(rules.minimum_notional),
            "applyMinToMarket": True,
            "maxNotional": decimal(rules.maximum_notional),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
    ]


def _count_filters(rules: Filters) -> list[Body]:
    return [
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.maximum_orders},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": rules.maximum_order_lists},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": rules.maximum_algo_orders},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": rules.maximum_amends},
    ]
