"""Order-book streams: best prices, the top of the book, and its changes.

A diff stream keeps the book as it stood at its last event. Its next event carries every level that differs, with `U`
one above the id of that event, so a snapshot plus all events after it is the book, whatever happened in between.
"""

from __future__ import annotations

from collections.abc import Collection

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
    """`depth`: changes since the last event.

    Between two beats the book may change and change back. Nobody need hear of that, unless somebody has read a
    snapshot meanwhile: the levels that it showed are sent again, whatever has become of them.
    """

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        self._book = self.exchange.book(key.symbol)
        self._last_id = self._seen_id = self._book.update_id
        self._is_reading = False
        self._bids, self._asks = self._read()
        self._shown: tuple[set[int], set[int]] = (set(), set())
        """Prices at which a snapshot since the last event differs from it."""
        self.wants_books = key.speed_ms == 0
        self._book.readers.append(self._note_snapshot)

    def close(self) -> None:
        """Nobody listens any more."""
        self._book.readers.remove(self._note_snapshot)

    def on_book(self, symbol: str) -> None:
        """Only on the stream without a beat."""
        self.tick(self.now_ms())

    def tick(self, now_ms: int) -> None:
        """Send every level that differs from the last event; nothing when none does."""
        update_id = self._book.update_id
        if update_id == self._seen_id:
            return
        self._seen_id = update_id
        bids, asks = self._read()
        changed = differences(self._bids, bids, self._shown[0]), differences(self._asks, asks, self._shown[1])
        self._bids, self._asks, self._shown = bids, asks, (set(), set())
        if not any(changed):
            return
        previous, self._last_id = self._last_id, update_id
        self.emit(payloads.depth_update(self.instrument(), previous + 1, update_id, previous, *changed, now_ms))

    def _read(self) -> tuple[dict[int, int], dict[int, int]]:
        self._is_reading = True
        bids, asks = self._book.depth(FULL_DEPTH)
        self._is_reading = False
        return dict(bids), dict(asks)

    def _note_snapshot(self) -> None:
        """Somebody is about to read the book as it stands now."""
        if self._is_reading or self._book.update_id == self._seen_id:
            return
        bids, asks = self._read()
        self._shown[0].update(price for price, _ in differences(self._bids, bids))
        self._shown[1].update(price for price, _ in differences(self._asks, asks))


def differences(before: dict[int, int], after: dict[int, int], also: Collection[int] = ()) -> Levels:
    """Levels of `after` that are new, differ or are in `also`, and with quantity 0 those gone; by falling price."""
    changed = {price: quantity for price, quantity in after.items() if before.get(price) != quantity}
    changed.update((price, 0) for price in before if price not in after)
    changed.update((price, after.get(price, 0)) for price in also)
    return sorted(changed.items(), reverse=True)
