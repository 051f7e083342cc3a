"""The order book and its best prices."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures_api import weights
from simulator.instruments import Instrument
from simulator.wire.endpoint import Call, endpoint

LIMITS = (5, 10, 20, 50, 100, 500, 1000)
Body = dict[str, object]


@endpoint("GET /fapi/v1/depth", market="futures", ws="depth", weight=weights.by_depth)
def depth(call: Call) -> object:
    """Price levels of both sides, best first; -4021 for a limit the venue does not offer."""
    instrument = call.instrument()
    limit = call.params.optional_integer("limit")
    limit = 500 if limit is None else limit
    if limit not in LIMITS:
        raise VenueError(-4021, f"{limit} is not valid depth limit.")
    return _levels(call, instrument, limit)


@endpoint("GET /fapi/v1/rpiDepth", market="futures", weight=20)
def rpi_depth(call: Call) -> object:
    """The same with retail price improvement orders, of which this venue has none."""
    instrument = call.instrument()
    limit = call.params.optional_integer("limit")
    if limit not in (None, 1000):
        raise VenueError(-4021, f"{limit} is not valid depth limit.")
    return _levels(call, instrument, 1000)


@endpoint("GET /fapi/v1/ticker/bookTicker", market="futures", ws="ticker.book", weight=weights.by_symbol(2, 5))
def book_ticker(call: Call) -> object:
    """Best bid and ask of a symbol, or of all."""
    one = call.optional_instrument()
    if one is not None:
        return _best(call, one)
    return [_best(call, instrument) for instrument in call.venue.futures.instruments.values()]


def _levels(call: Call, instrument: Instrument, limit: int) -> Body:
    book, now = call.venue.futures.book(instrument.symbol), call.venue.clock.now_ms()
    bids, asks = book.depth(limit)
    return {
        "lastUpdateId": book.update_id,
        "E": now,
        "T": now,
        "bids": [[instrument.format_price(price), instrument.format_quantity(size)] for price, size in bids],
        "asks": [[instrument.format_price(price), instrument.format_quantity(size)] for price, size in asks],
    }


def _best(call: Call, instrument: Instrument) -> Body:
    book = call.venue.futures.book(instrument.symbol)
    bid, bid_size = book.best("BUY") or (0, 0)
    ask, ask_size = book.best("SELL") or (0, 0)
    return {
        "symbol": instrument.symbol,
        "bidPrice": instrument.format_price(bid),
        "bidQty": instrument.format_quantity(bid_size),
        "askPrice": instrument.format_price(ask),
        "askQty": instrument.format_quantity(ask_size),
        "time": call.venue.clock.now_ms(),
        "lastUpdateId": book.update_id,
    }
