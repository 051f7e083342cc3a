"""Prices now and price changes over a window, for one symbol, some, or all."""

from __future__ import annotations

import re
from typing import Final, Literal

from simulator.errors import VenueError
from simulator.instruments import Instrument
from simulator.market.intervals import DAY, HOUR, MINUTE
from simulator.market.tickers import TickerStats
from simulator.spot_api.market_data import time_zone
from simulator.spot_api.order_bodies import Body, decimal
from simulator.spot_api.selection import Selection, day_weight, per_symbol_weight, price_weight, select
from simulator.units import format_quanta
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params, invalid_data

_UNITS: Final = {"m": (MINUTE, 59), "h": (HOUR, 23), "d": (DAY, 7)}
_WINDOW = re.compile(r"([1-9]\d?)([mhd])", re.ASCII)
Shape = Literal["FULL", "MINI"]


def shape_of(params: Params) -> Shape:
    """`type`: FULL unless it is MINI; -1139 for another word."""
    text = params.optional_text("type")
    if text in (None, "FULL"):
        return "FULL"
    if text == "MINI":
        return "MINI"
    raise VenueError(-1139, "Invalid ticker type.")


def one_or_many(selection: Selection, bodies: list[Body]) -> object:
    """The only body when `symbol` was sent, else all."""
    return bodies[0] if selection.is_one else bodies


def change_fields(stats: TickerStats) -> Body:
    """What FULL has before the prices."""
    return {
        "priceChange": format_quanta(stats.change),
        "priceChangePercent": format_quanta(stats.change_percent, 3),
        "weightedAvgPrice": decimal(stats.weighted_average),
    }


def range_fields(stats: TickerStats) -> Body:
    """Window, prices and volumes, as FULL and MINI have them."""
    return {
        "openPrice": decimal(stats.open),
        "highPrice": decimal(stats.high),
        "lowPrice": decimal(stats.low),
        "lastPrice": decimal(stats.last),
        "volume": decimal(stats.volume),
        "quoteVolume": decimal(stats.quote_volume),
        "openTime": stats.open_ms,
        "closeTime": stats.close_ms,
        "firstId": stats.first_trade_id,
        "lastId": stats.last_trade_id,
        "count": stats.trades,
    }


def statistics(item: Instrument, stats: TickerStats, shape: Shape) -> Body:
    """One symbol's statistics of a window."""
    head: Body = {"symbol": item.symbol}
    return head | range_fields(stats) if shape == "MINI" else head | change_fields(stats) | range_fields(stats)


def best_prices(call: Call, symbol: str) -> Body:
    """Best bid and ask; zeros where a side is empty."""
    book = call.venue.spot.book(symbol)
    bid, ask = book.best("BUY") or (0, 0), book.best("SELL") or (0, 0)
    return {
        "bidPrice": decimal(bid[0]),
        "bidQty": decimal(bid[1]),
        "askPrice": decimal(ask[0]),
        "askQty": decimal(ask[1]),
    }


@endpoint("GET /api/v3/ticker/24hr", market="spot", ws="ticker.24hr", weight=day_weight)
def day_ticker(call: Call) -> object:
    """The last 24 hours."""
    selection = select(call, is_required=False)
    shape = shape_of(call.params)
    call.params.finish()
    bodies = []
    for item in selection.instruments:
        stats = call.venue.spot.market(item.symbol).ticker(DAY)
        if shape == "MINI":
            bodies.append(statistics(item, stats, shape))
            continue
        last: Body = {
            "prevClosePrice": decimal(stats.previous_close),
            "lastPrice": decimal(stats.last),
            "lastQty": decimal(stats.last_quantity),
        }
        head: Body = {"symbol": item.symbol}
        bodies.append(head | change_fields(stats) | last | best_prices(call, item.symbol) | range_fields(stats))
    return one_or_many(selection, bodies)


@endpoint("GET /api/v3/ticker/tradingDay", market="spot", ws="ticker.tradingDay", weight=per_symbol_weight)
def trading_day_ticker(call: Call) -> object:
    """Since midnight in a time zone."""
    selection = select(call, is_required=True)
    zone, shape = time_zone(call.params), shape_of(call.params)
    call.params.finish()
    spot = call.venue.spot
    return one_or_many(
        selection,
        [statistics(item, spot.market(item.symbol).trading_day(zone), shape) for item in selection.instruments],
    )


def window_ms(params: Params) -> int:
    """`windowSize`: 1m..59m, 1h..23h, 1d..7d; -1130 for anything else."""
    text = params.optional_text("windowSize")
    if text is None:
        return DAY
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise invalid_data("windowSize")
    length, most = _UNITS[found[2]]
    if int(found[1]) > most:
        raise invalid_data("windowSize")
    return int(found[1]) * length


@endpoint("GET /api/v3/ticker", market="spot", ws="ticker", weight=per_symbol_weight)
def window_ticker(call: Call) -> object:
    """A window of a chosen length, beginning on a whole minute."""
    selection = select(call, is_required=True)
    window, shape = window_ms(call.params), shape_of(call.params)
    call.params.finish()
    spot = call.venue.spot
    stats = [spot.market(item.symbol).ticker(window, from_minute=True) for item in selection.instruments]
    return one_or_many(
        selection, [statistics(item, one, shape) for item, one in zip(selection.instruments, stats, strict=True)]
    )


@endpoint("GET /api/v3/ticker/price", market="spot", ws="ticker.price", weight=price_weight)
def price_ticker(call: Call) -> object:
    """Last prices."""
    selection = select(call, is_required=False)
    call.params.finish()
    spot = call.venue.spot
    bodies: list[Body] = [
        {"symbol": item.symbol, "price": decimal(spot.market(item.symbol).last_price)} for item in selection.instruments
    ]
    return one_or_many(selection, bodies)


@endpoint("GET /api/v3/ticker/bookTicker", market="spot", ws="ticker.book", weight=price_weight)
def book_ticker(call: Call) -> object:
    """Best bids and asks."""
    selection = select(call, is_required=False)
    call.params.finish()
    bodies: list[Body] = [{"symbol": item.symbol, **best_prices(call, item.symbol)} for item in selection.instruments]
    return one_or_many(selection, bodies)
