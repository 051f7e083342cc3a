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
from engine.backtest.history import Column, History, Prints
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel import queue, tape
from engine.backtest.percent import to_ppm
from engine.backtest.queueing import Queue
from engine.backtest.settings import Settings
from engine.backtest.store import resampled

_NOBODY: Final = Queue()


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
    return is_tape


def tape_of(history: History, settings: Settings) -> Column:
    """The rows of `kernel.tape`, one behind the other."""
    prints = history.prints if isinstance(history, Taped) else history
    bars = numpy.arange(len(prints), dtype=numpy.int64)
    rows = numpy.empty((len(prints), tape.WIDTH), numpy.int64)
    if isinstance(history, Taped):
        bars = numpy.searchsorted(history.open_ms, prints.open_ms, "right") - 1
    rows[:, tape.TIME], rows[:, tape.BAR] = prints.open_ms, bars
    rows[:, tape.TICKS], rows[:, tape.LOTS] = prints.close, prints.volume
    rows[:, tape.AHEAD] = ahead(settings.queue or _NOBODY, prints)
    if isinstance(history, Taped):
        # A trade before the first bar, or between bars where one is missing, is of none.
        rows = rows[(bars >= 0) & (prints.open_ms < history.open_ms[bars] + history.bar_ms)]
    end = numpy.full((1, tape.WIDTH), lay.FAR)
    return numpy.concatenate([rows, end]).ravel()


def add_queue(cells: list[int], settings: Settings, slots: int) -> None:
    """Room for what the queue knows of every slot."""
    assumed = settings.queue or _NOBODY
    cells[lay.STANDS_AT] = len(cells)
    cells[lay.CANCELLED_PPM] = to_ppm("queue: cancelled_percent", assumed.cancelled_percent)
    cells[lay.WHOLE_BEYOND] = int(assumed.whole_beyond)
    cells += [0] * (slots * queue.WIDTH)


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
