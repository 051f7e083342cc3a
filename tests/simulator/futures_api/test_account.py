from __future__ import annotations

from simulator.units import parse_quanta
from tests.simulator.futures_api.harness import START_MS, Customer, FuturesVenue
from tests.simulator.futures_api.story import FUNDING_MS


def test_old_and_new_balances_agree(anna: Customer) -> None:
    anna.order("BUY", "0.01")
    assert anna.get("/fapi/v2/balance").body == anna.get("/fapi/v3/balance").body
    assert anna.ws("account.balance").body == anna.get("/fapi/v2/balance").body
    line = anna.get("/fapi/v3/balance").rows[0]
    assert (line["asset"], line["balance"], line["crossUnPnl"]) == ("USDT", "99999.74999950", "-0.00100000")


def test_a_fee_and_a_loss_are_in_the_account(anna: Customer) -> None:
    anna.order("BUY", "0.01")
    account = anna.get("/fapi/v3/account").fields
    assert account["totalWalletBalance"] == "99999.74999950"
    assert account["totalUnrealizedProfit"] == "-0.00100000"
    assert account["totalMarginBalance"] == "99999.74899950"
    assert account["totalPositionInitialMargin"] == "25.00000000"


def test_the_new_account_lists_what_is_held_and_the_old_one_everything(anna: Customer) -> None:
    anna.order("BUY", "0.01")
    new, old = anna.get("/fapi/v3/account").fields, anna.get("/fapi/v2/account").fields
    assert [row["symbol"] for row in new["positions"]] == ["BTCUSDT"]  # type: ignore[attr-defined]
    assert {row["symbol"] for row in old["positions"]} == {"BTCUSDT", "ETHUSDT"}  # type: ignore[attr-defined]
    assert old["totalWalletBalance"] == new["totalWalletBalance"]


def test_position_risk_of_both_versions(anna: Customer) -> None:
    anna.order("SELL", "0.02")
    new = anna.get("/fapi/v3/positionRisk").rows
    assert [(row["symbol"], row["positionAmt"], row["positionSide"]) for row in new] == [("BTCUSDT", "-0.020", "BOTH")]
    old = anna.get("/fapi/v2/positionRisk").rows
    assert {row["symbol"] for row in old} == {"BTCUSDT", "ETHUSDT"}
    assert old[0]["marginType"] == "cross"
    assert (new[0]["entryPrice"], new[0]["notional"]) == ("50000", "-1000.00000000")


def test_hedge_mode_holds_both_sides(anna: Customer) -> None:
    assert anna.get("/fapi/v1/positionSide/dual").body == {"dualSidePosition": False}
    answer = anna.post("/fapi/v1/positionSide/dual", dualSidePosition="true")
    assert answer.body == {"code": 200, "msg": "success"}
    anna.order("BUY", "0.01", positionSide="LONG")
    anna.order("SELL", "0.02", positionSide="SHORT")
    rows = anna.get("/fapi/v3/positionRisk").rows
    assert {row["positionSide"]: row["positionAmt"] for row in rows} == {"LONG": "0.010", "SHORT": "-0.020"}
    assert anna.order("BUY", "0.01").refusal[0] == -4061


def test_leverage_changes_margin_and_largest_position(anna: Customer) -> None:
    answer = anna.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=50).fields
    assert (answer["leverage"], answer["symbol"]) == (50, "BTCUSDT")
    config = anna.get("/fapi/v1/symbolConfig", symbol="BTCUSDT").rows[0]
    assert (config["leverage"], config["maxNotionalValue"]) == (50, answer["maxNotionalValue"])
    anna.order("BUY", "0.01")
    assert anna.get("/fapi/v3/account").fields["totalPositionInitialMargin"] == "10.00000000"


def test_margin_is_moved_into_and_out_of_an_isolated_position(anna: Customer) -> None:
    anna.post("/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    anna.order("BUY", "0.01")
    before = parse_quanta(str(anna.get("/fapi/v3/positionRisk").rows[0]["isolatedWallet"]))
    answer = anna.post("/fapi/v1/positionMargin", symbol="BTCUSDT", amount="12.5", type="1").fields
    assert answer == {"amount": 12.5, "code": 200, "msg": "Successfully modify position margin.", "type": 1}
    anna.post("/fapi/v1/positionMargin", symbol="BTCUSDT", amount="2", type="2")
    after = parse_quanta(str(anna.get("/fapi/v3/positionRisk").rows[0]["isolatedWallet"]))
    assert after - before == parse_quanta("10.5")
    added = anna.get("/fapi/v1/positionMargin/history", symbol="BTCUSDT", type="1").rows
    assert [(row["deltaType"], row["amount"]) for row in added if row["deltaType"] == "USER_ADJUST"] == [
        ("USER_ADJUST", "12.5")
    ]


def test_income_sums_to_the_wallet(venue: FuturesVenue, anna: Customer) -> None:
    anna.order("BUY", "0.1")
    venue.advance(START_MS + FUNDING_MS + 1 - venue.clock.now_ms())
    venue.print_at("50500")
    anna.order("SELL", "0.1")
    lines = anna.get("/fapi/v1/income", limit=1000).rows
    assert {line["incomeType"] for line in lines} == {"TRANSFER", "COMMISSION", "FUNDING_FEE", "REALIZED_PNL"}
    total = sum(_signed(str(line["income"])) for line in lines)
    assert total == parse_quanta(str(anna.get("/fapi/v3/account").fields["totalWalletBalance"]))
    fees = anna.get("/fapi/v1/income", incomeType="COMMISSION", symbol="BTCUSDT").rows
    assert len(fees) == 2
    assert anna.get("/fapi/v1/income", page=2, limit=3).rows != anna.get("/fapi/v1/income", limit=3).rows


def test_brackets_rise_with_the_notional(anna: Customer) -> None:
    brackets = anna.get("/fapi/v1/leverageBracket", symbol="BTCUSDT").rows[0]["brackets"]
    floors = [tier["notionalFloor"] for tier in brackets]  # type: ignore[attr-defined]
    caps = [tier["notionalCap"] for tier in brackets]  # type: ignore[attr-defined]
    assert floors[0] == 0
    assert caps[:-1] == floors[1:]


def test_the_listen_key_stays_the_same_until_it_is_closed(anna: Customer) -> None:
    key = anna.post("/fapi/v1/listenKey", subType="None").fields["listenKey"]
    assert anna.post("/fapi/v1/listenKey").fields["listenKey"] == key
    assert anna.put("/fapi/v1/listenKey").body == {"listenKey": key}
    assert anna.delete("/fapi/v1/listenKey").body == {}
    assert anna.put("/fapi/v1/listenKey").refusal == (-1125, "This listenKey does not exist.")
    assert anna.ws("userDataStream.start").fields["listenKey"] != key


def test_premium_and_funding_speak_of_the_same_rate(venue: FuturesVenue, anna: Customer) -> None:
    premium = anna.get("/fapi/v1/premiumIndex", symbol="BTCUSDT").fields
    assert premium["nextFundingTime"] == START_MS + FUNDING_MS
    venue.advance(START_MS + FUNDING_MS + 1 - venue.clock.now_ms())
    last = anna.get("/fapi/v1/fundingRate", symbol="BTCUSDT", limit=1).rows[0]
    assert last["fundingRate"] == premium["lastFundingRate"]
    assert last["fundingTime"] == START_MS + FUNDING_MS


def _signed(text: str) -> int:
    return -parse_quanta(text[1:]) if text.startswith("-") else parse_quanta(text)
