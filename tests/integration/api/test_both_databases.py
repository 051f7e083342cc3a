"""The same life over HTTP on SQLite and on MariaDB, and what happens when two people are quick at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from db.queries import audit, commands
from db.unit_of_work import reading
from tests.api_node import GRID, ApiNode, api_node

pytestmark = pytest.mark.services
ROUNDS = 12


@pytest.fixture
def node(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[ApiNode]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    with api_node(database_url, redis_url, tmp_path) as opened:
        yield opened


def test_a_whole_life_over_http(node: ApiNode) -> None:
    account = node.add_account(name="纸面")
    number = node.add_strategy(account, name="网格 🚀", limits={"capital": {"USDT": "1000"}})
    path = f"/api/strategies/{number}"
    for verb in ("start", "pause", "resume", "stop", "flatten", "reset"):
        assert node.post(f"{path}/{verb}").status_code == 202, verb
    edited = node.call("PUT", path, json={"parameters": GRID | {"levels": 7}, "revision": 1})
    assert (edited.status_code, edited.json()["revision"]) == (200, 2)
    page = node.get("/api/strategies?q=网格&state=flat&state=stopped&limit=1").json()
    assert ([one["name"] for one in page["items"]], page["next_cursor"]) == (["网格 🚀"], None)
    for part in ("orders", "fills", "pnl", "equity", "bars", "status"):
        assert node.get(f"{path}/{part}").status_code == 200, part
    assert node.get("/api/trades/stats").json() == {"strategies": 0, "trades": 0, "by_currency": []}
    assert node.get(f"/api/trades?strategy_id={number}&account_id={account}&symbol=BTCUSDT").json()["items"] == []
    assert node.call("DELETE", path).status_code == 204
    assert node.call("DELETE", f"/api/accounts/{account}").status_code == 204
    assert node.get("/api/accounts").json()["items"] == []
    node.add_account(name="纸面")
    log = node.get("/api/audit?limit=500").json()["items"]
    assert len(log) == 12
    with reading(node.engine) as unit:
        assert audit.verify(unit) == 12
        assert [one.kind for one in commands.waiting(unit, number)] == [
            "start", "pause", "resume", "stop", "flatten", "reset", "edit",
        ]  # fmt: skip


def test_an_account_is_never_removed_under_a_strategy_that_is_just_being_made(node: ApiNode) -> None:
    outcomes = set()
    with ThreadPoolExecutor(2) as both:
        for turn in range(ROUNDS):
            account = node.add_account(name=f"account {turn}")
            body = {
                "name": f"s {turn}", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account,
                "parameters": GRID,
            }  # fmt: skip
            make = both.submit(node.post, "/api/strategies", body)
            remove = both.submit(node.call, "DELETE", f"/api/accounts/{account}")
            statuses = (make.result().status_code, remove.result().status_code)
            outcomes.add(statuses)
            assert statuses in {(201, 409), (404, 204)}, statuses
    assert outcomes


def test_one_key_sent_by_many_at_once_is_one_command(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    with ThreadPoolExecutor(6) as many:
        sent = [
            many.submit(node.post, f"/api/strategies/{number}/start", headers={"Idempotency-Key": "once"})
            for _ in range(12)
        ]
        answers = [one.result() for one in sent]
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["command_id"] for one in answers}) == 1
    with reading(node.engine) as unit:
        assert len(commands.waiting(unit, number)) == 1


def test_of_edits_at_the_same_moment_one_is_made(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    with ThreadPoolExecutor(6) as many:
        sent = [
            many.submit(node.call, "PUT", f"/api/strategies/{number}", json={"name": f"edit {n}", "revision": 0})
            for n in range(6)
        ]
        statuses = sorted(one.result().status_code for one in sent)
    assert statuses == [200, 409, 409, 409, 409, 409]
    assert node.get(f"/api/strategies/{number}").json()["revision"] == 1
