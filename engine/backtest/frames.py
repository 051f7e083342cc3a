"""Recorded frames of a venue's streams: depth, trades, and the snapshot of the book that makes sense of them.

A line is `<nanoseconds> <frame>`, as it was received. Of Binance, spot and USD-M: a combined frame
`{"stream": ..., "data": ...}` or its data alone, and a REST snapshot of the book with `lastUpdateId`. Frames of other
kinds are passed over. What the venue's numbers prove to be missing refuses the recording: nobody can say what stood in
the book afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, lru_cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy
import orjson

from domain.errors import Refused
from domain.instrument import Instrument
from domain.money import exact, to_wire
from domain.order import BUY, SELL
from domain.sentences import say
from engine.backtest.depth import Book, Depth
from engine.backtest.files import MOST_ROWS, TOO_MANY, instrument_of_steps
from engine.backtest.history import BadHistory, Finding, Prints, prints_of
from engine.backtest.reading import texts, told

#: A snapshot of 5,000 levels has some 400,000 characters.
LONGEST_FRAME: Final = 4_000_000
_SHOWN: Final = 20
_CANNOT = (Refused, ValueError, ArithmeticError, KeyError, TypeError, AttributeError)

Levels = list[tuple[Decimal, Decimal]]
#: The same prices and quantities come again and again.
_amount = lru_cache(1 << 18)(exact)


class _Snapshot(NamedTuple):
    row: int
    number: int
    #: Spot does not tell when it was taken.
    time_ms: int | None
    bids: Levels
    offers: Levels


class _Change(NamedTuple):
    row: int
    time_ms: int
    #: The venue's numbers of its first and last update, and (futures) of the last one before.
    first: int
    last: int
    before: int | None
    bids: Levels
    offers: Levels


class _Trade(NamedTuple):
    row: int
    number: int
    time_ms: int
    price: Decimal
    quantity: Decimal
    taker: int


@dataclass
class _Frames:
    """What a recording holds."""

    path: Path
    snapshots: list[_Snapshot] = field(default_factory=list)
    changes: list[_Change] = field(default_factory=list)
    trades: list[_Trade] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)
    symbols: set[str] = field(default_factory=set)

    def refuse(self, row: int, words: str) -> None:
        self.wrong.append(Finding(row, words, False))

    def stop(self) -> None:
        """`BadHistory` with the rows that cannot be used, if there are any."""
        if not self.wrong:
            return
        named = "; ".join(f"row {finding.row} {finding.words}" for finding in self.wrong[:_SHOWN])
        raise BadHistory(
            f"{self.path}: {len(self.wrong)} rows cannot be used: {named}. Take the recording from a snapshot after "
            "them on, or up to the first of them; nothing is repaired.",
            self.wrong,
        )


def read_depth(path: Path, symbol: str, base: str, quote: str, most_rows: int = MOST_ROWS) -> Prints:
    """The trades of a recording with their book (a text, .gz or .zip); `BadHistory` names the rows that stop it.

    Ticks and lots are the finest steps there. Times are the venue's. What changed and was traded in one millisecond
    was traded first. Trades that are missing by their numbers become a warning of every result.
    """
    if not path.is_file():
        raise BadHistory(f"{path}: there is no such file.")
    with told(path):
        frames = _read(path, most_rows)
    frames.stop()
    snapshot, changes = _chained(frames)
    began = snapshot.time_ms if snapshot.time_ms is not None else changes[0].time_ms
    began = min(began, changes[0].time_ms)
    early = sum(trade.time_ms <= began for trade in frames.trades)
    missing, trades = _in_order(frames), frames.trades[early:]
    frames.stop()
    if len(trades) < 2:
        raise BadHistory(f"{path}: it holds {len(trades)} trades after its book is known; record a longer time.")
    instrument = _instrument(snapshot, changes, trades, symbol, base, quote)
    book = _book(instrument, began, snapshot, changes)
    if book.crossed >= 0:
        row = changes[book.crossed - 1].row if book.crossed else snapshot.row
        frames.refuse(row, "leaves a book in which somebody bids what somebody offers at")
        frames.stop()
    return replace(_prints(instrument, trades, book), warnings=tuple(_warnings(snapshot, early, missing)))


def _warnings(snapshot: _Snapshot, early: int, missing: int) -> Iterator[str]:
    lowest, highest = min(snapshot.bids)[0], max(snapshot.offers)[0]
    yield say(
        "book_known_between",
        "the book is known from {lowest} to {highest} at its start; of other prices only what has changed there",
        lowest=to_wire(lowest),
        highest=to_wire(highest),
    )
    if early:
        yield say("trades_before_book", "{trades} trades before the book was known were left out", trades=early)
    if missing:
        yield say("trades_missing", "{trades} trades are missing by their numbers", trades=missing)


def _read(path: Path, most_rows: int) -> _Frames:
    frames = _Frames(path)
    for row, line in enumerate(chain.from_iterable(texts(path, LONGEST_FRAME)), 1):
        if row > most_rows:
            raise BadHistory(TOO_MANY.format(path=path, most=most_rows))
        text = line.strip()
        if not text:
            continue
        try:
            received, _, frame = text.partition(" ")
            if not received.isdigit():
                raise ValueError("it does not begin with the nanoseconds of its arrival")
            _take_in(frames, row, orjson.loads(frame))
        except _CANNOT as error:
            frames.refuse(row, f"cannot be read: {error}")
    if len(frames.symbols) > 1:
        raise BadHistory(f"{path}: it holds {', '.join(sorted(frames.symbols))}; record each into a file of its own.")
    return frames


def _take_in(frames: _Frames, row: int, frame: dict[str, Any]) -> None:
    content = frame.get("data", frame)
    kind = content.get("e")
    if "lastUpdateId" in content:
        bids, offers = _levels(content["bids"]), _levels(content["asks"])
        if not bids or not offers:
            raise ValueError("a side of the snapshot is empty")
        frames.snapshots.append(_Snapshot(row, int(content["lastUpdateId"]), content.get("T"), bids, offers))
    elif kind == "depthUpdate":
        time_ms = int(content.get("T", content["E"]))
        numbers = int(content["U"]), int(content["u"]), content.get("pu")
        if numbers[0] > numbers[1]:
            raise ValueError(f"its updates go from {numbers[0]} to {numbers[1]}")
        frames.changes.append(_Change(row, time_ms, *numbers, _levels(content["b"]), _levels(content["a"])))
    # What an insurance fund or a deleveraging takes over does not pass through the book.
    elif kind == "trade" and content.get("X", "MARKET") == "MARKET":
        price, quantity = exact(content["p"]), exact(content["q"])
        if price <= 0 or quantity <= 0:
            raise ValueError(f"{quantity} at {price} is no trade")
        taker = SELL if content["m"] else BUY
        frames.trades.append(_Trade(row, int(content["t"]), int(content["T"]), price, quantity, taker))
    if "s" in content:
        frames.symbols.add(str(content["s"]))


def _levels(pairs: Iterable[Any]) -> Levels:
    found = [(_amount(price), _amount(quantity)) for price, quantity in pairs]
    for price, quantity in found:
        if price <= 0 or quantity < 0:
            raise ValueError(f"{quantity} at {price} is no level of a book")
    return found


def _chained(frames: _Frames) -> tuple[_Snapshot, list[_Change]]:
    """The first snapshot and the changes after it, each of which begins where the one before it ends."""
    if not frames.snapshots:
        raise BadHistory(
            f"{frames.path}: it holds no snapshot of the book (a line with lastUpdateId), so nobody can say what stood "
            "there; record one beside the streams."
        )
    snapshot = frames.snapshots[0]
    changes = [change for change in frames.changes if change.last > snapshot.number]
    if not changes:
        raise BadHistory(f"{frames.path}: it holds no change of the book after its snapshot; record depth beside it.")
    first = changes[0]
    if not (first.first <= snapshot.number + 1 or (first.before is not None and first.before <= snapshot.number)):
        frames.refuse(
            first.row,
            f"follows a gap: its updates begin at {first.first}, and the snapshot of row {snapshot.row} ends at "
            f"{snapshot.number}",
        )
    for before, after in pairwise(changes):
        _check_follows(frames, before, after)
    frames.stop()
    return snapshot, [change for change in changes if change.bids or change.offers]


def _check_follows(frames: _Frames, before: _Change, after: _Change) -> None:
    ends = f"and those of row {before.row} end at {before.last}"
    if after.last <= before.last:
        frames.refuse(after.row, f"is double or out of order: its updates end at {after.last}, {ends}")
    elif after.before is not None and after.before != before.last:
        frames.refuse(after.row, f"follows a gap: its updates come after {after.before}, {ends}")
    elif after.before is None and after.first != before.last + 1:
        frames.refuse(after.row, f"follows a gap: its updates begin at {after.first}, {ends}")
    elif after.time_ms < before.time_ms:
        frames.refuse(after.row, f"is earlier than row {before.row}: {after.time_ms} after {before.time_ms}")


def _in_order(frames: _Frames) -> int:
    """How many trades are missing by their numbers; what is out of order is found."""
    missing = 0
    for before, after in pairwise(frames.trades):
        missing += max(after.number - before.number - 1, 0)
        if after.number <= before.number:
            frames.refuse(after.row, f"is double or out of order: trade {after.number}")
        elif after.time_ms < before.time_ms:
            frames.refuse(after.row, f"is earlier than the one before it: trade {after.number}")
    return missing


def _instrument(
    snapshot: _Snapshot, changes: list[_Change], trades: list[_Trade], symbol: str, base: str, quote: str
) -> Instrument:
    told: list[_Snapshot | _Change] = [snapshot, *changes]
    levels = {level for change in told for level in (*change.bids, *change.offers)}
    prices = {price for price, _ in levels} | {trade.price for trade in trades}
    quantities = {quantity for _, quantity in levels} | {trade.quantity for trade in trades}
    return instrument_of_steps(prices, quantities, max(trade.price for trade in trades), symbol, base, quote)


def _book(instrument: Instrument, began: int, snapshot: _Snapshot, changes: list[_Change]) -> Book:
    ticks, lots = cache(lambda price: int(price / instrument.tick_size)), cache(lambda q: int(q / instrument.lot_size))
    told: list[_Snapshot | _Change] = [snapshot, *changes]
    rows = [
        (state, side, ticks(price), lots(quantity))
        for state, change in enumerate(told)
        for side, levels in ((BUY, change.bids), (SELL, change.offers))
        for price, quantity in levels
    ]
    table = numpy.array(rows, numpy.int64)
    times = numpy.array([began, *(change.time_ms for change in changes)], numpy.int64)
    states, sides, prices, shown = (table[:, place].copy() for place in range(4))
    return Book(times, states, sides, prices, shown, snapshot.number, changes[-1].last)


def _prints(instrument: Instrument, trades: list[_Trade], book: Book) -> Prints:
    times = numpy.array([trade.time_ms for trade in trades], numpy.int64)
    ticks = numpy.array([int(trade.price / instrument.tick_size) for trade in trades], numpy.int64)
    lots = numpy.array([int(trade.quantity / instrument.lot_size) for trade in trades], numpy.int64)
    takers = numpy.array([trade.taker for trade in trades], numpy.int64)
    # Of one millisecond the trades come first: the change tells what they have left.
    states = numpy.searchsorted(book.times, times, "left") - 1
    return prints_of(instrument, times, ticks, lots, Depth(takers, states, book))
