from __future__ import annotations

from simulator.wire.endpoint import registry
from simulator.wire.params import Params
from tests.simulator.spot_api.harness import Customer, SpotVenue


def test_an_account_shows_every_asset_unless_zeros_are_left_out(anna: Customer) -> None:
    body = anna.get("account").ok
    assert {row["asset"] for row in body["balances"]} == {"BTC", "USDT", "BNB"}
    assert (body["makerCommission"], body["commissionRates"]["maker"]) == (10, "0.00100000")
    held = anna.get("account", omitZeroBalances="true").ok["balances"]
    assert {row["asset"]: row["free"] for row in held} == {"BTC": "5.00000000", "USDT": "100000.00000000"}


def test_an_order_locks_what_it_may_spend(anna: Customer) -> None:
    anna.order("BUY", "0.1", "49000")
    rows = {row["asset"]: row for row in anna.get("account").ok["balances"]}
    assert (rows["USDT"]["free"], rows["USDT"]["locked"]) == ("95100.00000000", "4900.00000000")


def test_own_trades_are_found_by_order_by_id_and_by_time(anna: Customer, venue: SpotVenue) -> None:
    first = anna.order("BUY", "1.5").ok
    venue.print_at("50000", "1")
    second = anna.order("SELL", "0.1").ok
    rows = anna.get("myTrades", symbol="BTCUSDT").ok
    assert [row["orderId"] for row in rows] == [first["orderId"], first["orderId"], second["orderId"]]
    assert rows[0] == rows[0] | {
        "symbol": "BTCUSDT",
        "price": "50000.01000000",
        "qty": "1.00000000",
        "quoteQty": "50000.01000000",
        "commission": "0.00100000",
        "commissionAsset": "BTC",
        "isBuyer": True,
        "isMaker": False,
        "isBestMatch": True,
        "orderListId": -1,
    }
    assert anna.get("myTrades", symbol="BTCUSDT", orderId=second["orderId"]).ok == rows[2:]
    assert anna.get("myTrades", symbol="BTCUSDT", fromId=rows[1]["id"]).ok == rows[1:]
    assert anna.get("myTrades", symbol="BTCUSDT", startTime=rows[2]["time"]).ok == rows[2:]
    assert anna.get("myTrades", symbol="BTCUSDT", limit=1).ok == rows[2:]


def test_unfilled_orders_are_counted_and_given_back(anna: Customer) -> None:
    anna.order("BUY", "0.1", "49000")
    counts = {row["interval"]: row["count"] for row in anna.get("rateLimit/order").ok}
    assert counts == {"SECOND": 1, "DAY": 1}
    anna.order("BUY", "0.1")
    counts = {row["interval"]: row["count"] for row in anna.get("rateLimit/order").ok}
    assert counts == {"SECOND": 1, "DAY": 1}


def test_commission_and_filters_of_a_symbol(anna: Customer) -> None:
    body = anna.get("account/commission", symbol="BTCUSDT").ok
    assert body["standardCommission"]["taker"] == "0.00100000"
    filters = anna.get("myFilters", symbol="BTCUSDT").ok
    assert {row["filterType"] for row in filters["symbolFilters"]} >= {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL"}
    assert anna.get("myAllocations", symbol="BTCUSDT").ok == []


def weight_of(route: str, **params: str) -> int:
    method, path = route.split(" ")
    endpoint = registry().find(method, f"/api/v3/{path}")
    assert endpoint is not None
    return endpoint.weight if isinstance(endpoint.weight, int) else endpoint.weight(Params(params))


def test_requests_weigh_what_the_venue_says() -> None:
    many = "[" + ",".join(f'"S{number}"' for number in range(30)) + "]"
    assert weight_of("GET exchangeInfo") == 20
    assert [weight_of("GET depth", limit=limit) for limit in ("100", "500", "1000", "5000", "x")] == [5, 25, 50, 250, 5]
    assert (weight_of("GET klines"), weight_of("GET trades"), weight_of("GET aggTrades")) == (2, 25, 4)
    assert (weight_of("GET ticker/24hr"), weight_of("GET ticker/24hr", symbol="X")) == (80, 2)
    assert weight_of("GET ticker/24hr", symbols=many) == 40
    assert (weight_of("GET ticker", symbols=many), weight_of("GET ticker", symbol="X")) == (120, 4)
    assert (weight_of("GET ticker/price"), weight_of("GET ticker/price", symbol="X")) == (4, 2)
    assert (weight_of("GET openOrders"), weight_of("GET openOrders", symbol="X")) == (80, 6)
    assert (weight_of("GET myTrades"), weight_of("GET myTrades", orderId="1")) == (20, 5)
    assert (weight_of("GET account"), weight_of("GET order"), weight_of("GET rateLimit/order")) == (20, 4, 40)
    assert (weight_of("POST order/test"), weight_of("POST order/test", computeCommissionRates="true")) == (1, 20)


def test_an_order_that_succeeds_weighs_nothing_and_a_refused_one_is_charged(anna: Customer, venue: SpotVenue) -> None:
    anna.order("BUY", "0.1", "49000")
    assert venue.limits.used_weight("spot", "127.0.0.1") == 0
    anna.order("BUY", "100", "49000")
    assert venue.limits.used_weight("spot", "127.0.0.1") == 1
