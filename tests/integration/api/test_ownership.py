"""Every route x everybody: what is not yours answers exactly like what is not there.

The routes are read from the API's own description; one without a rule here fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Any, Final, NamedTuple

import pytest
from fastapi.routing import APIRoute

from api.app import scan
from tests.api_node import GRID, PEOPLE, ApiNode
from tests.belongings import BACKTEST, NAMES, SEARCH, UPLOAD, Belongings

pytestmark = pytest.mark.services

ANYBODY, VIEWER, TRADER, ADMIN = "anybody", "viewer", "trader", "admin"
ROLES = (VIEWER, TRADER, ADMIN)
#: Numbers of what nobody has.
NOWHERE: Final = dict.fromkeys(NAMES, 987_654)
STREAM = "stream_events"


class Rule(NamedTuple):
    """Who may call an operation, and what with."""

    least: str
    body: dict[str, Any] | None = None
    query: str = ""
    #: Statuses that its owner may get.
    good: tuple[int, ...] = (200,)


#: Operations whose body names what may be another's.
NAMING_OTHERS = {"create_strategy", "create_relationship", "set_master_position"}
#: Not in the description: the description itself, which a test below asks for.
HIDDEN = {"get_openapi", "get_docs"}

EDIT: dict[str, Any] = {"parameters": GRID | {"levels": 10}, "revision": 0}
NEW_STRATEGY: dict[str, Any] = {"name": "n", "strategy_type": "grid", "symbol": "BTCUSDT", "parameters": GRID}
RULES = {
    "list_histories": Rule(VIEWER),
    "delete_history": Rule(TRADER, good=(204,)),
    "list_history_imports": Rule(VIEWER),
    "create_history_import": Rule(TRADER, UPLOAD, good=(201,)),
    "get_history_import": Rule(VIEWER),
    "put_history_import_part": Rule(TRADER),
    "delete_history_import": Rule(TRADER, good=(204,)),
    "list_backtests": Rule(VIEWER),
    "create_backtest": Rule(TRADER, BACKTEST, good=(202,)),
    "get_backtest": Rule(VIEWER),
    "list_backtest_fills": Rule(VIEWER, good=(404,)),  # of one that was cancelled there are none
    "get_backtest_file": Rule(VIEWER, good=(404,)),
    "cancel_backtest": Rule(TRADER),
    "delete_backtest": Rule(TRADER, good=(204,)),
    "list_account_backtests": Rule(VIEWER),
    "create_account_backtest": Rule(TRADER, {"capital": "1000"}, good=(202,)),
    "get_account_backtest": Rule(VIEWER),
    "list_account_backtest_fills": Rule(VIEWER, good=(404,)),
    "get_account_backtest_file": Rule(VIEWER, good=(404,)),
    "cancel_account_backtest": Rule(TRADER),
    "delete_account_backtest": Rule(TRADER, good=(204,)),
    "list_optimisations": Rule(VIEWER),
    "create_optimisation": Rule(TRADER, SEARCH, good=(202,)),
    "create_account_optimisation": Rule(TRADER, {"capital": "1000", "space": {"grid.levels": "5,10"}}, good=(202,)),
    "get_optimisation": Rule(VIEWER),
    "get_optimisation_file": Rule(VIEWER, good=(404,)),
    "cancel_optimisation": Rule(TRADER),
    "delete_optimisation": Rule(TRADER, good=(204,)),
    "list_accounts": Rule(VIEWER),
    "create_account": Rule(TRADER, {"name": "second", "exchange": "paper"}, good=(201,)),
    "get_account": Rule(VIEWER),
    "update_account": Rule(TRADER, {"name": "renamed"}),
    "delete_account": Rule(TRADER, good=(409,)),
    "list_audit": Rule(VIEWER),
    STREAM: Rule(VIEWER),
    "list_exchanges": Rule(VIEWER),
    "list_symbols": Rule(VIEWER),
    "get_health": Rule(ANYBODY),
    "get_redis_health": Rule(ANYBODY),
    "get_database_health": Rule(ANYBODY),
    "get_metrics": Rule(ANYBODY),
    "get_kill_switch": Rule(VIEWER),
    "set_kill_switch": Rule(TRADER, {"on": True, "scope": "mine"}),
    "list_nodes": Rule(VIEWER),
    "login": Rule(ANYBODY, query="?token=unknown", good=(401,)),
    "get_session": Rule(VIEWER),
    "delete_session": Rule(VIEWER, good=(204,)),
    "list_strategies": Rule(VIEWER),
    "list_strategy_totals": Rule(VIEWER),
    "create_strategy": Rule(TRADER, NEW_STRATEGY, good=(201,)),
    "list_running_strategies": Rule(VIEWER),
    "list_strategy_statuses": Rule(VIEWER),
    "get_strategy": Rule(VIEWER),
    "update_strategy": Rule(TRADER, EDIT),
    "delete_strategy": Rule(TRADER, good=(204,)),
    "get_strategy_status": Rule(VIEWER),
    "start_strategy": Rule(TRADER, good=(202,)),
    "pause_strategy": Rule(TRADER, good=(422,)),
    "resume_strategy": Rule(TRADER, good=(422,)),
    "stop_strategy": Rule(TRADER, good=(202,)),
    "flatten_strategy": Rule(TRADER, good=(202,)),
    "reset_strategy": Rule(TRADER, good=(202,)),
    "preview_strategy": Rule(VIEWER, EDIT, good=(200, 422)),
    "get_strategy_model": Rule(VIEWER),
    "get_command": Rule(VIEWER),
    "list_strategy_orders": Rule(VIEWER),
    "list_strategy_fills": Rule(VIEWER),
    "get_strategy_pnl": Rule(VIEWER),
    "get_strategy_equity": Rule(VIEWER),
    "get_strategy_bars": Rule(VIEWER),
    "list_strategy_kinds": Rule(VIEWER),
    "get_risk_limits_schema": Rule(VIEWER),
    "list_trades": Rule(VIEWER),
    "get_trade_stats": Rule(VIEWER),
    "list_users": Rule(ADMIN),
    "update_user": Rule(ADMIN, {"disabled": False}),
    "list_masters": Rule(VIEWER),
    "create_master": Rule(TRADER, {"kind": "manual"}, good=(201,)),
    "get_master": Rule(VIEWER),
    "update_master": Rule(TRADER, {"state": "paused", "revision": 0}),
    "delete_master": Rule(TRADER, good=(409,)),
    "set_master_position": Rule(TRADER, {"symbol": "BTC/USDT"}),
    "list_master_positions": Rule(VIEWER),
    "get_master_leaderboard": Rule(VIEWER),
    "list_relationships": Rule(VIEWER),
    "create_relationship": Rule(TRADER, {"follow_ratio": "0.1"}, good=(201, 409)),
    "get_relationship": Rule(VIEWER),
    "update_relationship": Rule(TRADER, {"follow_ratio": "0.2", "revision": 0}),
    "delete_relationship": Rule(TRADER, good=(409,)),
    "start_relationship": Rule(TRADER, good=(202,)),
    "pause_relationship": Rule(TRADER, good=(202,)),
    "resume_relationship": Rule(TRADER, good=(202,)),
    "stop_relationship": Rule(TRADER, good=(202,)),
    "resync_relationship": Rule(TRADER, good=(202,)),
    "preview_resync": Rule(VIEWER),
    "get_follow_command": Rule(VIEWER),
    "start_follower_engine": Rule(TRADER),
    "stop_follower_engine": Rule(TRADER),
    "get_follower_engine_status": Rule(VIEWER),
    "list_follower_accounts": Rule(VIEWER),
    "update_follower_account": Rule(TRADER, {"max_notional": "1000", "revision": 0}),
    "list_trade_logs": Rule(VIEWER),
    "list_trade_history": Rule(VIEWER),
    "get_trade_log_stats": Rule(VIEWER),
    "list_drift": Rule(VIEWER),
    "get_relationship_drift": Rule(VIEWER),
    "list_tracking_errors": Rule(VIEWER),
}


@pytest.fixture
def node(module_node: ApiNode) -> ApiNode:
    return module_node


class Operation(NamedTuple):
    name: str
    method: str
    path: str


def operations(node: ApiNode) -> list[Operation]:
    paths = node.app.openapi()["paths"]
    return [
        Operation(one["operationId"], method.upper(), path)
        for path, ways in paths.items()
        for method, one in ways.items()
    ]


_made = count()


def call(node: ApiNode, one: Operation, who: str | None, of: Mapping[str, int]) -> Any:
    rule, options = RULES[one.name], dict[str, Any]()
    named = {"name": "report.html", "part": "0"}
    named["user_id"] = str(node.people["vera"])
    path = re.sub(r"{(\w+)}", lambda name: named.get(name[1]) or str(of[name[1]]), one.path) + rule.query
    if rule.body is not None:
        body = dict(rule.body)
        if one.name == "create_strategy":
            body |= {"account_id": of["account_id"], "name": f"new {next(_made)}"}
        if one.name in {"create_backtest", "create_optimisation"}:
            body["history_id"] = node.add_history()
        if one.name in {"create_account_backtest", "create_account_optimisation"}:
            body["instances"] = [BACKTEST | {"history_id": node.add_history()}]
        if one.name in {"create_account", "create_master", "create_history_import"}:
            body["name"] = f"new-{next(_made)}"
        if one.name == "create_relationship":
            body |= {name: of[name] for name in ("account_id", "master_id")}
        if one.name == "set_master_position":
            body |= {"master_id": of["master_id"], "position_size": f"{next(_made) + 1}"}
        options["json"] = body
    if one.name == "put_history_import_part":
        options["content"] = b"bars"
    return node.call(one.method, path, who, **options)


def test_every_operation_has_a_rule(node: ApiNode) -> None:
    described = {one.name for one in operations(node)}
    assert described == set(RULES)
    routes = {route.name: route for router in scan() for route in router.routes if isinstance(route, APIRoute)}
    assert {name for name in routes if name not in described} == HIDDEN


def test_nobody_gets_in_without_signing_in(node: ApiNode) -> None:
    of = Belongings(node).complete()
    for one in operations(node):
        answer = call(node, one, None, of)
        if RULES[one.name].least == ANYBODY:
            assert answer.status_code in RULES[one.name].good, one
        else:
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), one
    for path in ("/openapi.json", "/docs"):
        assert node.get(path, None).status_code == 401


def test_every_role_may_do_what_its_rule_says(node: ApiNode) -> None:
    for one in operations(node):
        if one.name in {STREAM, "delete_session"} or RULES[one.name].least == ANYBODY:
            continue
        for who, role in PEOPLE.items():
            is_below = ROLES.index(role) < ROLES.index(RULES[one.name].least)
            of = NOWHERE if role == VIEWER else Belongings(node, "adam" if is_below else who)
            answer = call(node, one, who, of)
            if is_below:
                assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (one, who)
            elif role != VIEWER:
                assert answer.status_code in RULES[one.name].good, (one, who, answer.text)


def test_what_belongs_to_another_answers_like_what_is_not_there(node: ApiNode) -> None:
    mine = Belongings(node).complete()
    checked = 0
    for one in operations(node):
        if ("{" not in one.path and one.name not in NAMING_OTHERS) or RULES[one.name].least == ADMIN:
            continue
        for who in ("theo", "adam"):
            theirs, nowhere = call(node, one, who, mine), call(node, one, who, NOWHERE)
            assert theirs.status_code == nowhere.status_code == 404, (one, who, theirs.text)
            assert plain(theirs) == plain(nowhere), one
            checked += 1
    assert checked >= 2 * 20
    kept = node.get(f"/api/strategies/{mine['strategy_id']}").json()
    assert (kept["revision"], kept["desired_state"]) == (0, "stopped")


def plain(answer: Any) -> tuple[str, dict[str, str]]:
    """Body and headers without the number that was asked for, the request's own id and the time."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}
    headers.pop("content-length")
    return re.sub(r"\d{2,}|\b\d\b", "N", answer.text.replace("404", "")), headers


def test_lists_hold_only_what_is_yours(node: ApiNode) -> None:
    mine = Belongings(node).complete()
    for who in ("theo", "vera", "adam"):
        for path in ("/api/accounts", "/api/strategies", "/api/strategies/running", "/api/trades"):
            items = node.get(f"{path}?limit=500", who).json()["items"]
            assert mine["account_id"] not in {
                one.get("account_id", one["id"]) for one in items if path == "/api/accounts"
            }
            assert mine["strategy_id"] not in {one["id"] for one in items}
        for path in ("/api/histories", "/api/history-imports"):
            shown = {one["id"] for one in node.get(f"{path}?limit=500", who).json()["items"]}
            assert (mine["history_id"] if path == "/api/histories" else mine["import_id"]) not in shown
        copied = {path: node.get(f"/api/v1/follower/{path}", who).text for path in ("masters", "leaderboard")}
        assert '"mine":false' not in "".join(copied.values())
        followed = node.get("/api/v1/follower/relationships?limit=500", who).json()["items"]
        assert mine["relationship_id"] not in {one["id"] for one in followed}
    owners = {one["actor"] for one in node.get("/api/audit?limit=500", "theo").json()["items"]}
    assert owners <= {"theo"}
    assert "olga" in {one["actor"] for one in node.get("/api/audit?limit=500", "adam").json()["items"]}


def test_only_an_administrator_turns_everybodys_switch(node: ApiNode) -> None:
    node.post("/api/kill-switch", {"on": False}, "theo")
    node.post("/api/kill-switch", {"on": False}, "adam")
    for who, status in (("vera", 403), ("olga", 403)):
        assert node.post("/api/kill-switch", {"on": True, "scope": "all"}, who).status_code == status
    mine = node.post("/api/kill-switch", {"on": True}, "olga")
    assert (mine.status_code, mine.json()["scope"]) == (200, "mine")
    assert node.get("/api/kill-switch", "theo").json()["on"] is False
    assert node.post("/api/kill-switch", {"on": False}, "olga").json()["on"] is False


def test_a_page_of_another_site_can_change_nothing(node: ApiNode) -> None:
    path = f"/api/strategies/{Belongings(node)['strategy_id']}/start"
    for headers in (
        {"X-Ares-Request": "0"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = node.call("POST", path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_from_our_page"), headers
    answer = node.client.post(path, headers={"Cookie": f"ares_session={node.tokens['olga']}"})
    assert answer.status_code == 403
    host = node.client.base_url.netloc.decode()
    fine = {"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert node.call("POST", path, headers=fine).status_code == 202


def test_a_name_that_leads_here_by_rebinding_is_refused(node: ApiNode) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", ""):
        answer = node.get("/api/session", headers={"Host": host})
        assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host"), host
    for host in ("localhost", "127.0.0.1:9", "[::1]:80"):
        assert node.get("/api/session", headers={"Host": host}).status_code == 200


def test_every_answer_carries_the_headers_that_protect_it(node: ApiNode) -> None:
    for path, who in (("/api/session", "olga"), ("/api/session", None), ("/health", None), ("/nowhere", None)):
        headers = node.get(path, who).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-request-id"]
        assert "server" not in headers
    assert node.get("/api/nowhere").json()["code"] == "no_such_address"
    assert node.call("PATCH", "/api/session").json()["code"] == "method_not_allowed"
