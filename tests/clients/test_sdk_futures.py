from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from binance_common.errors import BadRequestError

from tests.clients.conftest import Customer
from tests.clients.inbox import Inbox
from tests.clients.keys import register
from tests.clients.sdk_setup import events, futures_client, heard
from tests.clients.steering import BTC, more_than, off, pass_minute, shift
from tests.simulator_process import SimulatorProcess

LIMIT: dict[str, Any] = {"symbol": BTC, "type": "LIMIT", "time_in_force": "GTC"}


@pytest.fixture
def rest(stepped: SimulatorProcess, customer: Customer) -> Iterator[Any]:
    api = futures_client(stepped, api_key=customer.key, api_secret=customer.secret).rest_api
    yield api
    api.cancel_all_open_orders(symbol=BTC)
    api.cancel_all_algo_open_orders(symbol=BTC)
    for position in api.position_information_v3(symbol=BTC).data():
        amount = Decimal(position.position_amt)
        side = "SELL" if amount > 0 else "BUY"
        api.new_order(symbol=BTC, side=side, type="MARKET", quantity=str(abs(amount)), reduce_only="true")
    api._session.close()


@pytest.fixture
async def private(stepped: SimulatorProcess, customer: Customer, rest: Any) -> AsyncIterator[Inbox]:
    """User data by listen key on the private route."""
    streams = futures_client(stepped).websocket_streams
    await streams.create_connection()
    key = rest.start_user_data_stream().data().listen_key
    yield heard(await streams.user_data(key))
    await streams.close_connection()


def best(rest: Any, side: str) -> list[str]:
    found: list[str] = getattr(rest.order_book(symbol=BTC, limit=5).data(), side)[0]
    return found


def steps(inbox: Inbox, order_id: int) -> list[tuple[str, str]]:
    return [(event.o.x, event.o.X) for event in events(inbox, "OrderTradeUpdate") if event.o.i == order_id]


def test_the_rules_the_account_and_the_market_are_readable(rest: Any) -> None:
    assert {item.symbol for item in rest.exchange_information().data().symbols} >= {BTC, "ETHUSDT"}
    assert Decimal(rest.account_information_v3().data().total_wallet_balance) > 0
    assert {item.asset for item in rest.futures_account_balance_v3().data()} >= {"USDT"}
    assert len(rest.kline_candlestick_data(symbol=BTC, interval="1m", limit=10).data()) == 10
    assert rest.mark_price(symbol=BTC).data().actual_instance.symbol == BTC
    assert rest.notional_and_leverage_brackets(symbol=BTC).data()
    assert rest.user_commission_rate(symbol=BTC).data().symbol == BTC


def test_a_partial_fill_is_amended_told_and_cancelled(rest: Any) -> None:
    price, shown = best(rest, "asks")
    order = rest.new_order(**LIMIT, side="BUY", quantity=more_than(shown), price=price).data()
    found = rest.query_order(symbol=BTC, order_id=order.order_id).data()
    assert (found.status, Decimal(found.executed_qty)) == ("PARTIALLY_FILLED", Decimal(shown))
    lower = off(price, -2, "0.1")
    changed = rest.modify_order(
        symbol=BTC, side="BUY", order_id=order.order_id, quantity=more_than(shown, "0.8"), price=lower
    ).data()
    assert Decimal(changed.price) == Decimal(lower)
    history = rest.get_order_modify_history(symbol=BTC, order_id=order.order_id).data()
    assert [Decimal(item.amendment.price.after) for item in history] == [Decimal(lower)]
    assert rest.cancel_order(symbol=BTC, order_id=order.order_id).data().status == "CANCELED"
    trades = [trade for trade in rest.account_trade_list(symbol=BTC).data() if trade.order_id == order.order_id]
    assert sum(Decimal(trade.qty) for trade in trades) == Decimal(shown)


def test_several_orders_are_placed_and_cancelled_at_once(rest: Any) -> None:
    low = off(best(rest, "bids")[0], -5, "0.1")
    one = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": low}
    placed = rest.place_multiple_orders(batch_orders=[one, one]).data()
    assert [order.status for order in placed] == ["NEW", "NEW"]
    assert len(rest.current_all_open_orders(symbol=BTC).data()) == 2
    ids = [order.order_id for order in placed]
    cancelled = rest.cancel_multiple_orders(symbol=BTC, order_id_list=ids).data()
    assert [order.status for order in cancelled] == ["CANCELED", "CANCELED"]


def test_settings_are_changed_and_read_back(rest: Any) -> None:
    assert rest.change_initial_leverage(symbol=BTC, leverage=9).data().leverage == 9
    rest.change_margin_type(symbol=BTC, margin_type="ISOLATED")
    setting = rest.symbol_configuration(symbol=BTC).data()[0]
    assert (setting.leverage, setting.margin_type) == (9, "ISOLATED")
    rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.1")
    rest.modify_isolated_position_margin(symbol=BTC, amount="50", type=1)
    assert rest.get_position_margin_change_history(symbol=BTC).data()
    rest.new_order(symbol=BTC, side="SELL", type="MARKET", quantity="0.1", reduce_only="true")
    rest.change_margin_type(symbol=BTC, margin_type="CROSSED")
    rest.change_position_mode(dual_side_position="true")
    assert rest.get_current_position_mode().data().dual_side_position is True
    rest.change_position_mode(dual_side_position="false")


def test_refusals_are_raised_with_the_venues_code(rest: Any) -> None:
    price = best(rest, "asks")[0]
    with pytest.raises(BadRequestError) as conditional:
        rest.new_order(symbol=BTC, side="SELL", type="STOP_MARKET", quantity="0.01", price=price)
    assert conditional.value.status_code == -4120
    with pytest.raises(BadRequestError) as taker:
        rest.new_order(symbol=BTC, side="BUY", type="LIMIT", time_in_force="GTX", quantity="0.01", price=price)
    assert taker.value.status_code == -5022
    with pytest.raises(BadRequestError) as nothing:
        rest.new_order(symbol=BTC, side="SELL", type="MARKET", quantity="0.01", reduce_only="true")
    assert (nothing.value.status_code, nothing.value.error_message) == (-2022, "ReduceOnly Order is rejected.")


async def test_user_data_tells_of_a_partial_fill_the_rest_and_the_position(
    stepped: SimulatorProcess, rest: Any, private: Inbox
) -> None:
    price, shown = best(rest, "asks")
    order = rest.new_order(**LIMIT, side="BUY", quantity=more_than(shown), price=price).data()
    await asyncio.to_thread(shift, stepped, "-1")
    await private.until(lambda _: ("TRADE", "FILLED") in steps(private, order.order_id))
    assert steps(private, order.order_id) == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "FILLED")]
    amounts = [Decimal(event.a.P[0].pa) for event in events(private, "AccountUpdate")]
    assert amounts[-1] == Decimal(rest.query_order(symbol=BTC, order_id=order.order_id).data().executed_qty)
    assert len(events(private, "TradeLite")) == 2
    rest.change_initial_leverage(symbol=BTC, leverage=6)
    await private.until(lambda _: bool(events(private, "AccountConfigUpdate")))


async def test_a_conditional_order_is_followed_from_waiting_to_its_end(
    stepped: SimulatorProcess, rest: Any, private: Inbox
) -> None:
    rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.1")
    trigger = off(best(rest, "bids")[0], -1, "0.1")
    stop = rest.new_algo_order(
        algo_type="CONDITIONAL", symbol=BTC, side="SELL", type="STOP_MARKET", trigger_price=trigger,
        close_position="true",
    ).data()  # fmt: skip
    assert [item.algo_id for item in rest.current_all_algo_open_orders(symbol=BTC).data()] == [stop.algo_id]
    await asyncio.to_thread(shift, stepped, "-2")
    await private.until(lambda _: "FINISHED" in algo_states(private, stop.algo_id))
    assert algo_states(private, stop.algo_id) == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    assert rest.query_algo_order(algo_id=stop.algo_id).data().algo_status == "FINISHED"
    assert rest.position_information_v3(symbol=BTC).data() == []


def algo_states(inbox: Inbox, algo_id: int) -> list[str]:
    return [event.o.X for event in events(inbox, "AlgoUpdate") if event.o.aid == algo_id]


async def test_a_listen_key_expires_and_is_renewed(stepped: SimulatorProcess, rest: Any, private: Inbox) -> None:
    key = rest.start_user_data_stream().data().listen_key
    assert rest.keepalive_user_data_stream().data().listen_key == key
    fault = {"kind": "listen_key_expire", "path": "/private/*"}
    await asyncio.to_thread(stepped.post, "faults", fault)
    await private.until(lambda _: bool(events(private, "ListenKeyExpired")))
    with pytest.raises(BadRequestError) as gone:
        rest.keepalive_user_data_stream()
    assert (gone.value.status_code, gone.value.error_message) == (-1125, "This listenKey does not exist.")
    renewed = rest.start_user_data_stream().data().listen_key
    assert renewed != key
    rest.close_user_data_stream()
    with pytest.raises(BadRequestError):
        rest.keepalive_user_data_stream()


@pytest.mark.parametrize("kind", ["HMAC", "ED25519"])
async def test_orders_go_over_the_websocket_api(
    stepped: SimulatorProcess, customer: Customer, rest: Any, kind: str
) -> None:
    identity = {"api_key": customer.key, "api_secret": customer.secret}
    if kind == "ED25519":
        name = "sdk-futures-ed25519"
        identity = {
            "api_key": name,
            "private_key": await asyncio.to_thread(register, stepped, customer.key, kind, name),
        }
    api = futures_client(stepped, **identity).websocket_api
    await api.create_connection()
    low = off(best(rest, "bids")[0], -5, "0.1")
    order = (await api.new_order(**LIMIT, side="BUY", quantity="0.01", price=low)).data().result
    assert (await api.query_order(symbol=BTC, order_id=order.order_id)).data().result.status == "NEW"
    changed = await api.modify_order(symbol=BTC, side="BUY", order_id=order.order_id, quantity="0.02", price=low)
    assert changed.data().result.orig_qty == "0.020"
    assert (await api.cancel_order(symbol=BTC, order_id=order.order_id)).data().result.status == "CANCELED"
    high = off(low, 12, "0.1")
    algo = await api.new_algo_order(
        algo_type="CONDITIONAL", symbol=BTC, side="BUY", type="STOP_MARKET", quantity="0.01", trigger_price=high
    )
    cancelled = await api.cancel_algo_order(algo_id=algo.data().result.algo_id)
    assert cancelled.data().result.algo_id == algo.data().result.algo_id
    assert (await api.account_information_v2()).data().result.total_wallet_balance
    refused = (await api.cancel_order(symbol=BTC, order_id=order.order_id)).data()
    assert refused["error"] == {"code": -2011, "msg": "Unknown order sent."}
    await api.close_connection()


async def test_streams_come_by_their_routes(stepped: SimulatorProcess) -> None:
    streams = futures_client(stepped).websocket_streams
    await streams.create_connection()
    inboxes = {
        "aggTrade": heard(await streams.aggregate_trade_streams("btcusdt")),
        "kline": heard(await streams.kline_candlestick_streams("btcusdt", "1m")),
        "markPriceUpdate": heard(await streams.mark_price_stream("btcusdt")),
        "24hrTicker": heard(await streams.individual_symbol_ticker_streams("btcusdt")),
        "24hrMiniTicker": heard(await streams.individual_symbol_mini_ticker_stream("btcusdt")),
        "bookTicker": heard(await streams.individual_symbol_book_ticker_streams("btcusdt")),
        "depthUpdate": heard(await streams.diff_book_depth_streams("btcusdt", update_speed="100ms")),
    }
    await streams.list_subscribe()
    await asyncio.to_thread(pass_minute, stepped)
    for kind, inbox in inboxes.items():
        assert (await inbox.first(lambda _: True)).e == kind
    await streams.close_connection()
