"""How the market data is, for people: what the worker publishes."""

from __future__ import annotations

from dataclasses import dataclass

STREAM = "stream"
REST = "rest"
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One kind of market data of one venue."""

    #: "prices" or "bars".
    kind: str
    #: Whether the stream is there and nothing is held against it; that of prices has to have told something.
    connected: bool
    #: Where the data comes from now: "stream", "rest" when at least one symbol lives on it, or "nothing".
    source: str
    #: Symbols, or (symbol, interval) pairs, that somebody wants.
    symbols: int
    #: Machine time in ms of the last news; 0 before the first.
    last_update_ms: int
    #: Streams made because the one before broke or stalled, and stalls among the reasons.
    reconnects: int
    stalls: int
    #: Times a symbol had to live on REST, or bars that REST had to supply.
    fallbacks: int
    #: Updates that made no sense, by verdict.
    skipped: dict[str, int]
    #: Events or takers that raised.
    failures: int
    last_error: str


@dataclass(frozen=True, slots=True)
class MarketHealth:
    """The market data of one venue."""

    venue: str
    prices: FeedHealth
    bars: FeedHealth
    #: "closed", "opened" or "half-opened", and how often it has opened.
    breaker: str
    breaker_opened: int
    rest_requests: int
    rest_failures: int
    #: Age in ms of the oldest price that somebody watches; 0 when nobody watches any.
    oldest_ms: int
    #: Streams opened within five minutes.
    connects_in_5_minutes: int
