from __future__ import annotations

import pytest

from tests.simulator.spot_api.harness import Customer, SpotVenue, order_fields

ACK = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
RESULT = ACK | {
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
}


def test_a_limit_order_answers_full_unless_asked_otherwise(anna: Customer) -> None:
    body = anna.order("BUY", "0.1", "49000").ok
    assert set(body) == RESULT | {"fills"}
    assert body["fills"] == []
    assert (body["status"], body["price"], body["origQty"]) == ("NEW", "49000.00000000", "0.10000000")
    assert set(anna.order("BUY", "0.1", "49000", newOrderRespType="ACK").ok) == ACK
    assert set(anna.order("BUY", "0.1", "49000", newOrderRespType="RESULT").ok) == RESULT


def test_a_market_order_answers_with_its_fills(anna: Customer) -> None:
    body = anna.order("BUY", "1.5").ok
    assert body["status"] == "FILLED"
    assert body["cummulativeQuoteQty"] == "75000.02000000"
    assert body["fills"][0] == {
        "price": "50000.01000000",
        "qty": "1.00000000",
        "commission": "0.00100000",
        "commissionAsset": "BTC",
        "tradeId": 1,
    }
    assert [fill["qty"] for fill in body["fills"]] == ["1.00000000", "0.50000000"]


@pytest.mark.parametrize("kind", ["STOP_LOSS_LIMIT", "LIMIT_MAKER", "STOP_LOSS"])
def test_other_types_answer_with_an_acknowledgement(anna: Customer, kind: str) -> None:
    fields: dict[str, object] = {"symbol": "BTCUSDT", "side": "SELL", "type": kind, "quantity": "0.1"}
    if kind != "STOP_LOSS":
        fields["price"] = "48000" if kind == "STOP_LOSS_LIMIT" else "52000"
    if kind == "STOP_LOSS_LIMIT":
        fields["timeInForce"] = "GTC"
    if kind != "LIMIT_MAKER":
        fields["stopPrice"] = "49000"
    assert set(anna.post("order", **fields).ok) == ACK


def test_conditional_fields_appear_only_when_they_apply(anna: Customer) -> None:
    stop = anna.post(
        "order",
        **order_fields("SELL", "0.1", "48000") | {"type": "STOP_LOSS_LIMIT"},
        trailingDelta=100,
        stopPrice="49000",
        icebergQty="0.05",
        strategyId=7,
        strategyType=1_000_000,
        newOrderRespType="RESULT",
    ).ok
    assert set(stop) - RESULT == {
        "stopPrice",
        "icebergQty",
        "trailingDelta",
        "trailingTime",
        "strategyId",
        "strategyType",
    }
    assert (stop["stopPrice"], stop["workingTime"], stop["trailingTime"]) == ("49000.00000000", -1, -1)


def test_an_order_that_runs_out_of_book_says_why_it_expired(anna: Customer, venue: SpotVenue) -> None:
    venue.spot.deposit(anna.account_id, "USDT", 10**15)
    body = anna.order("BUY", "12").ok
    assert (body["status"], body["executedQty"]) == ("EXPIRED", "10.00000000")
    assert body["expiryReason"] == "INSUFFICIENT_LIQUIDITY"
    assert venue.of_kind("executionReport")[-1]["eR"] == "INSUFFICIENT_LIQUIDITY"


def test_a_cancel_answers_under_its_own_client_id(anna: Customer) -> None:
    order = anna.order("BUY", "0.1", "49000", newClientOrderId="mine").ok
    body = anna.delete("order", symbol="BTCUSDT", orderId=order["orderId"], newClientOrderId="the-cancel").ok
    assert (body["origClientOrderId"], body["clientOrderId"], body["status"]) == ("mine", "the-cancel", "CANCELED")
    assert "fills" not in body
    assert "workingTime" not in body


def test_a_query_shows_stop_and_iceberg_always(anna: Customer) -> None:
    order = anna.order("BUY", "0.1", "49000").ok
    body = anna.get("order", symbol="BTCUSDT", orderId=order["orderId"]).ok
    assert (body["stopPrice"], body["icebergQty"], body["isWorking"]) == ("0.00000000", "0.00000000", True)
    assert anna.get("openOrders", symbol="BTCUSDT").ok == [body]
    assert anna.get("allOrders", symbol="BTCUSDT").ok == [body]


def test_cancelling_all_answers_with_orders_and_lists(anna: Customer) -> None:
    anna.order("BUY", "0.1", "49000")
    placed = anna.post(
        "orderList/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.1",
        aboveType="LIMIT_MAKER",
        abovePrice="52000",
        belowType="STOP_LOSS",
        belowStopPrice="48000",
    )
    assert placed.status == 200, placed.body
    single, group = anna.delete("openOrders", symbol="BTCUSDT").ok
    assert single["status"] == "CANCELED"
    assert group["listStatusType"] == "ALL_DONE"
    assert [report["status"] for report in group["orderReports"]] == ["CANCELED", "CANCELED"]
    assert [row["clientOrderId"] for row in group["orders"]] == [
        report["origClientOrderId"] for report in group["orderReports"]
    ]
    assert anna.delete("openOrders", symbol="BTCUSDT").refusal == (-2011, "Unknown order sent.")


def test_testing_an_order_places_nothing_and_can_tell_the_commission(anna: Customer, venue: SpotVenue) -> None:
    fields = order_fields("BUY", "0.1", "49000")
    assert anna.post("order/test", **fields).ok == {}
    rates = anna.post("order/test", **fields, computeCommissionRates="true").ok
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert rates["discount"]["discountAsset"] == "BNB"
    assert anna.get("openOrders").ok == []
    assert venue.of_kind("executionReport") == []


def test_replacing_an_order_succeeds_by_halves(anna: Customer) -> None:
    first = anna.order("BUY", "0.1", "49000").ok
    fields = order_fields("BUY", "0.1", "48000") | {"cancelReplaceMode": "STOP_ON_FAILURE"}
    both = anna.post("order/cancelReplace", **fields, cancelOrderId=first["orderId"]).ok
    assert (both["cancelResult"], both["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert both["newOrderResponse"]["status"] == "NEW"

    none = anna.post("order/cancelReplace", **fields, cancelOrderId=first["orderId"])
    assert none.status == 400
    assert none.body == {
        "code": -2022,
        "msg": "Order cancel-replace failed.",
        "data": {
            "cancelResult": "FAILURE",
            "newOrderResult": "NOT_ATTEMPTED",
            "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
            "newOrderResponse": None,
        },
    }

    maker = fields | {"type": "LIMIT_MAKER", "price": "51000"}
    del maker["timeInForce"]
    half = anna.post("order/cancelReplace", **maker, cancelOrderId=both["newOrderResponse"]["orderId"])
    assert half.status == 409
    assert half.refusal == (-2021, "Order cancel-replace partially failed.")
    assert half.body["data"]["newOrderResponse"] == {
        "code": -2010,
        "msg": "Order would immediately match and take.",
    }
    assert half.body["data"]["cancelResponse"]["status"] == "CANCELED"


def test_a_failed_cancel_may_still_let_the_new_order_in(anna: Customer) -> None:
    fields = order_fields("BUY", "0.1", "48000") | {"cancelReplaceMode": "ALLOW_FAILURE"}
    half = anna.post("order/cancelReplace", **fields, cancelOrigClientOrderId="unknown")
    assert half.status == 409
    assert (half.body["data"]["cancelResult"], half.body["data"]["newOrderResult"]) == ("FAILURE", "SUCCESS")


def test_too_many_unfilled_orders_still_let_a_replace_cancel(anna: Customer, venue: SpotVenue) -> None:
    first = anna.order("BUY", "0.1", "49000").ok
    venue.limits.set_limit("spot", "ORDERS", "SECOND", 10, 0)
    fields = order_fields("BUY", "0.1", "48000") | {"cancelReplaceMode": "STOP_ON_FAILURE"}
    refused = anna.post("order/cancelReplace", **fields, cancelOrderId=first["orderId"])
    assert refused.refusal[0] == -1015
    half = anna.post(
        "order/cancelReplace", **fields, cancelOrderId=first["orderId"], orderRateLimitExceededMode="CANCEL_ONLY"
    )
    assert half.status == 429
    assert half.body["data"]["cancelResult"] == "SUCCESS"
    assert half.body["data"]["newOrderResponse"]["code"] == -1015
    assert anna.get("openOrders").ok == []


def test_an_amended_order_keeps_its_id_and_lists_its_amendments(anna: Customer) -> None:
    order = anna.order("BUY", "0.5", "49000", newClientOrderId="before").ok
    body = anna.put(
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=order["orderId"],
        newQty="0.2",
        newClientOrderId="after",
    ).ok
    amended = body["amendedOrder"]
    assert (amended["origClientOrderId"], amended["clientOrderId"], amended["qty"]) == ("before", "after", "0.20000000")
    assert "listStatus" not in body
    rows = anna.get("order/amendments", symbol="BTCUSDT", orderId=order["orderId"]).ok
    assert rows == [
        {
            "symbol": "BTCUSDT",
            "orderId": order["orderId"],
            "executionId": body["executionId"],
            "origClientOrderId": "before",
            "newClientOrderId": "after",
            "origQty": "0.50000000",
            "newQty": "0.20000000",
            "time": body["transactTime"],
        }
    ]


def test_a_routed_order_trades_like_any_other(anna: Customer) -> None:
    body = anna.post("sor/order", **order_fields("BUY", "0.1")).ok
    assert (body["usedSor"], body["workingFloor"], body["status"]) == (True, "SOR", "FILLED")
    assert anna.post("sor/order/test", **order_fields("BUY", "0.1")).ok == {}
    assert isinstance(anna.ws("sor.order.place", **order_fields("BUY", "0.1")).ok, list)


def test_both_ways_into_the_venue_answer_alike(anna: Customer) -> None:
    over_rest = anna.order("BUY", "0.1", "49000").ok
    over_ws = anna.ws("order.place", **order_fields("BUY", "0.1", "49000")).ok
    assert set(over_rest) == set(over_ws)
    assert anna.ws("order.status", symbol="BTCUSDT", orderId=over_ws["orderId"]).ok["status"] == "NEW"
    assert anna.ws("order.cancel", symbol="BTCUSDT", orderId=over_ws["orderId"]).ok["status"] == "CANCELED"
