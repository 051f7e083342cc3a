"""A customer's day that makes every spot endpoint answer, conditional fields included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tests.simulator.spot_api.harness import Customer, SpotVenue, WholeVenue, order_fields

SYMBOL: dict[str, object] = {"symbol": "BTCUSDT"}
STOP: dict[str, object] = SYMBOL | {
    "side": "SELL",
    "type": "STOP_LOSS_LIMIT",
    "quantity": "0.1",
    "price": "48000",
    "stopPrice": "49000",
    "timeInForce": "GTC",
    "trailingDelta": 100,
    "icebergQty": "0.05",
    "strategyId": 7,
    "strategyType": 1_000_000,
    "newOrderRespType": "FULL",
}
OCO: dict[str, object] = SYMBOL | {
    "side": "SELL",
    "quantity": "0.1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "52000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "48000",
    "belowTrailingDelta": 100,
    "belowPrice": "47900",
    "belowTimeInForce": "GTC",
    "belowIcebergQty": "0.05",
    "belowStrategyId": 1,
    "belowStrategyType": 1_000_000,
}
OLD_OCO: dict[str, object] = SYMBOL | {"side": "SELL", "quantity": "0.1", "price": "52000", "stopPrice": "48000"}
OTO: dict[str, object] = SYMBOL | {
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "49000",
    "workingQuantity": "0.1",
    "workingTimeInForce": "GTC",
    "pendingType": "TAKE_PROFIT_LIMIT",
    "pendingSide": "SELL",
    "pendingQuantity": "0.09",
    "pendingPrice": "51000",
    "pendingStopPrice": "51000",
    "pendingTrailingDelta": 100,
    "pendingTimeInForce": "GTC",
    "pendingIcebergQty": "0.05",
    "pendingStrategyId": 1,
    "pendingStrategyType": 1_000_000,
}
OTOCO: dict[str, object] = {name: value for name, value in OTO.items() if not name.startswith("pending")} | {
    "pendingSide": "SELL",
    "pendingQuantity": "0.09",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "52000",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "48000",
}


class Story:
    """Answers by route, and user events, as they come in."""

    def __init__(self, venue: SpotVenue) -> None:
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        self.events = venue.events

    def tell(self, customer: Customer, route: str, fields: Mapping[str, object] | None = None) -> Any:
        """Ask and remember; gives the body."""
        method, path = route.split(" ")
        answer = customer.rest(method, path, **(fields or {}))
        assert answer.status in (200, 400, 409), answer.body
        self.answers[route].append(answer.body)
        return answer.body


def trade(story: Story, venue: SpotVenue, anna: Customer) -> None:
    """Orders of every kind, and what can be asked of them afterwards."""
    tell, deposit = story.tell, venue.spot.deposit
    deposit(anna.account_id, "USDT", 10**15)
    resting = tell(anna, "POST order", order_fields("BUY", "0.2", "49000"))
    filled = tell(anna, "POST order", order_fields("BUY", "1.5") | {"newClientOrderId": "mine"})
    stop = tell(anna, "POST order", STOP)
    tell(anna, "POST order/test", order_fields("BUY", "0.1") | {"computeCommissionRates": "true"})
    tell(anna, "GET order", SYMBOL | {"orderId": stop["orderId"]})
    for route in ("GET openOrders", "GET allOrders"):
        tell(anna, route, SYMBOL)
    tell(
        anna,
        "PUT order/amend/keepPriority",
        SYMBOL | {"orderId": resting["orderId"], "newQty": "0.1"},
    )
    tell(anna, "GET order/amendments", SYMBOL | {"orderId": resting["orderId"]})
    tell(anna, "DELETE order", SYMBOL | {"orderId": stop["orderId"]})
    replace_orders(story, anna, resting["orderId"])
    expire_and_prevent(story, anna)
    for route in ("GET order", "GET myTrades"):
        tell(anna, route, SYMBOL | {"orderId": filled["orderId"]})
    venue.print_at("50000", "1")
    for kind in ("POST sor/order", "POST sor/order/test"):
        extra = {"computeCommissionRates": "true"} if kind.endswith("test") else {}
        tell(anna, kind, order_fields("BUY", "0.1") | extra)
    tell(anna, "GET allOrders", SYMBOL)


def replace_orders(story: Story, anna: Customer, order_id: int) -> None:
    """cancelReplace with every outcome of its halves."""
    tell = story.tell
    replace = order_fields("BUY", "0.1", "48000") | {
        "cancelOrderId": order_id,
        "cancelReplaceMode": "STOP_ON_FAILURE",
    }
    tell(anna, "POST order/cancelReplace", replace)
    for kind, mode in (("LIMIT", "STOP_ON_FAILURE"), ("MARKET", "ALLOW_FAILURE"), ("TOO MUCH", "ALLOW_FAILURE")):
        fields = order_fields("BUY", "0.1", "48000" if kind == "LIMIT" else None)
        if kind == "TOO MUCH":
            fields = order_fields("SELL", "100")
        tell(anna, "POST order/cancelReplace", fields | {"cancelOrderId": 999, "cancelReplaceMode": mode})
    last = tell(anna, "POST order", order_fields("BUY", "0.1", "49000"))
    fields = order_fields("BUY", "0.1") | {"cancelOrderId": last["orderId"], "cancelReplaceMode": "STOP_ON_FAILURE"}
    tell(anna, "POST order/cancelReplace", fields)
    last = tell(anna, "POST order", order_fields("BUY", "0.1", "49000"))
    fields = order_fields("SELL", "100") | {"cancelOrderId": last["orderId"], "cancelReplaceMode": "STOP_ON_FAILURE"}
    tell(anna, "POST order/cancelReplace", fields)


def expire_and_prevent(story: Story, anna: Customer) -> None:
    """An order that meets its owner's, and one that runs out of book."""
    story.tell(anna, "POST order", order_fields("SELL", "0.5", "50000.02"))
    prevented = order_fields("BUY", "9", "50000.02") | {"selfTradePreventionMode": "EXPIRE_BOTH"}
    prevented = story.tell(anna, "POST order", prevented)
    story.tell(anna, "GET order", SYMBOL | {"orderId": prevented["orderId"]})
    story.tell(anna, "GET myPreventedMatches", SYMBOL | {"orderId": prevented["orderId"]})
    expired = story.tell(anna, "POST order", order_fields("BUY", "12"))
    story.tell(anna, "GET order", SYMBOL | {"orderId": expired["orderId"]})


def pair(story: Story, anna: Customer) -> None:
    """Order lists of every kind, and their end."""
    tell = story.tell
    for route, fields in (("POST orderList/oco", OCO), ("POST order/oco", OLD_OCO)):
        group = tell(anna, route, fields)
        for query in ("GET openOrderList", "GET allOrderList"):
            tell(anna, query)
        tell(anna, "GET orderList", {"orderListId": group["orderListId"]})
        tell(anna, "DELETE orderList", SYMBOL | {"orderListId": group["orderListId"]})
    group = tell(anna, "POST orderList/oto", OTO)
    first = {"orderId": group["orders"][0]["orderId"]}
    tell(anna, "PUT order/amend/keepPriority", SYMBOL | first | {"newQty": "0.05"})
    second = {"orderId": group["orders"][1]["orderId"]}
    tell(anna, "PUT order/amend/keepPriority", SYMBOL | second | {"newQty": "0.08"})
    tell(anna, "DELETE order", SYMBOL | first)
    tell(anna, "POST orderList/otoco", OTOCO)
    tell(anna, "POST order", {name: value for name, value in STOP.items() if name != "stopPrice"})
    tell(anna, "DELETE openOrders", SYMBOL)


def look_around(story: Story, carol: Customer) -> None:
    """Everything that only reads, on a complete venue."""
    for path in ("ping", "time", "exchangeInfo", "executionRules", "ticker/24hr", "ticker/price", "ticker/bookTicker"):
        story.tell(carol, f"GET {path}")
    for path in (
        "depth",
        "trades",
        "historicalTrades",
        "aggTrades",
        "avgPrice",
        "ticker",
        "ticker/tradingDay",
        "ticker/24hr",
        "ticker/price",
        "ticker/bookTicker",
        "account/commission",
        "myAllocations",
        "myFilters",
    ):
        story.tell(carol, f"GET {path}", SYMBOL)
    for path in ("ticker", "ticker/tradingDay"):
        story.tell(carol, f"GET {path}", {"symbols": ["BTCUSDT", "ETHUSDT"]})
    for path in ("klines", "uiKlines"):
        story.tell(carol, f"GET {path}", SYMBOL | {"interval": "1m", "limit": 5})
    for path in ("account", "rateLimit/order"):
        story.tell(carol, f"GET {path}")


def whole_story(venue: SpotVenue, whole: WholeVenue) -> Story:
    """The whole day."""
    story = Story(venue)
    anna = venue.customer()
    trade(story, venue, anna)
    pair(story, venue.customer("bob"))
    look_around(story, whole.customer())
    return story
