"""Prints that nobody needs to see one by one: a driver names prices between which a symbol may be passed over.

What was passed over has happened as planned: it is in the trades, the klines and the numbers of everything. Streams
tell of the last print only, and queues before resting orders move with the prints that are told. Nothing that could
reach an order of anybody is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.instruments import Market

if TYPE_CHECKING:
    from simulator.market.symbol_market import SymbolMarket

Entry = tuple[Market, str, "SymbolMarket"]
#: Symbol -> the prices, in quanta, strictly between which its prints may be passed over.
Levels = Mapping[str, tuple[int, int]]
HIGHEST = 2**62


@dataclass(frozen=True, slots=True)
class Calm:
    """A symbol that is passed over as long as its prints stay strictly between two prices."""

    entry: Entry
    low: int
    high: int

    def wakes_ms(self, until_ms: int) -> int | None:
        """When the first print outside falls due; None when none does by `until_ms`."""
        return self.entry[2].passing.first_outside(self.low, self.high, until_ms)


def narrowed(levels: tuple[int, int], orders: tuple[int, int] | None) -> tuple[int, int] | None:
    """Both pairs of prices at once; None where there is no room, or orders forbid it."""
    if orders is None:
        return None
    low, high = max(levels[0], orders[0]), min(levels[1], orders[1])
    return (low, high) if low < high else None
