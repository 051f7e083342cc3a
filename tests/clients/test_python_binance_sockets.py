from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from binance import BinanceSocketManager, DepthCacheManager
from binance.exceptions import BinanceAPIException

from tests.clients.conftest import Customer
from tests.clients.inbox import Inbox, reading
from tests.clients.python_binance_setup import connected
from tests.clients.steering import BTC, more_than, off, shift
from tests.simulator_process import SimulatorProcess

LISTEN_KEY_HOURS_MS = 61 * 60_000


@pytest.fixture
async def client(stepped: SimulatorProcess, customer: Customer) -> AsyncIterator[Any]:
    async with connected(stepped, customer) as made:
        yield made


@pytest.fixture
async def lively(venue: SimulatorProcess, customer: Customer) -> AsyncIterator[Any]:
    async with connected(venue, customer) as made:
        yield made


async def best(client: Any, side: str) -> list[str]:
    found: list[str] = (await client.get_order_book(symbol=BTC, limit=5))[side][0]
    return found


async def futures_best(client: Any, side: str) -> list[str]:
    found: list[str] = (await client.futures_order_book(symbol=BTC, limit=5))[side][0]
    return found


async def steer(venue: SimulatorProcess, percent: str) -> None:
    await asyncio.to_thread(shift, venue, percent)


def reports(inbox: Inbox, order_id: int) -> list[tuple[str, str]]:
    return [
        (event["x"], event["X"])
        for event in inbox.messages
        if event["e"] == "executionReport" and event["i"] == order_id
    ]


def updates(inbox: Inbox, order_id: int) -> list[tuple[str, str]]:
    return [
        (event["o"]["x"], event["o"]["X"])
        for event in inbox.messages
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["i"] == order_id
    ]


async def test_market_sockets_of_both_markets_deliver(lively: Any) -> None:
    sockets = BinanceSocketManager(lively)
    wanted = {
        "trade": sockets.trade_socket(BTC),
        "aggTrade": sockets.aggtrade_socket(BTC),
        "kline": sockets.kline_socket(BTC),
        "depthUpdate": sockets.depth_socket(BTC, interval=100),
        "24hrTicker": sockets.symbol_ticker_socket(BTC),
        "24hrMiniTicker": sockets.symbol_miniticker_socket(BTC),
    }
    for kind, socket in wanted.items():
        async with asyncio.timeout(180), socket as opened:
            assert (await opened.recv())["e"] == kind
    async with asyncio.timeout(180), sockets.symbol_book_ticker_socket(BTC) as opened:
        assert set(await opened.recv()) == {"u", "s", "b", "B", "a", "A"}
    async with asyncio.timeout(180), sockets.depth_socket(BTC, depth="5") as opened:
        assert set(await opened.recv()) == {"lastUpdateId", "bids", "asks"}


async def test_combined_sockets_name_the_stream(lively: Any) -> None:
    sockets = BinanceSocketManager(lively)
    names = {"btcusdt@aggTrade", "ethusdt@kline_1m"}
    async with sockets.multiplex_socket(sorted(names)) as opened, reading(opened.recv) as inbox:
        await inbox.until(lambda messages: {message["stream"] for message in messages} == names)


async def test_futures_sockets_go_by_their_routes(lively: Any) -> None:
    sockets = BinanceSocketManager(lively)
    wanted = {
        "aggTrade": sockets.aggtrade_futures_socket(BTC),
        "depthUpdate": sockets.futures_depth_socket(BTC),
        "markPriceUpdate": sockets.symbol_mark_price_socket(BTC),
        "24hrTicker": sockets.individual_symbol_ticker_futures_socket(BTC),
    }
    for kind, socket in wanted.items():
        async with asyncio.timeout(180), socket as opened:
            assert (await opened.recv())["data"]["e"] == kind
    async with asyncio.timeout(180), sockets.kline_futures_socket(BTC) as opened:
        assert (await opened.recv())["e"] == "continuous_kline"
    async with asyncio.timeout(180), sockets.futures_multiplex_socket(["btcusdt@kline_1m"]) as opened:
        assert (await opened.recv())["data"]["k"]["s"] == BTC


async def test_a_depth_cache_is_kept_for_a_hundred_updates(lively: Any) -> None:
    sockets = BinanceSocketManager(lively, max_queue_size=10_000)
    manager = DepthCacheManager(lively, BTC, bm=sockets, ws_interval=100, limit=1000, conv_type=Decimal)
    async with asyncio.timeout(180), manager as cached:
        # The cache takes its first diff for a gap and puts it on top of a snapshot that is newer; that passes.
        await cached.recv()
        newer = (await lively.get_order_book(symbol=BTC))["lastUpdateId"]
        while cached._last_update_id < newer:
            await cached.recv()
        for _ in range(100):
            book = await cached.recv()
            assert book.get_bids()[0][0] < book.get_asks()[0][0]


async def test_spot_user_data_tells_a_partial_fill_the_rest_and_a_cancel(
    stepped: SimulatorProcess, client: Any
) -> None:
    async with BinanceSocketManager(client).user_socket() as socket, reading(socket.recv) as inbox:
        price, shown = await best(client, "asks")
        order = await client.order_limit_buy(symbol=BTC, quantity=more_than(shown), price=price)
        first = await inbox.first_of(e="executionReport", i=order["orderId"], x="TRADE")
        assert (first["X"], Decimal(first["z"]), first["m"]) == ("PARTIALLY_FILLED", Decimal(shown), False)
        await steer(stepped, "-1")
        last = await inbox.first_of(e="executionReport", i=order["orderId"], X="FILLED")
        assert (last["m"], last["z"]) == (True, last["q"])
        assert reports(inbox, order["orderId"])[0] == ("NEW", "NEW")
        account = await client.get_account()
        held = {item["asset"]: item["free"] for item in account["balances"]}
        moved = await inbox.first(
            lambda event: (
                event["e"] == "outboundAccountPosition" and all(held[item["a"]] == item["f"] for item in event["B"])
            )
        )
        assert {item["a"] for item in moved["B"]} >= {"BTC", "USDT"}
        rest = await client.order_limit_buy(symbol=BTC, quantity="0.01", price=off(price, -5))
        await client.cancel_order(symbol=BTC, orderId=rest["orderId"])
        cancelled = await inbox.first_of(e="executionReport", i=rest["orderId"], x="CANCELED")
        assert cancelled["C"] == rest["clientOrderId"] != cancelled["c"]


async def test_orders_go_over_the_websocket_api_of_spot(client: Any) -> None:
    price, _ = await best(client, "bids")
    order = await client.ws_create_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=off(price, -5)
    )
    assert order["status"] == "NEW"
    assert (await client.ws_get_order(symbol=BTC, orderId=order["orderId"]))["status"] == "NEW"
    assert [item["orderId"] for item in await client.ws_get_open_orders(symbol=BTC)] == [order["orderId"]]
    replaced = await client.ws_cancel_and_replace_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price=off(price, -5),
        cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order["orderId"],
    )  # fmt: skip
    placed = replaced["newOrderResponse"]["orderId"]
    assert (await client.ws_cancel_order(symbol=BTC, orderId=placed))["status"] == "CANCELED"
    oco = await client.ws_create_oco_order(
        symbol=BTC, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice=off(price, 2),
        belowType="STOP_LOSS", belowStopPrice=off(price, -2),
    )  # fmt: skip
    assert len(oco["orders"]) == 2
    cancelled = await client.ws_cancel_oco_order(symbol=BTC, orderListId=oco["orderListId"])
    assert cancelled["listOrderStatus"] == "ALL_DONE"
    with pytest.raises(BinanceAPIException) as unknown:
        await client.ws_cancel_order(symbol=BTC, orderId=999_999_999)
    assert unknown.value.code == -2011


async def test_market_data_goes_over_the_websocket_api(client: Any) -> None:
    assert (await client.ws_get_exchange_info(symbol=BTC))["symbols"][0]["symbol"] == BTC
    book = await client.ws_get_order_book(symbol=BTC, limit=5)
    assert book["bids"][0] == await best(client, "bids")
    assert len(await client.ws_get_klines(symbol=BTC, interval="1m", limit=3)) == 3
    assert (await client.ws_get_account())["canTrade"] is True
    assert (await client.ws_futures_get_order_book(symbol=BTC, limit=5))["bids"]


async def test_futures_user_data_tells_of_orders_and_the_position(stepped: SimulatorProcess, client: Any) -> None:
    async with BinanceSocketManager(client).futures_user_socket() as socket, reading(socket.recv) as inbox:
        price, shown = await futures_best(client, "asks")
        order = await client.futures_create_order(
            symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity=more_than(shown), price=price
        )
        await inbox.until(lambda _: ("TRADE", "PARTIALLY_FILLED") in updates(inbox, order["orderId"]))
        position = await inbox.first_of(e="ACCOUNT_UPDATE")
        assert position["a"]["m"] == "ORDER"
        assert Decimal(position["a"]["P"][0]["pa"]) == Decimal(shown)
        assert (await inbox.first_of(e="TRADE_LITE"))["i"] == order["orderId"]
        await steer(stepped, "-1")
        await inbox.until(lambda _: ("TRADE", "FILLED") in updates(inbox, order["orderId"]))
        assert updates(inbox, order["orderId"])[0] == ("NEW", "NEW")
        stop = await client.futures_create_order(
            symbol=BTC, side="SELL", type="STOP_MARKET", closePosition="true",
            stopPrice=off((await futures_best(client, "bids"))[0], -1, "0.1"),
        )  # fmt: skip
        await steer(stepped, "-2")
        await inbox.first(
            lambda event: (
                event["e"] == "ALGO_UPDATE" and event["o"]["aid"] == stop["algoId"] and event["o"]["X"] == "FINISHED"
            )
        )
        assert await client.futures_position_information(symbol=BTC) == []
        await client.futures_change_leverage(symbol=BTC, leverage=7)
        config = await inbox.first_of(e="ACCOUNT_CONFIG_UPDATE")
        assert config["ac"] == {"s": BTC, "l": 7}


async def test_orders_go_over_the_websocket_api_of_futures(client: Any) -> None:
    price, _ = await futures_best(client, "bids")
    low = off(price, -5, "0.1")
    order = await client.ws_futures_create_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price=low
    )
    amended = await client.ws_futures_edit_order(
        symbol=BTC, side="BUY", orderId=order["orderId"], quantity="0.02", price=low
    )
    assert amended["origQty"] == "0.020"
    assert (await client.ws_futures_get_order(symbol=BTC, orderId=order["orderId"]))["status"] == "NEW"
    assert (await client.ws_futures_cancel_order(symbol=BTC, orderId=order["orderId"]))["status"] == "CANCELED"
    algo = await client.ws_futures_create_order(
        symbol=BTC, side="BUY", type="STOP_MARKET", quantity="0.01", stopPrice=off(price, 5, "0.1")
    )
    assert (await client.ws_futures_cancel_algo_order(algoId=algo["algoId"]))["algoId"] == algo["algoId"]
    assert await client.ws_futures_v2_account_balance()


async def test_a_futures_listen_key_dies_of_age_and_is_renewed(stepped: SimulatorProcess, client: Any) -> None:
    sockets = BinanceSocketManager(client)
    async with sockets.futures_user_socket() as socket, reading(socket.recv) as inbox:
        key = await client.futures_stream_get_listen_key()
        assert await client.futures_stream_get_listen_key() == key
        await client.futures_stream_keepalive(listenKey=key)
        fault = await asyncio.to_thread(
            stepped.post, "faults", {"kind": "clock_step", "args": {"step_ms": LISTEN_KEY_HOURS_MS}}
        )
        try:
            dead = await inbox.first_of(e="listenKeyExpired")
            assert dead["listenKey"] == key
        finally:
            await asyncio.to_thread(stepped.delete, f"faults/{fault['id']}")
        with pytest.raises(BinanceAPIException) as gone:
            await client.futures_stream_keepalive(listenKey=key)
        assert (gone.value.code, gone.value.message) == (-1125, "This listenKey does not exist.")
        assert await client.futures_stream_get_listen_key() != key
    async with sockets.futures_user_socket() as socket, reading(socket.recv) as inbox:
        order = await client.futures_create_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.01")
        await inbox.until(lambda _: ("TRADE", "FILLED") in updates(inbox, order["orderId"]))
        await client.futures_create_order(symbol=BTC, side="SELL", type="MARKET", quantity="0.01", reduceOnly="true")
