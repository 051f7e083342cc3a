"""Order-book streams: best prices, the top of the book, and its changes.

A diff stream keeps the book as it stood at its last event. Its next event carries every level that differs, with `U`
one above the id of that event, so a snapshot plus all events after it is the book, whatever happened in between.
"""

from __future__ import annotations

from simulator.streams import payloads
from simulator.streams.feeds import Feed
from simulator.streams.names import StreamKey
from simulator.streams.payloads import Level, Levels
from simulator.streams.venue import StreamVenue

FULL_DEPTH = 5000
"""Levels of a side that are followed: what the deepest REST snapshot shows."""


class BookTickerFeed(Feed):
    """`bookTicker`: at once, when price or quantity of a best level changes; `!bookTicker` of USD-M every 5 seconds."""

    wants_books = True

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        self._last: dict[str, tuple[Level | None, Level | None]] = {}
        self._changed: dict[str, None] = dict.fromkeys(self.symbols) if key.speed_ms else {}

    def on_book(self, symbol: str) -> None:
        """Send it, or leave it for the beat."""
        if self.key.speed_ms:
            self._changed[symbol] = None
        else:
            self._send(symbol)

    def tick(self, now_ms: int) -> None:
        """Send the symbols that changed, each as an event of its own."""
        changed, self._changed = self._changed, {}
        for symbol in changed:
            self._send(symbol)

    def _send(self, symbol: str) -> None:
        book = self.exchange.book(symbol)
        bids, asks = book.depth(1)
        best = (bids[0] if bids else None, asks[0] if asks else None)
        if self._last.get(symbol) != best:
            self._last[symbol] = best
            self.emit(payloads.book_ticker(self.instrument(symbol), book.update_id, *best, self.now_ms()))


class PartialDepthFeed(Feed):
    """`depth5`, `depth10`, `depth20`: the top levels, sent when they changed."""

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        self._last: tuple[Levels, Levels] | None = None
        self._last_id = self.exchange.book(key.symbol).update_id
        self.wants_books = key.speed_ms == 0

    def on_book(self, symbol: str) -> None:
        """Only on the stream without a beat."""
        self.tick(self.now_ms())

    def tick(self, now_ms: int) -> None:
        """Compare with what was sent last."""
        book = self.exchange.book(self.key.symbol)
        levels = book.depth(int(self.key.argument))
        if levels == self._last:
            return
        self._last = levels
        bids, asks = levels
        instrument = self.instrument()
        if instrument.market == "spot":
            self.emit(payloads.partial_depth(instrument, book.update_id, bids, asks))
        else:
            previous, self._last_id = self._last_id, book.update_id
            first = min(previous + 1, book.update_id)
            self.emit(payloads.depth_update(instrument, first, book.update_id, previous, bids, asks, now_ms))


class DepthFeed(Feed):
    """`depth`: changes since the last event."""

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        book = self.exchange.book(key.symbol)
        self._last_id = book.update_id
        self._seen_id = book.update_id
        self._bids, self._asks = (dict(side) for side in book.depth(FULL_DEPTH))
        self.wants_books = key.speed_ms == 0

    def on_book(self, symbol: str) -> None:
        """Only on the stream without a beat."""
        self.tick(self.now_ms())

    def tick(self, now_ms: int) -> None:
        """Send every level that differs from the last event; nothing when none does."""
        book = self.exchange.book(self.key.symbol)
        if book.update_id == self._seen_id:
            return
        self._seen_id = book.update_id
        bids, asks = (dict(side) for side in book.depth(FULL_DEPTH))
        changed = differences(self._bids, bids), differences(self._asks, asks)
        self._bids, self._asks = bids, asks
        if not any(changed):
            return
        previous, self._last_id = self._last_id, book.update_id
        self.emit(payloads.depth_update(self.instrument(), previous + 1, book.update_id, previous, *changed, now_ms))


def differences(before: dict[int, int], after: dict[int, int]) -> Levels:
    """Levels of `after` that are new or differ, and those that are gone with quantity 0, by falling price."""
    changed = [(price, quantity) for price, quantity in after.items() if before.get(price) != quantity]
    changed += [(price, 0) for price in before if price not in after]
    return sorted(changed, reverse=True)
