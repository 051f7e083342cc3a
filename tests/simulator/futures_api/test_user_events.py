from __future__ import annotations

from typing import Any

from simulator.events import Event
from simulator.futures.types import AlgoUpdate
from simulator.futures_api.user_events import trigger_reject
from simulator.units import notional, parse_quanta
from tests.simulator.futures_api.harness import START_MS, Customer, FuturesVenue
from tests.simulator.futures_api.story import FUNDING_MS, STOP


def _orders(venue: FuturesVenue) -> list[dict[str, Any]]:
    return [event["o"] for event in venue.of_kind("ORDER_TRADE_UPDATE")]  # type: ignore[misc]


def _accounts(venue: FuturesVenue) -> list[dict[str, Any]]:
    return [event["a"] for event in venue.of_kind("ACCOUNT_UPDATE")]  # type: ignore[misc]


def test_a_market_order_is_told_as_new_and_then_traded(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01", newClientOrderId="mine")
    new, traded = _orders(venue)
    assert (new["x"], new["X"], new["z"], new["t"], new["c"]) == ("NEW", "NEW", "0.000", 0, "mine")
    assert (traded["x"], traded["X"], traded["l"], traded["z"]) == ("TRADE", "FILLED", "0.010", "0.010")
    assert (traded["L"], traded["ap"]) == ("50000.10", "50000.10000")
    assert (traded["n"], traded["N"], traded["m"], traded["rp"]) == ("0.25000050", "USDT", False, "0.00000000")
    assert traded["t"] > 0


def test_a_cancelled_order_is_told(venue: FuturesVenue, anna: Customer) -> None:
    number = anna.order("BUY", "0.01", "49000").fields["orderId"]
    anna.delete("/fapi/v1/order", symbol="BTCUSDT", orderId=number)
    new, cancelled = _orders(venue)
    assert (new["b"], new["a"]) == ("490", "0")
    assert (cancelled["x"], cancelled["X"], cancelled["i"], cancelled["b"]) == ("CANCELED", "CANCELED", number, "0")


def test_a_modified_order_is_told_as_an_amendment(venue: FuturesVenue, anna: Customer) -> None:
    number = anna.order("BUY", "0.01", "49000").fields["orderId"]
    anna.put("/fapi/v1/order", symbol="BTCUSDT", orderId=number, side="BUY", quantity="0.02", price="48000")
    last = _orders(venue)[-1]
    assert (last["x"], last["X"], last["q"], last["p"]) == ("AMENDMENT", "NEW", "0.020", "48000.00")


def test_what_an_immediate_order_could_not_fill_expires_for_a_reason(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01", "49000", timeInForce="IOC")
    last = _orders(venue)[-1]
    assert (last["x"], last["X"], last["er"]) == ("EXPIRED", "EXPIRED", "2")


def test_a_trade_tells_the_wallet_and_the_position(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01")
    update = _accounts(venue)[-1]
    assert update["m"] == "ORDER"
    balance, position = update["B"][0], update["P"][0]
    assert (balance["a"], balance["wb"], balance["cw"], balance["bc"]) == (
        "USDT",
        "99999.74999950",
        "99999.74999950",
        "0",
    )
    assert (position["s"], position["pa"], position["ps"], position["mt"]) == ("BTCUSDT", "0.010", "BOTH", "cross")
    assert (position["ep"], position["bep"], position["iw"]) == ("50000.1", "50025.10005", "0.00000000")
    assert (position["up"], position["cr"]) == ("-0.00100000", "0.00000000")


def test_realised_profit_adds_up_over_the_life_of_a_position(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.02")
    venue.print_at("50500")
    anna.order("SELL", "0.01")
    anna.order("SELL", "0.01")
    traded = [order for order in _orders(venue) if order["x"] == "TRADE"]
    bought, *sold = [notional(parse_quanta(order["L"]), parse_quanta(order["l"])) for order in traded]
    assert sum(parse_quanta(order["rp"]) for order in traded) == sum(sold) - bought > 0
    assert parse_quanta(_accounts(venue)[-1]["P"][0]["cr"]) == sum(sold) - bought
    assert _accounts(venue)[-1]["P"][0]["pa"] == "0"


def test_an_isolated_position_tells_its_own_wallet(venue: FuturesVenue, anna: Customer) -> None:
    anna.post("/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    anna.order("BUY", "0.01")
    position, balance = _accounts(venue)[-1]["P"][0], _accounts(venue)[-1]["B"][0]
    assert position["mt"] == "isolated"
    isolated = parse_quanta(position["iw"])
    assert isolated > 0
    assert parse_quanta(balance["wb"]) == parse_quanta(balance["cw"]) + isolated


def test_a_deposit_tells_the_change(venue: FuturesVenue) -> None:
    venue.customer("anna", usdt="250")
    update = _accounts(venue)[-1]
    assert (update["m"], update["P"], update["B"][0]["bc"]) == ("DEPOSIT", [], "250")


def test_funding_names_the_symbol(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.1")
    venue.advance(START_MS + FUNDING_MS + 1 - venue.clock.now_ms())
    update = _accounts(venue)[-1]
    assert (update["m"], update["S"]) == ("FUNDING_FEE", "BTCUSDT")
    assert update["B"][0]["bc"].startswith("-")


def test_a_conditional_order_is_told_from_its_start_to_its_end(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01")
    anna.post("/fapi/v1/algoOrder", **STOP, type="STOP_MARKET", triggerPrice="49500", clientAlgoId="s1")
    venue.print_at("49400")
    told: list[dict[str, Any]] = [event["o"] for event in venue.of_kind("ALGO_UPDATE")]  # type: ignore[misc]
    assert [item["X"] for item in told] == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    assert {item["caid"] for item in told} == {"s1"}
    assert (told[0]["ai"], told[0]["tp"], told[0]["o"]) == ("", "49500.00", "STOP_MARKET")
    order = _orders(venue)[-1]
    assert (told[-1]["ai"], told[-1]["aq"], told[-1]["act"]) == (str(order["i"]), "0.010", "MARKET")


def test_a_trailing_stop_tells_when_it_is_activated(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.01")
    trailing = STOP | {"type": "TRAILING_STOP_MARKET", "callbackRate": "1", "activatePrice": "50500"}
    anna.post("/fapi/v1/algoOrder", **trailing)
    first: Any = venue.of_kind("ALGO_UPDATE")[-1]["o"]
    assert (first["ia"], first["AP"], first["cr"]) == (False, "50500.00", "1")
    venue.print_at("51000")
    venue.print_at("50400")
    last: Any = venue.of_kind("ALGO_UPDATE")[-1]["o"]
    assert (last["ia"], last["X"]) == (True, "FINISHED")


def test_changed_settings_are_told(venue: FuturesVenue, anna: Customer) -> None:
    anna.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage="33")
    anna.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
    leverage, assets = venue.of_kind("ACCOUNT_CONFIG_UPDATE")
    assert leverage["ac"] == {"s": "BTCUSDT", "l": 33}
    assert assets["ai"] == {"j": True}


def test_a_liquidation_is_warned_of_and_marked_in_the_order(venue: FuturesVenue) -> None:
    ben = venue.customer("ben", usdt="600")
    ben.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage="100")
    ben.order("SELL", "0.5")
    venue.print_at("50940")
    call: Any = venue.of_kind("MARGIN_CALL")[0]
    assert (call["p"][0]["s"], call["p"][0]["pa"], call["p"][0]["mt"]) == ("BTCUSDT", "-0.500", "CROSSED")
    venue.print_at("51500")
    forced = [order for order in _orders(venue) if order["c"].startswith("autoclose-")]
    assert forced[0]["X"] == "NEW"
    assert {order["x"] for order in forced[1:]} <= {"CALCULATED", "TRADE"}
    shown = ben.get("/fapi/v1/forceOrders").rows
    assert [row["clientOrderId"] for row in shown] == [forced[0]["c"]]


def test_a_conditional_order_refused_at_its_trigger_tells_the_reason(venue: FuturesVenue, anna: Customer) -> None:
    refused: list[dict[str, object]] = []

    def listen(event: Event) -> None:
        if isinstance(event, AlgoUpdate) and (told := trigger_reject(event)) is not None:
            refused.append(told)

    venue.bus.join(listen)
    algo = anna.post("/fapi/v1/algoOrder", **STOP, type="STOP_MARKET", triggerPrice="49500", reduceOnly="true")
    venue.print_at("49400")
    event = refused[0]
    assert event["e"] == "CONDITIONAL_ORDER_TRIGGER_REJECT"
    assert event["or"] == {
        "s": "BTCUSDT",
        "i": algo.fields["algoId"],
        "r": "ReduceOnly Order is rejected.",
    }
    last: Any = venue.of_kind("ALGO_UPDATE")[-1]["o"]
    assert (last["X"], last["rm"]) == ("REJECTED", "ReduceOnly Order is rejected.")
