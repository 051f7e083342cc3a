"""Workers that do not do their part: one that has no room, and one that a strategy keeps ending."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.redis_names import strategy_deaths, strategy_lock
from tasks.host.placement import Member, owner_of
from tasks.host.watchdog import BLOCKED
from tests.chaos.stage import SHORT
from tests.platform.world import World, until, world

#: What `blocking_app` registers, in the worker's process only: here it would be one more strategy for every test.
BLOCKER = "blocker"

pytestmark = [pytest.mark.services, pytest.mark.acceptance, pytest.mark.timeout(1_200)]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[World]:
    options = ["--market", "generated:7", "--symbols", "BTCUSDT,ETHUSDT", "--speed", "60", "--lift-limits"]
    with world(tmp_path, f"sqlite:///{tmp_path / 'ares.sqlite3'}", *options, **SHORT) as made:
        yield made


def test_what_the_chosen_worker_has_no_room_for_another_takes_up(platform: World) -> None:
    account = platform.add_account()
    strategies = [platform.add_strategy(account) for _ in range(2)]
    full = platform.start_worker("full", ARES_WORKER__MOST_STRATEGIES="1")
    chosen = Member(full.name, 100, frozenset())
    names = (f"roomy-{secrets.token_hex(3)}" for _ in range(10_000))
    other = next(
        name for name in names if owner_of(account, (), [chosen, Member(name, 100, frozenset())]) == full.name
    )  # fmt: skip
    platform.start_worker("roomy", worker_id=other)
    for strategy in strategies:
        status = platform.wait_for_status(strategy, "running", 180)
        assert status["worker_id"] == other
        assert str(platform.redis.get(strategy_lock(strategy))).startswith(other + "|")


def test_a_strategy_that_keeps_ending_its_node_runs_nowhere_until_a_person_has_looked(platform: World) -> None:
    bad = platform.add_strategy(platform.add_account(), kind=BLOCKER, parameters={})
    app = "tests.platform.blocking_app"
    for death in range(1, 4):
        worker = platform.start_worker(f"victim{death}", app)
        until(lambda worker=worker: worker.process.poll() is not None, "the end of the node", 180)  # type: ignore[misc]
        assert worker.process.returncode == BLOCKED, worker.log[-3000:]
        assert platform.redis.get(strategy_deaths(bad)) == str(death)
        del platform.workers[f"victim{death}"]
    good = platform.add_strategy(platform.add_account())
    platform.start_worker("survivor", app)
    platform.wait_for_status(good, "running", 180)
    status = platform.wait_for_status(bad, "error", 180)
    assert "stopped its node three times" in status["last_error"]
    assert platform.redis.get(strategy_lock(bad)) is None
    assert platform.workers["survivor"].process.poll() is None
