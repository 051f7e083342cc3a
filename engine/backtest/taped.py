"""Trades as the kernel walks them, and bars made of trades that are walked trade by trade."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy

from domain.errors import Refused
from domain.fills import PARTS
from domain.instrument import Instrument
from domain.money import divmod_exact
from engine.backtest.depth import BOOK_PARTS, Depth
from engine.backtest.history import Column, History, Prints
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel import queue, tape
from engine.backtest.percent import to_ppm
from engine.backtest.queueing import CANCELLATIONS, Queue
from engine.backtest.settings import Settings
from engine.backtest.store import resampled

_NOBODY: Final = Queue()
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
        raise Refused("fill_model queue: bars do not tell what was traded at which price; import trades (--prints).")
    is_tape = is_queued or isinstance(history, Taped)
    if is_tape and settings.bar_model != "path":
        raise Refused("bar_model next_bar is a way to read bars; where trades are walked, leave it at path.")
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
            "queue: ahead, share and cancelled are for trades without a book, and here it was recorded; leave them "
            "out, and choose cancellations."
        )
    if is_known and settings.slippage_ticks:
        raise Refused("slippage_ticks: the recorded book tells what a taker pays; leave it at 0.")
    if not is_known and assumed.cancellations != _NOBODY.cancellations:
        raise Refused("queue: cancellations are of a recorded book (`ares data import --depth`); leave them out.")


def tape_of(history: History, settings: Settings) -> Column:
    """The rows of `kernel.tape`, one behind the other; behind them a book, if one is known, and where its parts are."""
    prints = history.prints if isinstance(history, Taped) else history
    depth = depth_in(history) if settings.fill_model == "queue" else None
    rows = numpy.empty((len(prints), tape.WIDTH), numpy.int64)
    rows[:, tape.TIME], rows[:, tape.BAR] = prints.open_ms, numpy.arange(len(prints), dtype=numpy.int64)
    rows[:, tape.TICKS], rows[:, tape.LOTS] = prints.close, prints.volume
    if depth is None:
        rows[:, tape.AHEAD], rows[:, tape.KIND] = ahead(settings.queue or _NOBODY, prints), queue.BY_ANYBODY
    else:
        rows[:, tape.AHEAD], rows[:, tape.KIND] = depth.states, depth.takers * queue.BY_BUYER
        rows = _with_what_came(rows, depth)
    if isinstance(history, Taped):
        # A trade before the first bar, or between bars where one is missing, is of none.
        bars = numpy.searchsorted(history.open_ms, rows[:, tape.TIME], "right") - 1
        rows[:, tape.BAR] = bars
        rows = rows[(bars >= 0) & (rows[:, tape.TIME] < history.open_ms[bars] + history.bar_ms)]
    end = numpy.full(tape.WIDTH, lay.FAR)
    book, parts = numpy.zeros(0, numpy.int64), [0] * BOOK_PARTS
    if depth is not None:
        book, parts = depth.book.for_kernel(rows.size + len(end), 2 * prints.highest)
    return numpy.concatenate([rows.ravel(), end, book, numpy.array(parts, numpy.int64)])


def _with_what_came(rows: Column, depth: Depth) -> Column:
    """Between the trades, what came to the best prices of the book: each before the first trade that has met it."""
    came = depth.book.best.came
    before = numpy.searchsorted(depth.states, came.states, "left")
    kept = numpy.flatnonzero(before < len(rows))
    more = numpy.empty((len(kept), tape.WIDTH), numpy.int64)
    more[:, tape.TIME], more[:, tape.BAR] = depth.book.times[came.states[kept]], before[kept]
    more[:, tape.TICKS], more[:, tape.LOTS] = came.ticks[kept], came.lots[kept]
    more[:, tape.AHEAD], more[:, tape.KIND] = came.states[kept], came.sides[kept] * queue.BIDS_CAME
    places = numpy.concatenate([2 * before[kept], 2 * numpy.arange(len(rows)) + 1])
    ordered: Column = numpy.concatenate([more, rows])[numpy.argsort(places, kind="stable")]
    return ordered


def add_queue(cells: list[int], settings: Settings, slots: int, tape_column: Column) -> None:
    """Room for what the queue knows of every slot, and for the events of an order that takes many levels."""
    assumed = settings.queue or _NOBODY
    cells[lay.STANDS_AT] = len(cells)
    cells[lay.CANCELLED_PPM] = to_ppm("queue: cancelled_percent", assumed.cancelled_percent)
    cells[lay.WHOLE_BEYOND] = int(assumed.whole_beyond)
    cells += [0] * (slots * queue.WIDTH)
    cells[lay.STATES : lay.STATES + BOOK_PARTS] = tape_column[-BOOK_PARTS:].tolist()
    cells[lay.CANCELLATIONS] = CANCELLATIONS[assumed.cancellations]
    if cells[lay.STATES]:
        cells[lay.TAKERS_AT], cells[lay.QUEUE_AT] = len(cells), len(cells) + slots
        cells[lay.QUEUE_ROWS] += _LEVELS_AT_ONCE
        cells += [0] * (slots + cells[lay.QUEUE_ROWS] * lay.EVENT_WIDTH)


def ahead(assumed: Queue, prints: History) -> Column:
    """Lots in front of an order that begins to rest after each trade, rounded up."""
    constant = lots_up(prints.instrument, assumed)
    share = to_ppm("queue: share_percent", assumed.share_percent)
    traded = numpy.concatenate([[0], numpy.cumsum(prints.volume)])
    since = numpy.searchsorted(prints.open_ms, prints.open_ms - assumed.share_ms, "right")
    within = traded[1:] - traded[since]
    # In two parts, so that the product stays below 64 bits.
    whole, rest = numpy.divmod(within, PARTS)
    column: Column = constant + whole * share - (-(rest * share) // PARTS)
    return column


def lots_up(instrument: Instrument, assumed: Queue) -> int:
    """What stands in front at least, in lots."""
    lots, rest = divmod_exact(assumed.ahead, instrument.lot_size)
    return lots + (1 if rest else 0)
