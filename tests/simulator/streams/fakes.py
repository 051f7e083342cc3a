"""A venue set by hand, behind the real streams on a real port, and clients that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import orjson
from aiohttp import web
from yarl import URL

from simulator.accounts import AccountBook, ApiKey
from simulator.catalogue import instrument_for
from simulator.clock import MarketClock, ProtocolClock
from simulator.config import SimulatorConfig
from simulator.events import BookMoved, Bus, TradeHappened
from simulator.faults import FaultBoard
from simulator.instruments import Instrument, Market
from simulator.market.intervals import bar_open, next_open
from simulator.market.tickers import TickerStats
from simulator.market.trades import AggregateTrade
from simulator.market.types import Bar, Side, Trade
from simulator.spot.types import AccountPosition
from simulator.streams.hub import StreamHub
from simulator.streams.listen_keys import ListenKeys
from simulator.streams.server import websocket_handler
from simulator.streams.timing import Timing
from simulator.tape import Tape
from simulator.units import ONE
from simulator.wire.endpoint import Registry
from simulator.wire.limits import Limits

if TYPE_CHECKING:
    from simulator.venue import Venue

START_MS = 1_746_372_780_000
"""2025-05-04 15:33:00 UTC, the beginning of a minute."""
ANSWER_SECONDS = 180.0


class FakeBook:
    """Levels set by the test."""

    def __init__(self) -> None:
        self.update_id = 100
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.readers: list[Callable[[], None]] = []

    def depth(self, limit: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        if limit > 1:
            for reader in self.readers:
                reader()
        bids, asks = sorted(self.bids.items(), reverse=True), sorted(self.asks.items())
        return bids[:limit], asks[:limit]


class FakeMarket:
    """Trades told by the test; bars and statistics of exactly those."""

    def __init__(self, price: int) -> None:
        self.start_price = price
        self.trades: list[Trade] = []

    def recent_trades(self, limit: int) -> list[Trade]:
        return self.trades[-limit:]

    def average_price(self, minutes: int = 5) -> int:
        return self.trades[-1].price if self.trades else self.start_price

    def aggregate_trades(
        self, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
    ) -> list[AggregateTrade]:
        groups: list[AggregateTrade] = []
        for trade in self.trades:
            last = groups[-1] if groups else None
            same = last is not None and (last.time_ms, last.price, last.taker) == (
                trade.time_ms,
                trade.price,
                trade.taker,
            )
            if last is not None and same:
                quantity = last.quantity + trade.quantity
                groups[-1] = last._replace(quantity=quantity, last_trade_id=trade.trade_id)
            else:
                number = len(groups)
                groups.append(
                    AggregateTrade(
                        number,
                        trade.price,
                        trade.quantity,
                        trade.trade_id,
                        trade.trade_id,
                        trade.time_ms,
                        trade.taker,
                    )
                )
        return groups[-limit:] if from_id is None else groups[from_id:][:limit]

    def bars(self, interval: str, start_ms: int, end_ms: int, limit: int, offset_ms: int = 0) -> list[Bar]:
        open_ms = bar_open(interval, start_ms, offset_ms)
        close_ms = next_open(interval, open_ms, offset_ms) - 1
        inside = [trade for trade in self.trades if open_ms <= trade.time_ms <= close_ms]
        before = [trade for trade in self.trades if trade.time_ms < open_ms]
        prices = [trade.price for trade in inside] or [before[-1].price if before else self.start_price]
        bought = [trade for trade in inside if trade.taker == "BUY"]
        return [
            Bar(
                open_ms,
                close_ms,
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
                sum(trade.quantity for trade in inside),
                sum(trade.quote for trade in inside),
                len(inside),
                sum(trade.quantity for trade in bought),
                sum(trade.quote for trade in bought),
                inside[0].trade_id if inside else -1,
                inside[-1].trade_id if inside else -1,
            )
        ]

    def ticker(self, window_ms: int) -> TickerStats:
        prices = [trade.price for trade in self.trades] or [self.start_price]
        ids = [trade.trade_id for trade in self.trades] or [-1]
        volume = sum(trade.quantity for trade in self.trades)
        quote = sum(trade.quote for trade in self.trades)
        last_quantity = self.trades[-1].quantity if self.trades else 0
        return TickerStats(
            START_MS - window_ms,
            START_MS,
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            last_quantity,
            self.start_price,
            volume,
            quote,
            len(self.trades),
            ids[0],
            ids[-1],
        )


class FakeFunding:
    """One rate for every symbol."""

    def rate(self, symbol: str) -> int:
        return ONE // 10_000

    def next_ms(self, now_ms: int) -> int:
        return (now_ms // 28_800_000 + 1) * 28_800_000


class FakeExchange:
    """Symbols with their books and markets."""

    def __init__(self, market: Market, symbols: tuple[str, ...]) -> None:
        self.instruments: dict[str, Instrument] = {name: instrument_for(market, name) for name in symbols}
        self.books = {name: FakeBook() for name in symbols}
        self.markets = {name: FakeMarket(61_800 * ONE) for name in symbols}
        self.funding = FakeFunding()

    def instrument(self, symbol: str) -> Instrument:
        return self.instruments[symbol]

    def book(self, symbol: str) -> FakeBook:
        return self.books[symbol]

    def market(self, symbol: str) -> FakeMarket:
        return self.markets[symbol]

    def mark_price(self, symbol: str) -> int:
        return self.markets[symbol].average_price()


def spot_payload(event: object, venue: object) -> dict[str, object] | None:
    """A short stand-in for what the spot API makes of an event."""
    if isinstance(event, AccountPosition):
        return {"e": "outboundAccountPosition", "E": event.time_ms, "u": event.time_ms, "B": []}
    return {"e": type(event).__name__, "E": getattr(event, "time_ms", 0)}


def futures_payload(event: object, venue: object) -> dict[str, object] | None:
    """The same of USD-M."""
    names = {"OrderUpdate": "ORDER_TRADE_UPDATE", "AccountUpdate": "ACCOUNT_UPDATE"}
    return {"e": names.get(type(event).__name__, "other"), "E": getattr(event, "time_ms", 0)}


class FakeVenue:
    """Everything the streams look at; the rest of a venue is not there."""

    def __init__(self, timing: Timing | None = None, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")) -> None:
        self.config = SimulatorConfig()
        self.clock = MarketClock(START_MS)
        self.protocol = ProtocolClock()
        self.bus = Bus()
        self.accounts = AccountBook()
        self.faults = FaultBoard()
        self.tape = Tape(self.clock)
        self.limits = Limits(self.protocol, lifted=True)
        self.listen_keys = ListenKeys(self.protocol)
        self.spot = FakeExchange("spot", symbols)
        self.futures = FakeExchange("futures", symbols)
        self.hub = StreamHub(cast("Any", self), timing, cast("Any", spot_payload), cast("Any", futures_payload))

    def exchange(self, market: Market) -> FakeExchange:
        return self.spot if market == "spot" else self.futures

    def as_venue(self) -> Venue:
        """The same object under the real venue's type."""
        return cast("Venue", self)

    def account(self, key: str = "key", kind: str = "HMAC", secret: str = "") -> int:
        """A new account with one key."""
        account_id = self.accounts.create(key).account_id
        self.accounts.add_key(ApiKey(key, secret, account_id, cast("Any", kind)))
        return account_id

    # What happens on the market

    def trade(
        self, market: Market, price: int, quantity: int = ONE, taker: Side = "BUY", symbol: str = "BTCUSDT"
    ) -> Trade:
        """A public trade now; price in whole units."""
        trades = self.exchange(market).markets[symbol].trades
        quanta = price * ONE
        number = len(trades) + 1
        happened = Trade(number, self.clock.now_ms(), quanta, quantity, quanta * quantity // ONE, taker)
        trades.append(happened)
        self.bus.publish(TradeHappened(market, symbol, happened))
        return happened

    def set_level(self, market: Market, side: Side, price: int, quantity: int, symbol: str = "BTCUSDT") -> None:
        """Put a quantity (quanta) at a price (whole units); 0 takes the level away."""
        book = self.exchange(market).books[symbol]
        levels = book.bids if side == "BUY" else book.asks
        if quantity:
            levels[price * ONE] = quantity
        else:
            levels.pop(price * ONE, None)
        book.update_id += 1
        self.bus.publish(BookMoved(market, symbol))

    def advance(self, ms: int) -> None:
        """Let market time pass, stopping wherever a stream wants to speak, as the venue does."""
        until = self.clock.now_ms() + ms
        while (now := self.clock.now_ms()) < until:
            due = self.hub.next_due(now)
            self.clock.move_to(until if due is None else min(due, until))
            self.hub.flush(self.clock.now_ms())


@dataclass
class Client:
    """A WebSocket client."""

    socket: aiohttp.ClientWebSocketResponse
    is_combined: bool
    """Whether it was opened where events are wrapped."""

    async def receive(self) -> Any:
        """The next message as JSON; fails when none comes."""
        message = await asyncio.wait_for(self.socket.receive(), ANSWER_SECONDS)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return orjson.loads(message.data)

    async def next_frame(self) -> aiohttp.WSMessage:
        """The next frame of any kind."""
        return await asyncio.wait_for(self.socket.receive(), ANSWER_SECONDS)

    async def ask(self, body: object) -> Any:
        """Send JSON, give the next message."""
        await self.socket.send_str(body if isinstance(body, str) else orjson.dumps(body).decode())
        return await self.receive()

    async def subscribe(self, *names: str) -> None:
        """SUBSCRIBE and see the acknowledgement."""
        assert await self.ask({"method": "SUBSCRIBE", "params": list(names), "id": 1}) == {"result": None, "id": 1}

    async def close_code(self) -> int | None:
        """Read on until the server ends the connection; 1006 when it did so without a close frame."""
        while True:
            message = await self.next_frame()
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                return self.socket.close_code

    async def silent(self) -> bool:
        """Whether nothing has been sent before the answer to a question put now."""
        answer = await self.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": 99})
        return bool(answer == {"result": self.is_combined, "id": 99})


class Harness:
    """A fake venue on a port, and a session to open clients with."""

    def __init__(self, venue: FakeVenue, port: int, session: aiohttp.ClientSession) -> None:
        self.venue = venue
        self.port = port
        self._session = session

    @property
    def url(self) -> str:
        """Root of every WebSocket."""
        return f"ws://127.0.0.1:{self.port}"

    async def connect(self, path: str, autoping: bool = True, **headers: str) -> Client:
        """Open a WebSocket."""
        url = URL(self.url + path, encoded=True)
        socket = await self._session.ws_connect(
            url, autoping=autoping, autoclose=False, compress=0, headers=headers, max_msg_size=0
        )
        return Client(socket, "/stream" in path)

    async def opened(self, count: int = 1) -> None:
        """Wait until the server knows of so many connections."""
        await until(lambda: len(self.venue.hub.connections) >= count)


@asynccontextmanager
async def running(venue: FakeVenue, endpoints: Registry | None = None) -> AsyncIterator[Harness]:
    """Serve the streams of a fake venue."""
    handler = websocket_handler(venue.as_venue(), endpoints)
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            yield Harness(venue, runner.addresses[0][1], session)
    finally:
        await runner.cleanup()


async def until(condition: Any, seconds: float = ANSWER_SECONDS) -> None:
    """Poll until something is so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)
