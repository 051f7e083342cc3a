"""Backtests and optimisations through the API: asked for, worked on by a laboratory, watched, read, cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from db.queries import histories
from db.unit_of_work import committed
from domain.errors import Refused
from engine.backtest import store
from tasks.runs import Laboratory
from tests.api_node import ApiNode
from tests.markets import trending
from tests.optimising import FREE, SPACE
from tests.runs import share

pytestmark = pytest.mark.services

CROSS = {"fast": 4, "slow": 24, "size": "0.1"}
TIERS = [{"up_to": "9000", "maintenance_percent": "1"}, {"up_to": "5000", "maintenance_percent": "1", "leverage": 50}]
RATE = {"time_ms": 1_672_621_200_000, "rate": "0.0001"}
QUEUE: dict[str, Any] = {"fill_model": "queue", "queue": {}}


@pytest.fixture
def backtest(node: ApiNode) -> dict[str, Any]:
    history = share(node.engine, trending(4, 300), "trend")
    return {"history_id": history, "strategy": "ma_cross", "params": CROSS, "assumptions": FREE}


def test_a_backtest_is_asked_for_once_worked_on_and_read(
    node: ApiNode, laboratory: Laboratory, backtest: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": "once"}
    first = node.call("POST", "/api/backtests", json=backtest, headers=key)
    assert first.status_code == 202, first.text
    number = first.json()["id"]
    assert (first.json()["state"], first.json()["total"]) == ("queued", 0)
    assert node.call("POST", "/api/backtests", json=backtest, headers=key).json()["id"] == number
    other = node.call("POST", "/api/backtests", json=backtest | {"params": CROSS | {"fast": 5}}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "other_command")
    assert node.get(f"/api/backtests/{number}").json()["result"] is None
    laboratory.work(number)
    found = node.get(f"/api/backtests/{number}").json()
    assert (found["state"], found["done"], found["total"]) == ("done", 1, 1)
    assert found["result"]["metrics"]["fills"] > 2
    assert set(found["stamp"]) >= {"data", "code", "params", "assumptions"}
    assert found["job"]["params"] == CROSS
    (listed,) = node.get("/api/backtests").json()["items"]
    assert (listed["id"], listed["history"], listed["symbol"]) == (number, "trend", "BTC/USDT")
    metrics, headline = found["result"]["metrics"], listed["headline"]
    assert (headline["net"], headline["fills"], headline["currency"]) == (metrics["net"], metrics["fills"], "USDT")
    taken = node.get(f"/api/backtests/{number}/fills?limit=2").json()
    later = node.get(f"/api/backtests/{number}/fills?cursor={taken['next_cursor']}&limit=500").json()
    assert len(taken["items"]) + len(later["items"]) == metrics["fills"]
    assert taken["items"][0]["side"] == "buy"
    page, table = (node.get(f"/api/backtests/{number}/files/{name}") for name in ("report.html", "fills.csv"))
    assert page.headers["content-type"].startswith("text/html")
    assert (table.headers["content-disposition"], table.text.count("\n")) == (
        f'attachment; filename="backtest-{number}-fills.csv"', metrics["fills"] + 1
    )  # fmt: skip
    assert node.get(f"/api/backtests/{number}/files/secrets.txt").status_code == 422
    assert node.get("/api/optimisations").json()["items"] == []
    assert node.get(f"/api/optimisations/{number}").status_code == 404
    assert node.call("DELETE", f"/api/backtests/{number}").status_code == 204
    assert node.get(f"/api/backtests/{number}").status_code == 404


def test_a_backtest_of_futures_is_asked_for_with_its_terms_and_recorded_rates(
    node: ApiNode, laboratory: Laboratory, backtest: dict[str, Any]
) -> None:
    history = trending(4, 300)
    rates = [{"time_ms": int(history.open_ms[at]), "rate": "0.0001", "mark": "100"} for at in range(8, 300, 8)]
    tiers = [{"up_to": "1000000", "maintenance_percent": "0.5", "leverage": 50}]
    terms = {"leverage": 5, "tiers": tiers, "funding_rates": rates}
    number = node.post("/api/backtests", backtest | {"assumptions": FREE | {"futures": terms}}).json()["id"]
    laboratory.work(number)
    found = node.get(f"/api/backtests/{number}").json()
    assert found["state"] == "done", found["error"]
    # A tenth of a whole one is held now and then: each time it pays 0.001, on the mark price.
    funding = float(found["result"]["metrics"]["funding"])
    assert funding < 0
    assert round(funding * 1000, 6) % 1 == 0
    assert found["stamp"]["assumptions"]["futures"].startswith("leverage 5, 1 tiers")
    wrong = backtest | {"assumptions": FREE | {"futures": {"leverage": 126}}}
    assert node.call("POST", "/api/backtests", json=wrong).status_code == 422


def test_an_optimisation_is_cancelled_and_nobody_works_on_it(
    node: ApiNode, laboratory: Laboratory, backtest: dict[str, Any]
) -> None:
    body = {"history_id": backtest["history_id"], "strategy": "ma_cross", "space": SPACE, "assumptions": FREE}
    number = node.post("/api/optimisations", body).json()["id"]
    assert laboratory.work(number) > 0
    assert laboratory.work(number) == 1
    seen = node.get(f"/api/optimisations/{number}").json()
    assert (seen["state"], seen["total"]) == ("running", 36)
    assert 0 < seen["done"] < 36
    assert node.post(f"/api/optimisations/{number}/cancel").json()["state"] == "cancelled"
    assert laboratory.work(number) == 0
    assert node.post(f"/api/optimisations/{number}/cancel").json()["state"] == "cancelled"


def test_a_validated_search_tells_how_far_each_of_its_stages_is(
    node: ApiNode, laboratory: Laboratory, backtest: dict[str, Any]
) -> None:
    body = {"history_id": backtest["history_id"], "strategy": "ma_cross", "space": SPACE, "assumptions": FREE}
    number = node.post("/api/optimisations", body | {"validation": "walk_forward", "folds": 2}).json()["id"]
    assert node.get(f"/api/optimisations/{number}").json()["stages"] == []
    laboratory.work(number)
    told = []
    while laboratory.work(number):
        seen = node.get(f"/api/optimisations/{number}").json()
        told.append([one["done"] for one in seen["stages"]])
        assert [(one["name"], one["total"]) for one in seen["stages"]] == [
            ("all", 36),
            ("train-1", 36),
            ("train-2", 36),
        ]
        assert sum(told[-1]) == seen["done"]
    assert [36, 36, 36] in told
    assert node.get(f"/api/optimisations/{number}").json()["stages"] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"params": CROSS | {"fast": 0}}, "parameters.fast"),
        ({"params": CROSS | {"colour": 1}}, "parameters.colour"),
        ({"strategy": "nothing"}, "strategy"),
        ({"history_id": 999}, "history_id"),
        ({"period": {"since": "2025-01-02T00:00:00Z", "until": "2025-01-01T00:00:00Z"}}, "period"),
        ({"period": {"since": "2025-01-02T00:00:00"}}, "period.since"),
        ({"assumptions": {"maker_fee": "-1"}}, "assumptions.maker_fee"),
        ({"assumptions": {"quote": "0.0000000000000000001"}}, "assumptions.quote"),
        ({"assumptions": {"futures": {"leverage": 126}}}, "assumptions.futures.leverage"),
        ({"assumptions": {"futures": {"funding_hours": 5}}}, "assumptions.futures.funding_hours"),
        (
            {"assumptions": {"futures": {"leverage": 50, "maintenance_percent": "2"}}},
            "assumptions.futures.maintenance_percent",
        ),
        ({"assumptions": {"futures": {"tiers": TIERS}}}, "assumptions.futures.tiers"),
        ({"assumptions": {"futures": {"leverage": 60, "tiers": TIERS[1:]}}}, "assumptions.futures.tiers"),
        ({"assumptions": {"futures": {"funding_rates": [RATE, RATE]}}}, "assumptions.futures.funding_rates"),
        ({"assumptions": {"fill_model": "queue"}}, "assumptions.queue"),
        ({"assumptions": {"queue": {}}}, "assumptions.queue"),
        ({"assumptions": {"fill_model": "queue", "queue": {"ahead": "-1"}}}, "assumptions.queue.ahead"),
        ({"assumptions": QUEUE | {"bar_model": "next_bar"}}, "assumptions.bar_model"),
        ({"assumptions": QUEUE}, "assumptions.fill_model"),
        ({"period": {"bar_ms": 7_200_000, "walk_trades": True}}, "period.walk_trades"),
    ],
)
def test_what_cannot_be_run_is_named(
    node: ApiNode, backtest: dict[str, Any], changed: dict[str, Any], field: str
) -> None:
    answer = node.post("/api/backtests", backtest | changed)
    assert answer.status_code == 422, answer.text
    assert field in {one["field"].removeprefix("body.") for one in answer.json()["errors"]}


RANGE = {"lower_price": "90", "upper_price": "110", "levels": 10}


@pytest.mark.parametrize(
    ("strategy", "space", "field"),
    [
        ("ma_cross", {"speed": "1,2"}, "space.speed"),
        ("ma_cross", {"fast": "2:10:4", "slow": "14,20"}, "space.size"),
        ("grid", {"lower_price": "80,90", "upper_price": "110", "levels": "5:9:2"}, "space.quantity_per_level"),
    ],
)
def test_a_search_over_what_there_is_not_is_named(
    node: ApiNode, backtest: dict[str, Any], strategy: str, space: dict[str, str], field: str
) -> None:
    body = {"history_id": backtest["history_id"], "strategy": strategy, "space": space}
    answer = node.post("/api/optimisations", body)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])


def test_a_search_whose_first_set_is_wrong_may_have_others_that_are_right(
    node: ApiNode, backtest: dict[str, Any]
) -> None:
    space = {"fast": "30,4", "slow": "24", "size": "0.1"}
    body = {"history_id": backtest["history_id"], "strategy": "ma_cross", "space": space}
    assert node.post("/api/optimisations", body).status_code == 202


@pytest.mark.parametrize(
    ("strategy", "params", "field"),
    [
        ("grid", RANGE, "parameters.quantity_per_level"),
        ("grid", RANGE | {"quantity_per_level": "1", "total_investment": "5"}, "parameters.quantity_per_level"),
        ("grid", RANGE | {"total_investment": "5", "stop_loss_price": "95"}, "parameters.stop_loss_price"),
        ("ma_cross", CROSS | {"fast": 24}, "parameters.fast"),
        ("rsi", {"oversold": 70, "overbought": 30, "size": "1"}, "parameters.oversold"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_before_a_worker_sees_them(
    node: ApiNode, backtest: dict[str, Any], strategy: str, params: dict[str, Any], field: str
) -> None:
    asked = node.post("/api/backtests", backtest | {"strategy": strategy, "params": params})
    traded = {"name": "n", "strategy_type": strategy, "symbol": "BTCUSDT", "parameters": params}
    made = node.post("/api/strategies", traded | {"account_id": node.add_account()})
    for answer in (asked, made):
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field]), answer.text


def test_histories_are_the_same_for_everybody_and_names_are_not_taken_twice(node: ApiNode) -> None:
    share(node.engine, trending(4, 300), "trend")
    assert share(node.engine, trending(4, 300), "trend") == share(node.engine, trending(4, 300), "trend")
    for who in ("olga", "vera"):
        (shown,) = node.get("/api/histories", who).json()["items"]
        assert (shown["name"], shown["bars"], shown["symbol"]) == ("trend", 300, "BTC/USDT")
    with pytest.raises(Refused):
        share(node.engine, trending(5, 300), "trend")
    with committed(node.engine) as unit:
        kept = histories.content(unit, shown["id"])
    assert store.unpack(kept).digest == trending(4, 300).digest
