"""A symbol's rules as exchangeInfo shows them."""

from __future__ import annotations

from simulator.instruments import Instrument
from simulator.units import format_quanta, trim_quanta

PERPETUAL_DELIVERY_MS = 4_133_404_800_000
"""The delivery date the venue gives to contracts without one (2100-12-25)."""

ASSETS: list[dict[str, object]] = [
    {"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"},
    {"asset": "BTC", "marginAvailable": True, "autoAssetExchange": "-0.10000000"},
    {"asset": "BNB", "marginAvailable": True, "autoAssetExchange": "-10"},
    {"asset": "ETH", "marginAvailable": True, "autoAssetExchange": "-5"},
    {"asset": "USDC", "marginAvailable": True, "autoAssetExchange": "-10000"},
]
_ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
_STATUS = {"HALT": "PENDING_TRADING", "BREAK": "PENDING_TRADING", "CLOSE": "CLOSE", "CANCEL_ONLY": "SETTLING"}
"""Statuses that USD-M has no word for, by the nearest one it has."""


def symbol_rules(instrument: Instrument) -> dict[str, object]:
    """One entry of `symbols`."""
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": PERPETUAL_DELIVERY_MS,
        "onboardDate": instrument.onboard,
        "status": _STATUS.get(instrument.status, instrument.status),
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": instrument.price_decimals,
        "quantityPrecision": instrument.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"] if instrument.base == "BTC" else [],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": _filters(instrument),
        "orderTypes": _ORDER_TYPES,
        "OrderType": _ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }


def _filters(instrument: Instrument) -> list[dict[str, object]]:
    rules = instrument.filters
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": trim_quanta(rules.minimum_price),
            "maxPrice": trim_quanta(rules.maximum_price),
            "tickSize": instrument.format_price(rules.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": trim_quanta(rules.minimum_quantity),
            "maxQty": trim_quanta(rules.maximum_quantity),
            "stepSize": trim_quanta(rules.lot),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": trim_quanta(rules.minimum_quantity),
            "maxQty": trim_quanta(rules.market_maximum_quantity),
            "stepSize": trim_quanta(rules.lot),
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": rules.maximum_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": rules.maximum_algo_orders},
        {"filterType": "MIN_NOTIONAL", "notional": trim_quanta(rules.minimum_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": format_quanta(rules.percent_up, 4),
            "multiplierDown": format_quanta(rules.percent_down, 4),
            "multiplierDecimal": "4",
        },
    ]
