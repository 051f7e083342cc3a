"""Trades as the kernel walks them, and bars made of trades that are walked trade by trade."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy

from domain.errors import Refused
from domain.instrument import Instrument
from domain.money import divmod_exact
from domain.sentences import say
from engine.backtest.depth import BOOK_PARTS, Depth
from engine.backtest.history import Column, History, Prints
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel import queue
from engine.backtest.kernel.layout import Tape
from engine.backtest.percent import to_ppm
from engine.backtest.queueing import CANCELLATIONS, Queue
from engine.backtest.settings import Settings
from engine.backtest.store import resampled

_NOBODY: Final = Queue()
_NONE: Final[Column] = numpy.zeros(0, numpy.int64)
#: Executions that are told at once.
_LEVELS_AT_ONCE: Final = 4_096


@dataclass(frozen=True, kw_only=True)
class Taped(History):
    """Bars made of trades, with these: the strategy sees bars, and within one the price goes from trade to trade."""

    prints: Prints

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the bars and the trades."""
        return hashlib.sha256(f"{super().digest} {self.prints.digest}".encode()).hexdigest()

    def part(self, begin: int, end: int) -> Taped:
        """Bars from `begin` to before `end`, with all trades; those of other bars do not happen."""
        return _taped(super().part(begin, end), self.prints)

    def untaped(self) -> History:
        """The bars alone."""
        return super().part(0, len(self))


def taped(prints: Prints, bar_ms: int) -> Taped:
    """Bars of this length made of trades, as `store.resampled` makes them, with the trades."""
    return _taped(resampled(prints, bar_ms), prints)


def _taped(bars: History, prints: Prints) -> Taped:
    times, opens, highs, lows, closes, volumes = bars.columns
    return Taped(
        bars.instrument, bars.bar_ms, times, opens, highs, lows, closes, volumes, bars.warnings, prints=prints
    )  # fmt: skip


def is_walked(history: History, settings: Settings) -> bool:
    """Whether the market of a replay is its trades, one after the other; `Refused` where that cannot be."""
    is_queued = settings.fill_model == "queue"
    if is_queued and not isinstance(history, (Prints, Taped)):
        raise Refused(
            say(
                "queue_needs_trades",
                "fill_model queue: bars do not tell what was traded at which price; import trades (--prints).",
            )
        )
    is_tape = is_queued or isinstance(history, Taped)
    if is_tape and settings.bar_model != "path":
        raise Refused(
            say(
                "next_bar_on_trades",
                "bar_model next_bar is a way to read bars; where trades are walked, leave it at path.",
            )
        )
    if is_queued:
        _check_book(depth_in(history) is not None, settings)
    return is_tape


def depth_in(history: History) -> Depth | None:
    """The recorded depth that a history has, or is made of."""
    prints = history.prints if isinstance(history, Taped) else history
    return prints.depth if isinstance(prints, Prints) else None


def _check_book(is_known: bool, settings: Settings) -> None:
    """What is assumed has to be what is not known."""
    assumed = settings.queue or _NOBODY
    if is_known and assumed.assumes_quantities:
        raise Refused(
            say(
                "queue_of_recorded_book",
                "ahead, share and cancelled are for trades without a book, and here it was recorded; leave "
                "them out, and choose cancellations.",
                field="queue",
            )
        )
    if is_known and settings.slippage_ticks:
        raise Refused(
            say(
                "slippage_of_recorded_book",
                "the recorded book tells what a taker pays; leave it at 0.",
                field="slippage_ticks",
            )
        )
    if not is_known and assumed.cancellations != _NOBODY.cancellations:
        raise Refused(
            say(
                "cancellations_without_book",
                "cancellations are of a recorded book (`ares data import --depth`); leave them out.",
                field="queue",
            )
        )


def tape_of(history: History, settings: Settings) -> Tape:
    """What `kernel.tape` walks; of trades without a book their own columns, of which none is copied."""
    prints = history.prints if isinstance(history, Taped) else history
    depth = depth_in(history) if settings.fill_model == "queue" else None
    if depth is None:
        share = (settings.queue or _NOBODY).share_percent
        traded = prints.traded if share and isinstance(prints, Prints) else _NONE
        rows = _Rows(prints.open_ms, prints.close, prints.volume)
        marks, book, parts, begins, ends = prints.marks, _NONE, [0] * BOOK_PARTS, _NONE, _NONE
    else:
        traded = _NONE
        rows, begins, ends = _with_what_came(prints, depth)
        marks = _marks(rows)
        book, parts = depth.book.for_kernel(0, 2 * prints.highest)
    if isinstance(history, Taped):
        begins, ends = _rows_of_bars(history, rows.times)
    known = numpy.concatenate([book, numpy.array(parts, numpy.int64)])
    columns = (rows.times, rows.ticks, rows.lots, marks, begins, ends, traded, rows.kinds, rows.states, known)
    return Tape(*(_to_be_read(column) for column in columns))


def listed_of(columns: Tape) -> Tape:
    """The same as lists, for the interpreter."""
    return Tape(*(column.tolist() for column in columns))


class _Rows(NamedTuple):
    """Rows of a tape by their columns; of trades without a book, what they are and met is not told."""

    times: Column
    ticks: Column
    lots: Column
    kinds: Column = _NONE
    states: Column = _NONE


def _to_be_read(column: Column) -> Column:
    """The numbers one behind the other, as an array of one type: a kernel is compiled for each, and writes to none."""
    read = numpy.ascontiguousarray(column, numpy.int64).view()
    read.flags.writeable = False
    return read


def _with_what_came(prints: History, depth: Depth) -> tuple[_Rows, Column, Column]:
    """Between the trades, what came to the best prices of the book: each before the first trade that has met it.

    And where the rows of each trade begin and end.
    """
    came = depth.book.best.came
    before = numpy.searchsorted(depth.states, came.states, "left")
    kept = numpy.flatnonzero(before < len(prints))
    places = numpy.concatenate([2 * before[kept], 2 * numpy.arange(len(prints)) + 1])
    order = numpy.argsort(places, kind="stable")
    states, trades = came.states[kept], (prints.open_ms, prints.close, prints.volume)
    arrived = (depth.book.times[states], came.ticks[kept], came.lots[kept])
    times, ticks, lots = (numpy.concatenate(both)[order] for both in zip(arrived, trades, strict=True))
    kinds = numpy.concatenate([came.sides[kept] * queue.BIDS_CAME, depth.takers * queue.BY_BUYER])[order]
    ends = numpy.searchsorted(places[order], 2 * numpy.arange(len(prints)) + 1, "right")
    begins = numpy.concatenate([numpy.zeros(1, numpy.int64), ends[:-1]])
    return _Rows(times, ticks, lots, kinds, numpy.concatenate([states, depth.states])[order]), begins, ends


def _marks(rows: _Rows) -> Column:
    """Of every block of rows the lowest and the highest price that an order of ours may meet."""
    starts = numpy.arange(0, len(rows.ticks), lay.BLOCK)
    marks = numpy.zeros((len(starts), lay.MARK_WIDTH), numpy.int64)
    lows = numpy.where(rows.kinds == queue.BIDS_CAME, lay.FAR, rows.ticks)
    highs = numpy.where(rows.kinds == queue.OFFERS_CAME, 0, rows.ticks)
    marks[:, 0], marks[:, 1] = numpy.minimum.reduceat(lows, starts), numpy.maximum.reduceat(highs, starts)
    return marks.ravel()


def _rows_of_bars(bars: Taped, times: Column) -> tuple[Column, Column]:
    """Where the rows of each bar begin and end. A row before the first bar, or where one is missing, is of none."""
    # A row that comes behind one of a later bar is taken to be of that.
    sorted_times = numpy.maximum.accumulate(times)
    begins = numpy.searchsorted(sorted_times, bars.open_ms)
    ends = numpy.searchsorted(sorted_times, bars.open_ms + bars.bar_ms)
    ends = numpy.minimum(ends, numpy.append(begins[1:], len(times)))
    is_empty = begins == ends
    ends = numpy.maximum.accumulate(numpy.where(is_empty, 0, ends))
    return numpy.where(is_empty, ends, begins), ends


def add_queue(cells: list[int], settings: Settings, slots: int, walked: Tape, instrument: Instrument) -> None:
    """Room for what the queue knows of every slot; an order that takes many levels has more events to tell."""
    assumed = settings.queue or _NOBODY
    cells[lay.STANDS_AT] = len(cells)
    cells[lay.ROWS], cells[lay.IS_EACH_A_BAR], cells[lay.KNOWN] = len(walked.times), int(not len(walked.begins)), -1
    cells[lay.AHEAD_LEAST] = lots_up(instrument, assumed)
    cells[lay.AHEAD_PPM] = to_ppm("queue: share_percent", assumed.share_percent)
    cells[lay.AHEAD_MS] = assumed.share_ms
    cells[lay.CANCELLED_PPM] = to_ppm("queue: cancelled_percent", assumed.cancelled_percent)
    cells[lay.WHOLE_BEYOND] = int(assumed.whole_beyond)
    cells += [0] * (slots * queue.WIDTH)
    cells[lay.STATES : lay.STATES + BOOK_PARTS] = walked.book[-BOOK_PARTS:].tolist()
    cells[lay.CANCELLATIONS] = CANCELLATIONS[assumed.cancellations]
    if cells[lay.STATES]:
        cells[lay.TAKERS_AT] = len(cells)
        cells[lay.QUEUE_ROWS] += _LEVELS_AT_ONCE
        cells += [0] * slots


def lots_up(instrument: Instrument, assumed: Queue) -> int:
    """What stands in front at least, in lots."""
    lots, rest = divmod_exact(assumed.ahead, instrument.lot_size)
    return lots + (1 if rest else 0)
