"""Questions about years of the past, answered without keeping everybody else waiting.

What such an answer needs is computed a few milliseconds at a time; between two pieces the other requests have their
turn. Later requests find it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.market.intervals import INTERVALS
from simulator.wire.params import Params

if TYPE_CHECKING:
    from simulator.instruments import Market
    from simulator.venue import Venue

_MOST_ROWS = 1500
_FIRST_MICROSECOND = 10**14
"""Times above are in microseconds."""


def bars_are_ready(venue: Venue, market: Market, params: Params) -> bool:
    """Whether the klines these parameters ask for can be answered at once; computes a piece when they cannot.

    Parameters that the request will be refused for count as ready.
    """
    symbol, interval = params.peek("symbol") or params.peek("pair") or "", params.peek("interval")
    exchange = venue.exchange(market)
    if interval not in INTERVALS or symbol not in exchange.instruments:
        return True
    limit = min(_number(params, "limit") or 500, _MOST_ROWS)
    start, end = _number(params, "startTime"), _number(params, "endTime")
    return exchange.market(symbol).make_ready(interval, start, end, limit)


def _number(params: Params, name: str) -> int | None:
    text = params.peek(name)
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    value = int(text)
    return value // 1000 if value >= _FIRST_MICROSECOND else value
