"""Public prices and bars of many symbols over a handful of connections."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import aiohttp
import orjson

from core.base_exchange import Bar, MarketEvent, PriceUpdate, VenueSettings
from domain.instrument import Instrument
from exchanges._binance.hot import BookTicker, KlineEvent, Router, Scale, Trade
from exchanges._binance.market_reads import last_price
from exchanges._binance.private_sockets import StreamDown, address
from exchanges._binance.rest import BinanceRest

Deliver = Callable[[MarketEvent], Awaitable[None] | None]

_STREAMS_PER_COMMAND = 100
#: The venue takes five messages a second from a client; pings count.
_COMMAND_SECONDS = 0.3
#: Streams on one connection: spot allows 1024, futures fewer.
_STREAMS_PER_CONNECTION = 200
_HEARTBEAT_SECONDS = 15.0
#: The moment at which a stream counts as silent is put off only after this part of the silence it is allowed.
_PUT_OFF = 0.1


class Price:
    """One symbol's price, put together from trades and from the best of the book."""

    def __init__(self, instrument: Instrument, tell: Callable[[MarketEvent], None]) -> None:
        self._symbol = instrument.symbol
        self._ticks = Scale(instrument.tick_size)
        self._lots = Scale(instrument.lot_size)
        self._tell = tell
        self._last = PriceUpdate(instrument.symbol, 0, 0, 0, 0)

    def seed(self, update: PriceUpdate) -> None:
        """Start from a price read by REST."""
        if not self._last.last:
            self._last = update
            self._tell(update)

    def on_trade(self, trade: Trade) -> None:
        """A trade is told even when the price is the same: it is fresh."""
        ticks, before = self._ticks.units(trade.p), self._last
        # Made in one go: this runs for every trade of every symbol.
        self._last = told = PriceUpdate(
            self._symbol, ticks, before.bid, before.ask, trade.T,
            self._lots.units(trade.q), before.bid_lots, before.ask_lots,
        )  # fmt: skip
        self._tell(told)

    def on_book(self, ticker: BookTicker) -> None:
        """A new best of the book is told when its prices have moved and a trade is known."""
        bid, ask = self._ticks.units(ticker.b), self._ticks.units(ticker.a)
        last = self._last
        if bid == last.bid and ask == last.ask:
            return
        # Spot sends no time with it: the price keeps the time of the last trade.
        self._last = last._replace(
            bid=bid,
            ask=ask,
            time_ms=ticker.T or last.time_ms,
            bid_lots=self._lots.units(ticker.B),
            ask_lots=self._lots.units(ticker.A),
            traded=0,
        )
        if last.last:
            self._tell(self._last)


def on_kline(instrument: Instrument, interval: str, tell: Callable[[MarketEvent], None], event: KlineEvent) -> None:
    """Tell of a bar that has closed."""
    if event.k.x:
        ticks, lots, k = Scale(instrument.tick_size).units, Scale(instrument.lot_size).units, event.k
        first, high, low, last = (ticks(text) for text in (k.o, k.h, k.l, k.c))
        tell(Bar(instrument.symbol, interval, k.t, first, high, low, last, lots(k.v)))


async def watch(
    rest: BinanceRest,
    settings: VenueSettings,
    instruments: Mapping[str, Instrument],
    prices: set[str],
    bars: set[tuple[str, str]],
    deliver: Deliver,
) -> None:
    """Deliver until cancelled; raises `Transient` when a connection ends or goes silent."""
    waiting: deque[MarketEvent] = deque()
    books, others = Router(), Router()
    if not rest.dialect.is_futures:
        books = others
    quotes = {symbol: Price(instruments[symbol], waiting.append) for symbol in prices}
    for symbol, quote in quotes.items():
        books.add(f"{symbol.lower()}@bookTicker", BookTicker, quote.on_book)
        others.add(f"{symbol.lower()}@aggTrade", Trade, quote.on_trade)
    for symbol, interval in bars:
        handle = partial(on_kline, instruments[symbol], interval, waiting.append)
        others.add(f"{symbol.lower()}@kline_{interval}", KlineEvent, handle)
    dialect = rest.dialect
    roads = [(dialect.market_stream, others)]
    if books is not others:
        roads.append((dialect.public_stream, books))
    try:
        async with asyncio.TaskGroup() as group:
            for default, router in roads:
                streams = router.streams
                for start in range(0, len(streams), _STREAMS_PER_CONNECTION):
                    part = streams[start : start + _STREAMS_PER_CONNECTION]
                    socket = _Socket(rest, settings, address(default, settings), part, router)
                    group.create_task(socket.run(waiting, deliver))
            group.create_task(_seed(rest, instruments, quotes, waiting, deliver))
    except* (aiohttp.ClientError, OSError, TimeoutError, StreamDown) as broken:
        reason = rest.door.scrub("; ".join(f"{type(error).__name__}: {error}" for error in broken.exceptions))
        raise StreamDown(f"public stream: {reason}") from None


async def _seed(
    rest: BinanceRest,
    instruments: Mapping[str, Instrument],
    quotes: Mapping[str, Price],
    waiting: deque[MarketEvent],
    deliver: Deliver,
) -> None:
    """A symbol that trades rarely has a price from the start."""
    for symbol, quote in quotes.items():
        quote.seed(await last_price(rest, instruments[symbol]))
        await _drain(waiting, deliver)


async def _drain(waiting: deque[MarketEvent], deliver: Deliver) -> None:
    while waiting:
        done = deliver(waiting.popleft())
        if done is not None:
            await done


class _Socket:
    """One connection with its share of the streams."""

    def __init__(
        self, rest: BinanceRest, settings: VenueSettings, url: str, streams: list[str], router: Router
    ) -> None:
        self._rest = rest
        self._settings = settings
        self._url = url
        self._streams = streams
        self._router = router

    async def run(self, waiting: deque[MarketEvent], deliver: Deliver) -> None:
        """Subscribe and read until it breaks."""
        async with self._rest.door.session.websocket(
            self._url, heartbeat=_HEARTBEAT_SECONDS, decode_text=False
        ) as socket:
            await self._subscribe(socket)
            longest, clock = self._settings.silence_seconds, asyncio.get_running_loop().time
            async with asyncio.timeout(longest) as silence:
                put_off = 0.0
                while True:
                    message = await socket.receive()
                    if (now := clock()) > put_off:
                        # A timer for each message would cost more than its decoding.
                        silence.reschedule(now + longest)
                        put_off = now + longest * _PUT_OFF
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        raise StreamDown(f"closed with {socket.close_code}")
                    self._router.feed(message.data)
                    if waiting:
                        await _drain(waiting, deliver)

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        for number, start in enumerate(range(0, len(self._streams), _STREAMS_PER_COMMAND)):
            if number:
                await asyncio.sleep(_COMMAND_SECONDS)
            command = {
                "method": "SUBSCRIBE",
                "params": self._streams[start : start + _STREAMS_PER_COMMAND],
                "id": number + 1,
            }
            await socket.send_str(orjson.dumps(command).decode())
