"""Public trades, one by one and aggregated."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures_api import words
from simulator.futures_api.amounts import quote_amount
from simulator.instruments import Instrument
from simulator.market.types import Trade
from simulator.wire.endpoint import Call, endpoint

HOUR_MS = 3_600_000


@endpoint("GET /fapi/v1/trades", market="futures", weight=5)
def recent_trades(call: Call) -> object:
    """The newest trades, oldest first."""
    instrument = call.instrument()
    limit = words.limit(call.params, 500, 1000)
    return [_trade(trade, instrument) for trade in call.venue.futures.market(instrument.symbol).recent_trades(limit)]


@endpoint("GET /fapi/v1/historicalTrades", market="futures", security="MARKET", weight=200)
def historical_trades(call: Call) -> object:
    """Trades from an id on; without one the newest."""
    instrument = call.instrument()
    from_id = call.params.optional_integer("fromId")
    limit = words.limit(call.params, 100, 500)
    market = call.venue.futures.market(instrument.symbol)
    found = market.recent_trades(limit) if from_id is None else market.trades_from(from_id, limit)
    return [_trade(trade, instrument) for trade in found]


@endpoint("GET /fapi/v1/aggTrades", market="futures", weight=20)
def aggregate_trades(call: Call) -> object:
    """Fills of one taker at one price within 100 ms, added up."""
    instrument = call.instrument()
    from_id = call.params.optional_integer("fromId")
    start, end = words.time_range(call.params)
    if start is not None and end is not None and end - start > HOUR_MS:
        raise VenueError(-1127, "More than 1 hours between startTime and endTime.")
    limit = words.limit(call.params, 500, 1000)
    found = call.venue.futures.market(instrument.symbol).aggregate_trades(from_id, start, end, limit)
    return [
        {
            "a": item.aggregate_id,
            "p": instrument.format_price(item.price),
            "q": instrument.format_quantity(item.quantity),
            "nq": instrument.format_quantity(item.quantity),
            "f": item.first_trade_id,
            "l": item.last_trade_id,
            "T": item.time_ms,
            "m": item.taker == "SELL",
        }
        for item in found
    ]


def _trade(trade: Trade, instrument: Instrument) -> dict[str, object]:
    return {
        "id": trade.trade_id,
        "price": instrument.format_price(trade.price),
        "qty": instrument.format_quantity(trade.quantity),
        "quoteQty": quote_amount(instrument, trade.quote),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isRPITrade": False,
    }
