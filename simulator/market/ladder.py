"""A background book made from a seed: quantities that depend only on price, side, distance and minute.

Levels stand on every tick near the best price and on ever coarser grids farther away, where quantities grow. A level
keeps its quantity for some minutes and then changes, each at its own minute, so queues shorten as in life.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

import numpy as np

from simulator.market.hashing import mix_one, mix_range
from simulator.market.tables import Integers
from simulator.market.types import Liquidity, Side

_ZONES = ((0, 64, 1), (64, 512, 4), (512, 4096, 16), (4096, 32_768, 64))
"""(from distance, to distance, grid) in ticks from the best price; a side has up to 848 levels."""
_LIFE_MINUTES = 16
_PRIME = 1_000_003
_NEAREST = 4
"""Levels that are worth making one by one: mostly only the best is asked for."""
_SALTS: dict[Side, int] = {"BUY": 11, "SELL": 12}


class Ladder(Liquidity, Protocol):
    """A liquidity that follows the market's prints."""

    def anchor(self, price: int, taker: Side, time_ms: int) -> None:
        """Show the book as it stands after a print; what users consumed is back."""


class SyntheticLadder:
    """`Liquidity` around the last market print; `typical` is a usual quantity of one print, in quanta."""

    def __init__(self, key: int, tick: int, lot: int, typical: int) -> None:
        self._key = key
        self._tick = tick
        self._lot = lot
        self._typical = max(typical // lot, 1)
        self._best: dict[Side, int] = {"BUY": 0, "SELL": 0}
        self._minute = 0
        self._levels: dict[Side, dict[int, int]] = {}

    def anchor(self, price: int, taker: Side, time_ms: int) -> None:
        """Stand around a print: a buyer paid the best ask, a seller got the best bid. What was consumed is back."""
        ticks = max(price // self._tick, 1)
        self._minute = time_ms // 60_000
        chance = mix_one(self._key, ticks * _LIFE_MINUTES + self._minute % _LIFE_MINUTES, 13)
        spread = 1 if chance % 16 else 2 + (chance >> 8) % 2
        if taker == "BUY":
            self._best = {"SELL": ticks, "BUY": max(ticks - spread, 0)}
        else:
            self._best = {"BUY": ticks, "SELL": ticks + spread}
        self._levels.clear()

    def best(self, side: Side) -> int | None:
        """Best price of a side; None when everything was consumed."""
        levels = self._levels.get(side)
        if levels is not None:
            return next(iter(levels), None)
        best = self._best[side]
        return best * self._tick if best > 0 else None

    def quantity(self, side: Side, price: int) -> int:
        """What is offered at a price."""
        levels = self._levels.get(side)
        if levels is not None:
            return levels.get(price, 0)
        ticks, rest = divmod(price, self._tick)
        distance = ticks - self._best[side] if side == "SELL" else self._best[side] - ticks
        if rest or ticks <= 0:
            return 0
        for start, end, grid in _ZONES:
            if start <= distance < end:
                return 0 if ticks % grid else self._lots(side, ticks, distance, self._minute) * self._lot
        return 0

    def walk(self, side: Side) -> Iterator[tuple[int, int]]:
        """Levels from the best outward."""
        levels = self._levels.get(side)
        if levels is not None:
            return iter(list(levels.items()))
        return self._walk(side, self._best[side], self._minute)

    def consume(self, side: Side, price: int, quantity: int) -> None:
        """Take away; raises ValueError for more than is there."""
        levels = self._side(side)
        left = levels.get(price, 0) - quantity
        if left < 0:
            raise ValueError(f"cannot consume {quantity} of {levels.get(price, 0)} quanta offered at {price}")
        if left:
            levels[price] = left
        else:
            levels.pop(price, None)

    def _side(self, side: Side) -> dict[int, int]:
        levels = self._levels.get(side)
        if levels is None:
            levels = self._levels[side] = self._make(side, self._best[side], self._minute)
        return levels

    def _walk(self, side: Side, best: int, minute: int) -> Iterator[tuple[int, int]]:
        """The nearest levels one by one, the others together once somebody goes so far."""
        made = 0
        for distance in range(_NEAREST):
            ticks = best - distance if side == "BUY" else best + distance
            if ticks > 0:
                made += 1
                yield ticks * self._tick, self._lots(side, ticks, distance, minute) * self._lot
        yield from islice(self._make(side, best, minute).items(), made, None)

    def _make(self, side: Side, best: int, minute: int) -> dict[int, int]:
        sign = -1 if side == "BUY" else 1
        pieces = []
        for start, end, grid in _ZONES:
            ticks = best + sign * np.arange(start, end)
            pieces.append(ticks[(ticks % grid == 0) & (ticks > 0)] if grid > 1 else ticks[ticks > 0])
        ticks = np.concatenate(pieces)
        lots = self._lots_of(side, ticks, np.abs(ticks - best), minute)
        return dict(zip((ticks * self._tick).tolist(), (lots * self._lot).tolist(), strict=True))

    def _lots_of(self, side: Side, ticks: Integers, distance: Integers, minute: int) -> Integers:
        own = mix_range(self._key, ticks, _SALTS[side])
        age = (minute + (own & np.uint64(_LIFE_MINUTES - 1)).astype(np.int64)) // _LIFE_MINUTES
        chance = mix_range(self._key, ticks * _PRIME + age, _SALTS[side] + 10)
        spread = ((chance & np.uint64(0xFF)) * ((chance >> np.uint64(8)) & np.uint64(0xFF))).astype(np.int64)
        scale = 8 + np.minimum(distance, 64) // 8 + distance // 128
        return 1 + self._typical * scale * (8192 + spread) // 131_072

    def _lots(self, side: Side, ticks: int, distance: int, minute: int) -> int:
        """The same for one level, without arrays."""
        own = mix_one(self._key, ticks, _SALTS[side])
        age = (minute + own % _LIFE_MINUTES) // _LIFE_MINUTES
        chance = mix_one(self._key, ticks * _PRIME + age, _SALTS[side] + 10)
        spread = (chance & 0xFF) * ((chance >> 8) & 0xFF)
        scale = 8 + min(distance, 64) // 8 + distance // 128
        return 1 + self._typical * scale * (8192 + spread) // 131_072


class Background:
    """`Liquidity` that looks at a ladder, and first brings the market up to date when it was skipped over."""

    def __init__(self, ladder: Ladder, catch_up: Callable[[], None]) -> None:
        self.ladder = ladder
        self.is_stale = False
        self._catch_up = catch_up

    def best(self, side: Side) -> int | None:
        """See `Liquidity`."""
        if self.is_stale:
            self._catch_up()
        return self.ladder.best(side)

    def quantity(self, side: Side, price: int) -> int:
        """See `Liquidity`."""
        if self.is_stale:
            self._catch_up()
        return self.ladder.quantity(side, price)

    def walk(self, side: Side) -> Iterator[tuple[int, int]]:
        """See `Liquidity`."""
        if self.is_stale:
            self._catch_up()
        return self.ladder.walk(side)

    def consume(self, side: Side, price: int, quantity: int) -> None:
        """See `Liquidity`."""
        if self.is_stale:
            self._catch_up()
        self.ladder.consume(side, price, quantity)
