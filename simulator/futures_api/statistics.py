"""The statistics under /futures/data. What this venue cannot know (other traders' positions) is an empty list."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures_api import words
from simulator.futures_api.amounts import divide
from simulator.futures_api.klines import CONTRACTS, pair
from simulator.instruments import Instrument
from simulator.market.types import Bar
from simulator.units import format_quanta
from simulator.wire.endpoint import Call, endpoint

PERIODS = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")


@endpoint("GET /fapi/v1/openInterest", market="futures")
def open_interest(call: Call) -> object:
    """Contracts the customers hold now."""
    instrument = call.instrument()
    found = call.venue.futures.reports.open_interest(instrument.symbol)
    return {
        "symbol": found.symbol,
        "openInterest": instrument.format_quantity(found.quantity),
        "time": found.time_ms,
    }


@endpoint("GET /futures/data/openInterestHist", market="futures", weight=0, quota="STATISTICS")
@endpoint("GET /futures/data/topLongShortAccountRatio", market="futures", weight=0, quota="STATISTICS")
@endpoint("GET /futures/data/topLongShortPositionRatio", market="futures", weight=0, quota="STATISTICS")
@endpoint("GET /futures/data/globalLongShortAccountRatio", market="futures", weight=0, quota="STATISTICS")
def unknown_history(call: Call) -> object:
    """Histories of all traders' positions: the background market has no accounts, so there are none to tell."""
    _bars(call, call.instrument())
    return []


@endpoint("GET /futures/data/takerlongshortRatio", market="futures", weight=0, quota="STATISTICS")
def taker_volumes(call: Call) -> object:
    """Bought and sold volume of takers in each period."""
    instrument = call.instrument()
    rows = []
    for bar in _bars(call, instrument):
        sold = bar.volume - bar.taker_volume
        rows.append(
            {
                "buySellRatio": format_quanta(divide(bar.taker_volume, sold), 4),
                "buyVol": format_quanta(bar.taker_volume, 4),
                "sellVol": format_quanta(sold, 4),
                "timestamp": bar.open_ms,
            }
        )
    return rows


@endpoint("GET /futures/data/basis", market="futures", weight=0, quota="STATISTICS")
def basis(call: Call) -> object:
    """Difference of contract and index price, which agree here; dated contracts do not exist."""
    instrument = pair(call)
    kind = call.params.text("contractType")
    if kind not in CONTRACTS:
        raise VenueError(-4104, "Invalid contract type")
    bars = _bars(call, instrument)
    if kind != "PERPETUAL":
        return []
    return [
        {
            "indexPrice": format_quanta(bar.close),
            "contractType": kind,
            "basisRate": "0.0000",
            "futuresPrice": instrument.format_price(bar.close),
            "annualizedBasisRate": "",
            "basis": "0.00000000",
            "pair": instrument.symbol,
            "timestamp": bar.open_ms,
        }
        for bar in bars
    ]


@endpoint("GET /futures/data/delivery-price", market="futures", weight=0, quota="STATISTICS")
def delivery_prices(call: Call) -> object:
    """Settlement prices of dated contracts, which do not exist here."""
    pair(call)
    return []


def _bars(call: Call, instrument: Instrument) -> list[Bar]:
    period = call.params.text("period")
    if period not in PERIODS:
        raise VenueError(-1130, "Data sent for parameter 'period' is not valid.")
    start, end = words.time_range(call.params)
    limit = words.limit(call.params, 30, 500)
    return call.venue.futures.market(instrument.symbol).bars(period, start, end, limit)
