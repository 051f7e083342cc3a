"""How patient the market data is: every bound in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """Bounds of the market data of one venue. All times are machine time; the defaults are for live trading."""

    #: A price older than this is asked for by REST, unless whoever watches the symbol wants it fresher.
    max_age_ms: int = 30_000
    #: While a symbol lives on REST it is asked for this often.
    poll_ms: int = 2_000
    #: A stream that has told nothing new for so long is compared with REST; if it has missed something it is replaced.
    silence_ms: int = 8_000
    #: A busy stream is compared with REST this often, one symbol after another.
    audit_ms: int = 60_000
    #: How far stream and REST may be apart, in parts per million, before the stream counts as frozen.
    divergence_ppm: int = 5_000
    #: A price that differs more from the one before is believed only when it is told a second time.
    max_jump_ppm: int = 200_000
    #: A bar that has not come so long after its end is asked for by REST.
    bar_grace_ms: int = 5_000
    #: Answers without the missing bar after which the venue is taken to have none.
    bar_attempts: int = 5
    #: Pause between two looks at ages and bars.
    look_ms: int = 500
    #: Requests in a row that fail before REST is left alone, and for how long.
    breaker_failures: int = 5
    breaker_ms: int = 60_000
    #: Requests at once, and how long one may take.
    rest_parallel: int = 4
    rest_timeout_ms: int = 10_000
    #: Changes of subscriptions are collected for so long before the stream is replaced.
    collect_ms: int = 200
    #: A replaced stream is kept until the new one tells something, but no longer than this.
    overlap_ms: int = 10_000
    #: Pause before connecting again: by chance up to `backoff_ms`, doubled with each failure, at most `backoff_max_ms`.
    backoff_ms: int = 500
    backoff_max_ms: int = 30_000
    #: A stream that lived so long was sound, and its end begins the backoff anew.
    steady_ms: int = 30_000
    #: Streams of the venue that may be opened within five minutes.
    connects_per_5_minutes: int = 60
