"""Workers die, are stopped and join while grids trade; the venue's tape tells whether anything was lost or doubled.

A sample with short terms on every change; `test_exhaustive` runs the rest, and the real terms. Tests come in any
order: each begins by having the workers that it needs.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.chaos.stage import SHORT, Stage, kill, stage, worker_of
from tests.platform.world import until
from tests.services import Service, create_schema

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(1_200)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, mariadb_service: Service) -> Iterator[Stage]:
    url = create_schema(mariadb_service, "ares_chaos")
    with stage(tmp_path_factory.mktemp("chaos"), url, accounts=6, grids=2, workers=2) as made:
        made.trade(3)
        yield made


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost_or_doubled(found: Stage) -> None:
    found.staff(2)
    name = worker_of(found)
    found.moving.set()
    dead = kill(found, name)
    owned = found.wait_until_owned(dead, seconds=180)
    safe = owned + found.wait_until_all_run(dead, seconds=180)
    found.trade(2)
    assert found.judge() == []
    print(f"kill -9: owned by another {owned:.1f} s, safe to order {safe:.1f} s, {found.fills()} fills")


def test_a_worker_that_is_asked_to_end_hands_over_with_its_orders_resting(found: Stage) -> None:
    found.staff(2)
    found.moving.clear()
    name = worker_of(found)
    worker = found.world.workers.pop(name)
    before = {str(order["client_order_id"]) for order in found.world.venue.get("orders?market=spot")}
    worker.signal(signal.SIGTERM)
    handed = until(lambda: worker.name not in found.holders().values(), "the hand-over", 180)
    found.wait_until_all_run(worker.name)
    worker.process.wait(60)
    after = {str(order["client_order_id"]) for order in found.world.venue.get("orders?market=spot")}
    print(f"SIGTERM: handed over in {handed:.2f} s; {len(before)} orders rested before, {len(before & after)} still do")
    assert before <= after
    assert found.judge() == []


@pytest.mark.acceptance
def test_a_redis_that_lost_its_memory_moves_nothing(found: Stage) -> None:
    found.staff(1)
    found.moving.set()
    before = {number: found.world.epoch(number) for number in found.strategies}
    found.world.redis.flushall()
    back = found.wait_until_all_run(seconds=180)
    found.trade(2)
    assert {number: found.world.epoch(number) for number in found.strategies} == before
    assert found.judge() == []
    print(f"Redis wiped: every lease taken again in {back:.1f} s, no epoch raised")


@pytest.mark.acceptance
def test_a_worker_frozen_for_longer_than_its_leases_does_no_harm_when_it_wakes(found: Stage) -> None:
    found.staff(1)
    name = "frozen"
    found.start_worker(name)
    until(lambda: found.world.workers[name].name in found.spread(), "strategies on the new worker", 180)
    found.wait_until_all_run()
    worker = found.world.workers[name]
    found.moving.set()
    worker.signal(signal.SIGSTOP)
    try:
        found.wait_until_all_run(worker.name, seconds=180)
        time.sleep(1)
    finally:
        worker.signal(signal.SIGCONT)
    found.trade(3)
    assert found.judge() == []


@pytest.mark.acceptance
def test_a_worker_that_freezes_again_and_again_loses_what_it_had_once(found: Stage) -> None:
    found.staff(1)
    worker = found.start_worker("freezing")
    until(lambda: worker.name in found.spread(), "strategies on the new worker", 180)
    found.wait_until_all_run()
    before = {number: found.world.epoch(number) for number in found.strategies}
    found.moving.set()
    for _ in range(4):
        worker.signal(signal.SIGSTOP)
        time.sleep(0.9 * float(SHORT["ARES_WORKER__LEASE_SECONDS"]))
        worker.signal(signal.SIGCONT)
        time.sleep(3 * float(SHORT["ARES_WORKER__STABILITY_SECONDS"]))
    found.wait_until_all_run()
    assert all(found.world.epoch(number) - epoch <= 1 for number, epoch in before.items())
    found.trade(2)
    assert found.judge() == []


@pytest.mark.acceptance
def test_a_worker_started_again_joins_and_takes_its_share(found: Stage) -> None:
    found.staff(1)
    found.start_worker("joined")
    took = until(lambda: found.world.workers["joined"].name in found.spread(), "a share for the new worker", 180)
    found.wait_until_all_run()
    found.trade(2)
    assert found.judge() == []
    print(f"join: first share after {took:.1f} s")
