"""Klines of the contract, its mark and index price and their premium. This venue's mark, index and last price agree."""

from __future__ import annotations

from collections.abc import Callable

from simulator.errors import VenueError
from simulator.futures_api import weights, words
from simulator.futures_api.amounts import quote_amount
from simulator.instruments import Instrument
from simulator.market.types import Bar
from simulator.wire.endpoint import Call, endpoint

INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
CONTRACTS = ("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER", "TRADIFI_PERPETUAL")
Row = list[object]


@endpoint("GET /fapi/v1/klines", market="futures", weight=weights.by_bars, reads_bars=True)
def klines(call: Call) -> object:
    """Bars of a symbol, oldest first, the one in progress included."""
    return _rows(call, call.instrument(), _traded)


@endpoint("GET /fapi/v1/continuousKlines", market="futures", weight=weights.by_bars, reads_bars=True)
def continuous_klines(call: Call) -> object:
    """Bars of a pair's contracts: those of the perpetual one, and none of dated ones."""
    instrument = pair(call)
    kind = call.params.text("contractType")
    if kind not in CONTRACTS:
        raise VenueError(-4104, "Invalid contract type")
    rows = _rows(call, instrument, _traded)
    return rows if kind == "PERPETUAL" else []


@endpoint("GET /fapi/v1/indexPriceKlines", market="futures", weight=weights.by_bars, reads_bars=True)
def index_klines(call: Call) -> object:
    """Bars of a pair's index price, without volumes."""
    return _rows(call, pair(call), _priced)


@endpoint("GET /fapi/v1/markPriceKlines", market="futures", weight=weights.by_bars, reads_bars=True)
def mark_klines(call: Call) -> object:
    """Bars of a symbol's mark price, without volumes."""
    return _rows(call, call.instrument(), _priced)


@endpoint("GET /fapi/v1/premiumIndexKlines", market="futures", weight=weights.by_bars, reads_bars=True)
def premium_klines(call: Call) -> object:
    """Bars of the premium of mark over index, which is nothing here."""
    return _rows(call, call.instrument(), _premium)


def pair(call: Call) -> Instrument:
    """The perpetual contract of a pair; -4144 when there is none."""
    name = call.params.symbol("pair")
    found = call.venue.futures.instruments.get(name)
    if found is None:
        raise VenueError(-4144, "Invalid pair")
    return found


def _rows(call: Call, instrument: Instrument, row: Callable[[Bar, Instrument], Row]) -> list[Row]:
    interval = call.params.choice("interval", INTERVALS)
    start, end = words.time_range(call.params)
    limit = words.limit(call.params, 500, 1500)
    bars = call.venue.futures.market(instrument.symbol).bars(interval, start, end, limit)
    return [row(bar, instrument) for bar in bars]


def _traded(bar: Bar, instrument: Instrument) -> Row:
    return [
        bar.open_ms,
        instrument.format_price(bar.open),
        instrument.format_price(bar.high),
        instrument.format_price(bar.low),
        instrument.format_price(bar.close),
        instrument.format_quantity(bar.volume),
        bar.close_ms,
        quote_amount(instrument, bar.quote_volume),
        bar.trades,
        instrument.format_quantity(bar.taker_volume),
        quote_amount(instrument, bar.taker_quote_volume),
        "0",
    ]


def _priced(bar: Bar, instrument: Instrument) -> Row:
    prices = [instrument.format_price(price) for price in (bar.open, bar.high, bar.low, bar.close)]
    return [bar.open_ms, *prices, "0", bar.close_ms, "0", bar.trades, "0", "0", "0"]


def _premium(bar: Bar, instrument: Instrument) -> Row:
    nothing = ["0.00000000"] * 4
    return [bar.open_ms, *nothing, "0", bar.close_ms, "0", bar.trades, "0", "0", "0"]
