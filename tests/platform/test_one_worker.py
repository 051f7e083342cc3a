"""One worker, from a row to orders and back: real Redis, a real Celery worker, the simulated venue's market."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.redis_names import DOORBELL, account_lock, bars, strategy_lock, symbols
from core.redis_names import worker as worker_key
from tests.platform.world import GRID, World, until, world
from tests.simulator_process import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("platform")
    with world(folder, f"sqlite:///{folder / 'ares.sqlite3'}") as made:
        made.start_worker()
        yield made


def test_a_row_that_is_wished_running_becomes_orders_and_is_shown(platform: World) -> None:
    strategy = platform.add_strategy(platform.add_account())
    status = platform.wait_for_status(strategy, "running")
    until(lambda: int(platform.status(strategy).get("pending_buys", 0)) > 0, "resting buys")
    status = platform.status(strategy)
    assert status["worker_id"] == platform.workers["one"].name
    assert status["task_id"] == f"{strategy}-{status['epoch']}"
    assert float(status["equity"]) == pytest.approx(1000, rel=0.1)
    redis = platform.redis
    assert str(redis.get(strategy_lock(strategy))).startswith(platform.workers["one"].name + "|")
    assert redis.zscore("workers:active", platform.workers["one"].name) is not None


def test_a_stopped_strategy_cancels_what_rests_keeps_its_position_and_is_released(platform: World) -> None:
    account = platform.add_account()
    strategy = platform.add_strategy(account)
    platform.wait_for_status(strategy, "running")
    until(lambda: int(platform.status(strategy).get("pending_buys", 0)) > 0, "resting buys")
    assert platform.finished(platform.command(strategy, "stop")) == ("done", "")
    until(lambda: platform.redis.get(strategy_lock(strategy)) is None, "release of the lease")
    until(lambda: platform.redis.get(account_lock(account)) is None, "release of the account")
    assert platform.status(strategy) == {}


def test_commands_are_carried_out_without_any_signal_by_the_poll_alone(platform: World) -> None:
    strategy = platform.add_strategy(platform.add_account())
    platform.wait_for_status(strategy, "running")
    assert platform.finished(platform.command(strategy, "pause", ring=False))[0] == "done"
    platform.wait_for_status(strategy, "paused")
    until(lambda: platform.status(strategy).get("pending_buys") == "0", "the end of every entry")
    assert platform.finished(platform.command(strategy, "resume", ring=False))[0] == "done"
    platform.wait_for_status(strategy, "running")


def test_what_cannot_run_says_why_and_runs_once_it_is_mended(platform: World) -> None:
    strategy = platform.add_strategy(platform.add_account(), parameters={"lower_price": "5", "upper_price": "1"})
    status = platform.wait_for_status(strategy, "error")
    assert "price" in status["last_error"] or "levels" in status["last_error"]
    platform.command(strategy, "edit", changes={"parameters": json.dumps(GRID)})
    platform.wait_for_status(strategy, "running")


def said(platform: World, what: str) -> str:
    """What somebody who may use the broker is told."""
    script = f"from celery_app import app\nprint({what})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=platform.environment(), check=True, capture_output=True, text=True
    )  # fmt: skip
    return done.stdout.strip()


def poisoned() -> list[bytes]:
    """What nobody who means well puts into the queue."""
    arguments: list[Any] = [[], ["x"], [None], [[1]], [{"a": 1}], [1, 2], [10**400], ["9" * 100_000]]

    def message(call: Any, task: str = "strategy.start", **changes: Any) -> bytes:
        text = base64.b64encode(json.dumps(call).encode()).decode()
        tag = secrets.token_hex(8)
        properties = {"delivery_tag": tag, "delivery_info": {"exchange": "", "routing_key": "engine"}}
        return json.dumps(
            {
                "body": text, "content-encoding": "utf-8", "content-type": "application/json",
                "headers": {"lang": "py", "task": task, "id": tag, "argsrepr": "", "kwargsrepr": ""},
                "properties": {**properties, "body_encoding": "base64", "correlation_id": tag, "priority": 0},
                **changes,
            }
        ).encode()  # fmt: skip

    good = [[1], {}, {}]
    calls: list[Any] = [{}, [], "text", None, 7, [[1], {"other": 2}, {}], [1, 2, 3]]
    return [
        b"", b"not JSON", b"null", b"[]", b"{}", b"7", b"\x00\xff\xfe", b"[" * 100_000, message(good)[:-20],
        *(message([one, {}, {}]) for one in arguments),
        *(message(call) for call in calls),
        message(good, task="no.such.task"), message(good, headers={}), message(good, headers=None),
        message(good, properties={}), message(good, body="%%%"), message(good, body="x" * 5_000_000),
        message(good, **{"content-type": "application/x-python-serialize"}), message(good, **{"content-encoding": "x"}),
    ]  # fmt: skip


def test_messages_that_make_no_sense_are_dropped_and_the_worker_goes_on(platform: World) -> None:
    strategy = platform.add_strategy(platform.add_account())
    platform.wait_for_status(strategy, "running")
    epoch, redis, worker = platform.epoch(strategy), platform.redis, platform.workers["one"]
    for message in poisoned():
        redis.lpush("q:engine", message)
    for words in (
        "",
        "x" * 1_000_000,
        "-1",
        "9" * 100,
        "kill:on:0",
        "kill:maybe",
        "follow:x",
        "master:-1",
        b"\xff\x00",
    ):
        redis.publish(DOORBELL, words)
    until(lambda: redis.llen("q:engine") == 0, "every message taken")
    assert said(platform, "app.send_task('node.canary').get(timeout=120)['worker_id']") == worker.name
    assert worker.process.poll() is None
    assert (platform.status(strategy)["status"], platform.epoch(strategy)) == ("running", epoch)


def test_connections_that_redis_ends_are_made_anew_and_messages_are_taken_again(platform: World) -> None:
    strategy = platform.add_strategy(platform.add_account())
    platform.wait_for_status(strategy, "running")
    epoch, worker = platform.epoch(strategy), platform.workers["one"]
    for kind in ("normal", "pubsub", "normal"):
        until(lambda kind=kind: platform.redis.client_kill_filter(_type=kind, skipme=True) > 0, "connections to end")  # type: ignore[misc]
    assert said(platform, "app.send_task('node.canary').get(timeout=120)['worker_id']") == worker.name
    assert platform.finished(platform.command(strategy, "pause"))[0] == "done"
    platform.wait_for_status(strategy, "paused")
    assert platform.epoch(strategy) == epoch


def test_an_audit_may_run_many_times_or_never_and_tells_once_of_what_nobody_runs(platform: World) -> None:
    nowhere = platform.add_strategy(platform.add_account(tags=["nowhere"]))
    said(platform, "[app.send_task('audit.compare') and None for _ in range(6)]")

    def told() -> list[str]:
        events: Any = platform.redis.xrange("ares:events")
        alerts = [json.loads(fields["data"]) for _, fields in events if fields["topic"] == "alert"]
        return [one["text"] for one in alerts if one.get("instance") == nowhere and one["code"] == "not_running"]

    until(lambda: platform.redis.llen("q:engine") == 0, "every audit taken")
    until(lambda: bool(told()), "the alarm")
    assert len(told()) == 1
    assert platform.status(nowhere) == {}


def test_rules_and_bars_of_what_is_traded_are_there_for_the_dashboard(tmp_path: Path) -> None:
    # Bars are of the present: this market runs with the clock of the machine.
    market = ("--market", "generated:7", "--symbols", "BTCUSDT", "--speed", "1")
    with world(tmp_path, f"sqlite:///{tmp_path / 'ares.sqlite3'}", *market) as platform:
        platform.start_worker()
        strategy = platform.add_strategy(platform.add_account(), kline_interval="1s")
        platform.wait_for_status(strategy, "running")
        board = bars("binance_spot", "BTCUSDT", "1s")

        def rows() -> list[Any]:
            return json.loads(str(platform.redis.get(board) or "[]"))  # type: ignore[no-any-return]

        until(lambda: len(rows()) > 3, "bars")
        assert {later[0] - earlier[0] for earlier, later in pairwise(rows())} == {1_000}
        assert all(float(low) <= float(opened) <= float(high) for _, opened, high, low, _, _ in rows())
        rules = json.loads(str(platform.redis.hget(symbols("binance_spot"), "BTCUSDT")))
        assert (rules["base"], rules["quote"], rules["tick_size"]) == ("BTC", "USDT", "0.01")
        worker = platform.workers["one"].name
        assert datetime.fromisoformat(str(platform.redis.hget(worker_key(worker), "started_at"))).tzinfo is not None
