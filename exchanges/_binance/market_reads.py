"""Prices and bars by REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.base_exchange import Bar, PriceUpdate
from domain.errors import Transient
from domain.instrument import Instrument
from domain.money import exact, to_units
from exchanges._binance.rest import BinanceRest

_MOST_BARS = 1000


async def last_price(rest: BinanceRest, instrument: Instrument) -> PriceUpdate:
    """The last trade and the best of the book, now."""
    params = {"symbol": instrument.symbol}
    public = rest.dialect.public
    last = _row(await rest.read(public, "ticker/24hr", params, 2), "lastPrice")
    book = last if "bidPrice" in last else _row(await rest.read(public, "ticker/bookTicker", params, 2), "bidPrice")
    return PriceUpdate(
        instrument.symbol,
        instrument.to_ticks(exact(last["lastPrice"])),
        instrument.to_ticks(exact(book["bidPrice"])),
        instrument.to_ticks(exact(book["askPrice"])),
        int(last["closeTime"]),
    )


async def bars(rest: BinanceRest, instrument: Instrument, interval: str, since_ms: int, limit: int) -> list[Bar]:
    """Up to `limit` bars that opened at or after `since_ms` and have closed, oldest first."""
    found: list[Bar] = []
    while True:
        size = min(_MOST_BARS, limit - len(found) + 1)
        params = {"symbol": instrument.symbol, "interval": interval, "startTime": str(since_ms), "limit": str(size)}
        rows = await rest.rows(rest.dialect.public, "klines", params, _bars_weight(rest, size))
        # Nothing in the last row tells whether its bar is still open.
        found += [bar(row, instrument, interval) for row in rows[:-1]]
        if not rows or len(found) >= limit:
            return found[:limit]
        if len(rows) < size:
            break
        since_ms = int(rows[-1][0])
    if int(rows[-1][6]) < await _market_ms(rest, instrument.symbol):
        # It has closed, perhaps since it was read: only what is read from now on is all of it.
        params = {"symbol": instrument.symbol, "interval": interval, "startTime": str(rows[-1][0]), "limit": "1"}
        whole = await rest.rows(rest.dialect.public, "klines", params, _bars_weight(rest, 1))
        found += [bar(row, instrument, interval) for row in whole if row[0] == rows[-1][0]]
    return found


def _bars_weight(rest: BinanceRest, size: int) -> int:
    """What a request for so many bars weighs: on futures it grows with their number."""
    if not rest.dialect.is_futures:
        return 2
    return 1 if size < 100 else 2 if size < 500 else 5


async def _market_ms(rest: BinanceRest, symbol: str) -> int:
    """The market's time; that of the venue's clock may be another one where history is replayed."""
    row = _row(await rest.read(rest.dialect.public, "ticker/24hr", {"symbol": symbol}, 2), "closeTime")
    return int(row["closeTime"])


def bar(row: Sequence[Any], instrument: Instrument, interval: str) -> Bar:
    """One row of `klines`."""
    first, high, low, last = (instrument.to_ticks(exact(row[i])) for i in (1, 2, 3, 4))
    # What is traded in a bar may exceed what one may hold, so the position's bound does not apply to it.
    volume = to_units(exact(row[5]), instrument.lot_size)
    return Bar(instrument.symbol, interval, int(row[0]), first, high, low, last, volume)


def _row(body: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping) or name not in body:
        raise Transient(f"the answer has no {name}; ask again.")
    return body
