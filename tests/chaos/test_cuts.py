"""The wires between workers and their servers are cut while grids trade; messages come twice, late or from nobody."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.chaos.cable import Cable, cable
from tests.chaos.stage import SHORT, Stage, stage
from tests.platform.world import until
from tests.services import Service, create_schema
from tests.simulator_process import ROOT

pytestmark = [pytest.mark.services, pytest.mark.acceptance, pytest.mark.timeout(1_800)]
#: Longer than a lease lives under these terms, and than anybody waits for an answer.
CUT_SECONDS = 9.0
LEASE_SECONDS = float(SHORT["ARES_WORKER__LEASE_SECONDS"])


@dataclass
class Wired:
    """The stage, and the wires of its workers to Redis and to the database."""

    stage: Stage
    redis: Cable
    database: Cable


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory, mariadb_service: Service) -> Iterator[Wired]:
    url = create_schema(mariadb_service, "ares_cuts")
    folder = tmp_path_factory.mktemp("cuts")
    with (
        cable(mariadb_service.port) as database,
        stage(folder, url, accounts=6, grids=2, workers=0) as found,
        cable(found.world.redis_service.port) as redis,
    ):
        found.world.settings |= {
            "ARES_DATABASE__URL": url.replace(f":{mariadb_service.port}/", f":{database.port}/"),
            "ARES_REDIS__URL": f"redis://127.0.0.1:{redis.port}/0",
        }
        assert found.world.settings["ARES_DATABASE__URL"] != url
        found.staff(2)
        found.trade(3)
        yield Wired(found, redis, database)


def orders_while_cut(found: Stage, wire: Cable, until_silent: float) -> int:
    """Orders that the venue took while the wire was cut, once so many seconds of it were over."""
    found.moving.set()
    wire.cut()
    try:
        time.sleep(until_silent)
        before = found.orders()
        time.sleep(CUT_SECONDS - until_silent)
        return found.orders() - before
    finally:
        wire.mend()


def test_workers_cut_off_from_redis_send_nothing_once_their_leases_are_over(wired: Wired) -> None:
    found = wired.stage
    found.staff(2)
    assert orders_while_cut(found, wired.redis, LEASE_SECONDS) == 0
    found.staff(2)
    found.trade(3)
    assert found.judge() == []


def test_workers_cut_off_from_the_database_send_nothing(wired: Wired) -> None:
    found = wired.stage
    found.staff(2)
    assert orders_while_cut(found, wired.database, 3.0) == 0
    found.staff(2)
    found.trade(3)
    assert found.judge() == []


def test_one_worker_cut_off_from_redis_is_replaced_and_does_no_harm_when_the_wire_is_mended(wired: Wired) -> None:
    found = wired.stage
    found.staff(2)
    with cable(found.world.redis_service.port) as wire:
        worker = found.start_worker("lonely", ARES_REDIS__URL=f"redis://127.0.0.1:{wire.port}/0")
        until(lambda: worker.name in found.spread(), "a share for the lonely worker", 180)
        found.wait_until_all_run()
        found.moving.set()
        wire.cut()
        try:
            found.wait_until_owned(worker.name)
            found.wait_until_all_run(worker.name)
        finally:
            wire.mend()
        found.trade(3)
        assert found.judge() == []
        worker.end()
        del found.world.workers["lonely"]


def test_messages_that_come_twice_late_or_from_nobody_change_nothing_that_rows_do_not_say(wired: Wired) -> None:
    found = wired.stage
    found.staff(2)
    before = {number: found.world.epoch(number) for number in found.strategies}
    script = (
        "import random, sys\nfrom celery_app import app\n"
        "sent = [(name, int(number)) for number in sys.argv[1:] for name in ('strategy.stop', 'strategy.start') * 3]\n"
        "random.Random(7).shuffle(sent)\n"
        "for name, number in sent:\n    app.send_task(name, args=[number], queue='engine')\n"
    )
    command = [sys.executable, "-c", script, *map(str, found.strategies)]
    subprocess.run(command, cwd=ROOT, env=found.world.environment(), check=True, capture_output=True)
    until(lambda: found.world.redis.llen("q:engine") == 0, "every message taken", 180)
    found.trade(3)
    found.wait_until_all_run()
    assert {number: found.world.epoch(number) for number in found.strategies} == before
    assert found.judge() == []
