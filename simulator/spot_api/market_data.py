"""Public market data of one symbol: book, trades, klines, average price. Limits above the maximum are cut to it."""

from __future__ import annotations

import re
from typing import Final

from simulator.errors import INVALID_SYMBOL, VenueError
from simulator.instruments import Instrument
from simulator.market.intervals import INTERVALS
from simulator.market.symbol_market import SymbolMarket
from simulator.market.types import Bar, Trade
from simulator.spot_api.order_bodies import Body, decimal
from simulator.spot_api.selection import STATUSES, check_status
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params, invalid_data

_ZONE: Final = re.compile(r"([+-]?)(\d{1,2})(?::(\d{2}))?", re.ASCII)
_DEPTH_WEIGHTS: Final = ((100, 5), (500, 25), (1000, 50))


def row_limit(params: Params, default: int = 500, maximum: int = 1000) -> int:
    """How many rows are wanted; -1130 below one."""
    value = params.optional_integer("limit", low=1)
    return default if value is None else min(value, maximum)


def past(call: Call, name: str) -> int | None:
    """A time of the market's past; one of the future counts as the next millisecond, where nothing is yet."""
    value = call.params.optional_integer(name)
    return None if value is None else min(value, call.venue.clock.now_ms() + 1)


def symbol_market(call: Call) -> tuple[Instrument, SymbolMarket]:
    """The symbol and its market; -1121 when there is none of this name."""
    item = call.instrument()
    return item, call.venue.spot.market(item.symbol)


def depth_weight(params: Params) -> int:
    """5, 25, 50 or 250 by the number of levels."""
    text = params.peek("limit") or "100"
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 100
    return next((weight for most, weight in _DEPTH_WEIGHTS if limit <= most), 250)


@endpoint("GET /api/v3/depth", market="spot", ws="depth", weight=depth_weight)
def depth(call: Call) -> object:
    """The visible book, best prices first."""
    item = call.instrument()
    limit = row_limit(call.params, 100, 5000)
    status = call.params.optional_choice("symbolStatus", STATUSES)
    call.params.finish()
    check_status(item, status)
    book = call.venue.spot.book(item.symbol)
    bids, asks = book.depth(limit)
    return {
        "lastUpdateId": book.update_id,
        "bids": [[decimal(price), decimal(quantity)] for price, quantity in bids],
        "asks": [[decimal(price), decimal(quantity)] for price, quantity in asks],
    }


def trade_body(trade: Trade) -> Body:
    """One public trade."""
    return {
        "id": trade.trade_id,
        "price": decimal(trade.price),
        "qty": decimal(trade.quantity),
        "quoteQty": decimal(trade.quote),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


@endpoint("GET /api/v3/trades", market="spot", ws="trades.recent", weight=25)
def recent_trades(call: Call) -> object:
    """The newest trades, oldest of them first."""
    _, market = symbol_market(call)
    limit = row_limit(call.params)
    call.params.finish()
    return [trade_body(trade) for trade in market.recent_trades(limit)]


@endpoint("GET /api/v3/historicalTrades", market="spot", ws="trades.historical", weight=25)
def historical_trades(call: Call) -> object:
    """Trades from an id on, or the newest."""
    _, market = symbol_market(call)
    from_id = call.params.optional_integer("fromId")
    limit = row_limit(call.params)
    call.params.finish()
    rows = market.recent_trades(limit) if from_id is None else market.trades_from(from_id, limit)
    return [trade_body(trade) for trade in rows]


@endpoint("GET /api/v3/historicalBlockTrades", market="spot", ws="blockTrades.historical", security="MARKET", weight=25)
def historical_block_trades(call: Call) -> object:
    """Always empty: nobody trades blocks here."""
    call.instrument()
    call.params.integer("fromId")
    row_limit(call.params)
    call.params.finish()
    return []


@endpoint("GET /api/v3/aggTrades", market="spot", ws="trades.aggregate", weight=4)
def aggregate_trades(call: Call) -> object:
    """Trades of one taker at one price and moment, taken together."""
    _, market = symbol_market(call)
    params = call.params
    from_id = params.optional_integer("fromId")
    start, end = past(call, "startTime"), past(call, "endTime")
    limit = row_limit(params)
    params.finish()
    if from_id is not None and (start is not None or end is not None):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    return [
        {
            "a": trade.aggregate_id,
            "p": decimal(trade.price),
            "q": decimal(trade.quantity),
            "f": trade.first_trade_id,
            "l": trade.last_trade_id,
            "T": trade.time_ms,
            "m": trade.taker == "SELL",
            "M": True,
        }
        for trade in market.aggregate_trades(from_id=from_id, start_ms=start, end_ms=end, limit=limit)
    ]


def time_zone(params: Params) -> int:
    """`timeZone` in milliseconds east of UTC, from -12:00 to +14:00; -1130 for anything else."""
    text = params.optional_text("timeZone")
    if text is None:
        return 0
    found = _ZONE.fullmatch(text)
    if found is None:
        raise invalid_data("timeZone")
    sign, hours, minutes = found[1], int(found[2]), int(found[3] or 0)
    offset = (hours * 60 + minutes) * (-1 if sign == "-" else 1)
    if minutes > 59 or not -12 * 60 <= offset <= 14 * 60:
        raise invalid_data("timeZone")
    return offset * 60_000


def kline(bar: Bar) -> list[object]:
    """One bar as an array of twelve."""
    return [
        bar.open_ms,
        decimal(bar.open),
        decimal(bar.high),
        decimal(bar.low),
        decimal(bar.close),
        decimal(bar.volume),
        bar.close_ms,
        decimal(bar.quote_volume),
        bar.trades,
        decimal(bar.taker_volume),
        decimal(bar.taker_quote_volume),
        "0",
    ]


@endpoint("GET /api/v3/uiKlines", market="spot", ws="uiKlines", weight=2, reads_bars=True)
@endpoint("GET /api/v3/klines", market="spot", ws="klines", weight=2, reads_bars=True)
def klines(call: Call) -> object:
    """Bars of an interval, the one in progress included."""
    _, market = symbol_market(call)
    params = call.params
    interval = params.choice("interval", INTERVALS)
    start, end = past(call, "startTime"), past(call, "endTime")
    zone = time_zone(params)
    limit = row_limit(params)
    params.finish()
    return [kline(bar) for bar in market.bars(interval, start, end, limit, zone)]


@endpoint("GET /api/v3/avgPrice", market="spot", ws="avgPrice", weight=2)
def average_price(call: Call) -> object:
    """Weighted average of the last five minutes."""
    _, market = symbol_market(call)
    call.params.finish()
    last = market.recent_trades(1)
    return {
        "mins": 5,
        "price": decimal(market.average_price(5)),
        "closeTime": last[-1].time_ms if last else call.venue.clock.now_ms(),
    }


NO_REFERENCE_PRICE: Final = (-2043, "This symbol doesn't have a reference price.")


@endpoint("GET /api/v3/referencePrice/calculation", market="spot", ws="referencePrice.calculation", weight=2)
@endpoint("GET /api/v3/referencePrice", market="spot", ws="referencePrice", weight=2)
def reference_price(call: Call) -> object:
    """Always refused: no symbol here has a reference price."""
    symbol = call.params.symbol()
    call.params.optional_choice("symbolStatus", STATUSES)
    call.params.finish()
    if symbol not in call.venue.spot.instruments:
        raise VenueError(*INVALID_SYMBOL)
    raise VenueError(*NO_REFERENCE_PRICE)
