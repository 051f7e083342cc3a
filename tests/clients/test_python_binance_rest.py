from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from binance import Client
from binance.exceptions import BinanceAPIException

from tests.clients.conftest import Customer
from tests.clients.keys import register
from tests.clients.python_binance_setup import point_at
from tests.clients.steering import BTC, more_than, off, pass_minute, shift
from tests.simulator_process import SimulatorProcess


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The client wants an event loop even for plain requests, and never closes it."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    asyncio.set_event_loop(None)
    made.close()


@pytest.fixture(scope="module")
def client(stepped: SimulatorProcess, customer: Customer, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        point_at(stepped, patch)
        made = Client(customer.key, customer.secret)
        yield made
        made.close_connection()


@pytest.fixture(autouse=True)
def nothing_left_open(client: Any) -> Iterator[None]:
    yield
    for order in client.get_open_orders(symbol=BTC):
        client.cancel_order(symbol=BTC, orderId=order["orderId"])
    client.futures_cancel_all_open_orders(symbol=BTC)
    client.futures_cancel_all_algo_open_orders(symbol=BTC)
    for position in client.futures_position_information(symbol=BTC):
        amount = Decimal(position["positionAmt"])
        if amount:
            side = "SELL" if amount > 0 else "BUY"
            client.futures_create_order(symbol=BTC, side=side, type="MARKET", quantity=abs(amount), reduceOnly="true")


def best(client: Any, side: str) -> list[str]:
    found: list[str] = client.get_order_book(symbol=BTC, limit=5)[side][0]
    return found


def futures_best(client: Any, side: str) -> list[str]:
    found: list[str] = client.futures_order_book(symbol=BTC, limit=5)[side][0]
    return found


def test_the_rules_and_the_account_are_readable(client: Any) -> None:
    rules = client.get_symbol_info(BTC)
    assert {item["filterType"] for item in rules["filters"]} >= {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL"}
    assert client.get_asset_balance(asset="ETH")["free"] == "5000.00000000"
    assert {item["symbol"] for item in client.get_all_tickers()} >= {BTC, "ETHUSDT"}
    assert client.get_account_api_trading_status()["data"]["isLocked"] is False


def test_a_limit_order_is_filled_in_part_and_then_whole(stepped: SimulatorProcess, client: Any) -> None:
    price, shown = best(client, "asks")
    order = client.order_limit_buy(symbol=BTC, quantity=more_than(shown), price=price)
    assert order["status"] == "PARTIALLY_FILLED"
    assert Decimal(order["executedQty"]) == Decimal(shown)
    shift(stepped, "-1")
    filled = client.get_order(symbol=BTC, orderId=order["orderId"])
    assert filled["status"] == "FILLED"
    trades = [trade for trade in client.get_my_trades(symbol=BTC) if trade["orderId"] == order["orderId"]]
    assert sum(Decimal(trade["qty"]) for trade in trades) == Decimal(filled["executedQty"])
    assert [trade["isMaker"] for trade in trades] == [False] + [True] * (len(trades) - 1)


def test_a_market_order_by_quote_amount_and_a_test_order_work(client: Any) -> None:
    order = client.order_market_buy(symbol=BTC, quoteOrderQty="1000")
    assert order["status"] == "FILLED"
    assert Decimal(order["cummulativeQuoteQty"]) <= 1000
    assert client.create_test_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.01") == {}


def test_an_oco_order_fills_one_leg_and_lets_the_other_expire(stepped: SimulatorProcess, client: Any) -> None:
    price = best(client, "bids")[0]
    listed = client.create_oco_order(
        symbol=BTC, side="SELL", quantity="0.01", aboveType="LIMIT_MAKER", abovePrice=off(price, 2),
        belowType="STOP_LOSS_LIMIT", belowPrice=off(price, -3), belowStopPrice=off(price, -2), belowTimeInForce="GTC",
    )  # fmt: skip
    assert listed["listOrderStatus"] == "EXECUTING"
    assert [item["orderListId"] for item in client.get_open_oco_orders()] == [listed["orderListId"]]
    shift(stepped, "3")
    by_type = {
        order["type"]: order
        for order in client.get_all_orders(symbol=BTC)
        if order["orderListId"] == listed["orderListId"]
    }
    assert by_type["LIMIT_MAKER"]["status"] == "FILLED"
    assert by_type["STOP_LOSS_LIMIT"]["status"] == "EXPIRED"
    assert client.get_open_oco_orders() == []


def test_a_stop_order_waits_and_is_triggered(stepped: SimulatorProcess, client: Any) -> None:
    trigger = off(best(client, "bids")[0], -1)
    order = client.create_order(symbol=BTC, side="SELL", type="STOP_LOSS", quantity="0.01", stopPrice=trigger)
    assert client.get_order(symbol=BTC, orderId=order["orderId"])["isWorking"] is False
    shift(stepped, "-2")
    assert client.get_order(symbol=BTC, orderId=order["orderId"])["status"] == "FILLED"


def test_an_order_is_replaced_and_the_halves_are_told_apart(client: Any) -> None:
    price = off(best(client, "bids")[0], -5)
    first = client.order_limit_buy(symbol=BTC, quantity="0.01", price=price)
    replaced = client.cancel_replace_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price=price,
        cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=first["orderId"],
    )  # fmt: skip
    assert (replaced["cancelResult"], replaced["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    with pytest.raises(BinanceAPIException) as refused:
        client.cancel_replace_order(
            symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price=price,
            cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=first["orderId"],
        )  # fmt: skip
    assert (refused.value.status_code, refused.value.code) == (400, -2022)


def test_refusals_carry_the_venues_code_and_text(client: Any) -> None:
    price = best(client, "bids")[0]
    bnb = client.get_order_book(symbol="BNBUSDT", limit=5)["asks"][0][0]
    with pytest.raises(BinanceAPIException) as poor:
        client.order_limit_sell(symbol="BNBUSDT", quantity="5000", price=bnb)
    assert (poor.value.code, poor.value.message) == (-2010, "Account has insufficient balance for requested action.")
    with pytest.raises(BinanceAPIException) as small:
        client.order_limit_buy(symbol=BTC, quantity="0.00001", price=price)
    assert (small.value.code, small.value.message) == (-1013, "Filter failure: NOTIONAL")
    with pytest.raises(BinanceAPIException) as unknown:
        client.cancel_order(symbol=BTC, orderId=999_999_999)
    assert (unknown.value.code, unknown.value.message) == (-2011, "Unknown order sent.")
    with pytest.raises(BinanceAPIException) as nowhere:
        client.get_order_book(symbol="NOPEUSDT")
    assert (nowhere.value.code, nowhere.value.message) == (-1121, "Invalid symbol.")


@pytest.mark.parametrize("kind", ["ED25519", "RSA"])
def test_a_customer_may_sign_with_a_private_key(
    stepped: SimulatorProcess, client: Any, customer: Customer, kind: str
) -> None:
    private = register(stepped, customer.key, kind, f"rest-{kind}")
    with pytest.MonkeyPatch.context() as patch:
        point_at(stepped, patch)
        signer = Client(f"rest-{kind}", private_key=private)
    order = signer.order_limit_buy(symbol=BTC, quantity="0.01", price=off(best(client, "bids")[0], -5))
    assert signer.get_order(symbol=BTC, orderId=order["orderId"])["status"] == "NEW"
    assert signer.cancel_order(symbol=BTC, orderId=order["orderId"])["status"] == "CANCELED"
    assert signer.futures_account_balance()
    signer.close_connection()


def test_a_futures_order_is_filled_in_part_amended_and_cancelled(client: Any) -> None:
    price, shown = futures_best(client, "asks")
    order = client.futures_create_order(
        symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity=more_than(shown), price=price
    )
    found = client.futures_get_order(symbol=BTC, orderId=order["orderId"])
    assert (found["status"], Decimal(found["executedQty"])) == ("PARTIALLY_FILLED", Decimal(shown))
    lower = off(price, -2, "0.1")
    amended = client.futures_modify_order(
        symbol=BTC, side="BUY", orderId=order["orderId"], quantity=more_than(shown, "0.8"), price=lower
    )
    assert Decimal(amended["price"]) == Decimal(lower)
    cancelled = client.futures_cancel_order(symbol=BTC, orderId=order["orderId"])
    assert (cancelled["status"], Decimal(cancelled["executedQty"])) == ("CANCELED", Decimal(shown))
    position = next(item for item in client.futures_position_information(symbol=BTC))
    assert Decimal(position["positionAmt"]) == Decimal(shown)


def test_a_futures_stop_becomes_an_algo_order_and_closes_the_position(stepped: SimulatorProcess, client: Any) -> None:
    client.futures_change_leverage(symbol=BTC, leverage=5)
    client.futures_create_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.1")
    trigger = off(futures_best(client, "bids")[0], -1, "0.1")
    stop = client.futures_create_order(
        symbol=BTC, side="SELL", type="STOP_MARKET", stopPrice=trigger, closePosition="true"
    )
    assert [item["algoId"] for item in client.futures_get_open_algo_orders(symbol=BTC)] == [stop["algoId"]]
    shift(stepped, "-2")
    finished = client.futures_get_algo_order(algoId=stop["algoId"])
    assert finished["algoStatus"] == "FINISHED"
    held = [item for item in client.futures_position_information(symbol=BTC) if Decimal(item["positionAmt"])]
    assert held == []
    kinds = {item["incomeType"] for item in client.futures_income_history(symbol=BTC)}
    assert {"REALIZED_PNL", "COMMISSION"} <= kinds


def test_futures_orders_go_in_batches(client: Any) -> None:
    low = off(futures_best(client, "bids")[0], -5, "0.1")
    orders = [
        {"symbol": BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": low}
        for _ in range(2)
    ]
    placed = client.futures_place_batch_order(batchOrders=orders)
    assert [order["status"] for order in placed] == ["NEW", "NEW"]
    ids = [order["orderId"] for order in placed]
    cancelled = client.futures_cancel_orders(symbol=BTC, orderidlist=ids)
    assert [order["status"] for order in cancelled] == ["CANCELED", "CANCELED"]


def test_funding_is_charged_and_told_as_income(stepped: SimulatorProcess, client: Any) -> None:
    client.futures_create_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.1")
    pass_minute(stepped, 8 * 60)
    paid = client.futures_income_history(symbol=BTC, incomeType="FUNDING_FEE")
    assert paid
    assert client.futures_funding_rate(symbol=BTC)[-1]["fundingRate"]
    assert client.futures_mark_price(symbol=BTC)["lastFundingRate"]


def test_futures_refusals_carry_the_venues_code_and_text(client: Any) -> None:
    with pytest.raises(BinanceAPIException) as poor:
        client.futures_create_order(symbol=BTC, side="BUY", type="MARKET", quantity="900")
    assert poor.value.code in (-2019, -4005)
    with pytest.raises(BinanceAPIException) as same:
        client.futures_change_margin_type(symbol=BTC, marginType="CROSSED")
    assert (same.value.code, same.value.message) == (-4046, "No need to change margin type.")
    with pytest.raises(BinanceAPIException) as dead:
        client.futures_get_order(symbol=BTC, orderId=999_999_999)
    assert (dead.value.code, dead.value.message) == (-2013, "Order does not exist.")
