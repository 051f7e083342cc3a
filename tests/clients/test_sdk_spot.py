from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from binance_common.errors import BadRequestError, UnauthorizedError

from tests.clients.conftest import Customer
from tests.clients.inbox import Inbox
from tests.clients.keys import register
from tests.clients.sdk_setup import events, heard, spot_client
from tests.clients.steering import BTC, more_than, off, pass_minute, shift
from tests.simulator_process import SimulatorProcess

LIMIT: dict[str, Any] = {"symbol": BTC, "type": "LIMIT", "time_in_force": "GTC"}


@pytest.fixture(scope="module")
def private_key(stepped: SimulatorProcess, customer: Customer) -> str:
    return register(stepped, customer.key, "ED25519", "sdk-ed25519")


@pytest.fixture(params=["HMAC", "ED25519"])
def identity(request: pytest.FixtureRequest, customer: Customer, private_key: str) -> dict[str, str]:
    if request.param == "HMAC":
        return {"api_key": customer.key, "api_secret": customer.secret}
    return {"api_key": "sdk-ed25519", "private_key": private_key}


@pytest.fixture
def rest(stepped: SimulatorProcess, customer: Customer) -> Iterator[Any]:
    api = spot_client(stepped, api_key=customer.key, api_secret=customer.secret).rest_api
    yield api
    if api.get_open_orders(symbol=BTC).data():
        api.delete_open_orders(symbol=BTC)
    api._session.close()


@pytest.fixture
async def logged_on(stepped: SimulatorProcess, private_key: str) -> AsyncIterator[Any]:
    api = spot_client(stepped, api_key="sdk-ed25519", private_key=private_key).websocket_api
    await api.create_connection()
    logon = (await api.session_logon()).data()
    assert logon.result.api_key == "sdk-ed25519"
    yield api
    await api.close_connection()


def best(rest: Any, side: str) -> list[str]:
    found: list[str] = getattr(rest.depth(symbol=BTC, limit=5).data(), side)[0]
    return found


def test_the_rules_the_account_and_the_market_are_readable(rest: Any, identity: dict[str, str]) -> None:
    rules = rest.exchange_info(symbol=BTC).data().symbols
    assert [item.symbol for item in rules] == [BTC]
    assert {item.asset for item in rest.get_account().data().balances} >= {"BTC", "USDT"}
    assert len(rest.klines(symbol=BTC, interval="1m", limit=10).data()) == 10
    assert rest.ticker24hr(symbol=BTC).data().actual_instance.symbol == BTC
    assert rest.account_commission(symbol=BTC).data().standard_commission.maker == "0.00100000"


def test_orders_are_placed_queried_and_cancelled_with_any_key(
    stepped: SimulatorProcess, rest: Any, identity: dict[str, str]
) -> None:
    api = spot_client(stepped, **identity).rest_api
    order = api.new_order(**LIMIT, side="BUY", quantity="0.01", price=off(best(rest, "bids")[0], -5)).data()
    assert order.status == "NEW"
    assert api.get_order(symbol=BTC, order_id=order.order_id).data().client_order_id == order.client_order_id
    assert api.delete_order(symbol=BTC, order_id=order.order_id).data().status == "CANCELED"
    api._session.close()


def test_a_partial_fill_is_amended_replaced_and_told_in_the_history(rest: Any) -> None:
    price, shown = best(rest, "asks")
    order = rest.new_order(**LIMIT, side="BUY", quantity=more_than(shown, "1.5"), price=price).data()
    assert (order.status, Decimal(order.executed_qty)) == ("PARTIALLY_FILLED", Decimal(shown))
    amended = rest.order_amend_keep_priority(
        symbol=BTC, order_id=order.order_id, new_qty=more_than(shown, "0.5")
    ).data()
    assert amended.amended_order.status == "PARTIALLY_FILLED"
    assert len(rest.order_amendments(symbol=BTC, order_id=order.order_id).data()) == 1
    replaced = rest.order_cancel_replace(
        **LIMIT, side="BUY", quantity="0.02", price=off(price, -5),
        cancel_replace_mode="STOP_ON_FAILURE", cancel_order_id=order.order_id,
    ).data()  # fmt: skip
    assert (replaced.cancel_result, replaced.new_order_result) == ("SUCCESS", "SUCCESS")
    assert replaced.cancel_response.executed_qty == order.executed_qty
    trades = rest.my_trades(symbol=BTC, order_id=order.order_id).data()
    assert sum(Decimal(trade.qty) for trade in trades) == Decimal(order.executed_qty)


def test_order_lists_live_and_end(rest: Any) -> None:
    price = best(rest, "bids")[0]
    oco = rest.order_list_oco(
        symbol=BTC, side="SELL", quantity="0.01", above_type="LIMIT_MAKER", above_price=off(price, 2),
        below_type="STOP_LOSS", below_stop_price=off(price, -2),
    ).data()  # fmt: skip
    otoco = rest.order_list_otoco(
        symbol=BTC, working_type="LIMIT", working_side="BUY", working_price=off(price, -3), working_quantity="0.01",
        working_time_in_force="GTC", pending_side="SELL", pending_quantity="0.01", pending_above_type="LIMIT_MAKER",
        pending_above_price=off(price, 5), pending_below_type="STOP_LOSS", pending_below_stop_price=off(price, -5),
    ).data()  # fmt: skip
    assert (len(oco.orders), len(otoco.orders)) == (2, 3)
    listed = {item.order_list_id for item in rest.open_order_list().data()}
    assert listed == {oco.order_list_id, otoco.order_list_id}
    for item in listed:
        assert rest.delete_order_list(symbol=BTC, order_list_id=item).data().list_order_status == "ALL_DONE"


def test_refusals_are_raised_with_the_venues_code(stepped: SimulatorProcess, rest: Any) -> None:
    with pytest.raises(BadRequestError) as unknown:
        rest.delete_order(symbol=BTC, order_id=999_999_999)
    assert (unknown.value.status_code, unknown.value.error_message) == (-2011, "Unknown order sent.")
    with pytest.raises(BadRequestError) as taker:
        rest.new_order(symbol=BTC, side="BUY", type="LIMIT_MAKER", quantity="0.01", price=best(rest, "asks")[0])
    assert taker.value.status_code == -2010
    assert taker.value.error_message == "Order would immediately match and take."
    stranger = spot_client(stepped, api_key="nobody", api_secret="nothing").rest_api
    with pytest.raises(UnauthorizedError) as rejected:
        stranger.get_account()
    assert rejected.value.status_code == -2015
    stranger._session.close()


async def test_a_logged_on_session_trades_and_hears_of_every_step(stepped: SimulatorProcess, logged_on: Any) -> None:
    inbox = heard((await logged_on.user_data_stream_subscribe()).stream)
    book = (await logged_on.depth(symbol=BTC, limit=5)).data().result
    price, shown = book.asks[0]
    placed = await logged_on.order_place(**LIMIT, side="BUY", quantity=more_than(shown), price=price)
    order = placed.data().result
    assert order.status == "PARTIALLY_FILLED"
    await asyncio.to_thread(shift, stepped, "-1")
    await inbox.until(lambda _: ("TRADE", "FILLED") in steps(inbox, order.order_id))
    assert steps(inbox, order.order_id) == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "FILLED")]
    low = off(price, -6)
    rest = (await logged_on.order_place(**LIMIT, side="BUY", quantity="0.02", price=low)).data().result
    amended = await logged_on.order_amend_keep_priority(symbol=BTC, order_id=rest.order_id, new_qty="0.01")
    assert amended.data().result.amended_order.qty == "0.01000000"
    await logged_on.order_cancel(symbol=BTC, order_id=rest.order_id)
    await inbox.until(lambda _: ("CANCELED", "CANCELED") in steps(inbox, rest.order_id))
    assert steps(inbox, rest.order_id) == [("NEW", "NEW"), ("REPLACED", "NEW"), ("CANCELED", "CANCELED")]
    assert events(inbox, "OutboundAccountPosition")
    assert (await logged_on.session_status()).data().result.user_data_stream is True
    await logged_on.session_logout()
    status = (await logged_on.session_status()).data().result
    assert (status.api_key, status.user_data_stream) == (None, False)
    assert events(inbox, "EventStreamTerminated")


async def test_an_oco_over_the_session_reports_both_legs_and_the_list(
    stepped: SimulatorProcess, logged_on: Any
) -> None:
    inbox = heard((await logged_on.user_data_stream_subscribe()).stream)
    price = (await logged_on.ticker_price(symbol=BTC)).data().actual_instance.result.price
    placed = await logged_on.order_list_place_oco(
        symbol=BTC, side="SELL", quantity="0.01", above_type="LIMIT_MAKER", above_price=off(price, 2),
        below_type="STOP_LOSS", below_stop_price=off(price, -2),
    )  # fmt: skip
    oco = placed.data().result
    await asyncio.to_thread(shift, stepped, "3")
    await inbox.until(lambda _: len(events(inbox, "ListStatus")) == 2)
    assert [(event.l, event.L) for event in events(inbox, "ListStatus")] == [
        ("EXEC_STARTED", "EXECUTING"),
        ("ALL_DONE", "ALL_DONE"),
    ]
    ends = {steps(inbox, order.order_id)[-1] for order in oco.orders}
    assert ends == {("TRADE", "FILLED"), ("EXPIRED", "EXPIRED")}


async def test_any_key_may_subscribe_by_signature(stepped: SimulatorProcess, identity: dict[str, str]) -> None:
    api = spot_client(stepped, **identity).websocket_api
    await api.create_connection()
    inbox = heard((await api.user_data_stream_subscribe_signature()).stream)
    order = (await api.order_place(symbol=BTC, side="BUY", type="MARKET", quantity="0.01")).data().result
    await inbox.until(lambda _: ("TRADE", "FILLED") in steps(inbox, order.order_id))
    refused = (await api.order_cancel(symbol=BTC, order_id=order.order_id)).data()
    assert refused["error"] == {"code": -2011, "msg": "Unknown order sent."}
    await api.close_connection()


async def test_streams_deliver_what_their_models_promise(stepped: SimulatorProcess) -> None:
    streams = spot_client(stepped).websocket_streams
    await streams.create_connection()
    inboxes = {
        "trade": heard(await streams.trade("btcusdt")),
        "aggTrade": heard(await streams.agg_trade("btcusdt")),
        "kline": heard(await streams.kline("btcusdt", "1m")),
        "depthUpdate": heard(await streams.diff_book_depth("btcusdt", update_speed="100ms")),
        "24hrTicker": heard(await streams.ticker("btcusdt")),
        "1hTicker": heard(await streams.rolling_window_ticker("btcusdt", "1h")),
        "avgPrice": heard(await streams.avg_price("btcusdt")),
    }
    unnamed = [heard(await streams.book_ticker("btcusdt")), heard(await streams.partial_book_depth("btcusdt", "5"))]
    everyone = heard(await streams.all_mini_ticker())
    subscribed = await streams.list_subscribe()
    assert len(subscribed["result"]) == 10
    await asyncio.to_thread(pass_minute, stepped)
    for kind, inbox in inboxes.items():
        assert (await inbox.first(lambda _: True)).e == kind
    for inbox in unnamed:
        await inbox.first(lambda _: True)
    assert {ticker.s for ticker in (await everyone.first(lambda _: True))} <= {BTC, "ETHUSDT", "BNBUSDT"}
    await streams.unsubscribe(["btcusdt@trade"])
    assert "btcusdt@trade" not in (await streams.list_subscribe())["result"]
    await streams.close_connection()


def steps(inbox: Inbox, order_id: int) -> list[tuple[str, str]]:
    return [(event.x, event.X) for event in events(inbox, "ExecutionReport") if event.i == order_id]
