from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from core import redis_names, task_names
from db.models import OrderRow
from db.queries import audit, commands, instances
from db.unit_of_work import committed, reading
from domain.client_order_id import OrderKey
from domain.sentences import say, words_of
from tests.api_node import ApiNode, api_node
from tests.contract.journal_contract import order
from tests.services import free_port, wait_until

pytestmark = pytest.mark.services


def start(node: ApiNode, number: int, key: str | None = None, verb: str = "start") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return node.post(f"/api/strategies/{number}/{verb}", headers=headers)


def test_a_command_is_a_row_a_wish_and_an_audit_record_and_then_the_bell_rings(node: ApiNode, redis_url: str) -> None:
    number = node.add_strategy(node.add_account())
    with redis.Redis.from_url(redis_url) as client, client.pubsub() as bell:
        bell.subscribe(redis_names.DOORBELL)
        assert bell.get_message(timeout=180) is not None
        answer = start(node, number)
        assert (answer.status_code, answer.json()["outcome"]) == (202, None)
        assert answer.json()["strategy"]["desired_state"] == "running"
        rung = bell.get_message(timeout=180)
        assert rung is not None
        assert rung["data"] == str(number).encode()
        queue = f"{redis_names.BROKER_PREFIX}{task_names.QUEUE_ENGINE}"
        wait_until(lambda: client.llen(queue) == 1, "the task")
        task = json.loads(client.lindex(queue, 0) or b"")
        assert task["headers"]["task"] == task_names.STRATEGY_START
        assert task["headers"]["argsrepr"] == f"[{number}]"
    status = node.get(f"/api/commands/{answer.json()['command_id']}").json()
    assert (status["kind"], status["outcome"], status["strategy_id"]) == ("start", None, number)
    actions = [one["action"] for one in node.get("/api/audit").json()["items"]]
    assert actions == ["strategy_start", "strategy_create", "account_create"]
    with reading(node.engine) as unit:
        assert audit.verify(unit) == 3


@pytest.mark.parametrize(
    ("verbs", "state"),
    [
        (["start"], "running"),
        (["start", "pause"], "paused"),
        (["start", "pause", "resume"], "running"),
        (["start", "stop"], "stopped"),
        (["start", "flatten"], "flat"),
        (["start", "stop", "reset"], "stopped"),
    ],
)
def test_each_verb_wishes_its_state(node: ApiNode, verbs: list[str], state: str) -> None:
    number = node.add_strategy(node.add_account())
    for verb in verbs:
        answer = start(node, number, verb=verb)
        assert answer.status_code == 202, answer.text
    found = node.get(f"/api/strategies/{number}").json()
    assert found["desired_state"] == state
    assert found["generation"] == (1 if "reset" in verbs else 0)


@pytest.mark.parametrize(("verbs", "status"), [(["pause"], 422), (["resume"], 422), (["start", "reset"], 409)])
def test_verbs_that_make_no_sense_are_refused_and_change_nothing(node: ApiNode, verbs: list[str], status: int) -> None:
    number = node.add_strategy(node.add_account())
    *before, last = verbs
    for verb in before:
        start(node, number, verb=verb)
    wished = node.get(f"/api/strategies/{number}").json()
    assert start(node, number, verb=last).status_code == status
    assert node.get(f"/api/strategies/{number}").json() == wished
    with reading(node.engine) as unit:
        assert len(commands.waiting(unit, number)) == len(before)


def test_the_same_key_is_the_same_command_and_does_not_undo_what_came_after(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    first = start(node, number, "key-1").json()
    start(node, number, verb="stop")
    again = start(node, number, "key-1").json()
    assert again["command_id"] == first["command_id"]
    assert again["strategy"]["desired_state"] == "stopped"
    other = start(node, number, "key-1", verb="flatten")
    assert (other.status_code, other.json()["code"]) == (409, "other_command")
    for bad in ("", "x" * 65, "a b", "a/b"):
        answer = node.post(f"/api/strategies/{number}/stop", headers={"Idempotency-Key": bad})
        assert answer.status_code == 422, bad


def test_a_finished_command_tells_its_outcome(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    command = start(node, number, "k").json()["command_id"]
    with committed(node.engine) as unit:
        row = commands.waiting(unit, number)[0]
        said = say("no_account", "there is no account {account}.", account=7)
        commands.finish(unit, command, commands.REJECTED, said, row.created_at)
    assert start(node, number, "k").json()["outcome"] == "rejected"
    told = node.get(f"/api/commands/{command}").json()
    assert (told["detail"], told["detail_words"]) == ("there is no account 7.", words_of(said))


def test_what_is_running_or_has_orders_is_neither_removed_nor_reset(node: ApiNode) -> None:
    account = node.add_account()
    number = node.add_strategy(account)
    start(node, number)
    refused = node.call("DELETE", f"/api/strategies/{number}")
    assert (refused.status_code, refused.json()["code"]) == (409, "still_working")
    assert node.call("DELETE", f"/api/accounts/{account}").json()["code"] == "in_use"
    start(node, number, verb="stop")
    add_open_order(node, number, account)
    assert node.call("DELETE", f"/api/strategies/{number}").status_code == 409
    assert start(node, number, verb="reset").status_code == 409


def add_open_order(node: ApiNode, number: int, account: int) -> None:
    one = order(slot=1)
    key = OrderKey(1, number, 0, 1, 0, 0, 0)
    with committed(node.engine) as unit:
        now = instances.get(unit, number, node.people["olga"]).created_at
        unit.session.add(
            OrderRow(
                account_id=account, client_order_id=one.client_order_id, strategy_instance_id=number,
                owner_id=node.people["olga"], deployment=1, generation=0, slot=1, cycle=key.cycle, leg=0, attempt=0,
                symbol="BTCUSDT", side=1, type=0, ticks=1, lots=1, reduce_only=False, reason=1, epoch=1,
                state_version=1, committed_at=now, status=1, filled=0, booked=0, venue_order_id="", complete=False,
                live_slot=1, updated_at=now,
            )
        )  # fmt: skip


def test_a_real_account_trades_only_with_a_key_that_is_good(node: ApiNode) -> None:
    body = {"name": "real", "exchange": "binance_spot", "api_key": "k" * 20, "api_secret": "s" * 20}
    account = node.post("/api/accounts", body).json()["id"]
    number = node.add_strategy(account)
    assert "not known yet" in start(node, number).json()["detail"]
    consent = node.call("PUT", f"/api/accounts/{account}", json={"consent_unknown_rights": True})
    assert consent.json()["rights_consent_at"]
    assert start(node, number).status_code == 202
    assert node.call("PUT", f"/api/accounts/{account}", json={"disabled": True}).status_code == 200
    assert "disabled" in start(node, number).json()["detail"]


@pytest.fixture
def cut_off(tmp_path: Path) -> Iterator[ApiNode]:
    """A node whose Redis is not there."""
    database, nowhere = f"sqlite:///{tmp_path / 'ares.sqlite3'}", f"redis://127.0.0.1:{free_port()}/0"
    with api_node(database, nowhere, tmp_path, redis={"timeout_seconds": 0.5}) as opened:
        yield opened


def test_without_redis_commands_are_kept_and_lists_say_that_they_do_not_know(cut_off: ApiNode) -> None:
    number = cut_off.add_strategy(cut_off.add_account())
    answer = start(cut_off, number)
    assert answer.status_code == 202, answer.text
    with reading(cut_off.engine) as unit:
        assert [one.kind for one in commands.waiting(unit, number)] == ["start"]
    page = cut_off.get("/api/strategies").json()
    assert (page["live_known"], page["items"][0]["desired_state"]) == (False, "running")
    status = cut_off.get(f"/api/strategies/{number}/status")
    assert (status.status_code, status.json()["code"]) == (503, "live_unavailable")
    assert cut_off.get("/health/redis", None).json()["status"] == "failed"
    assert cut_off.get("/health", None).status_code == 200
    assert cut_off.get("/api/nodes").status_code == 503
