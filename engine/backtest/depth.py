"""Recorded depth: what stood in a venue's book, change by change, and the trades that were made in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush
from typing import Final, NamedTuple

import numpy

from domain.instrument import Instrument
from domain.order import BUY, SELL
from engine.backtest.history import BadHistory, Column, Prints, prints_of
from engine.backtest.kernel import book as kernel


class Came(NamedTuple):
    """What newly stood at the best price of a side, by states: which state, which side, the price, and how much."""

    states: Column
    sides: Column
    ticks: Column
    lots: Column


class Best(NamedTuple):
    """Of every state the best bid and offer, 0 where there is none, and what came to the best prices."""

    bids: Column
    offers: Column
    came: Came


@dataclass(frozen=True)
class Book:
    """A book as states that follow one another, each with what changed. The first is a snapshot of it."""

    #: When each state began, in milliseconds.
    times: Column
    #: Of each change: the state that it came with, BUY for bids, the price, and the lots that stand there since.
    states: Column
    sides: Column
    ticks: Column
    lots: Column
    #: The venue's numbers of the snapshot and of the last change.
    first_id: int = 0
    last_id: int = 0

    def __post_init__(self) -> None:
        changes = (self.states, self.sides, self.ticks, self.lots)
        if len({len(column) for column in changes}) != 1 or not len(self.times) or not len(self.states):
            raise BadHistory("book: it has no state, or its columns differ in length.")
        steps = numpy.diff(self.states, prepend=0, append=len(self.times))
        if self.states[0] != 0 or steps[-1] != 1 or not set(steps.tolist()) <= {0, 1}:
            raise BadHistory("book: every state of it has to change something, one after the other.")
        if (numpy.diff(self.times) < 0).any():
            raise BadHistory("book: its states do not follow one another.")
        if (self.ticks <= 0).any() or (self.lots < 0).any() or (abs(self.sides) != 1).any():
            raise BadHistory("book: a change of it is absurd.")

    @property
    def columns(self) -> tuple[Column, ...]:
        """Everything that it is made of."""
        return self.times, self.states, self.sides, self.ticks, self.lots

    @cached_property
    def best(self) -> Best:
        """The best prices of every state. A state is looked at when all of its changes are made."""
        walk = _Walk()
        ends = numpy.searchsorted(self.states, numpy.arange(len(self.times)), "right").tolist()
        changes = list(zip(self.sides.tolist(), self.ticks.tolist(), self.lots.tolist(), strict=True))
        begin = 0
        for state, end in enumerate(ends):
            walk.turn(state, changes[begin:end])
            begin = end
        bests = numpy.array(walk.bests, numpy.int64).reshape(-1, 2)
        came = numpy.array(walk.came, numpy.int64).reshape(-1, 4)
        return Best(bests[:, 0].copy(), bests[:, 1].copy(), Came(*(came[:, place].copy() for place in range(4))))

    @cached_property
    def crossed(self) -> int:
        """The first state in which somebody bids what somebody offers at; -1 when there is none."""
        wrong = (self.best.offers > 0) & (self.best.bids >= self.best.offers)
        return int(numpy.argmax(wrong)) if wrong.any() else -1

    def for_kernel(self, begin: int, highest: int) -> tuple[Column, list[int]]:
        """The book as the kernel reads it, where it lies from `begin` on; and where its parts do, as `BOOK_PARTS`.

        Levels above `highest` are left out: products with their prices might not fit 64 bits.
        """
        states = numpy.stack([self.times, self.best.bids, self.best.offers], axis=1)
        kept = numpy.flatnonzero(self.ticks <= highest)
        order = kept[numpy.lexsort((self.states[kept], self.ticks[kept], -self.sides[kept]))]
        sides, ticks = self.sides[order], self.ticks[order]
        firsts = numpy.flatnonzero((numpy.diff(sides, prepend=0) != 0) | (numpy.diff(ticks, prepend=0) != 0))
        changes_at = begin + states.size + (len(firsts) + 1) * kernel.LEVEL_WIDTH
        starts = changes_at + numpy.append(firsts, len(order)) * kernel.CHANGE_WIDTH
        levels = numpy.stack([numpy.append(ticks[firsts], 0), starts], axis=1)
        changes = numpy.stack([self.states[order], self.lots[order]], axis=1)
        column = numpy.concatenate([states.ravel(), levels.ravel(), changes.ravel()])
        bid_levels = int((sides[firsts] == BUY).sum())
        return column, [len(self.times), begin, begin + states.size, bid_levels, len(firsts)]


#: What `for_kernel` tells of a book: its states, where they and the levels lie, the levels of bids and of both.
BOOK_PARTS: Final = 5


class _Walk:
    """A book on its way from state to state."""

    def __init__(self) -> None:
        self.bests: list[tuple[int, int]] = []
        self.came: list[tuple[int, int, int, int]] = []
        self._shown: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}
        #: Prices, the best first; of levels that have gone, some are still there.
        self._nearest: dict[int, list[int]] = {BUY: [], SELL: []}

    def turn(self, state: int, changes: list[tuple[int, int, int]]) -> None:
        before: dict[tuple[int, int], int] = {}
        for side, ticks, lots in changes:
            shown = self._shown[side].get(ticks, 0)
            before.setdefault((side, ticks), shown)
            self._shown[side][ticks] = lots
            if lots and not shown:
                heappush(self._nearest[side], -side * ticks)
        best = {side: self._best(side) for side in (BUY, SELL)}
        self.bests.append((best[BUY], best[SELL]))
        for side, ticks in best.items():
            grown = self._shown[side][ticks] - before[side, ticks] if (side, ticks) in before else 0
            if grown > 0:
                self.came.append((state, side, ticks, grown))

    def _best(self, side: int) -> int:
        prices = self._nearest[side]
        while prices and not self._shown[side][-side * prices[0]]:
            heappop(prices)
        return -side * prices[0] if prices else 0


@dataclass(frozen=True)
class Depth:
    """What is known of trades whose book was recorded, from before the first of them on."""

    #: Of each trade: the side that took, and the state of the book that it met.
    takers: Column
    states: Column
    book: Book

    def digest_behind(self, digest: str) -> str:
        """SHA-256 over a digest of the trades and all of this."""
        found = hashlib.sha256(digest.encode())
        for column in (self.takers, self.states, *self.book.columns):
            found.update(numpy.ascontiguousarray(column).data)
        return found.hexdigest()

    def part(self, begin: int, end: int) -> Depth:
        """Of trades from `begin` to before `end`, with the whole book."""
        takers, states = (numpy.ascontiguousarray(column[begin:end]) for column in (self.takers, self.states))
        return Depth(takers, states, self.book)


def to_rows(prints: Prints, depth: Depth) -> dict[str, Column]:
    """What is kept of trades and their book in one table: every change of the book, and behind them every trade."""
    book = depth.book
    return {
        "is_trade": numpy.repeat(numpy.array([0, 1]), (len(book.states), len(prints))),
        "open_ms": numpy.concatenate([book.times[book.states], prints.open_ms]),
        "state": numpy.concatenate([book.states, depth.states]),
        "side": numpy.concatenate([book.sides, depth.takers]),
        "close": numpy.concatenate([book.ticks, prints.close]),
        "volume": numpy.concatenate([book.lots, prints.volume]),
    }


def from_rows(
    instrument: Instrument, warnings: tuple[str, ...], columns: Mapping[str, Column], ids: Sequence[int]
) -> Prints:
    """The trades with their book that `to_rows` has made a table of."""
    is_trade = columns["is_trade"] != 0
    named = ("open_ms", "state", "side", "close", "volume")
    changed, states, sides, prices, shown = (numpy.ascontiguousarray(columns[name][~is_trade]) for name in named)
    times, met, takers, ticks, lots = (numpy.ascontiguousarray(columns[name][is_trade]) for name in named)
    began = changed[numpy.flatnonzero(numpy.diff(states, prepend=-1))]
    depth = Depth(takers, met, Book(began, states, sides, prices, shown, *ids))
    return replace(prints_of(instrument, times, ticks, lots, depth), warnings=warnings)
