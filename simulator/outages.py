"""Outages of a replayed market, as the symbol statuses they were: BREAK when one begins, TRADING when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from simulator.instruments import Market, Status
from simulator.market.symbol_market import SymbolMarket


class Change(NamedTuple):
    """A symbol's status from a moment of market time on."""

    time_ms: int
    market: Market
    symbol: str
    status: Status


class Outages:
    """Every change of status that the replayed data holds, in time order."""

    def __init__(self, markets: Iterable[tuple[Market, str, SymbolMarket]]) -> None:
        self._changes = sorted(change for entry in markets for change in _changes_of(*entry))
        self._next = 0

    def next_ms(self) -> int | None:
        """Time of the next change; None when there is none left."""
        return self._changes[self._next].time_ms if self._next < len(self._changes) else None

    def due(self, now_ms: int) -> list[Change]:
        """Changes up to and including now, each given once."""
        first = self._next
        while self._next < len(self._changes) and self._changes[self._next].time_ms <= now_ms:
            self._next += 1
        return self._changes[first : self._next]


def _changes_of(market: Market, symbol: str, source: SymbolMarket) -> Iterable[Change]:
    for gap in source.outages:
        if gap.to_ms > gap.from_ms:
            yield Change(gap.from_ms, market, symbol, "BREAK")
            yield Change(gap.to_ms, market, symbol, "TRADING")
