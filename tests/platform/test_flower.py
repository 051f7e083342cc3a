"""Strategies as Celery and Flower see them: listed while they run, and stopped by Terminate."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson
import pytest

from db.models import StrategyInstance
from tests.platform.world import World, until, world
from tests.services import free_port, running
from tests.simulator_process import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("flower")
    with world(folder, f"sqlite:///{folder / 'ares.sqlite3'}") as made:
        made.start_worker()
        yield made


@pytest.fixture(scope="module")
def flower(platform: World) -> Iterator[str]:
    folder, port = platform.folder / "flower", free_port()
    folder.mkdir()
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "flower", f"--port={port}", "--address=127.0.0.1"]
    command += ["--basic-auth=ops:word", "--inspect-timeout=5000"]
    env = [f"{name}={value}" for name, value in platform.environment().items() if name.startswith("ARES_")]
    with running("flower", ["/usr/bin/env", *env, f"PYTHONPATH={ROOT}", *command], port, folder):
        yield f"http://127.0.0.1:{port}"


def proof() -> str:
    """What a person who may see Flower sends with each request."""
    return base64.b64encode(b"ops:word").decode()


def ask(url: str, method: str = "GET") -> Any:
    body = b"" if method == "POST" else None
    request = Request(url, method=method, headers={"Authorization": f"Basic {proof()}"}, data=body)  # noqa: S310
    with urlopen(request) as answer:  # noqa: S310
        return orjson.loads(answer.read())


def inspect(platform: World) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "inspect", "active", "--json", "-t", "5"]
    done = subprocess.run(command, cwd=ROOT, env=platform.environment(), capture_output=True, check=False)
    if done.returncode:
        return []
    rows: list[dict[str, Any]] = orjson.loads(done.stdout)["one@ares"]
    return rows


def test_inspect_active_lists_each_running_strategy(platform: World) -> None:
    strategy = platform.add_strategy(platform.add_account())
    status = platform.wait_for_status(strategy, "running")
    rows = inspect(platform)
    assert [row["name"] for row in rows if row["id"] == status["task_id"]] == ["strategy.run"]


def test_flower_lists_a_run_and_its_terminate_stops_the_strategy(platform: World, flower: str, tmp_path: Path) -> None:
    strategy = platform.add_strategy(platform.add_account())
    task = platform.wait_for_status(strategy, "running")["task_id"]
    until(lambda: task in ask(f"{flower}/api/tasks?limit=100"), "the run in Flower")
    assert ask(f"{flower}/api/tasks?limit=100")[task]["state"] == "STARTED"
    ask(f"{flower}/api/task/revoke/{task}?terminate=true", "POST")
    until(lambda: platform.status(strategy) == {}, "the end of the strategy")
    row = platform.do(lambda unit: unit.session.get(StrategyInstance, strategy))
    assert row is not None
    assert row.desired_state == "stopped"
    until(lambda: ask(f"{flower}/api/tasks?limit=100")[task]["state"] != "STARTED", "the end in Flower")
