"""Histories sent in through the API, and what becomes of them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import strategies
from core.base_strategy import STRATEGIES
from core.clock import SystemTime
from core.task_names import COMPUTE_IMPORT
from db.queries.histories import PART_BYTES
from tasks.imports import Intake
from tasks.runs import Laboratory
from tests.api_node import ApiNode
from tests.markets import trending
from tests.optimising import FREE
from tests.runs import share
from tests.services import wait_until

pytestmark = pytest.mark.services

STRATEGIES.scan(strategies)
CROSS = {"fast": 4, "slow": 24, "size": "0.1"}


def text(rows: int, *, seed: int = 1) -> bytes:
    """Bars of an hour with many digits, so that few of them fill a part."""
    dice, found = random.Random(seed), []
    for at in range(rows):
        low, high = 100 + dice.randint(0, 9), 120 + dice.randint(0, 9)
        found.append(f"{1_672_617_600_000 + 3_600_000 * at},110.25,{high}.5,{low}.75,111.5,{'1' * 60}")
    return "\n".join(found).replace("1" * 60, "1.5").encode()


def announced(node: ApiNode, content: bytes, who: str = "olga", **changed: Any) -> Any:
    body = {"name": "mine", "file_name": "bars.csv", "symbol": "BTC/USDT", "size": len(content)}
    return node.post("/api/history-imports", body | changed, who)


def send(node: ApiNode, number: int, content: bytes, part: int, who: str = "olga") -> Any:
    piece = content[part * PART_BYTES : (part + 1) * PART_BYTES]
    return node.call("PUT", f"/api/history-imports/{number}/parts/{part}", who, content=piece)


def sent(node: ApiNode, content: bytes, who: str = "olga", **changed: Any) -> int:
    made = announced(node, content, who, **changed)
    assert made.status_code == 201, made.text
    for part in range((len(content) + PART_BYTES - 1) // PART_BYTES):
        assert send(node, made.json()["id"], content, part, who).status_code == 200
    return int(made.json()["id"])


@pytest.fixture
def intake(node: ApiNode, tmp_path: Path) -> Intake:
    return Intake(node.engine, SystemTime(), "worker", tmp_path)


def test_a_file_comes_in_parts_of_any_order_and_is_run_on_by_its_owner_alone(node: ApiNode, intake: Intake) -> None:
    content = text(26_000)
    assert 2 * PART_BYTES < len(content) < 3 * PART_BYTES
    made = announced(node, content)
    assert (made.status_code, made.json()["state"], made.json()["part_bytes"]) == (201, "receiving", PART_BYTES)
    number = made.json()["id"]
    for part, state in ((2, "receiving"), (0, "receiving"), (0, "receiving"), (1, "queued")):
        answer = send(node, number, content, part)
        assert (answer.status_code, answer.json()["state"]) == (200, state), answer.text
    assert send(node, number, content, 1).json()["code"] == "not_receiving"
    intake.work(number)
    found = node.get(f"/api/history-imports/{number}").json()
    assert (found["state"], found["error"], found["errors"]) == ("done", "", [])
    (history,) = node.get("/api/histories").json()["items"]
    assert (history["id"], history["name"], history["mine"]) == (found["history_id"], "mine", True)
    assert (history["bars"], history["source"], history["symbol"]) == (26_000, "uploaded", "BTC/USDT")
    body = {"history_id": history["id"], "strategy": "ma_cross", "params": CROSS, "assumptions": FREE}
    period = {"since": "2023-01-02T00:00:00Z", "until": "2023-01-12T00:00:00Z"}
    theirs = node.post("/api/backtests", body, "theo")
    assert [one["field"] for one in theirs.json()["errors"]] == ["history_id"]
    run = node.post("/api/backtests", body | {"period": period}).json()
    held = node.call("DELETE", f"/api/histories/{history['id']}")
    assert (held.status_code, held.json()["code"]) == (409, "history_in_use")
    Laboratory(node.engine, SystemTime(), "laboratory").work(run["id"])
    done = node.get(f"/api/backtests/{run['id']}").json()
    assert (done["state"], done["history"]) == ("done", "mine"), done["error"]
    assert node.call("DELETE", f"/api/histories/{history['id']}").status_code == 204
    assert node.get("/api/histories").json()["items"] == []
    assert node.get(f"/api/backtests/{run['id']}").json()["history"] == "mine"
    assert node.post("/api/backtests", body).status_code == 422
    again = sent(node, text(50))
    intake.work(again)
    assert [one["bars"] for one in node.get("/api/histories").json()["items"]] == [50]


def test_bad_rows_are_named_one_by_one(node: ApiNode, intake: Intake) -> None:
    rows = text(40).decode().split("\n")
    rows[3], rows[30] = rows[2], rows[30].replace(",110.25", ",nothing")
    number = sent(node, "\n".join(rows).encode())
    intake.work(number)
    found = node.get(f"/api/history-imports/{number}").json()
    assert (found["state"], found["history_id"]) == ("failed", None)
    assert {one["row"]: one["reason"].split(":")[0] for one in found["errors"]} == {
        4: "is double",
        31: "cannot be read",
    }
    assert "row 31 cannot be read" in found["error"]
    assert node.call("DELETE", f"/api/history-imports/{number}").status_code == 204
    assert node.get("/api/history-imports").json()["items"] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"size": 0}, "size"),
        ({"size": 64 * 1024 * 1024 + 1}, "size"),
        ({"name": "../secrets"}, "name"),
        ({"file_name": "../bars.csv"}, "file_name"),
        ({"file_name": "bars.exe"}, "file_name"),
        ({"symbol": "BTCUSDT"}, "symbol"),
        ({"interval": "7m"}, "interval"),
        ({"colour": 1}, "colour"),
    ],
)
def test_what_cannot_be_taken_is_named_by_field(node: ApiNode, changed: dict[str, Any], field: str) -> None:
    answer = announced(node, b"1" * 100, **changed)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])


def test_parts_that_do_not_fit_are_refused(node: ApiNode) -> None:
    number = announced(node, b"1" * 100).json()["id"]
    for part, content, field in ((0, b"1" * 99, "body"), (1, b"1", "part")):
        answer = node.call("PUT", f"/api/history-imports/{number}/parts/{part}", content=content)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    large = node.call("PUT", f"/api/history-imports/{number}/parts/0", content=b"1" * (PART_BYTES + 1))
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert node.get(f"/api/history-imports/{number}").json()["done"] == 0


def test_a_name_is_taken_once_by_each_and_unfinished_ones_are_bounded(node: ApiNode, intake: Intake) -> None:
    share(node.engine, trending(4, 300), "mine")
    for who in ("olga", "theo"):
        intake.work(sent(node, text(50), who))
        assert {one["mine"] for one in node.get("/api/histories", who).json()["items"]} == {True, False}
    answer = announced(node, text(60))
    assert [one["field"] for one in answer.json()["errors"]] == ["name"]
    numbers = [announced(node, b"1", name=f"n{at}").json()["id"] for at in range(10)]
    refused = announced(node, b"1", name="more")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_imports")
    node.call("DELETE", f"/api/history-imports/{numbers[0]}")
    assert announced(node, b"1", name="more").status_code == 201


def test_a_worker_is_asked_when_the_last_part_has_come(node: ApiNode, redis_url: str) -> None:
    import redis

    sent(node, text(50))
    with redis.Redis.from_url(redis_url) as client:

        def waiting() -> bool:
            queues = [key for key in client.keys("*compute*") if client.type(key) == b"list"]
            return any(COMPUTE_IMPORT.encode() in line for key in queues for line in client.lrange(key, 0, -1))

        wait_until(waiting, "message to the compute workers")
