"""Several strategies on one account, asked for through the API."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

import strategies
from core.base_strategy import STRATEGIES
from tasks.runs import Laboratory
from tests.api_node import ApiNode
from tests.markets import trending
from tests.optimising import FREE
from tests.runs import share

pytestmark = pytest.mark.services

STRATEGIES.scan(strategies)
CROSS = {"fast": 4, "slow": 24, "size": "0.01"}
FUTURES = {"futures": {"leverage": 2}}


def member(history: int, **assumptions: Any) -> dict[str, Any]:
    free = {name: value for name, value in FREE.items() if name != "quote"}
    return {"history_id": history, "strategy": "ma_cross", "params": CROSS, "assumptions": free | assumptions}


def account(node: ApiNode, *shares: str | None) -> dict[str, Any]:
    numbers = [share(node.engine, trending(seed, 300), f"trend-{seed}", node.people["olga"]) for seed in (4, 5)]
    owned = [{} if one is None else {"quote": one} for one in shares]
    return {"capital": "50000", "instances": [member(n, **o) for n, o in zip(numbers, owned, strict=True)]}


def alone(node: ApiNode, laboratory: Laboratory, one: dict[str, Any]) -> dict[str, Any]:
    number = node.post("/api/backtests", one).json()["id"]
    laboratory.work(number)
    found: dict[str, Any] = node.get(f"/api/backtests/{number}").json()["result"]
    return found


@pytest.mark.parametrize("shares", [("20000", "10000"), (None, None)])
def test_each_has_the_result_that_it_has_alone_and_the_account_their_sum(
    node: ApiNode, laboratory: Laboratory, shares: tuple[str | None, str | None]
) -> None:
    body = account(node, *shares)
    asked = node.post("/api/account-backtests", body)
    assert asked.status_code == 202, asked.text
    number = asked.json()["id"]
    last = body["instances"][1]["history_id"]
    assert node.call("DELETE", f"/api/histories/{last}").json()["code"] == "history_in_use"
    laboratory.work(number)
    found = node.get(f"/api/account-backtests/{number}").json()
    assert found["state"] == "done", found["error"]
    told, each = found["result"], []
    for one, quote in zip(body["instances"], shares, strict=True):
        each.append(alone(node, laboratory, one | {"assumptions": one["assumptions"] | {"quote": quote or "25000"}}))
    assert [one["metrics"] for one in told["instances"]] == [one["metrics"] for one in each]
    assert Decimal(told["metrics"]["net"]) == sum(Decimal(one["metrics"]["net"]) for one in each) != 0
    assert Decimal(told["metrics"]["unallocated"]) == (0 if shares[0] is None else 20_000)
    assert Decimal(told["equity"][-1][1]) == pytest.approx(Decimal(told["metrics"]["equity"]))
    assert found["headline"]["net"] == told["metrics"]["net"]
    text = node.get(f"/api/account-backtests/{number}/files/fills.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert (len(rows), {row["instance"] for row in rows}) == (told["metrics"]["fills"], {"1", "2"})
    (listed,) = node.get("/api/account-backtests").json()["items"]
    assert (listed["id"], listed["strategy"]) == (number, "together")
    assert [(one["strategy"], one["history"]) for one in listed["instances"]] == [
        ("ma_cross", "trend-4"),
        ("ma_cross", "trend-5"),
    ]
    assert told["adds_up"]
    assert [one["capital"] for one in told["instances"]] == ["25000", "25000"] if shares[0] is None else list(shares)
    seen = node.get(f"/api/account-backtests/{number}/fills?limit=500").json()["items"]
    assert [one["instance"] for one in seen] == [int(row["instance"]) for row in rows]
    report = node.get(f"/api/account-backtests/{number}/files/report.html").text
    assert "2 strategies on one account" in report
    assert "add up to the account to the last unit" in report
    assert node.get(f"/api/backtests/{number}").status_code == 404


def test_what_cannot_share_an_account_is_named(node: ApiNode) -> None:
    good = account(node, "20000", "10000")
    first, second = good["instances"]
    for changed, field in (
        ({"capital": "29999"}, "capital"),
        ({"capital": "0.0000000000000000001"}, "capital"),
        ({"instances": []}, "instances"),
        ({"instances": [first, member(second["history_id"])]}, "instances.1.assumptions.quote"),
        ({"instances": [first, second | {"params": CROSS | {"fast": 24}}]}, "instances.1.parameters.fast"),
        ({"instances": [first, second | {"strategy": "nothing"}]}, "instances.1.strategy"),
        ({"instances": [first, second | {"history_id": 999}]}, "instances.1.history_id"),
        (
            {"instances": [first, member(second["history_id"], quote="1", **FUTURES)]},
            "instances.1.assumptions.futures",
        ),
    ):
        answer = node.post("/api/account-backtests", good | changed)
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field]), answer.text


def test_what_only_a_worker_can_see_is_told_by_the_run(node: ApiNode, laboratory: Laboratory) -> None:
    body = account(node, "20000", "10000")
    body["instances"] = [one | {"assumptions": one["assumptions"] | FUTURES} for one in body["instances"]]
    number = node.post("/api/account-backtests", body).json()["id"]
    laboratory.work(number)
    found = node.get(f"/api/account-backtests/{number}").json()
    assert (found["state"], "owns the position of a symbol" in found["error"]) == ("failed", True)
