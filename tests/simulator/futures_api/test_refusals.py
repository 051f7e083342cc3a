from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
import pytest

from tests.simulator.futures_api.harness import Answer, Customer, FuturesVenue

Request = tuple[str, str, Mapping[str, object]]
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"} | {
    "quantity": "0.01",
    "price": "49000",
}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
STOP = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_MARKET",
    "quantity": "0.01",
    "triggerPrice": "45000",
}
TRAILING = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "quantity": "0.01",
    "callbackRate": "1",
}
ORDER, ALGO = "/fapi/v1/order", "/fapi/v1/algoOrder"


def _mandatory(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def _unneeded(name: str) -> str:
    return f"Parameter '{name}' sent when not required."


PRECISION = "Precision is over the maximum defined for this asset."
NO_ORDER_ID = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"

CASES: dict[str, tuple[Request, int, str]] = {
    "unknown symbol": (("POST", ORDER, LIMIT | {"symbol": "NOUSDT"}), -1121, "Invalid symbol."),
    "no symbol": (("POST", ORDER, {"side": "BUY", "type": "MARKET"}), -1102, _mandatory("symbol")),
    "wrong side": (("POST", ORDER, LIMIT | {"side": "UP"}), -1117, "Invalid side."),
    "wrong type": (("POST", ORDER, LIMIT | {"type": "ICEBERG"}), -1116, "Invalid orderType."),
    "wrong time in force": (("POST", ORDER, LIMIT | {"timeInForce": "GTD2"}), -1115, "Invalid timeInForce."),
    "wrong position side": (("POST", ORDER, LIMIT | {"positionSide": "UP"}), -4060, "Invalid position side."),
    "hedge side in one-way mode": (
        ("POST", ORDER, LIMIT | {"positionSide": "LONG"}),
        -4061,
        "Order's position side does not match user's setting.",
    ),
    "wrong response type": (("POST", ORDER, LIMIT | {"newOrderRespType": "FULL"}), -1136, "Invalid newOrderRespType."),
    "wrong reduceOnly": (
        ("POST", ORDER, LIMIT | {"reduceOnly": "maybe"}),
        -4062,
        "Invalid or improper reduceOnly value.",
    ),
    "wrong price match": (("POST", ORDER, LIMIT | {"priceMatch": "BEST"}), -5037, "Invalid price match"),
    "wrong self-trade prevention": (
        ("POST", ORDER, LIMIT | {"selfTradePreventionMode": "DECREMENT"}),
        -5039,
        "Invalid self trade prevention mode",
    ),
    "conditional type on the order endpoint": (
        ("POST", ORDER, LIMIT | {"type": "STOP", "stopPrice": "48000"}),
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    ),
    "limit without price": (
        ("POST", ORDER, {name: value for name, value in LIMIT.items() if name != "price"}),
        -1102,
        _mandatory("price"),
    ),
    "limit without time in force": (
        ("POST", ORDER, {name: value for name, value in LIMIT.items() if name != "timeInForce"}),
        -1102,
        _mandatory("timeInForce"),
    ),
    "market without quantity": (
        ("POST", ORDER, {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}),
        -1102,
        _mandatory("quantity"),
    ),
    "market with price": (("POST", ORDER, MARKET | {"price": "50000"}), -1106, _unneeded("price")),
    "market with time in force": (("POST", ORDER, MARKET | {"timeInForce": "GTC"}), -1106, _unneeded("timeinforce")),
    "quantity in letters": (("POST", ORDER, LIMIT | {"quantity": "much"}), -1102, _mandatory("quantity")),
    "negative quantity": (("POST", ORDER, LIMIT | {"quantity": "-1"}), -1102, _mandatory("quantity")),
    "quantity of zero": (("POST", ORDER, LIMIT | {"quantity": "0"}), -4003, "Quantity less than or equal to zero."),
    "quantity too precise": (("POST", ORDER, LIMIT | {"quantity": "0.0105"}), -1111, PRECISION),
    "quantity with ten decimals": (("POST", ORDER, LIMIT | {"quantity": "0.0100000001"}), -1111, PRECISION),
    "quantity too large": (
        ("POST", ORDER, LIMIT | {"quantity": "1001"}),
        -4005,
        "Quantity greater than max quantity.",
    ),
    "price off the tick": (("POST", ORDER, LIMIT | {"price": "49000.05"}), -4014, "Price not increased by tick size."),
    "price of zero": (("POST", ORDER, LIMIT | {"price": "0"}), -4001, "Price less than 0."),
    "price empty": (("POST", ORDER, LIMIT | {"price": ""}), -1105, "Parameter 'price' was empty."),
    "notional too small": (
        ("POST", ORDER, LIMIT | {"quantity": "0.001", "price": "49000"}),
        -4164,
        "Order's notional must be no smaller than 100 (unless you choose reduce only).",
    ),
    "price too far up": (
        ("POST", ORDER, LIMIT | {"price": "60000"}),
        -4016,
        "Limit price can't be higher than 52500.00.",
    ),
    "more than the margin": (("POST", ORDER, LIMIT | {"quantity": "50"}), -2019, "Margin is insufficient."),
    "reduce only without a position": (
        ("POST", ORDER, MARKET | {"reduceOnly": "true"}),
        -2022,
        "ReduceOnly Order is rejected.",
    ),
    "post only that would take": (
        ("POST", ORDER, LIMIT | {"timeInForce": "GTX", "price": "50100"}),
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    ),
    "fill or kill that cannot fill": (
        ("POST", ORDER, LIMIT | {"timeInForce": "FOK", "price": "49000"}),
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected. "
        "The order will not be recorded in the order history",
    ),
    "good till date without a date": (
        ("POST", ORDER, LIMIT | {"timeInForce": "GTD"}),
        -1102,
        _mandatory("goodTillDate"),
    ),
    "query without an id": (("GET", ORDER, {"symbol": "BTCUSDT"}), -1102, NO_ORDER_ID),
    "query of an unknown order": (
        ("GET", ORDER, {"symbol": "BTCUSDT", "orderId": "77"}),
        -2013,
        "Order does not exist.",
    ),
    "cancel of an unknown order": (
        ("DELETE", ORDER, {"symbol": "BTCUSDT", "origClientOrderId": "no-such"}),
        -2011,
        "Unknown order sent.",
    ),
    "cancel without an id": (("DELETE", ORDER, {"symbol": "BTCUSDT"}), -1102, NO_ORDER_ID),
    "order id in letters": (
        ("GET", ORDER, {"symbol": "BTCUSDT", "orderId": "first"}),
        -1102,
        _mandatory("orderId"),
    ),
    "modify without quantity": (
        ("PUT", ORDER, {"symbol": "BTCUSDT", "orderId": "1", "side": "BUY", "price": "1"}),
        -1102,
        _mandatory("quantity"),
    ),
    "algo without a type of algo": (
        ("POST", ALGO, {name: value for name, value in STOP.items() if name != "algoType"}),
        -1102,
        _mandatory("algoType"),
    ),
    "algo with an ordinary type": (("POST", ALGO, STOP | {"type": "LIMIT"}), -1116, "Invalid orderType."),
    "algo without a trigger": (
        ("POST", ALGO, {name: value for name, value in STOP.items() if name != "triggerPrice"}),
        -1102,
        _mandatory("triggerPrice"),
    ),
    "algo that would trigger at once": (
        ("POST", ALGO, STOP | {"triggerPrice": "51000"}),
        -2021,
        "Order would immediately trigger.",
    ),
    "algo that closes with a quantity": (
        ("POST", ALGO, STOP | {"closePosition": "true"}),
        -4137,
        "Quantity must be zero with closePosition equals true.",
    ),
    "trailing stop that closes": (
        ("POST", ALGO, TRAILING | {"closePosition": "true"}),
        -4136,
        "Target strategy invalid for orderType TRAILING_STOP_MARKET,closePosition true",
    ),
    "trailing stop with a wild callback": (
        ("POST", ALGO, TRAILING | {"callbackRate": "50"}),
        -2007,
        "Invalid callBack rate.",
    ),
    "wrong working type": (
        ("POST", ALGO, STOP | {"workingType": "INDEX"}),
        -4031,
        "Invalid parameter working type: INDEX",
    ),
    "cancel of an unknown algo order": (("DELETE", ALGO, {"algoId": "9"}), -2011, "Unknown order sent."),
    "query of an unknown algo order": (("GET", ALGO, {"algoId": "9"}), -2013, "Order does not exist."),
    "algo query without an id": (
        ("GET", ALGO, {}),
        -1102,
        "Param 'clientAlgoId' or 'algoId' must be sent, but both were empty/null!",
    ),
    "batch of none": (
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": []}),
        -4082,
        "Invalid number of batch place orders.",
    ),
    "batch of six": (
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": [LIMIT] * 6}),
        -4082,
        "Invalid number of batch place orders.",
    ),
    "batch that is no list": (
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": "{}"}),
        -1135,
        "JSON sent for parameter 'batchOrders' is not valid",
    ),
    "leverage of zero": (
        ("POST", "/fapi/v1/leverage", {"symbol": "BTCUSDT", "leverage": "0"}),
        -4028,
        "Leverage 0 is not valid",
    ),
    "margin type it has": (
        ("POST", "/fapi/v1/marginType", {"symbol": "BTCUSDT", "marginType": "CROSSED"}),
        -4046,
        "No need to change margin type.",
    ),
    "position mode it has": (
        ("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "false"}),
        -4059,
        "No need to change position side.",
    ),
    "asset mode it has": (
        ("POST", "/fapi/v1/multiAssetsMargin", {"multiAssetsMargin": "false"}),
        -4171,
        "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
    ),
    "margin for a cross position": (
        ("POST", "/fapi/v1/positionMargin", {"symbol": "BTCUSDT", "amount": "10", "type": "1"}),
        -4049,
        "Add margin only support for isolated position.",
    ),
    "times the wrong way round": (
        ("GET", "/fapi/v1/allOrders", {"symbol": "BTCUSDT", "startTime": "2", "endTime": "1"}),
        -1023,
        "Start time is greater than end time.",
    ),
    "more than a week": (
        ("GET", "/fapi/v1/userTrades", {"symbol": "BTCUSDT", "startTime": "0", "endTime": "604800001"}),
        -4165,
        "Invalid time interval, cannot be longer than 7 days",
    ),
    "from an id and a time": (
        ("GET", "/fapi/v1/userTrades", {"symbol": "BTCUSDT", "startTime": "0", "fromId": "1"}),
        -1128,
        "Combination of optional parameters invalid.",
    ),
    "depth limit not offered": (
        ("GET", "/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": "30"}),
        -4021,
        "30 is not valid depth limit.",
    ),
    "interval not offered": (
        ("GET", "/fapi/v1/klines", {"symbol": "BTCUSDT", "interval": "7m"}),
        -1120,
        "Invalid interval.",
    ),
    "klines without an interval": (("GET", "/fapi/v1/klines", {"symbol": "BTCUSDT"}), -1102, _mandatory("interval")),
    "unknown pair": (
        ("GET", "/fapi/v1/indexPriceKlines", {"pair": "NOUSDT", "interval": "1m"}),
        -4144,
        "Invalid pair",
    ),
    "unknown contract type": (
        ("GET", "/fapi/v1/continuousKlines", {"pair": "BTCUSDT", "interval": "1m", "contractType": "WEEKLY"}),
        -4104,
        "Invalid contract type",
    ),
    "keep alive without a key": (("PUT", "/fapi/v1/listenKey", {}), -1125, "This listenKey does not exist."),
    "portfolio margin": (("GET", "/fapi/v1/pmAccountInfo", {"asset": "BTC"}), -1109, "Invalid account."),
    "unknown period": (
        ("GET", "/futures/data/takerlongshortRatio", {"symbol": "BTCUSDT", "period": "1m"}),
        -1130,
        "Data sent for parameter 'period' is not valid.",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_a_refusal_has_the_venues_code_and_text(anna: Customer, case: str) -> None:
    (method, path, params), code, text = CASES[case]
    answer = anna.rest(method, path, **params)
    assert answer.refusal == (code, text)
    assert answer.status == 400


def test_a_refused_order_leaves_no_trace(venue: FuturesVenue, anna: Customer) -> None:
    before = anna.get("/fapi/v3/account").body
    for (method, path, params), _, _ in CASES.values():
        if method == "POST" and path in (ORDER, ALGO):
            anna.rest(method, path, **params)
    assert anna.get("/fapi/v3/account").body == before
    assert anna.get("/fapi/v1/allOrders", symbol="BTCUSDT").body == []
    assert venue.of_kind("ORDER_TRADE_UPDATE") == []


def _batch(anna: Customer, method: str, items: list[object]) -> Answer:
    return anna.rest(method, "/fapi/v1/batchOrders", batchOrders=items)


def test_each_item_of_a_batch_has_its_own_outcome(anna: Customer) -> None:
    answer = _batch(anna, "POST", [LIMIT, LIMIT | {"quantity": "0"}, {"symbol": "BTCUSDT"}, "nonsense", LIMIT])
    assert answer.status == 200
    codes = [row.get("code") for row in answer.rows]
    assert codes == [None, -4003, -1102, -1130, None]
    assert len(anna.get("/fapi/v1/openOrders", symbol="BTCUSDT").rows) == 2


def test_numbers_and_booleans_of_a_batch_count_as_their_texts(anna: Customer) -> None:
    item = LIMIT | {"quantity": 0.01, "price": 49000, "reduceOnly": False}
    assert _batch(anna, "POST", [item]).rows[0]["status"] == "NEW"


def test_a_batch_of_cancels_tells_which_order_it_did_not_know(anna: Customer) -> None:
    placed = [anna.order("BUY", "0.01", "49000").fields["orderId"] for _ in range(2)]
    answer = anna.delete("/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=[placed[0], 999, placed[1]])
    assert [row.get("code", row.get("status")) for row in answer.rows] == ["CANCELED", -2011, "CANCELED"]


def test_more_than_ten_cancels_are_refused(anna: Customer) -> None:
    answer = anna.delete("/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=list(range(11)))
    assert answer.refusal == (-4032, "Exceed maximum cancel order size 10")


@pytest.mark.parametrize(
    "ruin",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text * 200,
        lambda text: "[" * 5_000,
        lambda text: text.replace('"', "\x00"),
        lambda text: '[{"symbol":1e999}]',
        lambda text: "[[]]",
        lambda text: "[null]",
    ],
)
def test_malformed_json_never_breaks_the_venue(anna: Customer, ruin: Callable[[str], str]) -> None:
    text = orjson.dumps([LIMIT]).decode()
    for method in ("POST", "PUT"):
        answer = anna.rest(method, "/fapi/v1/batchOrders", batchOrders=ruin(text))
        rows = answer.rows if isinstance(answer.body, list) else [answer.fields]
        assert all("code" in row for row in rows)
        assert answer.status < 500
