"""Last prices and the rolling day."""

from __future__ import annotations

from simulator.futures_api import weights, words
from simulator.futures_api.amounts import average_price, quote_amount
from simulator.instruments import Instrument
from simulator.units import format_quanta
from simulator.wire.endpoint import Call, endpoint

Body = dict[str, object]


@endpoint("GET /fapi/v1/ticker/price", market="futures", ws="ticker.price", weight=weights.by_symbol(1, 2))
@endpoint("GET /fapi/v2/ticker/price", market="futures", weight=weights.by_symbol(1, 2))
def last_price(call: Call) -> object:
    """Last price of a symbol, or of all."""
    one = call.optional_instrument()
    if one is not None:
        return _last(call, one)
    return [_last(call, instrument) for instrument in call.venue.futures.instruments.values()]


@endpoint("GET /fapi/v1/ticker/24hr", market="futures", weight=weights.by_symbol(1, 40))
def rolling_day(call: Call) -> object:
    """Statistics of the last 24 hours of market time, for a symbol or for all."""
    one = call.optional_instrument()
    if one is not None:
        return _day(call, one)
    return [_day(call, instrument) for instrument in call.venue.futures.instruments.values()]


def _last(call: Call, instrument: Instrument) -> Body:
    price = call.venue.futures.market(instrument.symbol).last_price
    now = call.venue.clock.now_ms()
    return {"symbol": instrument.symbol, "price": instrument.format_price(price), "time": now}


def _day(call: Call, instrument: Instrument) -> Body:
    stats = call.venue.futures.market(instrument.symbol).ticker(words.DAY_MS)
    return {
        "symbol": instrument.symbol,
        "priceChange": instrument.format_price(stats.change),
        "priceChangePercent": format_quanta(stats.change_percent, 3),
        "weightedAvgPrice": average_price(instrument, stats.quote_volume, stats.volume),
        "lastPrice": instrument.format_price(stats.last),
        "lastQty": instrument.format_quantity(stats.last_quantity),
        "openPrice": instrument.format_price(stats.open),
        "highPrice": instrument.format_price(stats.high),
        "lowPrice": instrument.format_price(stats.low),
        "volume": instrument.format_quantity(stats.volume),
        "quoteVolume": quote_amount(instrument, stats.quote_volume),
        "openTime": stats.open_ms,
        "closeTime": stats.close_ms,
        "firstId": stats.first_trade_id,
        "lastId": stats.last_trade_id,
        "count": stats.trades,
    }
