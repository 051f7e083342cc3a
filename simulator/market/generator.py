"""An endless market made from a seed: clustered volatility, trends and ranges, jumps, a day's rhythm, moves in common.

Made in blocks of a week with arrays of floats, then rounded once to ticks and lots; from there on everything is exact.
The log price is the sum of a slow part (common and own shocks, drift in trends, jumps, a weak pull to the start) and a
ranging part that always comes back. Which one leads is decided by the regime.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.market.expansion import Columns
from simulator.market.hashing import key_of

Floats = NDArray[np.float64]
BLOCK_MINUTES = 7 * 1440
_PULL = 1 - np.log(2) / (180 * 1440)
"""The slow part comes half-way back to its start in 180 days, so that prices stay plausible for ever."""
_SLOW_VOLATILITY = (0.9997, 0.35)
_FAST_VOLATILITY = (0.985, 0.45)
_RANGE_MEMORY = 0.992
_REGIMES = ("range", "up", "down")
_REGIME_MINUTES = 600
_DRIFT = 0.035
"""A trend's drift a minute, as a part of the volatility of a minute."""
_JUMP_CHANCE = 1.5e-4
_JUMP_SIZE = 9.0


@dataclass(frozen=True, slots=True)
class Character:
    """How a generated symbol behaves."""

    price: float
    minute_notional: float
    """Usual turnover of a minute in quote units."""
    volatility: float = 0.6
    """Of a year."""
    correlation: float = 0.7
    """With the market as a whole."""


_KNOWN = {
    "BTC": Character(95_000.0, 4_000_000.0, 0.5, 0.9),
    "ETH": Character(3_400.0, 2_500_000.0, 0.65, 0.82),
    "BNB": Character(650.0, 400_000.0, 0.55, 0.7),
    "SOL": Character(190.0, 900_000.0, 0.85, 0.75),
    "XRP": Character(2.3, 700_000.0, 0.9, 0.65),
    "ADA": Character(0.9, 250_000.0, 0.9, 0.72),
    "LTC": Character(105.0, 150_000.0, 0.75, 0.7),
    "LINK": Character(22.0, 150_000.0, 0.85, 0.72),
    "DOGE": Character(0.32, 400_000.0, 1.0, 0.68),
    "USDT": Character(1.0, 200_000.0, 0.01, 0.0),
}


def character_of(base: str, quote: str) -> Character:
    """Plausible behaviour of a pair; unknown assets get a price from their name."""
    return _priced_in(_of_asset(base), _of_asset(quote))


def _of_asset(asset: str) -> Character:
    if asset in ("USDC", "FDUSD", "TUSD", "BUSD", "USD", "DAI", "EUR"):
        return _KNOWN["USDT"]
    return _KNOWN.get(asset) or Character(0.1 + key_of(asset) % 50_000 / 1000, 120_000.0, 0.95)


def _priced_in(base: Character, quote: Character) -> Character:
    price, notional = base.price / quote.price, base.minute_notional / quote.price
    return Character(price, notional, base.volatility, base.correlation)


class World:
    """What all generated symbols of one seed share: the market's shocks, volatility and jumps, block by block."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._blocks: list[tuple[Floats, Floats]] = []
        self._slow = self._fast = 0.0

    def block(self, index: int) -> tuple[Floats, Floats]:
        """(common shocks, common log volatility) of a block; shocks are in volatilities of a minute."""
        while len(self._blocks) <= index:
            chance = np.random.default_rng([self.seed, key_of("market"), len(self._blocks)])
            slow = _autoregress(self._slow, *_SLOW_VOLATILITY, chance.standard_normal(BLOCK_MINUTES))
            fast = _autoregress(self._fast, *_FAST_VOLATILITY, chance.standard_normal(BLOCK_MINUTES))
            self._slow, self._fast = float(slow[-1]), float(fast[-1])
            shocks = chance.standard_normal(BLOCK_MINUTES) + _jumps(chance)
            self._blocks.append((shocks, slow + fast))
        return self._blocks[index]


class GeneratedSeries:
    """Bars of one generated symbol on its own tick and lot, as they are needed."""

    def __init__(
        self, world: World, symbol: str, character: Character, first_minute: int, tick: float, lot: float
    ) -> None:
        self._world = world
        self._key = key_of(symbol)
        self._character = character
        self._first_minute = first_minute
        self._tick = tick
        self._lot = lot
        self._blocks: list[Columns] = []
        self._slow = self._range = self._fast = 0.0
        self._regime = 0
        self._close = max(round(character.price / tick), 1)

    def blocks(self) -> Iterator[Columns]:
        """Every block from the first on, without end; made once, whoever asks."""
        index = 0
        while True:
            if index == len(self._blocks):
                self._blocks.append(self._make(index))
            yield self._blocks[index]
            index += 1

    def _make(self, index: int) -> Columns:
        chance = np.random.default_rng([self._world.seed, self._key, index])
        shocks, common = self._world.block(index)
        own = _autoregress(self._fast, *_FAST_VOLATILITY, chance.standard_normal(BLOCK_MINUTES))
        self._fast = float(own[-1])
        minutes = self._first_minute + index * BLOCK_MINUTES + np.arange(BLOCK_MINUTES)
        rhythm = _rhythm(minutes)
        level = np.exp(np.clip(0.8 * common + 0.4 * own - 0.15, -2.0, 2.0)) * np.sqrt(rhythm)
        sigma = self._character.volatility / np.sqrt(525_600) * level
        regime = self._regimes(chance)
        log_price = self._path(chance, shocks, sigma, regime)
        return self._bars(chance, log_price, sigma, level * np.sqrt(rhythm))

    def _regimes(self, chance: np.random.Generator) -> NDArray[np.int64]:
        """The regime of every minute: each lasts some hours and gives way to another by chance."""
        changes = np.flatnonzero(chance.random(BLOCK_MINUTES) < 1 / _REGIME_MINUTES)
        following = chance.choice(len(_REGIMES), size=len(changes) + 1, p=(0.5, 0.25, 0.25))
        following[0] = self._regime
        regime: NDArray[np.int64] = following[np.searchsorted(changes, np.arange(BLOCK_MINUTES), side="right")]
        self._regime = int(regime[-1])
        return regime

    def _path(self, chance: np.random.Generator, shocks: Floats, sigma: Floats, regime: NDArray[np.int64]) -> Floats:
        correlation = self._character.correlation
        own = chance.standard_normal(BLOCK_MINUTES) + _jumps(chance)
        mixed = correlation * shocks + np.sqrt(1 - correlation**2) * own
        ranging = regime == 0
        drift = _DRIFT * np.where(regime == 1, 1.0, np.where(regime == 2, -1.0, 0.0))
        slow = _scan(self._slow, float(_PULL), sigma * (np.where(ranging, 0.75, 1.0) * mixed + drift))
        around = chance.standard_normal(BLOCK_MINUTES) * sigma * np.where(ranging, 0.8, 0.2)
        swing = _scan(self._range, _RANGE_MEMORY, around)
        self._slow, self._range = float(slow[-1]), float(swing[-1])
        path: Floats = np.log(self._character.price) + slow + swing
        return path

    def _bars(self, chance: np.random.Generator, log_price: Floats, sigma: Floats, activity: Floats) -> Columns:
        """Ticks and lots: extremes are those of a Brownian bridge from the open to the close."""
        close = np.maximum(np.rint(np.exp(log_price) / self._tick), 20).astype(np.int64)
        opens = np.concatenate((np.array([self._close]), close[:-1]))
        self._close = int(close[-1])
        start, end = np.log(opens * self._tick), np.log(close * self._tick)
        spread = [np.sqrt((end - start) ** 2 - 2 * sigma**2 * np.log(1 - chance.random(BLOCK_MINUTES))) for _ in "hl"]
        high = np.rint(np.exp((start + end + spread[0]) / 2) / self._tick).astype(np.int64)
        low = np.rint(np.exp((start + end - spread[1]) / 2) / self._tick).astype(np.int64)
        stretch = np.abs(end - start) / sigma
        noise = np.exp(0.45 * chance.standard_normal(BLOCK_MINUTES) - 0.1)
        notional = self._character.minute_notional * activity * noise * (0.55 + 0.45 * stretch)
        volume = np.maximum(np.rint(notional / np.exp(log_price) / self._lot), 50).astype(np.int64)
        return Columns(
            opens, np.maximum(np.maximum(opens, close), high), np.clip(low, 1, np.minimum(opens, close)), close, volume
        )


def _jumps(chance: np.random.Generator) -> Floats:
    """Rare large shocks, zero elsewhere."""
    happens = chance.random(BLOCK_MINUTES) < _JUMP_CHANCE
    jumps: Floats = happens * chance.standard_normal(BLOCK_MINUTES) * _JUMP_SIZE
    return jumps


def _rhythm(minutes: NDArray[np.int64]) -> Floats:
    """A day's share of turnover around 1: quiet at night, busy when Europe and America both trade; weekends calmer."""
    hour = minutes % 1440 / 60.0
    busy = 0.7 + 0.75 * np.exp(-(((hour - 14.5) / 3.0) ** 2)) + 0.35 * np.exp(-(((hour - 8.0) / 2.5) ** 2))
    weekend = (minutes // 1440 + 3) % 7 >= 5
    rhythm: Floats = busy * np.where(weekend, 0.7, 1.0)
    return rhythm


def _autoregress(start: float, memory: float, deviation: float, noise: Floats) -> Floats:
    """A stationary process with the given memory and standard deviation."""
    return _scan(start, memory, noise * deviation * float(np.sqrt(1 - memory**2)))


def _scan(start: float, memory: float, steps: Floats) -> Floats:
    """x[t] = memory * x[t - 1] + steps[t], in a logarithmic number of passes over the array."""
    values = steps.copy()
    values[0] += memory * start
    reach = 1
    while reach < len(values):
        values[reach:] = values[reach:] + memory**reach * values[:-reach]
        reach *= 2
    return values
