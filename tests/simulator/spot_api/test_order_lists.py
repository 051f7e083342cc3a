from __future__ import annotations

from tests.simulator.spot_api.harness import Customer, SpotVenue

OCO: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "52000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "48000",
    "belowPrice": "47900",
    "belowTimeInForce": "GTC",
}
OTO: dict[str, object] = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "49000",
    "workingQuantity": "0.1",
    "workingTimeInForce": "GTC",
    "pendingType": "MARKET",
    "pendingSide": "SELL",
    "pendingQuantity": "0.09",
}
OTOCO: dict[str, object] = {name: value for name, value in OTO.items() if name != "pendingType"} | {
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "52000",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "48000",
}


def test_an_oco_answers_with_both_orders(anna: Customer) -> None:
    body = anna.post("orderList/oco", **OCO, listClientOrderId="pair").ok
    assert (body["contingencyType"], body["listStatusType"], body["listOrderStatus"]) == (
        "OCO",
        "EXEC_STARTED",
        "EXECUTING",
    )
    assert body["listClientOrderId"] == "pair"
    above, below = body["orderReports"]
    assert (above["type"], above["workingTime"]) == ("LIMIT_MAKER", above["transactTime"])
    assert (below["type"], below["stopPrice"], below["workingTime"]) == ("STOP_LOSS_LIMIT", "48000.00000000", -1)
    assert "stopPrice" not in above
    assert [row["orderId"] for row in body["orders"]] == [above["orderId"], below["orderId"]]


def test_the_older_form_of_an_oco_still_works(anna: Customer) -> None:
    body = anna.post("order/oco", symbol="BTCUSDT", side="SELL", quantity="0.1", price="52000", stopPrice="48000").ok
    assert {report["type"] for report in body["orderReports"]} == {"LIMIT_MAKER", "STOP_LOSS"}
    refused = anna.post(
        "order/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.1",
        price="52000",
        stopPrice="48000",
        stopLimitPrice="47900",
    )
    assert refused.refusal == (
        -1102,
        "Mandatory parameter 'stopLimitTimeInForce' was not sent, was empty/null, or malformed.",
    )


def test_lists_are_found_by_id_client_id_and_time(anna: Customer) -> None:
    placed = anna.post("orderList/oco", **OCO, listClientOrderId="pair").ok
    by_id = anna.get("orderList", orderListId=placed["orderListId"]).ok
    assert by_id == {name: value for name, value in placed.items() if name != "orderReports"}
    assert anna.get("orderList", origClientOrderId="pair").ok == by_id
    assert anna.get("openOrderList").ok == [by_id]
    assert anna.get("allOrderList", startTime=placed["transactionTime"]).ok == [by_id]
    assert anna.ws("openOrderLists.status").ok == [by_id]


def test_cancelling_one_order_of_a_list_cancels_and_answers_with_the_list(anna: Customer) -> None:
    placed = anna.post("orderList/oco", **OCO).ok
    body = anna.delete("order", symbol="BTCUSDT", orderId=placed["orders"][0]["orderId"]).ok
    assert (body["listStatusType"], body["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert [report["status"] for report in body["orderReports"]] == ["CANCELED", "CANCELED"]
    assert body["orders"] == placed["orders"]
    assert anna.get("openOrderList").ok == []


def test_a_list_is_cancelled_whole(anna: Customer) -> None:
    placed = anna.post("orderList/oto", **OTO).ok
    body = anna.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"]).ok
    assert {report["status"] for report in body["orderReports"]} <= {"CANCELED", "EXPIRED"}
    assert anna.get("openOrders").ok == []


def test_a_pending_order_is_shown_pending_even_when_its_turn_comes_at_once(anna: Customer) -> None:
    body = anna.post("orderList/oto", **OTO | {"workingPrice": "50100"}, newOrderRespType="FULL").ok
    working, pending = body["orderReports"]
    assert working["status"] == "FILLED"
    assert (pending["status"], pending["workingTime"], pending["fills"]) == ("PENDING_NEW", -1, [])
    later = anna.get("order", symbol="BTCUSDT", orderId=pending["orderId"]).ok
    assert later["status"] == "FILLED"


def test_an_otoco_has_three_orders_and_counts_as_three(anna: Customer) -> None:
    answer = anna.post("orderList/otoco", **OTOCO)
    assert answer.ok["contingencyType"] == "OTO"
    assert [report["status"] for report in answer.ok["orderReports"]] == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "3"


def test_an_otoco_without_a_lower_leg_is_an_oto(anna: Customer) -> None:
    fields = {name: value for name, value in OTOCO.items() if not name.startswith("pendingBelow")}
    answer = anna.post("orderList/otoco", **fields)
    assert len(answer.ok["orders"]) == 2
    assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "2"


def test_amending_an_order_of_a_list_shows_the_list(anna: Customer) -> None:
    placed = anna.post("orderList/oto", **OTO).ok
    body = anna.put(
        "order/amend/keepPriority", symbol="BTCUSDT", orderId=placed["orders"][0]["orderId"], newQty="0.05"
    ).ok
    assert set(body["listStatus"]) == {
        "orderListId",
        "contingencyType",
        "listOrderStatus",
        "listClientOrderId",
        "symbol",
        "orders",
    }
    assert body["listStatus"]["orders"][0]["clientOrderId"] == body["amendedOrder"]["clientOrderId"]


def test_list_events_name_every_order(anna: Customer, venue: SpotVenue) -> None:
    placed = anna.post("orderList/oco", **OCO).ok
    event = venue.of_kind("listStatus")[0]
    assert (event["c"], event["l"], event["L"], event["r"]) == ("OCO", "EXEC_STARTED", "EXECUTING", "NONE")
    assert [(row["i"], row["c"]) for row in event["O"]] == [
        (row["orderId"], row["clientOrderId"]) for row in placed["orders"]
    ]
    anna.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
    last = venue.of_kind("listStatus")[-1]
    assert (last["l"], last["L"], last["O"]) == ("ALL_DONE", "ALL_DONE", event["O"])
