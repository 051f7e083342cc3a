"""Copy trading by its API: the walk-through of the design, terms that are refused, circles, sharing, commands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from core import redis_names
from db.models import FollowRelationship
from db.queries import following
from db.unit_of_work import reading
from tests.api_node import ApiNode

pytestmark = pytest.mark.services
ROOT = "/api/v1/follower"


def made(answer: Any, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Any, field: str) -> str:
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_fields"), answer.text
    reasons = {one["field"]: one["reason"] for one in answer.json()["errors"]}
    assert field in reasons, reasons
    return str(reasons[field])


def follow(node: ApiNode, account: int, who: str = "olga", **terms: Any) -> Any:
    return node.post(f"{ROOT}/relationships", {"account_id": account, "follow_ratio": "0.1", **terms}, who)


def hold(node: ApiNode, size: Any, who: str = "olga", **more: Any) -> Any:
    return node.post(f"{ROOT}/master-position", {"symbol": "BTC/USDT", "position_size": size, **more}, who)


def test_the_bodies_of_the_design_work_as_written(node: ApiNode) -> None:
    me = node.people["olga"]
    lead, first, second = (node.add_account(name=name) for name in ("lead", "first", "second"))
    design = {"follower_user_id": me, "master_user_id": me, "master_credential_id": lead}
    for account, ratio in ((first, 0.1), (second, 0.2)):
        body = design | {"follower_credential_id": account, "follow_ratio": ratio}
        made(node.post(f"{ROOT}/relationships", body))
    assert made(node.post(f"{ROOT}/engine/start"), 200)["is_running"] is True
    entered = {"master_user_id": me, "master_credential_id": lead, "symbol": "BTC/USDT", "entry_price": 50000.0}
    told = [made(node.post(f"{ROOT}/master-position", entered | {"position_size": size}), 200) for size in (1.0, 2, 0)]
    assert [(one["version"], one["side"], one["position_size"]) for one in told] == [
        (1, "long", "1"), (2, "long", "2"), (3, "flat", "0"),
    ]  # fmt: skip
    assert told[0]["symbol"] == "BTCUSDT"
    assert told[0]["master_credential_id"] == lead
    (master,) = made(node.get(f"{ROOT}/masters"), 200)["items"]
    assert (master["kind"], master["followers"], master["version"]) == ("manual", 2, 3)
    (position,) = made(node.get(f"{ROOT}/master-positions?master_user_id={me}"), 200)["items"]
    assert (position["position_size"], position["entry_price"], position["price"]) == ("0", None, "50000")
    assert made(node.get(f"{ROOT}/trade-logs?master_user_id={me}&limit=100"), 200)["items"] == []
    assert made(node.get(f"{ROOT}/trade-logs/stats"), 200)["total_trades"] == 0
    assert {one["follow_ratio"] for one in made(node.get(f"{ROOT}/relationships"), 200)["items"]} == {"0.1", "0.2"}


def test_the_same_position_again_is_no_new_version(node: ApiNode) -> None:
    first = made(hold(node, "1.5"), 200)
    assert made(hold(node, "1.50"), 200)["version"] == first["version"] == 1
    assert refused(hold(node, "0", symbol="ETHUSDT"), "position_size")
    assert made(hold(node, "-1.5"), 200)["side"] == "short"


def test_a_position_is_an_exact_amount_of_a_master_of_ones_own(node: ApiNode) -> None:
    for size in ("NaN", "Infinity", "-0", "1e400", "1e-19", "x", None, 10**16):
        assert refused(hold(node, size), "position_size")
    for price in (0, -1, "NaN", "1e16"):
        assert refused(hold(node, "1", entry_price=price), "entry_price")
    assert refused(hold(node, "1", symbol="btc usdt"), "symbol")
    assert refused(hold(node, "1", master_user_id=node.people["theo"]), "master_user_id")
    theirs = node.add_account("theo")
    assert hold(node, "1", master_credential_id=theirs).status_code == 404
    of_account = made(
        node.post(f"{ROOT}/masters", {"name": "live", "kind": "account", "account_id": node.add_account()})
    )
    assert refused(hold(node, "1", master_id=of_account["id"]), "master_id")
    assert made(node.get(f"{ROOT}/master-positions"), 200)["items"] == []


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"follow_ratio": 0}, "follow_ratio"),
        ({"follow_ratio": -0.1}, "follow_ratio"),
        ({"follow_ratio": "NaN"}, "follow_ratio"),
        ({"follow_ratio": "1e9"}, "follow_ratio"),
        ({"follow_ratio": "1e-18"}, "follow_ratio"),
        ({"follow_ratio": "0.001"}, "follow_ratio"),
        ({"follow_ratio": "1.1"}, "follow_ratio"),
        ({"follow_ratio": None}, "follow_ratio"),
        ({"follow_ratio": "3", "max_ratio": "2"}, "follow_ratio"),
        ({"mode": "fixed_notional"}, "notional"),
        ({"mode": "kelly"}, "mode"),
        ({"slippage_collar": "0"}, "slippage_collar"),
        ({"slippage_collar": "1.5"}, "slippage_collar"),
        ({"max_leverage": "126"}, "max_leverage"),
        ({"max_notional": "-1"}, "max_notional"),
        ({"least_volume": "0"}, "least_volume"),
        ({"delay_ms": -1}, "delay_ms"),
        ({"on_stop": "panic"}, "on_stop"),
        ({"allow_symbols": ["bad symbol"]}, "allow_symbols.0"),
        ({"allow_symbols": ["BTCUSDT"], "deny_symbols": ["BTCUSDT"]}, "deny_symbols"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_their_field(
    module_node: ApiNode, account: int, terms: dict[str, Any], field: str
) -> None:
    assert refused(follow(module_node, account, master_user_id=module_node.people["olga"], **terms), field)


def test_symbols_that_the_followers_venue_lacks_are_refused_as_soon_as_it_is_known_what_it_lists(
    node: ApiNode, redis_url: str
) -> None:
    me = node.people["olga"]
    first, second = (node.add_account(name=name) for name in ("first", "second"))
    terms: dict[str, Any] = {"allow_symbols": ["BTC/USDT", "BTCUSTD"], "deny_symbols": ["QQQQ"]}
    taken = made(follow(node, first, master_user_id=me, **terms))
    assert taken["allow_symbols"] == ["BTCUSDT", "BTCUSTD"], "nobody has told yet what there is"
    with redis.Redis.from_url(redis_url) as client:
        client.sadd(redis_names.catalogue("binance_spot"), "BTCUSDT", "ETHUSDT")
    answer = follow(node, second, master_user_id=me, **terms)
    assert "BTCUSTD (did you mean BTCUSDT?)" in refused(answer, "allow_symbols")
    assert "binance_spot lists no QQQQ:" in refused(answer, "deny_symbols")
    assert answer.json()["next_step"]
    path = f"{ROOT}/relationships/{taken['id']}"
    edit = {"revision": taken["revision"], "deny_symbols": ["ETHUSDT", "ETHUSD"]}
    assert "did you mean ETHUSDT?" in refused(node.call("PUT", path, json=edit), "deny_symbols")
    right = {"allow_symbols": ["BTC/USDT"], "deny_symbols": ["ETH/USDT"], "least_volume": "1000000"}
    changed = node.call("PUT", path, json=edit | right).json()["relationship"]
    assert (changed["allow_symbols"], changed["deny_symbols"]) == (["BTCUSDT"], ["ETHUSDT"])
    assert changed["least_volume"] == "1000000"


def test_a_wider_ratio_needs_an_explicit_limit(node: ApiNode) -> None:
    me = node.people["olga"]
    found = made(follow(node, node.add_account(), master_user_id=me, follow_ratio="3", max_ratio="5"))
    assert (found["follow_ratio"], found["max_ratio"]) == ("3", "5")


def test_only_an_account_of_ones_own_follows_and_only_a_master_that_may_be_seen(node: ApiNode) -> None:
    theirs = node.add_account("theo")
    me, mine = node.people["olga"], node.add_account()
    assert follow(node, theirs, master_user_id=me).status_code == 404
    assert follow(node, 987_654, master_user_id=me).status_code == 404
    assert refused(follow(node, mine, master_user_id=me, follower_user_id=node.people["theo"]), "follower_user_id")
    assert refused(follow(node, mine), "master_id")
    assert refused(follow(node, mine, follower_credential_id=theirs, master_user_id=me), "account_id")
    hidden = made(node.post(f"{ROOT}/masters", {"name": "hidden", "kind": "manual"}, "theo"))
    answers = [follow(node, mine, master_id=number) for number in (hidden["id"], 987_654)]
    assert [one.status_code for one in answers] == [404, 404]
    assert follow(node, mine, master_user_id=node.people["theo"]).status_code == 404


def test_a_shared_master_is_followed_by_others_who_see_nothing_of_its_account(node: ApiNode) -> None:
    account = node.add_account("theo")
    made(hold(node, "1", "theo", master_credential_id=account), 200)
    (own,) = made(node.get(f"{ROOT}/masters", "theo"), 200)["items"]
    edit = {"shared": True, "revision": 0}
    assert made(node.call("PUT", f"{ROOT}/masters/{own['id']}", "theo", json=edit), 200)["revision"] == 1
    assert node.call("PUT", f"{ROOT}/masters/{own['id']}", "theo", json=edit).status_code == 409
    (seen,) = made(node.get(f"{ROOT}/masters"), 200)["items"]
    assert (seen["mine"], seen["account_id"], seen["name"]) == (False, None, own["name"])
    found = made(follow(node, node.add_account(), master_id=seen["id"]))
    assert found["master_user_id"] == node.people["theo"]
    assert node.call("PUT", f"{ROOT}/masters/{own['id']}", json=edit).status_code == 404
    (position,) = made(node.get(f"{ROOT}/master-positions"), 200)["items"]
    assert position["master_credential_id"] is None
    assert node.call("DELETE", f"{ROOT}/masters/{own['id']}", "theo").json()["code"] == "still_followed"
    assert made(node.get(f"{ROOT}/relationships", "theo"), 200)["items"] == []


def test_nobody_copies_a_copy_of_itself(node: ApiNode) -> None:
    accounts = [node.add_account(name=name) for name in "abc"]
    lead = [
        made(node.post(f"{ROOT}/masters", {"name": f"of {one}", "kind": "account", "account_id": one}))["id"]
        for one in accounts
    ]
    assert "cannot follow itself" in refused(follow(node, accounts[0], master_id=lead[0]), "master_id")
    made(follow(node, accounts[1], master_id=lead[0]))
    made(follow(node, accounts[2], master_id=lead[1]))
    reason = refused(follow(node, accounts[0], master_id=lead[2]), "master_id")
    assert " -> ".join(str(one) for one in (accounts[0], accounts[2], accounts[1], accounts[0])) in reason
    assert len(made(node.get(f"{ROOT}/relationships"), 200)["items"]) == 2


def test_a_strategy_can_be_followed_from_another_account(node: ApiNode) -> None:
    account = node.add_account()
    strategy = node.add_strategy(account)
    body = {"name": "bot", "kind": "strategy", "strategy_id": strategy}
    found = made(node.post(f"{ROOT}/masters", body))
    assert (found["strategy_id"], found["account_id"], found["venue"]) == (strategy, account, "binance_spot")
    assert refused(node.post(f"{ROOT}/masters", body | {"strategy_id": None}), "strategy_id")
    assert node.post(f"{ROOT}/masters", body | {"name": "x"}, "theo").status_code == 404
    made(follow(node, node.add_account(name="other"), master_id=found["id"]))
    assert node.call("DELETE", f"/api/accounts/{account}").json()["code"] == "in_use"


def test_terms_are_edited_at_the_revision_that_was_looked_at(node: ApiNode) -> None:
    terms: dict[str, Any] = {"slippage_collar": "0.005", "max_notional": 1000, "allow_symbols": ["BTC/USDT"]}
    found = made(follow(node, node.add_account(), master_user_id=node.people["olga"], **terms))
    path = f"{ROOT}/relationships/{found['id']}"
    assert (found["slippage_collar"], found["max_notional"]) == ("0.005", "1000")
    assert found["allow_symbols"] == ["BTCUSDT"]
    body = {"revision": 0, "follow_ratio": "0.25", "max_notional": None}
    edited = made(node.call("PUT", path, json=body, headers={"Idempotency-Key": "once"}), 200)["relationship"]
    assert (edited["follow_ratio"], edited["max_notional"], edited["slippage_collar"]) == ("0.25", None, "0.005")
    assert (edited["revision"], edited["applied"]) == (1, False)
    again = made(node.call("PUT", path, json=body, headers={"Idempotency-Key": "once"}), 200)
    assert again["relationship"]["revision"] == 1
    assert node.call("PUT", path, json=body).json()["code"] == "edited_meanwhile"
    assert refused(node.call("PUT", path, json={"revision": 1}), "body")
    assert refused(node.call("PUT", path, json={"revision": 1, "mode": "fixed_notional"}), "notional")
    assert refused(node.call("PUT", path, json={"revision": 1, "delay_ms": None}), "delay_ms")
    assert made(node.get(path), 200)["mode"] == "fixed_ratio"


def test_commands_are_rows_that_wish_a_state_and_wait_for_an_outcome(node: ApiNode) -> None:
    found = made(follow(node, node.add_account(), master_user_id=node.people["olga"]))
    path = f"{ROOT}/relationships/{found['id']}"
    wished = []
    for verb in ("pause", "resume", "resync", "stop"):
        answer = made(node.post(f"{path}/{verb}"), 202)
        wished.append(answer["relationship"]["desired_state"])
        status = made(node.get(f"{ROOT}/commands/{answer['command_id']}"), 200)
        assert (status["kind"], status["outcome"], status["sequence"]) == (verb, None, len(wished))
    assert wished == ["paused", "following", "following", "stopped"]
    for verb in ("pause", "resume", "resync"):
        assert node.post(f"{path}/{verb}").json()["code"] == "wrong_state"
    assert made(node.post(f"{path}/start"), 202)["relationship"]["desired_state"] == "following"
    assert node.call("DELETE", path).json()["code"] == "still_following"
    made(node.post(f"{path}/stop"), 202)
    assert node.call("DELETE", path).status_code == 204
    assert node.get(path).status_code == 404
    with reading(node.engine) as unit:
        row = unit.session.get_one(FollowRelationship, found["id"])
        assert (row.resync, row.live_master_id) == (1, None)
        assert [one.kind for one in following.waiting(unit)] == ["pause", "resume", "resync", "stop", "start", "stop"]


def test_the_engine_pauses_and_resumes_what_is_ones_own(node: ApiNode) -> None:
    for who in ("olga", "theo"):
        for name in ("one", "two"):
            made(follow(node, node.add_account(who, name), who, master_user_id=node.people[who]))
    stopped = made(node.get(f"{ROOT}/relationships"), 200)["items"][0]["id"]
    made(node.post(f"{ROOT}/relationships/{stopped}/stop"), 202)
    told = made(node.post(f"{ROOT}/engine/stop"), 200)
    assert (told["is_running"], told["changed"], told["paused"], told["stopped"]) == (False, 1, 1, 1)
    assert made(node.post(f"{ROOT}/engine/stop"), 200)["changed"] == 0
    assert made(node.get(f"{ROOT}/engine/status", "theo"), 200)["following"] == 2
    told = made(node.post(f"{ROOT}/engine/start"), 200)
    assert (told["is_running"], told["following"], told["waiting"]) == (True, 1, 1)
    assert [(one["kind"], one["worker"]) for one in told["held_by"]] == [
        ("master", ""), ("account", ""), ("account", ""),
    ]  # fmt: skip


def test_an_account_is_capped_for_all_its_masters(node: ApiNode) -> None:
    account = node.add_account()
    made(follow(node, account, master_user_id=node.people["olga"]))
    path = f"{ROOT}/accounts/{account}"
    edited = made(node.call("PUT", path, json={"max_notional": "5000.5", "revision": 0}), 200)
    assert (edited["max_notional"], edited["max_leverage"], edited["revision"]) == ("5000.5", None, 1)
    assert node.call("PUT", path, json={"max_leverage": 3, "revision": 0}).json()["code"] == "edited_meanwhile"
    (listed,) = made(node.get(f"{ROOT}/accounts"), 200)["items"]
    assert listed["account_name"] == "Paper"


def test_a_live_account_follows_only_once_its_key_may_trade(node: ApiNode) -> None:
    body = {"name": "live", "exchange": "binance_spot", "api_key": "k" * 20, "api_secret": "s" * 20}
    account = made(node.post("/api/accounts", body))["id"]
    me = node.people["olga"]
    assert follow(node, account, master_user_id=me).json()["code"] == "not_ready"
    found = made(follow(node, account, master_user_id=me, is_active=False))
    assert found["desired_state"] == "paused"
    assert node.post(f"{ROOT}/relationships/{found['id']}/resume").json()["code"] == "not_ready"


def test_what_a_person_does_is_in_the_audit(node: ApiNode) -> None:
    found = made(follow(node, node.add_account(), master_user_id=node.people["olga"]))
    made(hold(node, "1"), 200)
    node.post(f"{ROOT}/relationships/{found['id']}/pause")
    actions = [one["action"] for one in node.get("/api/audit").json()["items"]]
    assert actions[:4] == ["follow_pause", "master_position", "follow_create", "master_create"]


def test_a_master_that_has_ended_is_not_followed_and_publishes_nothing(node: ApiNode) -> None:
    master = made(node.post(f"{ROOT}/masters", {"name": "m", "kind": "manual"}))["id"]
    made(node.call("PUT", f"{ROOT}/masters/{master}", json={"state": "ended", "revision": 0}), 200)
    back = node.call("PUT", f"{ROOT}/masters/{master}", json={"state": "active", "revision": 1})
    assert back.json()["code"] == "ended"
    assert hold(node, "1", master_id=master).json()["code"] == "ended"
    assert follow(node, node.add_account(), master_id=master).json()["code"] == "ended"


def test_versions_of_one_master_never_repeat_whoever_publishes_at_once(node: ApiNode) -> None:
    sizes = [str(one) for one in range(1, 13)]
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda size: made(hold(node, size, symbol=f"S{size}USDT"), 200), sizes))
    assert sorted(one["version"] for one in told) == list(range(1, 13))
    assert len({one["master_id"] for one in told}) == 1


def test_paper_money_at_a_futures_market_is_refused_by_its_field(node: ApiNode) -> None:
    body = {"name": "Paper futures", "exchange": "paper", "settings": {"venue": "binance_futures"}}
    assert "binance_spot" in refused(node.post("/api/accounts", body), "settings.venue")
