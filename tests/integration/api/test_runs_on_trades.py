"""Backtests and searches on a history of trades: orders wait in a queue, and what cannot be walked is named."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from engine.backtest.history import prints_of
from tasks.runs import Laboratory
from tests.api_node import ApiNode
from tests.law_harness import BTCUSDT
from tests.runs import share

pytestmark = pytest.mark.services

BEGIN, SECOND, MINUTE = 1_672_617_600_000, 1_000, 60_000
QUEUE: dict[str, Any] = {"fill_model": "queue", "queue": {"ahead": "0.5", "share_percent": "10"}}
ASSUMED: dict[str, Any] = {"runtime": "interpreted", "maker_fee": "0", "taker_fee": "0"}
GRID = {"lower_price": "59000", "upper_price": "61000", "levels": 9, "quantity_per_level": "0.01"}


@pytest.fixture
def trades(node: ApiNode) -> dict[str, Any]:
    """A trade a second that goes up and down through the levels of a grid."""
    at = numpy.arange(3_000, dtype=numpy.int64)
    ticks = (6_000_000 + 90_000 * numpy.sin(at / 60)).astype(numpy.int64)
    history = prints_of(BTCUSDT, BEGIN + SECOND * at, ticks, numpy.full(len(at), 300, numpy.int64))
    return {"history_id": share(node.engine, history, "trades"), "strategy": "grid", "params": GRID}


def done(node: ApiNode, laboratory: Laboratory, path: str, body: dict[str, Any]) -> dict[str, Any]:
    asked = node.post(path, body)
    assert asked.status_code == 202, asked.text
    number = asked.json()["id"]
    while laboratory.work(number):
        pass
    found: dict[str, Any] = node.get(f"{path}/{number}").json()
    assert found["state"] == "done", found["error"]
    return found


def test_behind_a_queue_an_order_is_executed_in_parts(
    node: ApiNode, laboratory: Laboratory, trades: dict[str, Any]
) -> None:
    touched = done(node, laboratory, "/api/backtests", trades | {"assumptions": ASSUMED})["result"]["metrics"]
    queued = done(node, laboratory, "/api/backtests", trades | {"assumptions": ASSUMED | QUEUE})["result"]["metrics"]
    assert 0 < touched["fills"] < queued["fills"]


def test_bars_made_of_trades_are_walked_trade_by_trade_also_by_a_search(
    node: ApiNode, laboratory: Laboratory, trades: dict[str, Any]
) -> None:
    body = {
        "history_id": trades["history_id"],
        "strategy": "ma_cross",
        "space": {"fast": "2,3", "slow": "6,9", "size": "0.1"},
        "period": {"bar_ms": MINUTE, "walk_trades": True},
        "assumptions": ASSUMED | QUEUE,
    }
    found = done(node, laboratory, "/api/optimisations", body)["result"]
    assert (found["counts"]["tried"], found["bar_ms"]) == (4, MINUTE)


@pytest.mark.parametrize(
    ("period", "assumed", "field"),
    [
        ({"bar_ms": MINUTE}, QUEUE, "period.walk_trades"),
        ({"bar_ms": MINUTE, "walk_trades": True}, {"bar_model": "next_bar"}, "assumptions.bar_model"),
        ({"walk_trades": True}, {}, "period"),
    ],
)
def test_what_cannot_be_walked_is_named(
    node: ApiNode, trades: dict[str, Any], period: dict[str, Any], assumed: dict[str, Any], field: str
) -> None:
    for path, instances in (("/api/backtests", False), ("/api/account-backtests", True)):
        one = trades | {"period": period, "assumptions": assumed}
        answer = node.post(path, {"capital": "5000", "instances": [one]} if instances else one)
        wanted = f"instances.0.{field}" if instances else field
        assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, [wanted]), answer.text
