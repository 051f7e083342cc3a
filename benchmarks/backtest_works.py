"""The works that backtesters are measured by, and the made-up market they are done on; the same every time.

A year of minutes that returns to 30,000 within a day or so, with jumps; five million trades that do so within a day.
*averages*: 10 and 30 closes, long or flat. *grid*: 20 levels, 0.4 % apart on the minutes and 0.1 % on the trades.
The sweeps are a thousand of these: periods of the averages; distances and centres of the grid.
"""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy

import strategies
from core.base_strategy import STRATEGIES, StrategyKind
from domain.instrument import Instrument
from domain.risk_manager import RiskLimits
from engine.backtest import History, Prints, Settings
from engine.backtest.history import prints_of

BARS, TRADES, SETS = 525_600, 5_000_000, 1_000
FEE, TRADE_FEE = 0.001, 0.0002
_LARGEST = (Decimal(1_000_000), Decimal(1_000))
_VENUE: dict[str, Decimal] = {
    "min_quantity": Decimal("0.00001"), "max_quantity": Decimal(100), "min_notional": Decimal(5)
}  # fmt: skip
BITCOIN = Instrument("BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), *_LARGEST, **_VENUE)
#: Its trades are a tenth apart.
COARSE = Instrument("BTCUSDT", "BTC", "USDT", Decimal("0.1"), Decimal("0.00001"), *_LARGEST, **_VENUE)
LIMITS = RiskLimits(max_messages=50)
SETTINGS = Settings(quote=Decimal(10_000_000), fee_asset="quote", bar_model="next_bar", limits=LIMITS)
TRADE_SETTINGS = Settings(
    quote=Decimal(10_000_000), fee_asset="quote", bar_model="next_bar", limits=LIMITS, maker_fee=Decimal("0.02"),
    taker_fee=Decimal("0.02"),
)  # fmt: skip


def levels(distance: float = 0.004, centre: float = 30_000, tick: float = 0.01) -> list[float]:
    """21 prices of a grid, each the same share above the one before."""
    prices = [centre * (1 + distance) ** (place - 10) for place in range(21)]
    return [round(round(price / tick) * tick, 8) for price in prices]


LEVELS = levels()


def year() -> History:
    """A year of minutes."""
    dice = numpy.random.Generator(numpy.random.PCG64(20260101))
    swing, pull = 0.60 / math.sqrt(BARS), math.log(2) / 1440
    steps = dice.standard_normal((BARS, 8)) * (swing / math.sqrt(8))
    steps[:, 0] += (dice.random(BARS) < 2e-4) * dice.normal(0, 0.01, BARS)
    sums, start, x = numpy.cumsum(steps, axis=1), numpy.empty(BARS), 0.0
    for place, last in enumerate(sums[:, -1].tolist()):
        x -= pull * x
        start[place] = x
        x += last
    path = numpy.round(30_000 * numpy.exp(start[:, None] + sums), 2)
    close = path[:, -1]
    opened = numpy.append(30_000.0, close[:-1])
    high, low = numpy.maximum(opened, path.max(axis=1)), numpy.minimum(opened, path.min(axis=1))
    ticks = [numpy.round(column * 100).astype(numpy.int64) for column in (opened, high, low, close)]
    times = 1_672_531_200_000 + 60_000 * numpy.arange(BARS, dtype=numpy.int64)
    return History(BITCOIN, 60_000, times, ticks[0], ticks[1], ticks[2], ticks[3], numpy.full(BARS, 10**5, numpy.int64))


def trades() -> tuple[Any, Any, Any, Any]:
    """Nanoseconds, prices in ticks, whether a buyer took, and quantities of the trades."""
    dice = numpy.random.Generator(numpy.random.PCG64(20260102))
    times = numpy.cumsum(numpy.maximum(dice.exponential(100e6, TRADES).astype(numpy.int64), 1000))
    steps, kept, x = (dice.standard_normal(TRADES) * 3.4e-5).tolist(), 1 - math.log(2) / 864_000, 0.0
    path = numpy.empty(TRADES)
    for place, step in enumerate(steps):
        x = x * kept + step
        path[place] = x
    bids = numpy.floor(30_000 * numpy.exp(path) / 0.1).astype(numpy.int64)
    is_buy = dice.random(TRADES) < 0.5
    quantities = numpy.maximum(numpy.round(dice.lognormal(-3, 1.2, TRADES), 3), 0.001)
    return 1_672_531_200_000_000_000 + times, bids + is_buy, is_buy, quantities


def write(folder: Path) -> None:
    """Put the market where the engines of others read it, if it is not there."""
    if not (folder / "market.npz").exists():
        bars = year()
        prices = numpy.stack([bars.open, bars.high, bars.low, bars.close], axis=1) / 100
        numpy.savez(folder / "market.npz", times=bars.open_ms, bars=prices, levels=numpy.array(LEVELS))
    if not (folder / "trades.npz").exists():
        times, ticks, is_buy, quantities = trades()
        near = numpy.array(levels(0.001, tick=0.1))
        numpy.savez(folder / "trades.npz", times=times, ticks=ticks, buys=is_buy, quantities=quantities, levels=near)


def bars_in(folder: Path) -> History:
    """The year that was written there."""
    kept = numpy.load(folder / "market.npz")
    opens, highs, lows, closes = (
        numpy.ascontiguousarray(column) for column in numpy.round(kept["bars"] * 100).astype(numpy.int64).T
    )
    volumes = numpy.full(BARS, 10**5, numpy.int64)
    return History(BITCOIN, 60_000, kept["times"], opens, highs, lows, closes, volumes)


def trades_in(folder: Path) -> Prints:
    """The trades that were written there."""
    kept = numpy.load(folder / "trades.npz")
    lots = numpy.round(kept["quantities"] * 1e5).astype(numpy.int64)
    return prints_of(COARSE, kept["times"] // 1_000_000, kept["ticks"], lots)


@cache
def kind(name: str) -> StrategyKind:
    """A registered strategy."""
    STRATEGIES.scan(strategies)
    return STRATEGIES.get(name)


def averages(fast: int = 10, slow: int = 30) -> Any:
    """Parameters of the averages."""
    build: Any = kind("ma_cross").params
    return build(fast=fast, slow=slow, size=Decimal(1))


def ladder(prices: list[float]) -> Any:
    """Parameters of a grid between the ends of these prices."""
    build: Any = kind("grid").params
    ends = {"lower_price": Decimal(str(prices[0])), "upper_price": Decimal(str(prices[-1]))}
    return build(**ends, quantity_per_level=Decimal(1))


def periods() -> list[tuple[int, int]]:
    """The averages of the sweep."""
    return [(fast, slow) for fast in range(5, 45, 2) for slow in range(50, 300, 5)]


def ladders() -> list[list[float]]:
    """The grids of the sweep."""
    distances, centres = numpy.linspace(0.002, 0.010, 50), numpy.linspace(0.97, 1.03, 20)
    return [levels(float(distance), 30_000 * float(centre)) for distance in distances for centre in centres]
