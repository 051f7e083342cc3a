from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import ccxt.pro
import pytest

from tests.clients.ccxt_setup import point_at
from tests.clients.conftest import Customer
from tests.clients.inbox import reading
from tests.simulator_process import SimulatorProcess

BTC, BTC_PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture(params=["spot", "futures"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def symbol(kind: str) -> str:
    return BTC if kind == "spot" else BTC_PERPETUAL


@pytest.fixture
async def exchange(kind: str, venue: SimulatorProcess, customer: Customer) -> AsyncIterator[Any]:
    make = ccxt.pro.binance if kind == "spot" else ccxt.pro.binanceusdm
    opened = point_at(make({"apiKey": customer.key, "secret": customer.secret}), venue)
    yield opened
    await opened.close()


async def subscribed(exchange: Any) -> None:
    """Wait until the private stream answers: an order made before that may have no event."""
    while not any(
        client.subscriptions for url, client in exchange.clients.items() if "ws-api" in url or "private" in url
    ):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)


async def test_market_streams_deliver_what_they_promise(exchange: Any, symbol: str) -> None:
    async with asyncio.timeout(180):
        book = await exchange.watch_order_book(symbol)
        for _ in range(20):
            book = await exchange.watch_order_book(symbol)
            assert book["bids"][0][0] < book["asks"][0][0]
        trades = await exchange.watch_trades(symbol)
        assert trades[-1]["price"] > 0
        candles = await exchange.watch_ohlcv(symbol, "1m")
        assert candles[-1][4] > 0
        assert (await exchange.watch_ticker(symbol))["last"] > 0
        assert (await exchange.watch_bids_asks([symbol]))[symbol]["bid"] > 0


async def test_user_data_tells_of_every_step_of_an_order(exchange: Any, symbol: str) -> None:
    await exchange.load_markets()
    seen: list[tuple[str, str]] = []
    done = asyncio.Event()

    async def listen() -> None:
        while True:
            seen.extend((order["id"], order["status"]) for order in await exchange.watch_orders(symbol))
            if {"open", "closed", "canceled"} <= {status for _, status in seen}:
                done.set()

    async with asyncio.timeout(180):
        listener = asyncio.create_task(listen())
        await subscribed(exchange)
        last = (await exchange.fetch_ticker(symbol))["last"]
        price = exchange.price_to_precision(symbol, last * 0.9)
        resting = await exchange.create_order(symbol, "limit", "buy", 0.01, price)
        await exchange.cancel_order(resting["id"], symbol)
        bought = await exchange.create_order(symbol, "market", "buy", 0.01)
        await done.wait()
        listener.cancel()
    assert (resting["id"], "canceled") in seen
    assert (bought["id"], "closed") in seen


async def test_orders_may_be_placed_and_cancelled_over_the_socket(exchange: Any, symbol: str) -> None:
    async with asyncio.timeout(180):
        await exchange.load_markets()
        last = (await exchange.fetch_ticker(symbol))["last"]
        price = exchange.price_to_precision(symbol, last * 0.9)
        order = await exchange.create_order_ws(symbol, "limit", "buy", 0.01, price)
        assert order["status"] == "open"
        cancelled = await exchange.cancel_order_ws(order["id"], symbol)
        assert cancelled["status"] == "canceled"


async def test_fills_balances_and_positions_are_pushed(exchange: Any, symbol: str, kind: str) -> None:
    async with asyncio.timeout(180):
        await exchange.load_markets()
        async with (
            reading(lambda: exchange.watch_my_trades(symbol)) as trades,
            reading(exchange.watch_balance) as money,
        ):
            await subscribed(exchange)
            order = await exchange.create_order(symbol, "market", "buy", 0.02)
            fills = await trades.first(lambda found: any(trade["order"] == order["id"] for trade in found))
            assert fills[-1]["fee"]["cost"] > 0
            await money.first(lambda _: True)
        if kind == "futures":
            await exchange.create_order(symbol, "market", "sell", 0.02, None, {"reduceOnly": True})


async def test_positions_are_pushed(venue: SimulatorProcess, customer: Customer) -> None:
    keys = {"apiKey": customer.key, "secret": customer.secret}
    # Without this the client asks for all positions first and hears of no change while it does.
    options = {"watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False}}
    exchange = point_at(ccxt.pro.binanceusdm({**keys, "options": options}), venue)
    try:
        async with asyncio.timeout(180):
            await exchange.load_markets()
            async with reading(lambda: exchange.watch_positions([BTC_PERPETUAL])) as positions:
                await subscribed(exchange)
                await exchange.create_order(BTC_PERPETUAL, "market", "buy", 0.03)
                await positions.first(lambda found: any((item["contracts"] or 0) > 0 for item in found))
                await exchange.create_order(BTC_PERPETUAL, "market", "sell", 0.02, None, {"reduceOnly": True})
                held = (await exchange.fetch_positions([BTC_PERPETUAL]))[0]["contracts"]
                # Of pushes that come together the client hands out the first, and keeps the last.
                while [item["contracts"] for kept in exchange.positions.values() for item in kept] != [held]:
                    await asyncio.sleep(0.05)
    finally:
        await exchange.close()
