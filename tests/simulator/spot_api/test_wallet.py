from __future__ import annotations

import pytest

from simulator.units import ONE
from simulator.wire.endpoint import registry
from tests.simulator.spot_api.harness import Customer, SpotVenue

SPOT_METHODS = (
    "ping time exchangeInfo executionRules depth trades.recent trades.historical trades.aggregate klines uiKlines "
    "avgPrice ticker ticker.24hr ticker.tradingDay ticker.price ticker.book blockTrades.historical referencePrice "
    "referencePrice.calculation order.place order.test order.status order.cancel order.cancelReplace "
    "order.amend.keepPriority order.amendments openOrders.status openOrders.cancelAll orderList.place "
    "orderList.place.oco orderList.place.oto orderList.place.otoco orderList.place.opo orderList.place.opoco "
    "orderList.status orderList.cancel openOrderLists.status sor.order.place sor.order.test account.status "
    "account.commission account.rateLimits.orders allOrders allOrderLists myTrades myPreventedMatches myAllocations "
    "myFilters"
)


@pytest.mark.parametrize("method", SPOT_METHODS.split())
def test_every_request_method_of_the_websocket_api_is_served(method: str) -> None:
    assert ("spot", method) in registry().ws


def test_coins_show_what_is_held(anna: Customer) -> None:
    rows = {row["coin"]: row for row in anna.get("/sapi/v1/capital/config/getall").ok}
    assert (rows["BTC"]["free"], rows["BNB"]["free"]) == ("5", "0")
    assert rows["BTC"]["networkList"][0]["coin"] == "BTC"
    assert anna.get("/sapi/v1/margin/allPairs").ok == []
    assert anna.get("/sapi/v1/margin/isolated/allPairs").ok == []


def test_a_transfer_moves_money_to_futures_and_back(anna: Customer, venue: SpotVenue) -> None:
    def money() -> tuple[int, int]:
        spot = venue.spot.balances(anna.account_id)["USDT"].free
        return spot, venue.futures.wallets.balance(anna.account_id, "USDT")

    start = money()[0]
    there = anna.post("/sapi/v1/asset/transfer", type="MAIN_UMFUTURE", asset="USDT", amount="1000.5").ok
    assert money() == (start - 1000 * ONE - ONE // 2, 1000 * ONE + ONE // 2)
    back = anna.post("/sapi/v1/asset/transfer", type="UMFUTURE_MAIN", asset="USDT", amount="0.5").ok
    assert money() == (start - 1000 * ONE, 1000 * ONE)
    assert back["tranId"] > there["tranId"]
    rows = anna.get("/sapi/v1/asset/transfer", type="MAIN_UMFUTURE").ok
    assert rows["total"] == 1
    assert rows["rows"][0] == rows["rows"][0] | {"asset": "USDT", "amount": "1000.50000000", "tranId": there["tranId"]}


@pytest.mark.parametrize("kind", ["MAIN_UMFUTURE", "UMFUTURE_MAIN"])
def test_a_transfer_of_more_than_there_is_moves_nothing(anna: Customer, venue: SpotVenue, kind: str) -> None:
    totals = venue.spot.totals(), venue.futures.totals()
    refused = anna.post("/sapi/v1/asset/transfer", type=kind, asset="USDT", amount="100000.01")
    assert refused.refusal == (-5013, "Asset transfer failed: insufficient balance")
    assert (venue.spot.totals(), venue.futures.totals()) == totals


def test_commission_in_bnb_can_be_switched_on(anna: Customer, venue: SpotVenue) -> None:
    venue.spot.deposit(anna.account_id, "BNB", ONE)
    assert anna.get("/sapi/v1/bnbBurn").ok["spotBNBBurn"] is False
    assert anna.post("/sapi/v1/bnbBurn", spotBNBBurn="true").ok["spotBNBBurn"] is True
    assert anna.order("BUY", "0.1").ok["fills"][0]["commissionAsset"] == "BNB"
    assert anna.get("account/commission", symbol="BTCUSDT").ok["discount"]["enabledForAccount"] is True


def test_fees_restrictions_and_statuses_are_told(anna: Customer) -> None:
    assert anna.get("/sapi/v1/asset/tradeFee", symbol="BTCUSDT").ok == [
        {"symbol": "BTCUSDT", "makerCommission": "0.001", "takerCommission": "0.001"}
    ]
    assert anna.get("/sapi/v1/account/apiRestrictions").ok["enableSpotAndMarginTrading"] is True
    assert anna.get("/sapi/v1/account/status").ok == {"data": "Normal"}
    assert anna.get("/sapi/v1/account/apiTradingStatus").ok["data"]["isLocked"] is False
    assert anna.get("/sapi/v1/system/status").ok == {"status": 0, "msg": "normal"}
    assert {row["asset"] for row in anna.post("/sapi/v3/asset/getUserAsset").ok} == {"BTC", "USDT"}


def test_wallets_are_valued_in_one_asset(anna: Customer, carol: Customer) -> None:
    rows = {row["walletName"]: row["balance"] for row in anna.get("/sapi/v1/asset/wallet/balance").ok}
    assert rows["Spot"] == "7"
    in_usdt = anna.get("/sapi/v1/asset/wallet/balance", quoteAsset="USDT").ok[0]["balance"]
    assert in_usdt == "350000"
    both = {row["walletName"]: row["balance"] for row in carol.get("/sapi/v1/asset/wallet/balance").ok}
    assert both["Spot"] == both["USDⓈ-M Futures"]


def test_products_that_are_not_here_list_nothing(anna: Customer) -> None:
    assert anna.get("/dapi/v1/exchangeInfo").ok["symbols"] == []
    assert anna.get("/eapi/v1/exchangeInfo").ok["optionSymbols"] == []
