"""The venue's trading rules as instruments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from domain.errors import AresError
from domain.instrument import LARGEST_PRODUCT, Instrument
from domain.money import divmod_exact, exact, from_units

#: The venue books every asset with eight digits after the point, whatever it shows.
QUANTUM = Decimal("0.00000001")
#: A price may always be this many ticks, however large the orders are that the venue takes.
_LEAST_TICKS = 1 << 24
#: A position may be this many times the largest order, where the law's integers allow it.
_POSITION_ORDERS = 10


class Rules(NamedTuple):
    """Everything tradable, and why the rest is not."""

    instruments: dict[str, Instrument]
    #: Symbol -> most orders that may rest on it.
    max_orders: dict[str, int]
    #: Symbol -> why it cannot be represented exactly.
    refused: dict[str, str]


def parse_rules(symbols: Iterable[Mapping[str, Any]]) -> Rules:
    """The rules of `exchangeInfo`'s symbols; what does not fit the law's integers is refused with the reason."""
    rules = Rules({}, {}, {})
    for row in symbols:
        name = str(row.get("symbol", ""))
        try:
            filters = {item["filterType"]: item for item in row["filters"]}
            rules.instruments[name] = _instrument(row, filters)
            rules.max_orders[name] = _max_orders(filters)
        except (AresError, KeyError, TypeError, ValueError) as error:
            rules.refused[name] = f"{name} cannot be traded here: {error}"
    return rules


def bounds(max_ticks: int, max_order_lots: int) -> tuple[int, int]:
    """The highest price in ticks and the largest position in lots whose product the law's integers can hold.

    The venue's price bound is far above the market, so it gives way before the size of one order does.
    """
    lots = min(max_order_lots * _POSITION_ORDERS, LARGEST_PRODUCT // max_ticks)
    if lots >= max_order_lots:
        return max_ticks, lots
    ticks = min(max_ticks, max(LARGEST_PRODUCT // max_order_lots, _LEAST_TICKS))
    return ticks, LARGEST_PRODUCT // ticks


def weight_limit(rows: Iterable[Mapping[str, Any]]) -> int:
    """Request weight that an address may use in a minute; 0 when the venue does not say."""
    for row in rows:
        if row.get("rateLimitType") == "REQUEST_WEIGHT" and row.get("interval") == "MINUTE":
            return int(row["limit"]) // int(row.get("intervalNum", 1))
    return 0


def _instrument(row: Mapping[str, Any], filters: Mapping[str, Mapping[str, Any]]) -> Instrument:
    price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    tick, step = exact(price["tickSize"]), exact(lot["stepSize"])
    highest = divmod_exact(exact(price["maxPrice"]), tick)[0] or LARGEST_PRODUCT >> 32
    largest = divmod_exact(exact(lot["maxQty"]), step)[0]
    max_ticks, max_lots = bounds(highest, largest)
    return Instrument(
        symbol=row["symbol"],
        base=row["baseAsset"],
        quote=row["quoteAsset"],
        tick_size=tick,
        lot_size=step,
        max_price=from_units(max_ticks, tick),
        max_position=from_units(max_lots, step),
        base_quantum=QUANTUM,
        quote_quantum=QUANTUM,
        min_quantity=exact(lot["minQty"]),
        max_quantity=from_units(min(largest, max_lots), step),
        min_notional=_min_notional(filters),
    )


def _min_notional(filters: Mapping[str, Mapping[str, Any]]) -> Decimal:
    found = [Decimal(0)]
    for name in ("NOTIONAL", "MIN_NOTIONAL"):
        row = filters.get(name, {})
        found += [exact(row[key]) for key in ("minNotional", "notional") if key in row]
    return max(found)


def _max_orders(filters: Mapping[str, Mapping[str, Any]]) -> int:
    row = filters.get("MAX_NUM_ORDERS", {})
    return int(row.get("maxNumOrders", row.get("limit", 0)))
