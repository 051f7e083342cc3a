"""What every stream has in common: its listeners, the events it reacts to, and the beat of market time it keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from simulator.instruments import Instrument, Market
from simulator.streams.frames import Message
from simulator.streams.names import StreamKey

if TYPE_CHECKING:
    from simulator.market.symbol_market import SymbolMarket
    from simulator.market.types import Trade
    from simulator.streams.venue import Exchange, StreamVenue


class Listener(Protocol):
    """A connection that has asked for a stream."""

    def receive(self, message: Message) -> None:
        """Send the event on."""


class Feed:
    """One stream with at least one listener. Subclasses say what makes it speak."""

    wants_trades = False
    wants_books = False
    is_held = False
    """Whether something waits to be sent at the end of the turn (`finish`)."""

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        self.key = key
        self.venue = venue
        self.listeners: dict[Listener, None] = {}
        self.last_tick_ms = venue.clock.now_ms()

    def on_trade(self, symbol: str, trade: Trade) -> None:
        """A public trade happened on a symbol this stream shows."""

    def on_book(self, symbol: str) -> None:
        """The visible book of such a symbol changed."""

    def tick(self, now_ms: int) -> None:
        """The stream's beat has come (never for a stream that is sent at once)."""

    def due_ms(self, now_ms: int) -> int | None:
        """The next beat at which it has something to say; None when there is none as things stand."""
        return (now_ms // self.key.speed_ms + 1) * self.key.speed_ms

    def pass_over(self) -> None:
        """Trades of its symbol are about to happen of which nobody is told."""

    def finish(self) -> None:
        """Send what was held back until the turn's end."""

    def close(self) -> None:
        """The last listener has gone; let go of whatever was joined."""

    @property
    def exchange(self) -> Exchange:
        """The exchange the stream belongs to."""
        return self.venue.exchange(self.key.market)

    @property
    def market_kind(self) -> Market:
        """Spot or futures."""
        return self.key.market

    @property
    def symbols(self) -> Iterable[str]:
        """The symbols it shows: one, or all that are listed."""
        return (self.key.symbol,) if self.key.symbol else self.exchange.instruments

    def instrument(self, symbol: str = "") -> Instrument:
        """Rules of the stream's symbol, or of the one named."""
        return self.exchange.instruments[symbol or self.key.symbol]

    def market(self, symbol: str = "") -> SymbolMarket:
        """Trades and bars of the stream's symbol, or of the one named."""
        return self.exchange.market(symbol or self.key.symbol)

    def now_ms(self) -> int:
        """Market time."""
        return self.venue.clock.now_ms()

    def emit(self, payload: object) -> None:
        """Send an event to every listener; it is serialised once."""
        message = Message(self.key.name, payload)
        for listener in list(self.listeners):
            listener.receive(message)


class ChangedSymbols(Feed):
    """A beat over symbols that sends only those which traded since the last one; all of them on its first beat."""

    wants_trades = True

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        self._changed: dict[str, None] = dict.fromkeys(self.symbols)

    def on_trade(self, symbol: str, trade: Trade) -> None:
        """Mark the symbol."""
        self._changed[symbol] = None

    def tick(self, now_ms: int) -> None:
        """Send one event, or an array of them on a stream of all symbols."""
        changed, self._changed = self._changed, {}
        payloads = [self.payload(symbol, now_ms) for symbol in changed if symbol in self.exchange.instruments]
        if payloads:
            self.emit(payloads[0] if self.key.symbol else payloads)

    def due_ms(self, now_ms: int) -> int | None:
        """Never while nothing has traded."""
        return super().due_ms(now_ms) if self._changed else None

    def payload(self, symbol: str, now_ms: int) -> object:
        """The event of one symbol."""
        raise NotImplementedError


FeedMaker = Callable[[StreamKey, "StreamVenue"], Feed]
