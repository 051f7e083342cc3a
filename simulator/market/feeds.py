"""Where a symbol's prints come from: a feed knows its times, its grid, and makes a plan for any finer grid."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import numpy as np

from simulator.catalogue import instrument_for, split_symbol
from simulator.market.expansion import FEWEST_PRINTS, Columns, Grid, short_path
from simulator.market.files import Gap, MarketFileError
from simulator.market.frames import Recording
from simulator.market.generator import GeneratedSeries, World, character_of
from simulator.market.intervals import DAY, MINUTE
from simulator.market.ladder import Ladder
from simulator.market.loaders import KlineSeries, TradeSeries
from simulator.market.plans import BarPlan, Plan, TradePlan
from simulator.market.recorded import RecordedLadder
from simulator.market.tables import Integers
from simulator.units import ONE

HISTORY_MS = 30 * DAY
"""How much of a generated market lies before its start, so that charts are not empty."""


class Feed(Protocol):
    """One symbol's series, before it is known under which market and grid it is traded."""

    start_ms: int
    """Where replay begins when nobody says otherwise."""
    end_ms: int | None
    gaps: tuple[Gap, ...]
    grid: Grid
    first_price: int

    def plan(self, key: int, grid: Grid, prints_per_minute: int) -> Plan:
        """The planned prints on a grid that this feed's own is a multiple of."""

    def ladder(self, grid: Grid, synthetic: Ladder) -> Ladder:
        """The background book: the recording's where there is one, else the synthetic one."""


class KlineFeed:
    """Replay of klines."""

    def __init__(self, series: KlineSeries) -> None:
        self._series = series
        self.start_ms = int(series.open_ms[0])
        self.end_ms: int | None = int(series.open_ms[-1]) + series.interval_ms
        self.gaps = series.gaps
        self.first_price = int(series.open[0])
        self.grid = Grid(step_of(series.open, series.high, series.low, series.close), step_of(series.volume))
        self._rows = _without_gaps(series)

    def plan(self, key: int, grid: Grid, prints_per_minute: int) -> Plan:
        """Bars expanded to prints."""
        steps = (grid.tick, grid.tick, grid.tick, grid.tick, grid.lot)
        rows = Columns(*(column // step for column, step in zip(self._rows.arrays(), steps, strict=True)))
        _check_thin_rows(self._series, rows, grid)
        minutes = self._series.interval_ms // MINUTE
        return BarPlan(key, grid, self.start_ms // MINUTE, rows, minutes, prints_per_minute)

    def ladder(self, grid: Grid, synthetic: Ladder) -> Ladder:
        """Klines tell nothing of the book."""
        return synthetic


class TradeFeed:
    """Replay of recorded prints."""

    def __init__(self, series: TradeSeries) -> None:
        self._series = series
        self.start_ms = int(series.time_ms[0])
        self.end_ms: int | None = int(series.time_ms[-1]) + 1
        self.gaps: tuple[Gap, ...] = ()
        self.first_price = int(series.price[0])
        self.grid = Grid(step_of(series.price), step_of(series.quantity))

    def plan(self, key: int, grid: Grid, prints_per_minute: int) -> Plan:
        """The prints as they were."""
        return TradePlan(grid, self._series)

    def ladder(self, grid: Grid, synthetic: Ladder) -> Ladder:
        """Prints tell nothing of the book."""
        return synthetic


class FrameFeed(TradeFeed):
    """Replay of raw stream frames: their prints, over the recorded book."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording.trades)
        self._recording = recording
        self.start_ms = recording.start_ms
        price = step_of(recording.trades.price, recording.price)
        self.grid = Grid(price, step_of(recording.trades.quantity, recording.quantity))

    def ladder(self, grid: Grid, synthetic: Ladder) -> Ladder:
        """The recorded book."""
        return RecordedLadder(self._recording) if self._recording.events else synthetic


class GeneratedFeed:
    """Endless bars from a seed, with a month of history before the start."""

    def __init__(self, world: World, symbol: str, start_ms: int) -> None:
        base, quote = split_symbol(symbol)
        character = character_of(base, quote)
        self.first_price = max(round(character.price * ONE), 1)
        self.grid = _common_grid(symbol, self.first_price)
        self.start_ms = start_ms
        self.end_ms: int | None = None
        self.gaps: tuple[Gap, ...] = ()
        self._first_minute = (start_ms - HISTORY_MS) // MINUTE
        steps = (self.grid.tick / ONE, self.grid.lot / ONE)
        self._series = GeneratedSeries(world, symbol, character, self._first_minute, *steps)

    def plan(self, key: int, grid: Grid, prints_per_minute: int) -> Plan:
        """Bars expanded to prints; further blocks are made when time comes near them."""
        price, volume = self.grid.tick // grid.tick, self.grid.lot // grid.lot
        steps = (price, price, price, price, volume)
        blocks = (
            Columns(*(column * step for column, step in zip(block.arrays(), steps, strict=True)))
            for block in self._series.blocks()
        )
        return BarPlan(key, grid, self._first_minute, next(blocks), 1, prints_per_minute, more=lambda: next(blocks))

    def ladder(self, grid: Grid, synthetic: Ladder) -> Ladder:
        """The book is generated too."""
        return synthetic


def _common_grid(symbol: str, price: int) -> Grid:
    """A grid that both markets' instruments can show."""
    spot, futures = (instrument_for(market, symbol, price).filters for market in ("spot", "futures"))
    return Grid(math.lcm(spot.tick, futures.tick), math.lcm(spot.lot, futures.lot))


def step_of(*columns: Integers) -> int:
    """The coarsest power of ten, at most one whole unit, on which every amount stands."""
    for power in range(8, 0, -1):
        step: int = 10**power
        if all(not (column % step).any() for column in columns):
            return step
    return 1


def grid_for(path: Path | str, known: Grid, feed: Feed) -> Grid:
    """The instrument's grid, made finer where the data needs it; refuses what would make notionals inexact."""
    grid = Grid(math.gcd(known.tick, feed.grid.tick), math.gcd(known.lot, feed.grid.lot))
    if grid.tick * grid.lot % 10**8:
        raise MarketFileError(
            path,
            None,
            f"prices on a step of {grid.tick} and volumes on a step of {grid.lot} (1e-8) make notionals too fine",
            "round the volumes to fewer decimals",
        )
    return grid


def _without_gaps(series: KlineSeries) -> Columns:
    """Rows for every interval; the missing ones are empty and stand at the close before them."""
    columns = (series.open, series.high, series.low, series.close, series.volume)
    if not series.gaps:
        return Columns(*columns)
    place = (series.open_ms - series.open_ms[0]) // series.interval_ms
    source = np.searchsorted(place, np.arange(int(place[-1]) + 1), side="right") - 1
    missing = np.ones(len(source), np.bool_)
    missing[place] = False
    fillers = (*[series.close[source]] * 4, np.zeros(len(source), np.int64))
    filled = zip(columns, fillers, strict=True)
    return Columns(*(np.where(missing, filler, column[source]) for column, filler in filled))


def _check_thin_rows(series: KlineSeries, rows: Columns, grid: Grid) -> None:
    """Refuse a row with fewer lots than its prices need trades."""
    for row in np.flatnonzero((rows.volume > 0) & (rows.volume < FEWEST_PRINTS)):
        opened, high, low, close, volume = (int(column[row]) for column in rows.arrays())
        try:
            short_path(opened, high, low, close, volume)
        except ValueError:
            line = int(np.searchsorted(series.open_ms, series.open_ms[0] + row * series.interval_ms)) + 2
            raise MarketFileError(
                series.path,
                line,
                f"a volume of {volume} lots cannot visit open, high, low and close",
                "give a larger volume, or prices that fewer trades can make",
            ) from None
