"""History as the backtester wants it: columns of whole ticks, lots and milliseconds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy
from numpy.typing import NDArray

from domain.errors import Refused
from domain.instrument import Instrument
from domain.sentences import say
from engine.backtest.kernel.layout import BLOCK, FOUR, LANES, NARROW

if TYPE_CHECKING:
    from engine.backtest.depth import Depth

Column = NDArray[numpy.int64]
#: Prices as the kernel reads them.
Prices = NDArray[numpy.int32] | NDArray[numpy.int64]


@dataclass(frozen=True)
class Finding:
    """Something to know of a row of a file. What is not bearable stops a replay."""

    row: int
    words: str
    is_bearable: bool


class BadHistory(Refused):
    """The history cannot be replayed as it stands."""

    def __init__(self, message: str | None = None, findings: Iterable[Finding] = ()) -> None:
        super().__init__(message)
        #: The rows that are to blame, where it is rows.
        self.findings = tuple(findings)


@dataclass(frozen=True)
class History:
    """Closed bars of one symbol, oldest first, each as long as the others; bars may be missing, none may be double."""

    instrument: Instrument
    #: Length of a bar in milliseconds.
    bar_ms: int
    open_ms: Column
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column
    #: How many prices a bar has in `bars`.
    width: ClassVar[int] = 4
    #: What was found in the data and not repaired: told with every result.
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        columns = (self.open_ms, self.open, self.high, self.low, self.close, self.volume)
        if len({len(column) for column in columns}) != 1 or len(self.open_ms) < 2:
            raise BadHistory(
                say("columns_differ", "every column must have the same length, of at least 2 bars.", field="history")
            )
        if self.bar_ms <= 0:
            raise BadHistory(
                say("bar_without_length", "a bar of {bar_ms} ms has no length.", bar_ms=self.bar_ms, field="history")
            )
        _check_rows(*columns)

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Times, opens, highs, lows, closes, volumes."""
        return self.open_ms, self.open, self.high, self.low, self.close, self.volume

    @cached_property
    def highest(self) -> int:
        """The highest price in ticks."""
        return int(self.high.max())

    @cached_property
    def is_even(self) -> bool:
        """Whether every bar opens where the one before it has closed."""
        return bool((numpy.diff(self.open_ms) == self.bar_ms).all())

    @cached_property
    def closes(self) -> Prices:
        """The closes, in 32 bits where all prices fit: what is gone through often is half as long."""
        return self.close.astype(numpy.int32) if self.highest < NARROW else self.close

    @property
    def blocks_at(self) -> int:
        """Where in `bars` the prices of blocks begin: behind those of as many whole blocks as all bars need."""
        return -(-len(self) // LANES) * LANES * self.width

    @cached_property
    def bars(self) -> Prices:
        """The prices as `kernel.lanes` tells, in as many bits as the closes; what is beyond the last bar is 0."""
        columns, places = (self.low, self.high, self.close, self.open), numpy.arange(0, len(self), LANES)
        groups = -(-len(places) // LANES) + 1
        bars = numpy.zeros(self.blocks_at + groups * 2 * LANES, self.closes.dtype)
        fours, blocks = bars[: self.blocks_at].reshape(-1, self.width, FOUR), bars[self.blocks_at :]
        for place in range(self.width):
            _lay_out(columns[place], fours[:, place])
        for place, of_each in enumerate(self._of_blocks(places)):
            _lay_out(of_each, blocks.reshape(-1, 2, LANES)[:, place])
        return bars

    def _of_blocks(self, places: Column) -> tuple[Column, Column]:
        """The lowest low and the highest high of bars from each place to before the next."""
        return numpy.minimum.reduceat(self.low, places), numpy.maximum.reduceat(self.high, places)

    @cached_property
    def marks(self) -> Column:
        """Of every `layout.BLOCK` bars the lowest low, the highest high, and the lowest and the highest close."""
        columns = (self.low, numpy.minimum), (self.high, numpy.maximum), (self.close, numpy.minimum)
        starts = numpy.arange(0, len(self), BLOCK)
        return numpy.stack(
            [extreme.reduceat(column, starts) for column, extreme in (*columns, (self.close, numpy.maximum))], axis=1
        ).ravel()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the instrument's units, the length of a bar, and every column."""
        found = hashlib.sha256(repr((self.instrument, self.bar_ms)).encode())
        for column in self.columns:
            found.update(numpy.ascontiguousarray(column).data)
        return found.hexdigest()

    def part(self, begin: int, end: int) -> History:
        """Bars from `begin` to before `end`; shares memory with the whole."""
        times, opens, highs, lows, closes, volumes = (
            numpy.ascontiguousarray(column[begin:end]) for column in self.columns
        )
        return History(self.instrument, self.bar_ms, times, opens, highs, lows, closes, volumes, self.warnings)

    def between(self, since_ms: int | None, until_ms: int | None) -> History:
        """Bars that open at `since_ms` or later and before `until_ms`; `BadHistory` when they are fewer than two."""
        edges = (since_ms if since_ms is not None else -(2**63), until_ms if until_ms is not None else 2**63 - 1)
        begin, end = (int(place) for place in numpy.searchsorted(self.open_ms, edges))
        if end - begin < 2:
            raise BadHistory(
                say(
                    "too_few_bars",
                    "it has fewer than two bars of the period that was asked for; take a longer one.",
                    field="history",
                )
            )
        return self if (begin, end) == (0, len(self)) else self.part(begin, end)


@dataclass(frozen=True)
class Prints(History):
    """Trades of the market instead of bars: each is a bar of one price. `bar_ms` is 1, and times may be double."""

    #: The book that they were made in, where it was recorded.
    depth: Depth | None = field(default=None, kw_only=True)
    width: ClassVar[int] = 1

    @cached_property
    def is_even(self) -> bool:
        """No: trades come when they come."""
        return False

    @cached_property
    def traded(self) -> Column:
        """Lots that were traded before each trade, and behind them those of all."""
        return numpy.concatenate([numpy.zeros(1, numpy.int64), numpy.cumsum(self.volume)])

    @cached_property
    def digest(self) -> str:
        """As of bars; of trades in a recorded book over that too."""
        return super().digest if self.depth is None else self.depth.digest_behind(super().digest)

    def part(self, begin: int, end: int) -> Prints:
        """Trades from `begin` to before `end`; shares memory with the whole."""
        times, ticks, lots = (
            numpy.ascontiguousarray(column[begin:end]) for column in (self.open_ms, self.close, self.volume)
        )
        depth = None if self.depth is None else self.depth.part(begin, end)
        return Prints(self.instrument, 1, times, ticks, ticks, ticks, ticks, lots, self.warnings, depth=depth)


def _lay_out(column: Column, lanes: Prices) -> None:
    """Lay a column out in rows of lanes, the last as far as it goes."""
    width = lanes.shape[1]
    whole = len(column) // width
    lanes[:whole] = column[: whole * width].reshape(-1, width)
    if whole < len(lanes):
        lanes[whole, : len(column) - whole * width] = column[whole * width :]


def _check_rows(open_ms: Column, opens: Column, highs: Column, lows: Column, closes: Column, volumes: Column) -> None:
    """Refuse rows that cannot be, by their number."""
    if (lows is highs) and (opens is closes):
        wrong = lows <= 0
    else:
        wrong = (lows <= 0) | (lows > opens) | (lows > closes) | (highs < opens) | (highs < closes)
    if wrong.any():
        row = int(numpy.argmax(wrong))
        raise BadHistory(
            say(
                "absurd_row",
                "row {row} is absurd (open {open}, high {high}, low {low}, close {close} ticks); check the "
                "file with `ares data check`.",
                row=row,
                open=opens[row],
                high=highs[row],
                low=lows[row],
                close=closes[row],
                field="history",
            )
        )
    back = numpy.diff(open_ms) < 0 if lows is highs else numpy.diff(open_ms) <= 0
    if back.any():
        row = int(numpy.argmax(back)) + 1
        raise BadHistory(
            say(
                "row_not_later",
                "row {row} is not later than the one before it; sort it and drop what is double.",
                row=row,
                field="history",
            )
        )
    if (volumes < 0).any():
        raise BadHistory(
            say(
                "volume_below_zero",
                "row {row} has a volume below zero.",
                row=int(numpy.argmax(volumes < 0)),
                field="history",
            )
        )


def bars_of(instrument: Instrument, bar_ms: int, rows: Sequence[Sequence[Any]]) -> History:
    """A history of (time in ms, open, high, low, close, volume) with prices as decimals or decimal texts."""
    times = numpy.array([int(row[0]) for row in rows], numpy.int64)
    opens, highs, lows, closes = (
        numpy.array([instrument.to_ticks(Decimal(row[place])) for row in rows], numpy.int64) for place in range(1, 5)
    )
    lots = numpy.array([int(Decimal(row[5]) / instrument.lot_size) for row in rows], numpy.int64)
    return History(instrument, bar_ms, times, opens, highs, lows, closes, lots)


def prints_of(instrument: Instrument, times: Column, ticks: Column, lots: Column, depth: Depth | None = None) -> Prints:
    """A history of trades: time in milliseconds, price in ticks, quantity in lots, in the order they happened."""
    return Prints(instrument, 1, times, ticks, ticks, ticks, ticks, lots, depth=depth)
