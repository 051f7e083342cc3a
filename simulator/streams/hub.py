"""The streams' centre: hears of everything that happens on the bus and lets each subscribed stream speak.

Beats run on market time: the venue asks `next_due` how far it may go before a stream wants to speak, and calls `flush`
when it has gone there. Nothing is computed for a stream that nobody has asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from simulator.events import BookMoved, Event, InstrumentChanged, KlineClosed, TradeHappened
from simulator.faults import CONNECTION_KINDS
from simulator.futures.types import Liquidation
from simulator.instruments import Market
from simulator.streams.catalogue import open_feed
from simulator.streams.feeds import Feed, Listener
from simulator.streams.futures_feeds import ContractInfoFeed, ForceOrderFeed
from simulator.streams.names import StreamKey
from simulator.streams.pump import Pump
from simulator.streams.timing import Timing
from simulator.streams.users import FuturesPayload, SpotPayload, UserStreams
from simulator.streams.venue import StreamVenue

if TYPE_CHECKING:
    from simulator.streams.connection import Connection

Place = tuple[Market, str]
PlaceT = TypeVar("PlaceT")


class StreamHub:
    """All streams of a venue. `timing` and the payload builders of user data may be given by tests."""

    def __init__(
        self,
        venue: StreamVenue,
        timing: Timing | None = None,
        spot_payload: SpotPayload | None = None,
        futures_payload: FuturesPayload | None = None,
    ) -> None:
        self.venue = venue
        self.timing = timing or Timing()
        self.users = UserStreams(venue, venue.listen_keys, spot_payload, futures_payload)
        self.pump = Pump(self._finish_held)
        self.connections: dict[Connection, None] = {}
        """Open WebSockets, oldest first."""
        self.in_flight = 0
        """Requests of the WebSocket API that are not answered yet, those included that a fault delays."""
        self._feeds: dict[StreamKey, Feed] = {}
        self._at: dict[Place, dict[Feed, None]] = {}
        """Feeds by market and symbol; under an empty symbol those that show all."""
        self._beats: dict[int, dict[Feed, None]] = {}
        self._beaten_ms: dict[int, int] = {}
        self._held: dict[Feed, None] = {}
        self._connected = 0
        self._handlers: dict[type, Callable[..., None]] = {
            TradeHappened: self._on_trade,
            BookMoved: self._on_book,
            InstrumentChanged: self._on_instrument,
            Liquidation: self._on_liquidation,
            KlineClosed: lambda event: None,
        }
        venue.bus.join(self._on_event)
        venue.faults.join(lambda rule: self._carry_out_faults())

    # Listeners

    def add_listener(self, key: StreamKey, listener: Listener) -> Feed | None:
        """Let a connection hear a stream; None when its symbol is not listed, which stays silent."""
        feed = self._feeds.get(key)
        if feed is None:
            if (
                key.symbol
                and key.kind != "assetIndex"
                and key.symbol not in self.venue.exchange(key.market).instruments
            ):
                return None
            feed = open_feed(key, self.venue)
            if feed is None:
                return None
            self._feeds[key] = feed
            self._at.setdefault((key.market, key.symbol), {})[feed] = None
            if key.speed_ms:
                self._beats.setdefault(key.speed_ms, {})[feed] = None
        feed.listeners[listener] = None
        return feed

    def remove_listener(self, feed: Feed, listener: Listener) -> None:
        """Let it hear no more; a stream without listeners is forgotten."""
        feed.listeners.pop(listener, None)
        key = feed.key
        if feed.listeners or self._feeds.get(key) is not feed:
            return
        del self._feeds[key]
        self._held.pop(feed, None)
        feed.close()
        _discard(self._at, (key.market, key.symbol), feed)
        _discard(self._beats, key.speed_ms, feed)

    def next_connection_number(self) -> int:
        """Numbers of connections count from 1."""
        self._connected += 1
        return self._connected

    # The venue's side

    def watches(self, market: Market, symbol: str) -> bool:
        """Whether somebody would notice what happens on a symbol."""
        return (market, symbol) in self._at or (market, "") in self._at

    def pass_over(self, market: Market, symbol: str) -> None:
        """Trades of a symbol are about to happen of which nobody is told."""
        for feed in self._near(market, symbol):
            feed.pass_over()

    def next_due(self, now_ms: int, *, is_sparse: bool = False) -> int | None:
        """The next market time at which a stream speaks by itself; None when none will.

        `is_sparse` leaves out beats at which, as things stand, nothing would be said.
        """
        if not self._beats:
            return None
        if is_sparse:
            times = (feed.due_ms(now_ms) for feeds in self._beats.values() for feed in feeds)
            return min((max(due, now_ms + 1) for due in times if due is not None), default=None)
        return min((now_ms // speed + 1) * speed for speed in self._beats)

    def flush(self, now_ms: int) -> None:
        """Let every stream speak whose beat has come since the last call."""
        self._finish_held()
        for speed in sorted(self._beats):
            beat = now_ms // speed
            if self._beaten_ms.get(speed) != beat:
                self._beaten_ms[speed] = beat
                for feed in list(self._beats[speed]):
                    feed.tick(now_ms)

    def on_protocol_time(self, now_ms: int) -> None:
        """Timers of real time: listen keys that die, faults that have become due."""
        self.users.expire_keys(now_ms)
        if self.venue.faults.has_stream_rules:
            self._carry_out_faults()

    def quiet(self) -> bool:
        """Whether every event has left the process, and every request of the WebSocket API is answered."""
        self._finish_held()
        if self.in_flight or not self.pump.is_idle:
            return False
        return all(connection.is_flushed for connection in self.connections)

    # The bus

    def _on_event(self, event: Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is None:
            self.users.on_event(event)
        else:
            handler(event)

    def _near(self, market: Market, symbol: str) -> list[Feed]:
        return [*self._at.get((market, symbol), ()), *self._at.get((market, ""), ())]

    def _on_trade(self, event: TradeHappened) -> None:
        if not self._at:
            return
        for feed in self._near(event.market, event.symbol):
            if feed.wants_trades:
                feed.on_trade(event.symbol, event.trade)
                if feed.is_held:
                    self._hold(feed)

    def _on_book(self, event: BookMoved) -> None:
        if not self._at:
            return
        for feed in self._near(event.market, event.symbol):
            if feed.wants_books:
                feed.on_book(event.symbol)

    def _on_instrument(self, event: InstrumentChanged) -> None:
        for feed in self._near("futures", ""):
            if isinstance(feed, ContractInfoFeed):
                feed.on_instrument(event.instrument)

    def _on_liquidation(self, event: Liquidation) -> None:
        for feed in self._near("futures", event.order.symbol):
            if isinstance(feed, ForceOrderFeed):
                feed.on_liquidation(event)

    def _hold(self, feed: Feed) -> None:
        self._held[feed] = None
        self.pump.wake()

    def _finish_held(self) -> None:
        if self._held:
            held, self._held = self._held, {}
            for feed in held:
                feed.finish()

    def _carry_out_faults(self) -> None:
        board = self.venue.faults
        if not any(rule.kind in CONNECTION_KINDS for rule in board.rules()):
            return
        for connection in list(self.connections):
            for rule in board.for_connection(connection.scope):
                connection.carry_out(rule)


def _discard(table: dict[PlaceT, dict[Feed, None]], place: PlaceT, feed: Feed) -> None:
    """Take a feed out of one entry of a table, and the entry out of the table when it was the last."""
    members = table.get(place)
    if members is not None:
        members.pop(feed, None)
        if not members:
            del table[place]
