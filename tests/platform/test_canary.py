"""A secret that a real worker trades with is in nothing that operators look at: Flower, inspect, process lists."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.integration.api.test_canary import traces
from tests.platform.test_flower import ask, flower, proof
from tests.platform.world import ENCRYPTION_KEY, World, until, world
from tests.simulator_process import ROOT

__all__ = ["flower"]
pytestmark = [pytest.mark.services, pytest.mark.acceptance, pytest.mark.timeout(600)]
# Of chance from the first letter on: other runs on this machine have secrets of their own.
KEY, SECRET = f"{secrets.token_hex(10)}key", f"{secrets.token_hex(10)}secret"
PAGES = (
    "", "workers", "tasks", "broker", "metrics", "worker/one@ares", "workers?json=1", "api/workers?refresh=1",
    "api/tasks?limit=1000", "api/task/types", "api/queues/length",
)  # fmt: skip
QUESTIONS = (
    "active", "reserved", "scheduled", "revoked", "registered", "stats", "conf", "report", "active_queues", "clock",
)  # fmt: skip


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("canary")
    options = ["--market", "generated:7", "--symbols", "BTCUSDT,ETHUSDT", "--speed", "60"]
    options += ["--account", f"{KEY}:{SECRET}:USDT=10000000,BTC=50"]
    with world(folder, f"sqlite:///{folder / 'ares.sqlite3'}", *options) as made:
        made.start_worker()
        yield made


def found_in(content: bytes) -> list[str]:
    """What of the marked secrets, and of the key that seals them, is in it."""
    marks = {"key": KEY, "secret": SECRET, "encryption key": ENCRYPTION_KEY}
    return [name for name, secret in marks.items() if any(trace in content for trace in traces(secret))]


def page(url: str) -> bytes:
    request = Request(url, headers={"Authorization": f"Basic {proof()}"})  # noqa: S310
    try:
        with urlopen(request) as answer:  # noqa: S310
            return bytes(answer.read())
    except HTTPError as error:
        return bytes(error.read())


def inspect(platform: World, question: str) -> bytes:
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "inspect", question, "--json"]
    command += ["-d", "one@ares", "-t", "60"]  # whoever is named ends the wait with its answer
    done = subprocess.run(command, cwd=ROOT, env=platform.environment(), capture_output=True, check=False)
    return done.stdout + done.stderr


def command_lines(but_of: int) -> Iterator[tuple[str, bytes]]:
    """The command line of every process that can be seen, but of the simulated venue: that is given its accounts."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if folder.name != str(but_of):
            yield folder.name, line


def test_the_search_finds_what_it_looks_for() -> None:
    assert found_in(f"before {SECRET} after".encode()) == ["secret"]
    assert found_in(ENCRYPTION_KEY.encode()) == ["encryption key"]


def test_what_operators_see_of_a_strategy_that_trades_with_a_secret_shows_nothing_of_it(
    platform: World, flower: str
) -> None:
    account = platform.add_account(KEY, SECRET)
    send = ["-m", "celery", "-A", "celery_app", "call", "account.check", "--args", f"[{account}]"]
    subprocess.run([sys.executable, *send], cwd=ROOT, env=platform.environment(), check=True, capture_output=True)
    strategy = platform.add_strategy(account)
    task = platform.wait_for_status(strategy, "running", 180)["task_id"]
    until(lambda: int(platform.status(strategy).get("pending_buys", 0)) > 0, "resting buys", 180)
    until(lambda: task in ask(f"{flower}/api/tasks?limit=100"), "the run in Flower", 180)
    answers = {question: inspect(platform, question) for question in QUESTIONS}
    assert task.encode() in answers["active"]
    pages = {path: page(f"{flower}/{path}") for path in (*PAGES, f"task/{task}", f"api/task/info/{task}")}
    assert task.encode() in pages[f"task/{task}"]
    lines = dict(command_lines(platform.venue.pid))
    assert any(b"flower" in line for line in lines.values())
    assert any(b"one@ares" in line for line in lines.values())
    log = platform.workers["one"].log.encode()
    places = {**answers, **pages, **lines, "log": log}
    assert {where: found for where, content in places.items() if (found := found_in(content))} == {}
