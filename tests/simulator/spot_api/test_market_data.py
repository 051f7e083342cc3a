from __future__ import annotations

from typing import Any

import pytest

from simulator.units import parse_quanta
from tests.simulator.spot_api.harness import Customer, WholeVenue

MINUTE = 60_000
DAY = 86_400_000


def test_depth_is_sorted_and_cut(carol: Customer) -> None:
    body = carol.get("depth", symbol="BTCUSDT", limit=5).ok
    bids, asks = [float(row[0]) for row in body["bids"]], [float(row[0]) for row in body["asks"]]
    assert len(bids) == len(asks) == 5
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_trades_aggregates_and_klines_tell_the_same_story(carol: Customer) -> None:
    trades = carol.get("trades", symbol="BTCUSDT", limit=1000).ok
    assert len(trades) == 1000
    assert carol.get("historicalTrades", symbol="BTCUSDT", fromId=trades[10]["id"], limit=5).ok == trades[10:15]
    minute = trades[-1]["time"] // MINUTE * MINUTE - MINUTE
    within = [row for row in trades if minute <= row["time"] < minute + MINUTE]
    bar = carol.get("klines", symbol="BTCUSDT", interval="1m", startTime=minute, limit=1).ok[0]
    assert (bar[0], bar[6], bar[8]) == (minute, minute + MINUTE - 1, len(within))
    assert (bar[1], bar[4]) == (within[0]["price"], within[-1]["price"])
    assert parse_quanta(bar[5]) == sum(parse_quanta(row["qty"]) for row in within)
    assert parse_quanta(bar[7]) == sum(parse_quanta(row["quoteQty"]) for row in within)
    parts = carol.get("aggTrades", symbol="BTCUSDT", startTime=minute, endTime=minute + MINUTE - 1).ok
    assert sum(parse_quanta(row["q"]) for row in parts) == parse_quanta(bar[5])
    assert (parts[0]["f"], parts[-1]["l"]) == (within[0]["id"], within[-1]["id"])


def test_klines_are_limited_to_a_thousand_and_default_to_five_hundred(carol: Customer) -> None:
    def count(**params: object) -> int:
        return len(carol.get("klines", symbol="BTCUSDT", interval="1m", **params).ok)

    assert (count(), count(limit=7), count(limit=5000)) == (500, 7, 1000)
    assert (
        carol.ws("klines", symbol="BTCUSDT", interval="1m", limit=3).ok
        == carol.get("uiKlines", symbol="BTCUSDT", interval="1m", limit=3).ok
    )


def test_a_time_zone_moves_the_beginning_of_the_day(carol: Customer) -> None:
    utc = carol.get("klines", symbol="BTCUSDT", interval="1d", limit=3).ok
    east = carol.get("klines", symbol="BTCUSDT", interval="1d", limit=3, timeZone="8").ok
    half = carol.get("klines", symbol="BTCUSDT", interval="1h", limit=3, timeZone="-3:30").ok
    assert {bar[0] % DAY for bar in utc} == {0}
    assert {bar[0] % DAY for bar in east} == {16 * 3_600_000}
    assert {bar[0] % 3_600_000 for bar in half} == {1_800_000}


@pytest.mark.parametrize("interval", ["1s", "1m", "3d", "1w", "1M"])
@pytest.mark.parametrize("moment", [0, 1, 9_223_372_036_854_775_807])
def test_times_far_away_are_answered_at_once(carol: Customer, interval: str, moment: int) -> None:
    fields = {"symbol": "BTCUSDT", "interval": interval, "limit": 2}
    assert carol.get("klines", **fields, startTime=moment).status == 200
    assert carol.get("klines", **fields, endTime=moment).status == 200
    assert carol.get("aggTrades", symbol="BTCUSDT", startTime=moment, limit=2).status == 200
    assert carol.get("aggTrades", symbol="BTCUSDT", endTime=moment, limit=2).status == 200
    assert carol.get("aggTrades", symbol="BTCUSDT", fromId=moment, limit=2).status == 200
    assert carol.get("historicalTrades", symbol="BTCUSDT", fromId=moment, limit=2).status == 200


def test_a_day_ticker_comes_for_one_some_or_all(carol: Customer) -> None:
    one = carol.get("ticker/24hr", symbol="BTCUSDT").ok
    assert carol.get("ticker/24hr", symbols=["BTCUSDT"]).ok == [one]
    assert [row["symbol"] for row in carol.get("ticker/24hr").ok] == ["BTCUSDT", "ETHUSDT"]
    mini = carol.get("ticker/24hr", symbol="BTCUSDT", type="MINI").ok
    assert mini == {name: one[name] for name in mini}
    assert set(one) - set(mini) == {
        "priceChange",
        "priceChangePercent",
        "weightedAvgPrice",
        "prevClosePrice",
        "lastQty",
        "bidPrice",
        "bidQty",
        "askPrice",
        "askQty",
    }
    assert one["closeTime"] - one["openTime"] == DAY
    assert one["lastId"] - one["firstId"] + 1 == one["count"]


def test_a_window_begins_on_a_whole_minute_and_a_day_at_midnight(carol: Customer, whole: WholeVenue) -> None:
    now = whole.venue.clock.now_ms()
    window = carol.get("ticker", symbol="BTCUSDT", windowSize="1h").ok
    assert window["openTime"] % MINUTE == 0
    assert 0 <= now - 60 * MINUTE - window["openTime"] < MINUTE
    assert window["closeTime"] == now
    day = carol.get("ticker/tradingDay", symbols=["BTCUSDT", "ETHUSDT"], type="MINI").ok
    assert {row["openTime"] % DAY for row in day} == {0}
    assert "priceChange" not in day[0]


def test_prices_and_best_offers_agree_with_the_book(carol: Customer) -> None:
    depth = carol.get("depth", symbol="BTCUSDT", limit=1).ok
    best = carol.get("ticker/bookTicker", symbol="BTCUSDT").ok
    assert [[best["bidPrice"], best["bidQty"]]] == depth["bids"]
    assert [[best["askPrice"], best["askQty"]]] == depth["asks"]
    price = carol.get("ticker/price", symbol="BTCUSDT").ok
    assert price == {"symbol": "BTCUSDT", "price": carol.get("trades", symbol="BTCUSDT", limit=1).ok[0]["price"]}
    average = carol.get("avgPrice", symbol="BTCUSDT").ok
    assert average["mins"] == 5
    assert abs(float(average["price"]) / float(price["price"]) - 1) < 0.1


def symbols_of(answer: Any) -> list[str]:
    return [row["symbol"] for row in answer["symbols"]]


def test_exchange_info_can_be_narrowed(carol: Customer) -> None:
    everything = carol.get("exchangeInfo").ok
    assert symbols_of(everything) == ["BTCUSDT", "ETHUSDT"]
    assert symbols_of(carol.get("exchangeInfo", symbol="ETHUSDT").ok) == ["ETHUSDT"]
    assert symbols_of(carol.get("exchangeInfo", symbols=["ETHUSDT", "BTCUSDT"]).ok) == ["ETHUSDT", "BTCUSDT"]
    assert symbols_of(carol.get("exchangeInfo", permissions="MARGIN").ok) == []
    assert symbols_of(carol.ws("exchangeInfo", permissions=["SPOT", "MARGIN"]).ok) == ["BTCUSDT", "ETHUSDT"]
    assert symbols_of(carol.get("exchangeInfo", symbolStatus="HALT").ok) == []
    assert carol.get("exchangeInfo", showPermissionSets="false").ok["symbols"][0]["permissionSets"] == []
    assert {row["rateLimitType"] for row in everything["rateLimits"]} == {"REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS"}


def test_rules_and_times_without_parameters(carol: Customer, whole: WholeVenue) -> None:
    assert carol.get("ping").ok == {}
    assert abs(carol.get("time").ok["serverTime"] - whole.protocol.now_ms()) < 60_000
    assert carol.get("executionRules", symbol="BTCUSDT").ok == {"symbolRules": [{"symbol": "BTCUSDT", "rules": []}]}
    assert carol.get("historicalBlockTrades", symbol="BTCUSDT", fromId=1).ok == []
