"""Requests the venue refuses, and its exact words."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.simulator.spot_api.harness import Customer, SpotVenue, order_fields

ORDER = "POST order"
LIMIT = order_fields("BUY", "0.1", "49000")
MARKET = order_fields("BUY", "0.1")
STOP: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_LOSS",
    "quantity": "0.1",
    "stopPrice": "49000",
}
OCO: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "52000",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "48000",
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
    "pendingQuantity": "0.1",
}
DAY: dict[str, object] = {"symbol": "BTCUSDT", "startTime": 1, "endTime": 86_400_002}
SYMBOLS_RANGE = r"""^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"""


def without(fields: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in fields.items() if key != name}


def mandatory(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def neither(first: str, second: str) -> str:
    return f"Param '{first}' or '{second}' must be sent, but both were empty/null!"


def surplus(name: str) -> str:
    return f"Parameter '{name}' sent when not required."


class Case(NamedTuple):
    route: str
    fields: dict[str, object]
    code: int
    text: str


COMBINATION = "Combination of optional parameters invalid."
CASES = [
    # New orders
    Case(ORDER, without(LIMIT, "symbol"), -1102, mandatory("symbol")),
    Case(ORDER, without(LIMIT, "side"), -1102, mandatory("side")),
    Case(ORDER, without(LIMIT, "type"), -1102, mandatory("type")),
    Case(ORDER, without(LIMIT, "price"), -1102, mandatory("price")),
    Case(ORDER, without(LIMIT, "quantity"), -1102, mandatory("quantity")),
    Case(ORDER, without(LIMIT, "timeInForce"), -1102, mandatory("timeInForce")),
    Case(ORDER, without(MARKET, "quantity"), -1102, neither("quantity", "quoteOrderQty")),
    Case(ORDER, without(STOP, "stopPrice"), -1102, neither("stopPrice", "trailingDelta")),
    Case(ORDER, LIMIT | {"symbol": "NOPEUSDT"}, -1121, "Invalid symbol."),
    Case(ORDER, LIMIT | {"side": "HOLD"}, -1117, "Invalid side."),
    Case(ORDER, LIMIT | {"type": "STOP"}, -1116, "Invalid orderType."),
    Case(ORDER, LIMIT | {"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
    Case(ORDER, LIMIT | {"stopPrice": "48000"}, -1106, surplus("stopPrice")),
    Case(ORDER, MARKET | {"price": "49000"}, -1106, surplus("price")),
    Case(ORDER, MARKET | {"timeInForce": "GTC"}, -1106, surplus("timeInForce")),
    Case(ORDER, LIMIT | {"quantity": ""}, -1105, "Parameter 'quantity' was empty."),
    Case(ORDER, LIMIT | {"quantity": "0.123456789"}, -1111, "Parameter 'quantity' has too much precision."),
    Case(
        ORDER,
        LIMIT | {"quantity": "-1"},
        -1100,
        r"Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.",
    ),
    Case(
        ORDER,
        LIMIT | {"newClientOrderId": "with blank"},
        -1100,
        "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
    ),
    Case(ORDER, LIMIT | {"strategyType": 1}, -1134, "strategyType was less than 1000000."),
    Case(ORDER, LIMIT | {"quantity": "0"}, -1013, "Invalid quantity."),
    Case(ORDER, LIMIT | {"price": "0"}, -1013, "Invalid price."),
    Case(ORDER, LIMIT | {"price": "49000.001"}, -1013, "Filter failure: PRICE_FILTER"),
    Case(ORDER, LIMIT | {"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    Case(ORDER, LIMIT | {"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
    Case(ORDER, LIMIT | {"price": "9000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Case(ORDER, LIMIT | {"quantity": "100"}, -2010, "Account has insufficient balance for requested action."),
    Case(
        ORDER,
        LIMIT | {"selfTradePreventionMode": "NONE"},
        -1013,
        "This symbol does not allow the specified self-trade prevention mode.",
    ),
    Case(
        ORDER,
        LIMIT | {"pegPriceType": "PRIMARY_PEG"},
        -1013,
        "Pegged orders are not supported for this symbol.",
    ),
    Case(
        ORDER,
        LIMIT | {"newOrderRespType": "ALL"},
        -1130,
        "Data sent for parameter 'newOrderRespType' is not valid.",
    ),
    Case(
        ORDER,
        without(LIMIT, "timeInForce") | {"type": "LIMIT_MAKER", "price": "50001"},
        -2010,
        "Order would immediately match and take.",
    ),
    Case(ORDER, STOP | {"stopPrice": "51000"}, -2010, "Stop price would trigger immediately."),
    Case(
        ORDER,
        LIMIT | {"fancy": "1"},
        -1104,
        "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
    ),
    # Existing orders
    Case("DELETE order", {"symbol": "BTCUSDT"}, -1102, neither("origClientOrderId", "orderId")),
    Case("DELETE order", {"symbol": "BTCUSDT", "orderId": 77}, -2011, "Unknown order sent."),
    Case(
        "DELETE order",
        {"symbol": "BTCUSDT", "orderId": 77, "cancelRestrictions": "ANY"},
        -1145,
        "Invalid cancelRestrictions",
    ),
    Case("GET order", {"symbol": "BTCUSDT", "orderId": 77}, -2013, "Order does not exist."),
    Case("GET order", {"symbol": "BTCUSDT"}, -1102, neither("origClientOrderId", "orderId")),
    Case("DELETE openOrders", {"symbol": "BTCUSDT"}, -2011, "Unknown order sent."),
    Case("DELETE openOrders", {}, -1102, mandatory("symbol")),
    Case(
        "POST order/cancelReplace",
        LIMIT | {"cancelReplaceMode": "STOP_ON_FAILURE"},
        -1102,
        neither("cancelOrigClientOrderId", "cancelOrderId"),
    ),
    Case(
        "POST order/cancelReplace",
        LIMIT | {"cancelReplaceMode": "SOMEHOW", "cancelOrderId": 1},
        -1130,
        "Data sent for parameter 'cancelReplaceMode' is not valid.",
    ),
    Case("PUT order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": 1}, -1102, mandatory("newQty")),
    # Lists
    Case("POST orderList/oco", without(OCO, "aboveType"), -1102, mandatory("aboveType")),
    Case("POST orderList/oco", without(OCO, "abovePrice"), -1102, mandatory("abovePrice")),
    Case(
        "POST orderList/oco",
        without(OCO, "belowStopPrice"),
        -1102,
        neither("belowStopPrice", "belowTrailingDelta"),
    ),
    Case("POST orderList/oco", OCO | {"aboveType": "LIMIT"}, -1158, "Order type not supported in OCO."),
    Case("POST orderList/oco", OCO | {"aboveType": "WISH"}, -1116, "Invalid orderType."),
    Case("POST orderList/oco", OCO | {"aboveTimeInForce": "GTC"}, -1106, surplus("aboveTimeInForce")),
    Case(
        "POST orderList/oco",
        without(OCO, "belowStopPrice") | {"belowType": "LIMIT_MAKER", "belowPrice": "48000"},
        -1168,
        "At least one OCO order must be contingent.",
    ),
    Case(
        "POST orderList/oco",
        OCO | {"belowType": "TAKE_PROFIT"},
        -1199,
        "A take profit order in a sell OCO must be above.",
    ),
    Case(
        "POST orderList/oco",
        OCO
        | {
            "belowType": "STOP_LOSS_LIMIT",
            "belowPrice": "47000",
            "belowTimeInForce": "IOC",
            "belowIcebergQty": "0.05",
        },
        -1160,
        "Parameter 'belowIcebergQty' is not supported if 'belowTimeInForce' is not GTC.",
    ),
    Case(
        "POST orderList/oco",
        OCO | {"abovePrice": "49000"},
        -2010,
        "The relationship of the prices for the orders is not correct.",
    ),
    Case("POST orderList/oto", without(OTO, "workingTimeInForce"), -1102, mandatory("workingTimeInForce")),
    Case("POST orderList/oto", without(OTO, "pendingQuantity"), -1102, mandatory("pendingQuantity")),
    Case("POST orderList/oto", OTO | {"workingSide": "UP"}, -1117, "Invalid side."),
    Case(
        "POST orderList/oto",
        OTO | {"workingType": "MARKET"},
        -1130,
        "Data sent for parameter 'workingType' is not valid.",
    ),
    Case("POST orderList/opo", OTO, -1013, "OPO orders are not supported for this symbol."),
    Case("GET orderList", {}, -1102, neither("origClientOrderId", "orderListId")),
    Case("GET orderList", {"orderListId": 9}, -2018, "Order list does not exist."),
    Case("DELETE orderList", {"symbol": "BTCUSDT"}, -1102, neither("listClientOrderId", "orderListId")),
    Case("GET allOrderList", {"fromId": 1, "startTime": 1}, -1128, COMBINATION),
    # Account
    Case("GET myTrades", DAY, -1127, "More than 24 hours between startTime and endTime."),
    Case("GET allOrders", DAY, -1127, "More than 24 hours between startTime and endTime."),
    Case("GET myTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}, -1128, COMBINATION),
    Case("GET myTrades", {}, -1102, mandatory("symbol")),
    Case("GET myPreventedMatches", {"symbol": "BTCUSDT"}, -1128, COMBINATION),
    Case("GET allOrders", {"symbol": "BTCUSDT", "limit": 0}, -1130, "Data sent for parameter 'limit' is not valid."),
    Case("GET order/amendments", {"symbol": "BTCUSDT"}, -1102, mandatory("orderId")),
    # Market data
    Case("GET depth", {"symbol": "btcusdt"}, -1100, ""),
    Case("GET depth", {"symbol": "BTCUSDT", "symbolStatus": "HALT"}, -1220, ""),
    Case("GET klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120, "Invalid interval."),
    Case("GET klines", {"symbol": "BTCUSDT"}, -1102, mandatory("interval")),
    Case(
        "GET klines",
        {"symbol": "BTCUSDT", "interval": "1m", "timeZone": "15:00"},
        -1130,
        "Data sent for parameter 'timeZone' is not valid.",
    ),
    Case("GET aggTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}, -1128, COMBINATION),
    Case("GET exchangeInfo", {"symbol": "NOPEUSDT"}, -1121, "Invalid symbol."),
    Case("GET exchangeInfo", {"symbol": "BTCUSDT", "symbols": ["BTCUSDT"]}, -1128, COMBINATION),
    Case("GET exchangeInfo", {"symbol": "BTCUSDT", "permissions": "SPOT"}, -1128, COMBINATION),
    Case("GET exchangeInfo", {"symbolStatus": "ASLEEP"}, -1122, "Invalid symbolStatus."),
    Case(
        "GET exchangeInfo",
        {"symbols": "BTCUSDT"},
        -1100,
        f"Illegal characters found in parameter 'symbols'; legal range is '{SYMBOLS_RANGE}'.",
    ),
    Case(
        "GET ticker/price",
        {"symbols": ["BTCUSDT", "BTCUSDT"]},
        -1151,
        "Symbol is present multiple times in the list.",
    ),
    Case(
        "GET ticker/price",
        {"symbol": "BTCUSDT", "symbols": ["BTCUSDT"]},
        -1101,
        "Too many parameters; expected '1' and received '2'.",
    ),
    Case("GET ticker/24hr", {"symbol": "BTCUSDT", "type": "BIG"}, -1139, "Invalid ticker type."),
    Case("GET ticker", {}, -1102, neither("symbol", "symbols")),
    Case(
        "GET ticker",
        {"symbol": "BTCUSDT", "windowSize": "8d"},
        -1130,
        "Data sent for parameter 'windowSize' is not valid.",
    ),
    Case("GET referencePrice", {"symbol": "BTCUSDT"}, -2043, "This symbol doesn't have a reference price."),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.route} {case.code}")
def test_a_wrong_request_is_refused_in_the_venues_words(venue: SpotVenue, anna: Customer, case: Case) -> None:
    method, path = case.route.split(" ")
    before = (venue.spot.totals(), len(venue.of_kind("executionReport")))
    answer = anna.rest(method, path, **case.fields)
    code, text = answer.refusal
    assert (answer.status, code) == (400, case.code), text
    if case.text:
        assert text == case.text
    assert (venue.spot.totals(), len(venue.of_kind("executionReport"))) == before


def test_a_closed_market_takes_no_orders(venue: SpotVenue, anna: Customer) -> None:
    venue.spot.set_instrument(venue.spot.instrument("BTCUSDT").with_status("HALT"))
    assert anna.order("BUY", "0.1", "49000").refusal == (-1013, "Market is closed.")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_spot_listen_keys_are_gone(anna: Customer, method: str) -> None:
    assert anna.rest(method, "/api/v3/userDataStream").status == 410
