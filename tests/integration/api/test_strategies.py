from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.api_node import GRID, ApiNode

pytestmark = pytest.mark.services


def fields(answer: Any) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return {one["field"]: one["reason"] for one in answer.json()["errors"]}


def test_a_new_strategy_is_stopped_and_shows_what_was_given_in_decimal_text(node: ApiNode) -> None:
    account = node.add_account()
    body = {
        "name": "range", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account,
        "parameters": GRID | {"lower_price": 30000.10}, "limits": {"capital": {"USDT": 1000}, "max_daily_loss": "50.5"},
    }  # fmt: skip
    answer = node.post("/api/strategies", body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["desired_state"], made["revision"], made["paper"], made["live"]) == ("stopped", 0, True, None)
    assert (made["exchange"], made["feed"]) == ("paper", "binance_spot")
    assert made["parameters"]["lower_price"] == "30000.1"
    assert made["limits"]["capital"] == {"USDT": "1000"}
    assert made["created_at"].endswith("Z")
    assert node.get(f"/api/strategies/{made['id']}").json() == made
    assert [one["id"] for one in node.get("/api/strategies").json()["items"]] == [made["id"]]


def test_money_keeps_every_digit_of_its_text(node: ApiNode) -> None:
    account = node.add_account()
    raw = json.dumps(
        {"name": "exact", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account, "parameters": GRID}
    ).replace('"30000"', "30000.123456789012345678")
    headers = {"Content-Type": "application/json"}
    answer = node.call("POST", "/api/strategies", content=raw, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["parameters"]["lower_price"] == "30000.123456789012345678"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "finite"),
        ("Infinity", "finite"),
        ("-Infinity", "finite"),
        ("1e400", "18 digits"),
        ("1e-30", "18 digits"),
        ("-0", "greater than 0"),
        ('"-0.0"', "greater than 0"),
        ('"1e400"', "18 digits"),
        ('"NaN"', "finite"),
        ('"ten"', "decimal"),
        ("true", "Decimal"),
        ("[]", "Decimal"),
        ("1000000000000000000000", "18 digits"),
    ],
)
def test_numbers_that_are_no_amounts_are_refused_by_field_and_reason(
    module_node: ApiNode, account: int, text: str, reason: str
) -> None:
    node = module_node
    raw = json.dumps(
        {"name": "bad", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account, "parameters": GRID}
    ).replace('"1000"', text)
    answer = node.call("POST", "/api/strategies", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert reason in fields(answer)["parameters.total_investment"]
    assert node.get("/api/strategies").json()["items"] == []


def test_minus_zero_is_refused_where_zero_is_allowed(node: ApiNode) -> None:
    account = node.add_account()
    raw = json.dumps(
        {
            "name": "bad", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account, "parameters": GRID,
            "limits": {"max_daily_loss": "X"},
        }
    ).replace('"X"', "-0")  # fmt: skip
    answer = node.call("POST", "/api/strategies", content=raw, headers={"Content-Type": "application/json"})
    assert "minus zero" in fields(answer)["limits.max_daily_loss"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"name": "a", "name": "b"}', "given twice"),
        (b"[" * 5_000 + b"]" * 5_000, "too deeply"),
        (b'{"name": "\xff"}', "UTF-8"),
        (b'{"revision": ' + b"9" * 5_000 + b"}", "characters"),
        (b"{", "not JSON"),
        (b"", "missing"),
    ],
)
def test_bodies_that_cannot_be_read_exactly_are_refused(module_node: ApiNode, raw: bytes, reason: str) -> None:
    answer = module_node.call("POST", "/api/strategies", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert any(reason in text for text in fields(answer).values())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"strategy_type": "grit"}, "strategy_type"),
        ({"symbol": "BTC'; DROP TABLE orders"}, "symbol"),
        ({"interval": "2d"}, "interval"),
        ({"account_id": 2**63}, "account_id"),
        ({"id": 7}, "id"),
        ({"owner_id": 1}, "owner_id"),
        ({"desired_state": "running"}, "desired_state"),
        ({"parameters": {**GRID, "levels": 0}}, "parameters.levels"),
        ({"parameters": {**GRID, "levles": 1}}, "parameters.levles"),
        ({"limits": {"capital": {"USDT": "0"}}}, "limits.capital.USDT"),
    ],
)
def test_fields_out_of_bounds_and_fields_that_are_not_asked_for_are_named(
    module_node: ApiNode, account: int, change: dict[str, Any], field: str
) -> None:
    body = {"name": "a", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account, "parameters": GRID}
    answer = module_node.post(
        "/api/strategies", content=json.dumps(body | change), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert field in fields(answer)


def test_two_strategies_of_one_name_are_refused_and_a_removed_one_gives_its_name_back(node: ApiNode) -> None:
    account = node.add_account()
    first = node.add_strategy(account, name="one")
    body = {"name": "one", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account, "parameters": GRID}
    answer = node.post("/api/strategies", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_there")
    assert node.call("DELETE", f"/api/strategies/{first}").status_code == 204
    assert node.get(f"/api/strategies/{first}").status_code == 404
    assert node.post("/api/strategies", body).status_code == 201


def test_an_edit_needs_the_revision_that_was_looked_at(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    path = f"/api/strategies/{number}"
    edited = node.call("PUT", path, json={"parameters": GRID | {"levels": 10}, "revision": 0})
    assert edited.status_code == 200, edited.text
    assert (edited.json()["revision"], edited.json()["parameters"]["levels"]) == (1, 10)
    stale = node.call("PUT", path, json={"name": "x", "revision": 0})
    assert (stale.status_code, stale.json()["code"]) == (409, "edited_meanwhile")
    assert node.call("PUT", path, json={"revision": 1}).status_code == 422


def test_the_same_edit_with_the_same_key_is_done_once(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    options: dict[str, Any] = {"json": {"name": "new", "revision": 0}, "headers": {"Idempotency-Key": "edit-1"}}
    for _ in range(2):
        answer = node.call("PUT", f"/api/strategies/{number}", **options)
        assert (answer.status_code, answer.json()["revision"]) == (200, 1)


def test_lists_come_in_pages_that_hold_everything_once(node: ApiNode) -> None:
    account = node.add_account()
    made = [node.add_strategy(account, name=f"grid {n}") for n in range(5)]
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = node.get(f"/api/strategies?limit=2{f'&cursor={cursor}' if cursor else ''}").json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made
    assert [one["id"] for one in node.get("/api/strategies?q=GRID%203").json()["items"]] == [made[3]]
    assert node.get("/api/strategies?q=%25").json()["items"] == []
    assert node.get("/api/strategies?state=running").json()["items"] == []
    for bad in (
        "cursor=zzz",
        "cursor=WyJhIl0",
        "limit=0",
        "limit=1000000000",
        "state=fast",
        "cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",
    ):
        assert node.get(f"/api/strategies?{bad}").status_code == 422, bad


def test_kinds_publish_the_schema_that_their_parameters_are_checked_with(node: ApiNode) -> None:
    kinds = {one["name"]: one for one in node.get("/api/strategy-kinds").json()}
    assert {"grid", "dca", "rsi"} <= set(kinds)
    assert kinds["grid"]["schema"]["properties"]["levels"]["maximum"] == 500
    assert kinds["grid"]["reasons"]["1"]
    assert "max_daily_loss" in node.get("/api/risk-limits/schema").json()["properties"]


def test_amounts_are_never_floats_on_the_way_out(node: ApiNode) -> None:
    node.add_strategy(node.add_account(), limits={"max_daily_loss": "0.1"})
    text = node.get("/api/strategies").text
    floats: list[str] = []
    json.loads(text, parse_float=floats.append)
    assert floats == []
    assert Decimal(node.get("/api/strategies").json()["items"][0]["limits"]["max_daily_loss"]) == Decimal("0.1")
