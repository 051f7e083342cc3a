from __future__ import annotations

import pytest

from simulator.units import parse_quanta
from tests.simulator.futures_api.harness import Customer, FuturesVenue
from tests.simulator.futures_api.story import STOP


def test_an_acknowledged_market_order_shows_nothing_of_its_fills(anna: Customer) -> None:
    answer = anna.order("BUY", "0.01").fields
    assert (answer["status"], answer["executedQty"], answer["avgPrice"]) == ("NEW", "0.000", "0.00000")


def test_result_shows_how_a_market_order_ended(anna: Customer) -> None:
    answer = anna.order("BUY", "0.01", newOrderRespType="RESULT").fields
    assert (answer["status"], answer["executedQty"], answer["cumQty"]) == ("FILLED", "0.010", "0.010")
    assert answer["avgPrice"] == "50000.10000"
    assert answer["cumQuote"] == "500.00100"


def test_a_limit_order_is_shown_with_the_symbols_decimals(anna: Customer) -> None:
    answer = anna.order("BUY", "0.01", "49000", newClientOrderId="mine").fields
    assert (answer["price"], answer["origQty"], answer["stopPrice"]) == ("49000.00", "0.010", "0.00")
    assert (answer["clientOrderId"], answer["status"], answer["reduceOnly"]) == ("mine", "NEW", False)
    assert (answer["positionSide"], answer["workingType"], answer["priceMatch"]) == ("BOTH", "CONTRACT_PRICE", "NONE")


def test_an_order_is_found_by_either_id_until_it_is_cancelled(anna: Customer) -> None:
    number = anna.order("BUY", "0.01", "49000", newClientOrderId="mine").fields["orderId"]
    by_name = anna.get("/fapi/v1/openOrder", symbol="BTCUSDT", origClientOrderId="mine").fields
    assert by_name["orderId"] == number
    cancelled = anna.delete("/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="mine").fields
    assert (cancelled["status"], cancelled["clientOrderId"]) == ("CANCELED", "mine")
    gone = anna.get("/fapi/v1/openOrder", symbol="BTCUSDT", orderId=number)
    assert gone.refusal == (-2013, "Order does not exist.")
    assert anna.get("/fapi/v1/order", symbol="BTCUSDT", orderId=number).fields["status"] == "CANCELED"


def test_a_client_id_in_use_is_refused(anna: Customer) -> None:
    anna.order("BUY", "0.01", "49000", newClientOrderId="mine")
    again = anna.order("BUY", "0.01", "49000", newClientOrderId="mine")
    assert again.refusal == (-4116, "ClientOrderId is duplicated.")


def test_a_tested_order_is_answered_and_not_placed(anna: Customer) -> None:
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    assert anna.post("/fapi/v1/order/test", **fields).fields["status"] == "NEW"
    assert anna.get("/fapi/v1/allOrders", symbol="BTCUSDT").body == []
    refused = anna.post("/fapi/v1/order/test", **(fields | {"quantity": "0"}))
    assert refused.refusal[0] == -4003


def test_a_modified_order_remembers_what_it_was(anna: Customer) -> None:
    number = anna.order("BUY", "0.01", "49000").fields["orderId"]
    change = {"symbol": "BTCUSDT", "orderId": number, "side": "BUY"}
    answer = anna.put("/fapi/v1/order", **change, quantity="0.02", price="48900", modifyId=12).fields
    assert (answer["price"], answer["origQty"], answer["modifyId"]) == ("48900.00", "0.020", 12)
    amendment = anna.get("/fapi/v1/orderAmendment", symbol="BTCUSDT", orderId=number).rows[0]["amendment"]
    assert amendment == {
        "price": {"before": "49000.00", "after": "48900.00"},
        "origQty": {"before": "0.010", "after": "0.020"},
        "count": 1,
    }


def test_reduce_only_in_a_modification_must_fit_the_order(anna: Customer) -> None:
    number = anna.order("BUY", "0.01", "49000").fields["orderId"]
    answer = anna.put(
        "/fapi/v1/order",
        symbol="BTCUSDT",
        orderId=number,
        side="BUY",
        quantity="0.02",
        price="48900",
        reduceOnly="true",
    )
    assert answer.refusal == (-5047, "The original order is not a reduce-only order.")


def test_price_match_takes_the_price_from_the_book(anna: Customer) -> None:
    best = anna.get("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT").fields
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    answer = anna.post("/fapi/v1/order", **fields, priceMatch="QUEUE").fields
    assert (answer["price"], answer["priceMatch"]) == (best["bidPrice"], "QUEUE")


def test_cancelling_all_orders_of_a_symbol_leaves_other_symbols_alone(anna: Customer) -> None:
    anna.order("BUY", "0.01", "49000")
    anna.order("BUY", "0.1", "2400", symbol="ETHUSDT")
    answer = anna.delete("/fapi/v1/allOpenOrders", symbol="BTCUSDT").fields
    assert answer == {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert [row["symbol"] for row in anna.get("/fapi/v1/openOrders").rows] == ["ETHUSDT"]


def test_trades_tell_fee_side_and_profit(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01")
    venue.print_at("50500")
    anna.order("SELL", "0.01")
    bought, sold = anna.get("/fapi/v1/userTrades", symbol="BTCUSDT").rows
    assert (bought["price"], bought["qty"], bought["buyer"], bought["maker"]) == ("50000.10", "0.010", True, False)
    assert (bought["commission"], bought["commissionAsset"]) == ("0.25000050", "USDT")
    assert (sold["side"], sold["realizedPnl"]) == ("SELL", "4.99900000")


def test_the_dead_mans_switch_cancels_unless_it_is_wound_again(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01", "49000")
    answer = anna.post("/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=60_000).fields
    assert answer == {"symbol": "BTCUSDT", "countdownTime": "60000"}
    venue.futures.on_protocol_time(venue.protocol.now_ms() + 59_000)
    assert len(anna.get("/fapi/v1/openOrders", symbol="BTCUSDT").rows) == 1
    venue.futures.on_protocol_time(venue.protocol.now_ms() + 61_000)
    assert anna.get("/fapi/v1/openOrders", symbol="BTCUSDT").rows == []


def test_a_conditional_order_waits_then_becomes_an_ordinary_one(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01")
    stop = anna.post("/fapi/v1/algoOrder", **STOP, type="STOP_MARKET", triggerPrice="49500", clientAlgoId="s1").fields
    assert (stop["algoStatus"], stop["triggerPrice"], stop["clientAlgoId"]) == ("NEW", "49500.00", "s1")
    assert [row["algoId"] for row in anna.get("/fapi/v1/openAlgoOrders").rows] == [stop["algoId"]]
    assert anna.get("/fapi/v1/openOrders").rows == []
    venue.print_at("49400")
    ended = anna.get("/fapi/v1/algoOrder", algoId=stop["algoId"]).fields
    assert (ended["algoStatus"], ended["actualType"], ended["actualQty"]) == ("FINISHED", "MARKET", "0.010")
    order = anna.get("/fapi/v1/order", symbol="BTCUSDT", orderId=ended["actualOrderId"]).fields
    assert (order["status"], order["side"]) == ("FILLED", "SELL")
    assert anna.get("/fapi/v1/openAlgoOrders").rows == []


def test_a_cancelled_conditional_order_is_gone(anna: Customer) -> None:
    anna.post("/fapi/v1/algoOrder", **STOP, type="STOP_MARKET", triggerPrice="45000", clientAlgoId="s1")
    answer = anna.delete("/fapi/v1/algoOrder", clientAlgoId="s1").fields
    assert (answer["code"], answer["msg"], answer["clientAlgoId"]) == ("200", "success", "s1")
    assert anna.get("/fapi/v1/algoOrder", clientAlgoId="s1").fields["algoStatus"] == "CANCELED"
    assert anna.delete("/fapi/v1/algoOrder", clientAlgoId="s1").refusal == (-2011, "Unknown order sent.")


def test_an_account_sees_only_its_own_orders(venue: FuturesVenue, anna: Customer) -> None:
    number = anna.order("BUY", "0.01", "49000").fields["orderId"]
    ben = venue.customer("ben")
    assert ben.get("/fapi/v1/order", symbol="BTCUSDT", orderId=number).refusal[0] == -2013
    assert ben.delete("/fapi/v1/order", symbol="BTCUSDT", orderId=number).refusal[0] == -2011
    assert ben.get("/fapi/v1/openOrders").rows == []


@pytest.mark.parametrize(
    ("method", "path", "params", "used"),
    [
        ("GET", "/fapi/v1/ping", {}, 1),
        ("GET", "/fapi/v1/depth", {"symbol": "BTCUSDT"}, 10),
        ("GET", "/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "50"}, 2),
        ("GET", "/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "1000"}, 20),
        ("GET", "/fapi/v1/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "99"}, 1),
        ("GET", "/fapi/v1/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1500"}, 10),
        ("GET", "/fapi/v1/ticker/24hr", {}, 40),
        ("GET", "/fapi/v1/ticker/24hr", {"symbol": "BTCUSDT"}, 1),
        ("GET", "/fapi/v1/openOrders", {}, 40),
        ("GET", "/fapi/v1/income", {}, 30),
        ("GET", "/fapi/v1/fundingRate", {}, 0),
        ("POST", "/fapi/v1/order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}, 0),
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": "[{}]"}, 5),
    ],
)
def test_a_request_weighs_what_the_documents_say(
    venue: FuturesVenue, anna: Customer, method: str, path: str, params: dict[str, object], used: int
) -> None:
    assert anna.rest(method, path, **params).status == 200
    assert venue.limits.used_weight("futures", "127.0.0.1") == used


def test_orders_are_counted_for_ten_seconds_and_a_minute(anna: Customer) -> None:
    headers = anna.order("BUY", "0.01", "49000").headers
    assert headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert headers["X-MBX-ORDER-COUNT-1M"] == "1"


def test_the_websocket_api_takes_numbers_and_answers_alike(anna: Customer) -> None:
    placed = anna.ws(
        "order.place", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity=0.01, price=49000
    ).fields
    assert (placed["status"], placed["price"]) == ("NEW", "49000.00")
    number = placed["orderId"]
    moved = anna.ws("order.modify", symbol="BTCUSDT", orderId=number, side="BUY", quantity="0.02", price="48000")
    assert moved.fields["origQty"] == "0.020"
    assert anna.ws("order.status", symbol="BTCUSDT", orderId=number).fields["price"] == "48000.00"
    assert anna.ws("order.cancel", symbol="BTCUSDT", orderId=number).fields["status"] == "CANCELED"
    stop = anna.ws("algoOrder.place", **STOP, type="STOP_MARKET", triggerPrice=45000).fields
    assert anna.ws("algoOrder.cancel", algoId=stop["algoId"]).fields["msg"] == "success"


def test_quantities_stay_exact_to_the_last_quantum(anna: Customer) -> None:
    for _ in range(7):
        anna.order("BUY", "0.003")
    rows = anna.get("/fapi/v3/positionRisk", symbol="BTCUSDT").rows
    assert rows[0]["positionAmt"] == "0.021"
    spent = sum(parse_quanta(str(row["quoteQty"])) for row in anna.get("/fapi/v1/userTrades", symbol="BTCUSDT").rows)
    assert spent == parse_quanta("1050.0021")
