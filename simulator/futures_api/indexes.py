"""Index prices and what they are made of, and the state of the venue's safety nets."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures_api import weights
from simulator.units import ONE, format_quanta
from simulator.wire.endpoint import Call, endpoint

_SCHEDULES = ("EQUITY", "COMMODITY", "FX", "KR_EQUITY", "HK_EQUITY", "CN_EQUITY")


@endpoint("GET /fapi/v1/indexInfo", market="futures")
def index_information(call: Call) -> object:
    """Composite index symbols, of which there are none."""
    call.optional_instrument()
    return []


@endpoint("GET /fapi/v1/constituents", market="futures", weight=2)
def constituents(call: Call) -> object:
    """What a symbol's index price is made of: this venue alone."""
    instrument = call.instrument()
    price = call.venue.futures.mark_price(instrument.symbol)
    one = {
        "exchange": "binance",
        "symbol": instrument.symbol,
        "price": format_quanta(price),
        "weight": "1.00000000",
    }
    return {"symbol": instrument.symbol, "time": call.venue.clock.now_ms(), "constituents": [one]}


@endpoint("GET /fapi/v1/assetIndex", market="futures", weight=weights.by_symbol(1, 10))
def asset_index(call: Call) -> object:
    """Prices in dollars by which multi-assets mode values margin assets; a dollar coin counts as a dollar."""
    wanted = call.params.optional_symbol()
    indexes = _asset_prices(call)
    if wanted is None:
        return [_asset_index(call, name, price) for name, price in indexes.items()]
    if wanted not in indexes:
        raise VenueError(-1121, "Invalid symbol.")
    return _asset_index(call, wanted, indexes[wanted])


@endpoint("GET /fapi/v1/tradingSchedule", market="futures", weight=5)
def trading_schedule(call: Call) -> object:
    """Sessions of stock markets: contracts on stocks are not listed."""
    call.params.finish()
    schedules: dict[str, object] = {name: {"sessions": []} for name in _SCHEDULES}
    return {"updateTime": call.venue.clock.now_ms(), "marketSchedules": schedules}


@endpoint("GET /fapi/v1/symbolAdlRisk", market="futures")
def adl_risk(call: Call) -> object:
    """Risk of auto-deleveraging: low, as the insurance fund never runs dry here."""
    one = call.optional_instrument()
    now = call.venue.clock.now_ms()
    names = [one.symbol] if one else list(call.venue.futures.instruments)
    rows = [{"symbol": name, "adlRisk": "low", "updateTime": now} for name in names]
    return rows[0] if one else rows


@endpoint("GET /fapi/v1/insuranceBalance", market="futures")
def insurance_balance(call: Call) -> object:
    """The insurance fund, one for all symbols of a margin asset."""
    one = call.optional_instrument()
    futures, now = call.venue.futures, call.venue.clock.now_ms()
    by_asset: dict[str, list[str]] = {}
    for instrument in futures.instruments.values():
        by_asset.setdefault(instrument.quote, []).append(instrument.symbol)
    funds = [
        {
            "symbols": symbols,
            "assets": [
                {
                    "asset": asset,
                    "marginBalance": format_quanta(futures.wallets.place("insurance", asset)),
                    "updateTime": now,
                }
            ],
        }
        for asset, symbols in by_asset.items()
        if one is None or one.quote == asset
    ]
    return funds[0] if one else funds


def _asset_prices(call: Call) -> dict[str, int]:
    prices = {"USDTUSD": ONE, "USDCUSD": ONE}
    for instrument in call.venue.futures.instruments.values():
        if instrument.quote == "USDT":
            prices[f"{instrument.base}USD"] = call.venue.futures.mark_price(instrument.symbol)
    return prices


def _asset_index(call: Call, name: str, price: int) -> dict[str, object]:
    buffer = 0 if price == ONE else ONE // 20
    wide, narrow = format_quanta(buffer), format_quanta(buffer // 2)
    return {
        "symbol": name,
        "time": call.venue.clock.now_ms(),
        "index": format_quanta(price),
        "bidBuffer": wide,
        "askBuffer": wide,
        "bidRate": format_quanta(price * (ONE - buffer) // ONE),
        "askRate": format_quanta(price * (ONE + buffer) // ONE),
        "autoExchangeBidBuffer": narrow,
        "autoExchangeAskBuffer": narrow,
        "autoExchangeBidRate": format_quanta(price * (ONE - buffer // 2) // ONE),
        "autoExchangeAskRate": format_quanta(price * (ONE + buffer // 2) // ONE),
    }
