"""The symbols a venue knows from the start, with the rules the real venue had in 2025-26, and rules for any other.

Two spot symbols quoted in BTC have a coarser lot than the real venue's: there tick x lot is finer than 1e-8 BTC and
the venue rounds, here every notional is exact.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.instruments import Filters, Instrument, Market
from simulator.units import ONE, parse_quanta

QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "USD", "DAI")
"""Quote assets in the order in which the end of a symbol is tried."""

_SMALLEST_NOTIONAL = {"BTC": "0.0001", "ETH": "0.001", "BNB": "0.01"}


class UnknownAsset(ValueError):
    """A symbol whose quote asset cannot be told from its name."""


class _Rules(NamedTuple):
    """One row of the tables below; decimal texts."""

    tick: str
    lot: str
    maximum_price: str
    maximum_quantity: str
    market_maximum: str
    minimum_notional: str
    price_decimals: int = 8
    quantity_decimals: int = 8
    minimum_price: str = ""
    leverage: int = 75
    maintenance: str = "0.005"


_SPOT = {
    "BTCUSDT": _Rules("0.01", "0.00001", "1000000", "9000", "121.79287025", "5"),
    "ETHUSDT": _Rules("0.01", "0.0001", "1000000", "9000", "3105.47", "5"),
    "BNBUSDT": _Rules("0.01", "0.001", "100000", "900000", "2084.33", "5"),
    "SOLUSDT": _Rules("0.01", "0.001", "10000", "90000", "21407.39", "5"),
    "XRPUSDT": _Rules("0.0001", "0.1", "10000", "9222449", "1713364.9", "5"),
    "ADAUSDT": _Rules("0.0001", "0.1", "1000", "900000", "900000", "5"),
    "LTCUSDT": _Rules("0.01", "0.001", "100000", "90000", "9026.71", "5"),
    "LINKUSDT": _Rules("0.01", "0.01", "10000", "90000", "38571.08", "5"),
    "DOGEUSDT": _Rules("0.00001", "1", "1000", "9000000", "9000000", "1"),
    "ETHBTC": _Rules("0.00001", "0.001", "922327", "100000", "1031.21", "0.0001"),
    "BNBBTC": _Rules("0.000001", "0.01", "10000", "100000", "1031.21", "0.0001"),
}

_FUTURES = {
    "BTCUSDT": _Rules("0.1", "0.001", "4529764", "1000", "120", "100", 2, 3, "556.8", 125, "0.004"),
    "ETHUSDT": _Rules("0.01", "0.001", "306177", "10000", "2000", "20", 2, 3, "39.86", 125, "0.004"),
    "BNBUSDT": _Rules("0.01", "0.01", "100000", "100000", "2000", "5", 3, 2, "6.6"),
    "SOLUSDT": _Rules("0.01", "0.01", "6857", "1000000", "80000", "5", 4, 2, "0.42", 100),
    "XRPUSDT": _Rules("0.0001", "0.1", "100000", "10000000", "2000000", "5", 4, 1, "0.0143"),
    "ADAUSDT": _Rules("0.0001", "1", "100000", "2000000", "300000", "5", 5, 0, "0.0174"),
    "LTCUSDT": _Rules("0.01", "0.001", "100000", "10000", "5000", "20", 2, 3, "3.61"),
    "LINKUSDT": _Rules("0.001", "0.01", "100000", "200000", "20000", "20", 3, 2, "0.43"),
    "DOGEUSDT": _Rules("0.00001", "1", "30", "50000000", "30000000", "5", 6, 0, "0.00244"),
}


def _spot(symbol: str, rules: _Rules) -> Instrument:
    base, quote = split_symbol(symbol)
    filters = Filters(
        tick=parse_quanta(rules.tick),
        lot=parse_quanta(rules.lot),
        minimum_price=parse_quanta(rules.minimum_price or rules.tick),
        maximum_price=parse_quanta(rules.maximum_price),
        minimum_quantity=parse_quanta(rules.lot),
        maximum_quantity=parse_quanta(rules.maximum_quantity),
        market_maximum_quantity=parse_quanta(rules.market_maximum),
        minimum_notional=parse_quanta(rules.minimum_notional),
    )
    return Instrument("spot", symbol, base, quote, filters)


def _futures(symbol: str, rules: _Rules) -> Instrument:
    base, quote = split_symbol(symbol)
    filters = Filters(
        tick=parse_quanta(rules.tick),
        lot=parse_quanta(rules.lot),
        minimum_price=parse_quanta(rules.minimum_price or rules.tick),
        maximum_price=parse_quanta(rules.maximum_price),
        minimum_quantity=parse_quanta(rules.lot),
        maximum_quantity=parse_quanta(rules.maximum_quantity),
        market_maximum_quantity=parse_quanta(rules.market_maximum),
        minimum_notional=parse_quanta(rules.minimum_notional),
        percent_up=parse_quanta("1.05"),
        percent_down=parse_quanta("0.95"),
        maximum_algo_orders=10,
        maximum_order_lists=0,
        iceberg_parts=0,
    )
    return Instrument(
        "futures",
        symbol,
        base,
        quote,
        filters,
        price_decimals=rules.price_decimals,
        quantity_decimals=rules.quantity_decimals,
        maintenance_rate=parse_quanta(rules.maintenance),
        maximum_leverage=rules.leverage,
        permissions=("FUTURES",),
    )


def split_symbol(symbol: str) -> tuple[str, str]:
    """(base, quote) of a symbol such as BTCUSDT; raises `UnknownAsset` when it ends in no known quote asset."""
    for quote in QUOTES:
        if symbol.endswith(quote) and symbol != quote:
            return symbol[: -len(quote)], quote
    raise UnknownAsset(f"the symbol {symbol} ends in no known quote asset; use one of {', '.join(QUOTES)}")


def _derived_rules(quote: str, price: int) -> _Rules:
    """Six significant digits of price, and a lot worth at most a hundredth of the smallest notional."""
    exponent = len(str(price)) - 1
    tick_power = min(max(exponent - 5, 0), 8)
    smallest = _SMALLEST_NOTIONAL.get(quote, "5")
    lot_power = 16
    while lot_power > 0 and price * 10**lot_power // ONE * 100 > parse_quanta(smallest):
        lot_power -= 1
    lot_power = max(lot_power, 8 - tick_power)
    largest = max(9_000_000 * ONE // price, 1) * 10
    decimals = max(8 - tick_power, 0)
    return _Rules(
        tick=_power_text(tick_power),
        lot=_power_text(lot_power),
        maximum_price=str(max(price // ONE * 1000, 1000)),
        maximum_quantity=str(max(largest, 10 ** max(lot_power - 8, 0) * 1000)),
        market_maximum=str(max(largest // 10, 10 ** max(lot_power - 8, 0) * 100)),
        minimum_notional=smallest,
        price_decimals=decimals,
        quantity_decimals=max(8 - lot_power, 0),
    )


def _power_text(power: int) -> str:
    """Decimal text of 10**power quanta."""
    return str(10 ** (power - 8)) if power >= 8 else f"0.{'1'.rjust(8 - power, '0')}"


def instrument_for(market: Market, symbol: str, price_hint: int = ONE) -> Instrument:
    """The rules of a symbol: the catalogue's, or sensible ones derived from a typical price in quanta.

    Raises `UnknownAsset` when the quote asset cannot be told from the name.
    """
    known = CATALOGUE.get((market, symbol))
    if known is not None:
        return known
    _, quote = split_symbol(symbol)
    rules = _derived_rules(quote, max(price_hint, 1))
    return _spot(symbol, rules) if market == "spot" else _futures(symbol, rules)


CATALOGUE: dict[tuple[Market, str], Instrument] = {
    **{("spot", symbol): _spot(symbol, rules) for symbol, rules in _SPOT.items()},
    **{("futures", symbol): _futures(symbol, rules) for symbol, rules in _FUTURES.items()},
}
"""Every symbol known from the start, by market and name."""
