"""What the clients keep from streams equals what the venue tells over REST: bars without gap, books at the same id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt.pro
import pytest
from binance import BinanceSocketManager, DepthCacheManager

from tests.clients.ccxt_setup import point_at
from tests.clients.conftest import Customer
from tests.clients.documented import LocalBook, fetch
from tests.clients.inbox import reading
from tests.clients.python_binance_setup import connected
from tests.clients.sdk_setup import futures_client, heard, spot_client
from tests.clients.steering import BTC, MINUTE_MS, pass_minute
from tests.simulator_process import SimulatorProcess

MINUTES = 6
Row = list[Decimal]
Bars = Callable[[SimulatorProcess, Customer, str], Awaitable[list[Row]]]


@asynccontextmanager
async def ccxt_pro(venue: SimulatorProcess, market: str) -> AsyncIterator[Any]:
    exchange = point_at(ccxt.pro.binance() if market == "spot" else ccxt.pro.binanceusdm(), venue)
    try:
        yield exchange
    finally:
        await exchange.close()


def ccxt_symbol(market: str) -> str:
    return "BTC/USDT" if market == "spot" else "BTC/USDT:USDT"


def closed(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["x"]]


def row(bar: dict[str, Any]) -> Row:
    return [Decimal(bar[name]) for name in ("t", "o", "h", "l", "c", "v")]


async def python_binance_bars(venue: SimulatorProcess, customer: Customer, market: str) -> list[Row]:
    async with connected(venue, customer) as client:
        sockets = BinanceSocketManager(client, max_queue_size=10_000)
        socket = sockets.kline_socket(BTC) if market == "spot" else sockets.kline_futures_socket(BTC)
        async with socket as opened, reading(opened.recv) as inbox:
            found = await inbox.until(lambda events: len(closed([event["k"] for event in events])) >= MINUTES)
            return [row(bar) for bar in closed([event["k"] for event in found])]


async def official_bars(venue: SimulatorProcess, _: Customer, market: str) -> list[Row]:
    streams = (spot_client if market == "spot" else futures_client)(venue).websocket_streams
    await streams.create_connection()
    kline = streams.kline if market == "spot" else streams.kline_candlestick_streams
    inbox = heard(await kline("btcusdt", "1m"))
    found = await inbox.until(lambda events: sum(event.k.x for event in events) >= MINUTES)
    await streams.close_connection()
    return [row(event.k.model_dump()) for event in found if event.k.x]


async def ccxt_bars(venue: SimulatorProcess, _: Customer, market: str) -> list[Row]:
    bars: dict[int, list[float]] = {}
    async with ccxt_pro(venue, market) as exchange, asyncio.timeout(180):
        while len(bars) <= MINUTES:
            for bar in await exchange.watch_ohlcv(ccxt_symbol(market), "1m"):
                bars[bar[0]] = list(bar)
    return [[Decimal(str(value)) for value in bars[start]] for start in sorted(bars)[:-1]]


@pytest.mark.parametrize("market", ["spot", "futures"])
@pytest.mark.parametrize("bars_of", [python_binance_bars, official_bars, ccxt_bars])
async def test_closed_bars_have_no_gap_and_equal_those_of_rest(
    swift: SimulatorProcess, customer: Customer, bars_of: Bars, market: str
) -> None:
    bars = await bars_of(swift, customer, market)
    starts = [int(bar[0]) for bar in bars]
    assert len(starts) >= MINUTES
    assert starts == list(range(starts[0], starts[-1] + 1, MINUTE_MS))
    path = "api/v3" if market == "spot" else "fapi/v1"
    query = f"symbol={BTC}&interval=1m&startTime={starts[0]}&endTime={starts[-1]}"
    rows = (await asyncio.to_thread(fetch, "GET", f"{swift.rest}/{path}/klines?{query}")).body
    assert bars == [[Decimal(value) for value in item[:6]] for item in rows]


Levels = list[tuple[Decimal, Decimal]]
Book = tuple[int, tuple[Levels, Levels]]
DEPTH = 20


def levels(found: Any) -> Levels:
    return [(Decimal(str(price)), Decimal(str(quantity))) for price, quantity, *_ in found[:DEPTH]]


def shown(venue: SimulatorProcess, market: str) -> Book:
    """The venue's own book: update id and best levels."""
    path = "api/v3" if market == "spot" else "fapi/v1"
    found = fetch("GET", f"{venue.rest}/{path}/depth?symbol={BTC}&limit=1000").body
    return found["lastUpdateId"], (levels(found["bids"]), levels(found["asks"]))


async def minutes(venue: SimulatorProcess, count: int) -> None:
    await asyncio.to_thread(pass_minute, venue, count)


async def test_the_depth_cache_of_python_binance_equals_the_venues_book(
    stepped: SimulatorProcess, customer: Customer
) -> None:
    async with connected(stepped, customer) as client:
        sockets = BinanceSocketManager(client, max_queue_size=10_000)
        manager = DepthCacheManager(client, BTC, bm=sockets, ws_interval=100, limit=1000, conv_type=Decimal)
        async with asyncio.timeout(180), manager as cached:
            await minutes(stepped, MINUTES)
            end, expected = await asyncio.to_thread(shown, stepped, "spot")
            for _ in range(100):
                book = await cached.recv()
            while cached._last_update_id < end:
                book = await cached.recv()
            assert (levels(book.get_bids()), levels(book.get_asks())) == expected


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_book_from_the_official_clients_diffs_equals_the_venues(stepped: SimulatorProcess, market: str) -> None:
    client = (spot_client if market == "spot" else futures_client)(stepped)
    streams, api = client.websocket_streams, client.rest_api
    await streams.create_connection()
    diffs = streams.diff_book_depth if market == "spot" else streams.diff_book_depth_streams
    inbox = heard(await diffs("btcusdt", update_speed="100ms"))
    await streams.list_subscribe()
    await minutes(stepped, 1)
    await inbox.first(lambda _: True)
    snapshot = (api.depth if market == "spot" else api.order_book)(symbol=BTC, limit=1000).data()
    book = LocalBook.of(
        {"lastUpdateId": snapshot.last_update_id, "bids": snapshot.bids, "asks": snapshot.asks}, market == "spot"
    )
    await minutes(stepped, MINUTES)
    end, expected = await asyncio.to_thread(shown, stepped, market)
    for event in await inbox.until(lambda events: events[-1].u >= end):
        book.apply(event.model_dump(by_alias=True))
    assert book.applied >= 100
    assert (book.update_id, book.top(DEPTH)) == (end, expected)
    await streams.close_connection()
    api._session.close()


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_the_book_of_ccxt_pro_equals_the_venues(stepped: SimulatorProcess, market: str) -> None:
    symbol = ccxt_symbol(market)
    async with ccxt_pro(stepped, market) as exchange, asyncio.timeout(180):
        await exchange.load_markets()
        async with reading(lambda: exchange.watch_order_book(symbol)) as inbox:
            while not inbox.messages:
                await minutes(stepped, 1)
            await minutes(stepped, MINUTES)
            end, expected = await asyncio.to_thread(shown, stepped, market)
            await inbox.until(lambda books: books[-1]["nonce"] >= end)
            book = inbox.messages[-1]
            assert book["nonce"] == end
            assert (levels(book["bids"]), levels(book["asks"])) == expected
