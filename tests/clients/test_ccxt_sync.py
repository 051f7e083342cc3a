from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.clients.ccxt_setup import point_at
from tests.clients.conftest import Customer
from tests.simulator_process import SimulatorProcess

BTC, BTC_PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def spot(venue: SimulatorProcess, customer: Customer) -> Iterator[Any]:
    exchange = point_at(ccxt.binance({"apiKey": customer.key, "secret": customer.secret}), venue)
    exchange.load_markets()
    yield exchange
    exchange.close()


@pytest.fixture(scope="module")
def futures(venue: SimulatorProcess, customer: Customer) -> Iterator[Any]:
    exchange = point_at(ccxt.binanceusdm({"apiKey": customer.key, "secret": customer.secret}), venue)
    exchange.load_markets()
    yield exchange
    exchange.close()


def far_below(exchange: Any, symbol: str) -> str:
    return str(exchange.price_to_precision(symbol, exchange.fetch_ticker(symbol)["last"] * 0.9))


def far_above(exchange: Any, symbol: str) -> str:
    return str(exchange.price_to_precision(symbol, exchange.fetch_ticker(symbol)["last"] * 1.1))


def test_markets_carry_the_venues_precision_and_limits(spot: Any) -> None:
    market = spot.market(BTC)
    assert market["precision"]["price"] == 0.01
    assert market["precision"]["amount"] == 0.00001
    assert market["limits"]["cost"]["min"] == 5.0


def test_balances_are_what_the_account_was_opened_with(spot: Any) -> None:
    balance = spot.fetch_balance()
    assert balance["ETH"]["free"] == 20.0


def test_a_limit_order_rests_is_found_and_is_cancelled(spot: Any) -> None:
    placed = spot.create_order(BTC, "limit", "buy", 0.001, far_below(spot, BTC), {"newClientOrderId": "ccxt-rest-1"})
    assert placed["status"] == "open"
    assert placed["clientOrderId"] == "ccxt-rest-1"
    assert [order["id"] for order in spot.fetch_open_orders(BTC)] == [placed["id"]]
    assert spot.fetch_order(placed["id"], BTC)["status"] == "open"
    assert spot.cancel_order(placed["id"], BTC)["status"] == "canceled"
    assert spot.fetch_open_orders(BTC) == []


def test_a_market_order_fills_and_its_trades_add_up(spot: Any) -> None:
    before = Decimal(str(spot.fetch_balance()["BTC"]["free"]))
    order = spot.create_order(BTC, "market", "buy", 0.002)
    assert order["status"] == "closed"
    trades = [trade for trade in spot.fetch_my_trades(BTC) if trade["order"] == order["id"]]
    bought = sum(Decimal(str(trade["amount"])) for trade in trades)
    fees = sum(Decimal(str(trade["fee"]["cost"])) for trade in trades)
    assert bought == Decimal("0.002")
    assert Decimal(str(spot.fetch_balance()["BTC"]["free"])) == before + bought - fees


def test_a_market_buy_by_quote_amount_spends_no_more_than_asked(spot: Any) -> None:
    order = spot.create_market_buy_order_with_cost(BTC, 50)
    assert order["status"] == "closed"
    assert 0 < order["cost"] <= 50


def test_a_stop_order_waits_for_its_trigger(spot: Any) -> None:
    trigger = far_below(spot, BTC)
    order = spot.create_order(BTC, "limit", "sell", 0.001, trigger, {"stopLossPrice": trigger})
    assert order["status"] == "open"
    assert spot.cancel_order(order["id"], BTC)["status"] == "canceled"


def test_an_order_is_replaced_in_one_request(spot: Any) -> None:
    first = spot.create_order(BTC, "limit", "buy", 0.001, far_below(spot, BTC))
    second = spot.edit_order(first["id"], BTC, "limit", "buy", 0.002, far_below(spot, BTC))
    assert second["id"] != first["id"]
    assert spot.fetch_order(first["id"], BTC)["status"] == "canceled"
    spot.cancel_all_orders(BTC)
    assert spot.fetch_open_orders(BTC) == []


def test_refusals_reach_the_caller_as_ccxt_classes(spot: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        spot.create_order(BTC, "limit", "buy", 20, far_below(spot, BTC))
    with pytest.raises(ccxt.OrderNotFound):
        spot.cancel_order("999999999", BTC)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        spot.create_order(BTC, "limit", "buy", 0.001, far_above(spot, BTC), {"postOnly": True})


def test_public_data_is_consistent(spot: Any) -> None:
    book = spot.fetch_order_book(BTC, 20)
    assert book["bids"][0][0] < book["asks"][0][0]
    candles = spot.fetch_ohlcv(BTC, "1m", limit=50)
    assert len(candles) == 50
    assert all(low <= min(first, last) and max(first, last) <= high for _, first, high, low, last, _ in candles)
    assert spot.fetch_trades(BTC, limit=10)[-1]["price"] > 0


def test_a_futures_position_is_opened_held_and_closed(futures: Any) -> None:
    futures.set_leverage(10, BTC_PERPETUAL)
    opened = futures.create_order(BTC_PERPETUAL, "market", "buy", 0.01)
    assert opened["filled"] == 0.01
    position = next(item for item in futures.fetch_positions([BTC_PERPETUAL]) if item["contracts"])
    assert (position["side"], position["contracts"]) == ("long", 0.01)
    futures.create_order(BTC_PERPETUAL, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert not [item for item in futures.fetch_positions([BTC_PERPETUAL]) if item["contracts"]]


def test_futures_limit_and_conditional_orders_live_their_lives(futures: Any) -> None:
    rest = futures.create_order(BTC_PERPETUAL, "limit", "buy", 0.01, far_below(futures, BTC_PERPETUAL))
    assert futures.cancel_order(rest["id"], BTC_PERPETUAL)["status"] == "canceled"
    trigger = far_above(futures, BTC_PERPETUAL)
    conditional = futures.create_order(BTC_PERPETUAL, "market", "buy", 0.01, None, {"triggerPrice": trigger})
    listed = futures.fetch_open_orders(BTC_PERPETUAL, params={"trigger": True})
    assert [order["id"] for order in listed] == [conditional["id"]]
    futures.cancel_order(conditional["id"], BTC_PERPETUAL, {"trigger": True})
    assert futures.fetch_open_orders(BTC_PERPETUAL, params={"trigger": True}) == []


def test_futures_account_data_is_readable(futures: Any) -> None:
    assert futures.fetch_balance()["USDT"]["total"] > 0
    assert futures.fetch_funding_rate(BTC_PERPETUAL)["fundingRate"] is not None
    assert futures.fetch_leverage_tiers([BTC_PERPETUAL])[BTC_PERPETUAL]
    order = futures.create_order(BTC_PERPETUAL, "market", "sell", 0.01)
    assert order["id"] in {trade["order"] for trade in futures.fetch_my_trades(BTC_PERPETUAL)}
    futures.create_order(BTC_PERPETUAL, "market", "buy", 0.01)
