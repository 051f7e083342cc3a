"""The parameters of several strategies on one account, searched through the API."""

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
SPACE = {"trend.fast": "2:6:2", "trend.slow": "24", "ma_cross.fast": "4", "ma_cross.slow": "20,30"}


def member(history: int, name: str = "", **assumptions: Any) -> dict[str, Any]:
    found = {
        "history_id": history,
        "strategy": "ma_cross",
        "params": {"size": "0.01"},
        "assumptions": FREE | assumptions,
    }
    return found | ({"name": name} if name else {})


def account(node: ApiNode, *shares: str | None) -> dict[str, Any]:
    one, other = (share(node.engine, trending(seed, 300), f"trend-{seed}", node.people["olga"]) for seed in (4, 5))
    first, second = ({} if owned is None else {"quote": owned} for owned in shares)
    instances = [member(one, "trend", **first), member(other, maker_fee="0.02", **second)]
    return {"capital": "50000", "instances": instances, "space": SPACE}


def worked(node: ApiNode, laboratory: Laboratory, body: dict[str, Any]) -> dict[str, Any]:
    asked = node.post("/api/account-optimisations", body)
    assert asked.status_code == 202, asked.text
    number = asked.json()["id"]
    while laboratory.work(number):
        pass
    found: dict[str, Any] = node.get(f"/api/optimisations/{number}").json()
    assert found["state"] == "done", found["error"]
    return found


@pytest.mark.parametrize("shares", [("20000", "10000"), (None, None)])
def test_the_best_set_is_what_a_backtest_of_the_account_with_it_gives(
    node: ApiNode, laboratory: Laboratory, shares: tuple[str | None, str | None]
) -> None:
    body = account(node, *shares)
    found = worked(node, laboratory, body)
    assert (found["strategy"], found["done"], found["total"]) == ("together", 6, 6)
    assert [(one["name"], one["history"]) for one in found["instances"]] == [
        ("trend", "trend-4"),
        ("ma_cross", "trend-5"),
    ]
    best = found["result"]["best"][0]
    assert found["headline"]["net"] == best["values"]["net"]
    assert [one["capital"] for one in best["shares"]] == [one or "25000" for one in shares]
    instances = [
        {**{name: value for name, value in one.items() if name != "name"},
         "params": {key.removeprefix(f"{name}."): value for key, value in best["params"].items()
                    if key.startswith(f"{name}.")}}
        for name, one in zip(("trend", "ma_cross"), body["instances"], strict=True)
    ]  # fmt: skip
    number = node.post("/api/account-backtests", {"capital": "50000", "instances": instances}).json()["id"]
    laboratory.work(number)
    alone = node.get(f"/api/account-backtests/{number}").json()["result"]
    assert alone["metrics"]["net"] == best["values"]["net"] != "0"
    assert [one["metrics"]["net"] for one in alone["instances"]] == [one["net"] for one in best["shares"]]
    rows = list(csv.DictReader(io.StringIO(node.get(f"/api/optimisations/{found['id']}/files/trials.csv").text)))
    assert len(rows) == 6
    assert all(Decimal(row["net"]) == Decimal(row["trend.net"]) + Decimal(row["ma_cross.net"]) for row in rows)
    report = node.get(f"/api/optimisations/{found['id']}/files/report.html").text
    assert "What each instance had of the best" in report
    assert [one["id"] for one in node.get("/api/optimisations").json()["items"]] == [found["id"]]


def test_it_is_validated_in_stages_and_can_be_cancelled(node: ApiNode, laboratory: Laboratory) -> None:
    body = account(node, None, None) | {"validation": "walk_forward", "folds": 2}
    number = node.post("/api/account-optimisations", body).json()["id"]
    laboratory.work(number)
    laboratory.work(number)
    running = node.get(f"/api/optimisations/{number}").json()
    assert [(stage["name"], stage["total"]) for stage in running["stages"]] == [
        ("all", 6),
        ("train-1", 6),
        ("train-2", 6),
    ]
    assert 0 < running["done"] < running["total"] == 18
    assert node.post(f"/api/optimisations/{number}/cancel", {}).json()["state"] == "cancelled"
    assert laboratory.work(number) == 0


def test_shares_of_the_capital_may_be_searched(node: ApiNode, laboratory: Laboratory) -> None:
    body = account(node, None, "10000")
    body["space"] = SPACE | {"trend.quote": "20000,40000,45000"}
    result = worked(node, laboratory, body)["result"]
    assert result["counts"] == {"tried": 18, "refused": 6, "allowed": 12}
    assert result["best"][0]["shares"][0]["capital"] in {"20000", "40000"}


def test_what_cannot_be_searched_together_is_named_by_field(node: ApiNode) -> None:
    good = account(node, "20000", "10000")
    first, second = good["instances"]
    for changed, fields in (
        ({"capital": "29999"}, ["capital"]),
        ({"instances": []}, ["instances"]),
        ({"instances": [first] * 21}, ["instances"]),
        ({"instances": [first, second | {"name": "trend"}]}, ["instances.1.name"]),
        ({"instances": [first | {"name": "2"}, second]}, ["instances.0.name"]),
        ({"instances": [first, member(second["history_id"])]}, ["instances.1.assumptions.quote"]),
        ({"instances": [first, second | {"strategy": "nothing"}]}, ["instances.1.strategy"]),
        ({"instances": [first, second | {"history_id": 999}]}, ["instances.1.history_id"]),
        ({"instances": [first, second | {"params": {"size": "0.01", "colour": "red"}}]},
         ["instances.1.parameters.colour"]),
        ({"instances": [first, second | {"params": {"size": "-1"}}]}, ["instances.1.parameters.size"]),
        ({"instances": [first, second | {"params": {}}]}, ["space.ma_cross.size"]),
        ({"space": SPACE | {"fast": "2,3"}}, ["space.fast"]),
        ({"space": SPACE | {"range.fast": "2,3"}}, ["space.range.fast"]),
        ({"space": SPACE | {"trend.colour": "red"}}, ["space.trend.colour"]),
        ({"space": {name: words.split(":")[0].split(",")[0] for name, words in SPACE.items()}}, ["space"]),
        ({"method": "guess"}, ["method"]),
        ({"folds": 1}, ["folds"]),
        ({"beauty": 1}, ["beauty"]),
        (
            {"instances": [first, member(second["history_id"], quote="1", futures={"leverage": 2})]},
            ["instances.1.assumptions.futures"],
        ),
        ({"instances": [first | {"period": {"walk_trades": True, "bar_ms": 60_000}}, second]},
         ["instances.0.period.walk_trades"]),
    ):  # fmt: skip
        answer = node.post("/api/account-optimisations", good | changed)
        assert answer.status_code == 422, (changed, answer.text)
        assert [one["field"] for one in answer.json()["errors"]] == fields, answer.text


def test_what_only_a_worker_can_see_is_told_by_the_run(node: ApiNode, laboratory: Laboratory) -> None:
    body = account(node, "20000", "10000") | {"objectives": ["trend.beauty"]}
    number = node.post("/api/account-optimisations", body).json()["id"]
    laboratory.work(number)
    found = node.get(f"/api/optimisations/{number}").json()
    assert (found["state"], "no such objective" in found["error"]) == ("failed", True)
