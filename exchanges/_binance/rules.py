"""The venue's trading rules as instruments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core.base_exchange import TradingRules
from domain.errors import AresError
from domain.instrument import LARGEST_PRODUCT, Instrument
from domain.money import divmod_exact, exact, from_units
from domain.sentences import say

#: Lengths of the windows in which the venue counts.
SPANS_MS: Final = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
#: The venue books every asset with eight digits after the point, whatever it shows.
QUANTUM = Decimal("0.00000001")
#: A price may always be this many ticks, however large the orders are that the venue takes.
_LEAST_TICKS = 1 << 24
#: A position may be this many times the largest order, where the law's integers allow it.
_POSITION_ORDERS = 10


class Rules(NamedTuple):
    """Everything tradable, and why the rest is not."""

    instruments: dict[str, Instrument]
    trading: dict[str, TradingRules]
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
            rules.trading[name] = _trading_rules(row, filters)
        except (AresError, KeyError, TypeError, ValueError) as error:
            rules.refused[name] = say(
                "symbol_not_tradable", "{symbol} cannot be traded here: {error}", symbol=name, error=error
            )
    return rules


def renewed(old: Rules, new: Rules, used: Iterable[str]) -> Rules:
    """The new rules, in which instruments that are in use keep their units.

    Prices and quantities of running orders are counted in them. A symbol whose new units are others takes no orders.
    The new rules themselves are not changed: other accounts read them too.
    """
    kept: dict[str, Instrument] = {}
    halted: dict[str, TradingRules] = {}
    for name in used:
        before, after = old.instruments[name], new.instruments.get(name)
        if after is None:
            kept[name] = before
            halted[name] = TradingRules(
                halt=new.refused.get(name)
                or say(
                    "symbol_is_gone",
                    "{symbol} is not listed any more; stop the strategy, and sell by hand what it still holds.",
                    symbol=name,
                )
            )
        elif (before.tick_size, before.lot_size) != (after.tick_size, after.lot_size):
            kept[name] = before
            words = say(
                "symbol_in_other_units",
                "the venue now counts {symbol} in steps of {tick} (price) and {lot} (quantity), and this strategy in "
                "steps of {own_tick} and {own_lot}; stop the strategy and reset it.",
                symbol=name,
                tick=after.tick_size,
                lot=after.lot_size,
                own_tick=before.tick_size,
                own_lot=before.lot_size,
            )
            halted[name] = TradingRules(halt=words)
        elif after != before:
            kept[name] = replace(after, max_price=before.max_price, max_position=before.max_position)
    if not kept:
        return new
    return Rules({**new.instruments, **kept}, {**new.trading, **halted}, new.refused)


_FOR_GOOD: Final = frozenset({"CLOSE", "SETTLING", "DELIVERED", "DELIVERING", "PRE_DELIVERING", "PRE_SETTLE"})


def _halt(name: str, status: str) -> str:
    if status in _FOR_GOOD:
        return say(
            "symbol_is_closed",
            "{symbol} is closed at the venue ({status}); stop the strategy, and sell by hand what it still holds.",
            symbol=name,
            status=status,
        )
    return say(
        "symbol_is_halted",
        "{symbol} is halted at the venue ({status}); orders go on by themselves when it trades again.",
        symbol=name,
        status=status,
    )


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


def order_limits(rows: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """New orders that an account may send, by the length of the window in ms."""
    return {
        SPANS_MS[row["interval"]] * int(row.get("intervalNum", 1)): int(row["limit"])
        for row in rows
        if row.get("rateLimitType") == "ORDERS" and row.get("interval") in SPANS_MS
    }


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


def _trading_rules(row: Mapping[str, Any], filters: Mapping[str, Mapping[str, Any]]) -> TradingRules:
    name, status = row["symbol"], str(row.get("status", "TRADING"))
    halt = "" if status == "TRADING" else _halt(name, status)
    count = filters.get("MAX_NUM_ORDERS", {})
    max_orders = int(count.get("maxNumOrders", count.get("limit", 0)))
    sides = filters.get("PERCENT_PRICE_BY_SIDE")
    if sides is not None:
        names = ("bidMultiplierDown", "bidMultiplierUp", "askMultiplierDown", "askMultiplierUp")
        return TradingRules(halt, max_orders, *(_ppm(sides[each]) for each in names))
    both = filters.get("PERCENT_PRICE", {})
    down, up = (_ppm(both.get(each, "0")) for each in ("multiplierDown", "multiplierUp"))
    if row.get("contractType"):
        # Futures bound a bid from above and an ask from below only.
        return TradingRules(halt, max_orders, 0, up, down, 0)
    return TradingRules(halt, max_orders, down, up, down, up)


def _ppm(factor: Any) -> int:
    return int(exact(str(factor)) * 1_000_000)
