"""An upgrade worker by worker: what runs goes on, what moves goes to the newer build, nothing ever goes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.redis_names import strategy_lock
from core.redis_names import worker as worker_hash
from tests.chaos.stage import SHORT
from tests.platform.world import Worker, World, until, world

LATER = "tests.platform.later_app"

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[World]:
    options = ["--market", "generated:7", "--symbols", "BTCUSDT,ETHUSDT", "--speed", "60", "--lift-limits"]
    with world(tmp_path, f"sqlite:///{tmp_path / 'ares.sqlite3'}", *options, **SHORT) as made:
        yield made


def holder(platform: World, strategy: int) -> str:
    return str(platform.redis.get(strategy_lock(strategy)) or "").partition("|")[0]


def wait_until_gated(platform: World, worker: Worker, words: str) -> None:
    until(lambda: words in str(platform.redis.hget(worker_hash(worker.name), "gate")), "the closed gate", 180)


def begin_upgrade(platform: World) -> tuple[list[int], Worker, Worker]:
    """A strategy of the older build, and two that are wished once a worker of the newer one is there."""
    account = platform.add_account()
    first = platform.add_strategy(account)
    old = platform.start_worker("old")
    platform.wait_for_status(first, "running", 180)
    new = platform.start_worker("new", LATER)
    wait_until_gated(platform, old, "law 2")
    later, elsewhere = platform.add_strategy(account), platform.add_strategy(platform.add_account())
    platform.wait_for_status(elsewhere, "running", 180)
    assert (holder(platform, first), holder(platform, later), holder(platform, elsewhere)) == (old.name, "", new.name)
    return [first, later, elsewhere], old, new


def test_an_older_build_keeps_what_it_runs_and_takes_nothing_up_beside_a_newer_one(platform: World) -> None:
    begin_upgrade(platform)


@pytest.mark.acceptance
def test_an_upgrade_moves_strategies_to_the_newer_build_and_never_back(platform: World) -> None:
    strategies, old, new = begin_upgrade(platform)
    old.end()
    del platform.workers["old"]
    for strategy in strategies:
        assert platform.wait_for_status(strategy, "running", 180)["worker_id"] == new.name

    new.end()
    del platform.workers["new"]
    again = platform.start_worker("again")
    wait_until_gated(platform, again, "strategies have run by law 2")
    assert {holder(platform, one) for one in strategies} == {""}
