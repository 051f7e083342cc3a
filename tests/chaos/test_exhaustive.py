"""The whole of it, with the real terms: 300 grids, three workers, everything that can be cut, stopped or lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.chaos.stage import REAL, Stage, kill, stage, worker_of
from tests.platform.world import until
from tests.services import Service, create_schema, listens, mariadb_server, stop

pytestmark = [pytest.mark.services, pytest.mark.acceptance, pytest.mark.timeout(1_800)]
ACCOUNTS = int(os.environ.get("ARES_CHAOS_ACCOUNTS", "30"))
GRIDS = int(os.environ.get("ARES_CHAOS_GRIDS", "10"))
#: Longer than a lease lives.
OUTAGE_SECONDS = 22


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with mariadb_server(tmp_path_factory.mktemp("mariadb")) as service:
        yield service


@pytest.fixture(scope="module")
def again(database: Service) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that took the place of the database's; they serve those who come after, too."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        stop(process)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, database: Service) -> Iterator[Stage]:
    url = create_schema(database, "ares_chaos")
    with stage(
        tmp_path_factory.mktemp("chaos"), url, accounts=ACCOUNTS, grids=GRIDS, workers=3, settings=REAL
    ) as made:  # fmt: skip
        made.trade(5)
        yield made


def test_kill_9(found: Stage) -> None:
    found.staff(3)
    name = worker_of(found)
    found.moving.set()
    dead = kill(found, name)
    owned = found.wait_until_owned(dead, seconds=30)
    safe = owned + found.wait_until_all_run(dead, seconds=90)
    found.trade(3)
    print(f"kill -9 of one in three, {len(found.strategies)} grids: owned {owned:.1f} s, safe to order {safe:.1f} s")
    assert owned < 12
    assert found.judge(300) == []


def test_sigterm(found: Stage) -> None:
    found.staff(3)
    name = worker_of(found)
    worker = found.world.workers.pop(name)
    resting = {str(order["client_order_id"]) for order in found.world.venue.get("orders?market=spot")}
    worker.signal(signal.SIGTERM)
    handed = until(lambda: worker.name not in found.holders().values(), "the hand-over", 20)
    found.wait_until_all_run(worker.name)
    worker.process.wait(30)
    after = {str(order["client_order_id"]) for order in found.world.venue.get("orders?market=spot")}
    print(f"SIGTERM: handed over in {handed:.2f} s, {len(resting & after)} of {len(resting)} orders still rest")
    assert resting <= after
    assert found.judge(300) == []


def test_sigstop_for_longer_than_a_lease(found: Stage) -> None:
    found.staff(3)
    worker = found.world.workers[worker_of(found)]
    found.moving.set()
    worker.signal(signal.SIGSTOP)
    try:
        found.wait_until_all_run(worker.name, seconds=60)
        time.sleep(OUTAGE_SECONDS - 12)
    finally:
        worker.signal(signal.SIGCONT)
    found.trade(5)
    assert found.judge(300) == []


def test_redis_wiped(found: Stage) -> None:
    found.staff(3)
    found.moving.set()
    before = {number: found.world.epoch(number) for number in found.strategies}
    found.world.redis.flushall()
    back = found.wait_until_all_run(seconds=30)
    found.trade(3)
    assert {number: found.world.epoch(number) for number in found.strategies} == before
    print(f"Redis wiped: leases taken again in {back:.1f} s, nothing moved")
    assert found.judge(300) == []


def test_redis_frozen_for_longer_than_a_lease(found: Stage) -> None:
    """Nobody can renew: everybody suspends; when it answers again they go on."""
    found.staff(3)
    found.moving.set()
    process = found.world.redis_service.process
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(12)
        before = found.orders()
        time.sleep(OUTAGE_SECONDS - 12)
        assert found.orders() == before, "orders were sent under leases that had run out"
    finally:
        process.send_signal(signal.SIGCONT)
    back = found.wait_until_all_run(seconds=60)
    found.trade(3)
    print(f"Redis away {OUTAGE_SECONDS} s: 0 orders once leases had run out, everything runs {back:.1f} s after")
    assert found.judge(300) == []


def test_the_database_restarted(found: Stage, database: Service, again: list[subprocess.Popen[bytes]]) -> None:
    """Without a journal nothing is sent, and nothing moves."""
    found.staff(3)
    found.moving.set()
    stop(database.process, 30)
    time.sleep(5)
    before = found.orders()
    time.sleep(3)
    assert found.orders() == before, "orders were sent without a journal"
    command = list(map(str, database.process.args))  # type: ignore[arg-type]
    with (database.folder / "log").open("ab") as log:
        again.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=database.folder))
    until(lambda: listens(database.port), "the database", 60)
    back = found.wait_until_all_run(seconds=60)
    found.trade(3)
    print(f"MariaDB away: 0 orders meanwhile; everything runs {back:.1f} s after it is back")
    assert found.judge(300) == []
