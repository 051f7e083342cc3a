from __future__ import annotations

from tests.simulator.spot_api.harness import Customer, SpotVenue, order_fields

ALWAYS = set("eEscSofqpPFgCxXrilzLnNTtIwmMOZYQV")


def test_an_accepted_order_is_reported_with_every_field(anna: Customer, venue: SpotVenue) -> None:
    order = anna.order("BUY", "0.1", "49000", newClientOrderId="mine").ok
    event = venue.of_kind("executionReport")[-1]
    assert set(event) == ALWAYS | {"W"}
    assert event == event | {
        "s": "BTCUSDT",
        "c": "mine",
        "C": "",
        "x": "NEW",
        "X": "NEW",
        "i": order["orderId"],
        "p": "49000.00000000",
        "q": "0.10000000",
        "n": "0",
        "N": None,
        "t": -1,
        "w": True,
        "m": False,
        "g": -1,
        "r": "NONE",
        "W": order["workingTime"],
    }


def test_a_fill_is_reported_with_its_fee_and_the_balances_follow(anna: Customer, venue: SpotVenue) -> None:
    anna.order("BUY", "0.5")
    kinds = [event["e"] + event.get("x", "") for event in venue.events[-3:]]
    assert kinds == ["executionReportNEW", "executionReportTRADE", "outboundAccountPosition"]
    trade, position = venue.events[-2:]
    assert trade == trade | {
        "X": "FILLED",
        "l": "0.50000000",
        "z": "0.50000000",
        "L": "50000.01000000",
        "Y": "25000.00500000",
        "Z": "25000.00500000",
        "n": "0.00050000",
        "N": "BTC",
        "t": 1,
        "m": False,
        "M": True,
    }
    assert {row["a"]: row["f"] for row in position["B"]} == {"USDT": "74999.99500000", "BTC": "5.49950000"}


def test_a_maker_fill_comes_with_the_print_that_made_it(anna: Customer, venue: SpotVenue) -> None:
    anna.order("SELL", "0.1", "50100")
    venue.print_at("50200", "3")
    trade = venue.of_kind("executionReport")[-1]
    assert (trade["x"], trade["m"], trade["L"], trade["N"]) == ("TRADE", True, "50100.00000000", "USDT")


def test_a_cancel_carries_both_client_ids(anna: Customer, venue: SpotVenue) -> None:
    order = anna.order("BUY", "0.1", "49000", newClientOrderId="mine").ok
    anna.delete("order", symbol="BTCUSDT", orderId=order["orderId"], newClientOrderId="the-cancel")
    event = venue.of_kind("executionReport")[-1]
    assert (event["x"], event["X"], event["c"], event["C"]) == ("CANCELED", "CANCELED", "the-cancel", "mine")


def test_an_amend_is_reported_as_replaced(anna: Customer, venue: SpotVenue) -> None:
    order = anna.order("BUY", "0.1", "49000", newClientOrderId="mine").ok
    anna.put(
        "order/amend/keepPriority", symbol="BTCUSDT", orderId=order["orderId"], newQty="0.05", newClientOrderId="now"
    )
    event = venue.of_kind("executionReport")[-1]
    assert (event["x"], event["c"], event["C"], event["q"]) == ("REPLACED", "now", "mine", "0.05000000")


def test_a_trailing_stop_shows_its_delta_and_labels(anna: Customer, venue: SpotVenue) -> None:
    fields = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.1", "trailingDelta": 100}
    anna.post("order", **fields, strategyId=7, strategyType=1_000_000)
    event = venue.of_kind("executionReport")[-1]
    assert (event["d"], event["j"], event["J"], event["w"]) == (100, 7, 1_000_000, False)
    assert "W" not in event


def test_a_prevented_trade_tells_the_counter_order(anna: Customer, venue: SpotVenue) -> None:
    resting = anna.order("SELL", "0.5", "50000.01").ok
    taker = anna.order("BUY", "1.5", "50000.01", selfTradePreventionMode="EXPIRE_BOTH").ok
    assert (taker["status"], taker["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "0.50000000")
    events = [event for event in venue.of_kind("executionReport") if event["x"] == "TRADE_PREVENTION"]
    assert {event["i"] for event in events} == {resting["orderId"], taker["orderId"]}
    event = next(event for event in events if event["i"] == taker["orderId"])
    assert (event["U"], event["Cs"], event["pL"]) == (resting["orderId"], "BTCUSDT", "50000.01000000")
    assert {"v", "A", "B", "u", "pl", "pY"} <= set(event)
    rows = anna.get("myPreventedMatches", symbol="BTCUSDT", orderId=taker["orderId"]).ok
    assert [row["preventedMatchId"] for row in rows] == [taker["preventedMatchId"]]
    assert rows[0]["makerOrderId"] == resting["orderId"]
    assert anna.get("myPreventedMatches", symbol="BTCUSDT", preventedMatchId=event["v"]).ok == rows


def test_a_transfer_is_a_balance_update(venue: SpotVenue) -> None:
    customer = venue.customer("bob", USDT="10")
    assert venue.of_kind("balanceUpdate")[-1] == {
        "e": "balanceUpdate",
        "E": venue.clock.now_ms(),
        "a": "USDT",
        "d": "10.00000000",
        "T": venue.clock.now_ms(),
    }
    venue.spot.withdraw(customer.account_id, "USDT", 10**8)
    assert venue.of_kind("balanceUpdate")[-1]["d"] == "-1.00000000"


def test_an_iceberg_is_shown_in_the_report(anna: Customer, venue: SpotVenue) -> None:
    anna.post("order", **order_fields("BUY", "0.1", "49000"), icebergQty="0.02")
    assert venue.of_kind("executionReport")[-1]["F"] == "0.02000000"
