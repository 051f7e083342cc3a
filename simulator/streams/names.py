"""Stream names: what a client asks for, in which market, and on which of USD-M's routes it is served.

Names are matched to the letter (symbols in lower case). A name the venue does not know is accepted and stays silent.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from simulator.instruments import Market

Route = Literal["public", "market", "private"]
Kind = Literal[
    "trade",
    "aggTrade",
    "kline",
    "continuousKline",
    "miniTicker",
    "ticker",
    "windowTicker",
    "bookTicker",
    "avgPrice",
    "referencePrice",
    "depth",
    "partialDepth",
    "markPrice",
    "forceOrder",
    "contractInfo",
    "assetIndex",
    "compositeIndex",
]

SPOT_INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
FUTURES_INTERVALS = SPOT_INTERVALS[1:]
WINDOWS = {"1h": 3_600_000, "4h": 4 * 3_600_000, "1d": 86_400_000}

_SYMBOL = r"(?P<symbol>[^@!A-Z]+)"
_SPOT = [
    (re.compile(rf"{_SYMBOL}@(?P<kind>trade|aggTrade|bookTicker)"), 0),
    (re.compile(rf"{_SYMBOL}@(?P<kind>miniTicker|ticker|avgPrice|referencePrice)"), 1000),
    (re.compile(rf"{_SYMBOL}@(?P<kind>kline)_(?P<argument>1s)(?P<zone>@\+08:00)?"), 1000),
    (re.compile(rf"{_SYMBOL}@(?P<kind>kline)_(?P<argument>{'|'.join(SPOT_INTERVALS[1:])})(?P<zone>@\+08:00)?"), 2000),
    (re.compile(rf"{_SYMBOL}@(?P<kind>windowTicker|ticker)_(?P<argument>1h|4h|1d)"), 1000),
    (re.compile(rf"{_SYMBOL}@(?P<kind>depth)(?P<argument>5|10|20)?(@(?P<speed>100)ms)?"), 1000),
    (re.compile(r"!(?P<kind>miniTicker)@arr(@\d+ms)?"), 1000),
    (re.compile(r"!(?P<kind>ticker)_(?P<argument>1h|4h|1d)@arr"), 1000),
]
_FUTURES = [
    (re.compile(rf"{_SYMBOL}@(?P<kind>trade|aggTrade|bookTicker)"), 0),
    (re.compile(rf"{_SYMBOL}@(?P<kind>miniTicker|ticker)"), 1000),
    (re.compile(rf"{_SYMBOL}@(?P<kind>kline)_(?P<argument>{'|'.join(FUTURES_INTERVALS)})"), 250),
    (
        re.compile(
            r"(?P<symbol>[^@!_]+)_(?i:perpetual)@(?P<kind>continuousKline)_"
            rf"(?P<argument>{'|'.join(FUTURES_INTERVALS)})"
        ),
        250,
    ),
    (re.compile(rf"{_SYMBOL}@(?P<kind>markPrice)(@(?P<seconds>1)s|@3s)?"), 3000),
    (re.compile(rf"{_SYMBOL}@(?P<kind>forceOrder|compositeIndex|assetIndex)"), 1000),
    (re.compile(rf"{_SYMBOL}@(?P<kind>depth)(?P<argument>5|10|20)?(@(?P<speed>100|250|500|0)ms)?"), 250),
    (re.compile(rf"{_SYMBOL}@(?P<kind>rpiDepth)(@(?P<speed>500)ms)?"), 500),
    (re.compile(r"!(?P<kind>markPrice)@arr(@(?P<seconds>1)s|@3s)?"), 3000),
    (re.compile(r"!(?P<kind>miniTicker|ticker)@arr"), 1000),
    (re.compile(r"!(?P<kind>bookTicker)"), 5000),
    (re.compile(r"!(?P<kind>forceOrder|assetIndex)@arr"), 1000),
    (re.compile(r"!(?P<kind>contractInfo)"), 0),
]
_PUBLIC: frozenset[Kind] = frozenset({"depth", "partialDepth", "bookTicker", "trade"})


class StreamKey(NamedTuple):
    """One stream, parsed. Two names with equal content are two streams, as each frame repeats its own name."""

    market: Market
    name: str
    kind: Kind
    symbol: str
    """Upper case; empty for a stream of all symbols."""
    argument: str = ""
    """Interval, window or number of levels."""
    speed_ms: int = 0
    """How often it is sent in market time; 0 at once."""
    zone_ms: int = 0
    """Shift of a kline's day against UTC."""

    @property
    def route(self) -> Route:
        """Which routed root of USD-M serves it."""
        return "public" if self.kind in _PUBLIC else "market"


def parse_stream(market: Market, name: str) -> StreamKey | None:
    """The stream of this name in a market; None when the market has none such."""
    for pattern, speed in _SPOT if market == "spot" else _FUTURES:
        if found := pattern.fullmatch(name):
            return _key(market, name, found.groupdict(), speed)
    return None


def _key(market: Market, name: str, parts: dict[str, str | None], speed: int) -> StreamKey:
    argument = parts.get("argument") or ""
    if parts.get("speed") is not None:
        speed = int(parts["speed"] or 0)
    elif parts.get("seconds"):
        speed = 1000
    kind = _kind(parts["kind"] or "", argument)
    zone = 8 * 3_600_000 if parts.get("zone") else 0
    return StreamKey(market, name, kind, (parts.get("symbol") or "").upper(), argument, speed, zone)


def _kind(text: str, argument: str) -> Kind:
    if text in ("depth", "rpiDepth"):
        return "partialDepth" if argument else "depth"
    if text == "ticker" and argument:
        return "windowTicker"
    return text  # type: ignore[return-value]  # the patterns above name nothing but kinds


def find_stream(market: Market, route: Route | None, is_bare: bool, name: str) -> StreamKey | None:
    """What a connection gets for a name; None means silence.

    `route` is the futures route it was opened on, None on a root without one. On the port's bare roots (`is_bare`) a
    name is spot's; one that only USD-M has is USD-M's. Unrouted roots of USD-M deliver only what is public.
    """
    key = parse_stream(market, name)
    if key is None and is_bare:
        key = parse_stream("futures", name)
        if key is not None and key.kind == "ticker":
            return None  # spot's !ticker@arr ended in March 2026; the name is not a wish for futures
    if key is None or key.market == "spot":
        return key
    return key if key.route == (route or "public") else None
