"""What a worker needs runs out while its grids trade: Redis writes nothing, memory, file descriptors, quiet queues."""

from __future__ import annotations

import base64
import json
import os
import resource
import secrets
import time
from collections.abc import Iterator

import pytest
from redis import ResponseError

from tests.chaos.stage import SHORT, Stage, stage, worker_of
from tests.platform.growing_app import GROWTH, MEGABYTES
from tests.platform.world import until
from tests.services import Service, create_schema

pytestmark = [pytest.mark.services, pytest.mark.acceptance, pytest.mark.timeout(1_800)]
LEASE_SECONDS = float(SHORT["ARES_WORKER__LEASE_SECONDS"])
STALE = int(os.environ.get("ARES_STALE_MESSAGES", "100000"))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, mariadb_service: Service) -> Iterator[Stage]:
    url = create_schema(mariadb_service, "ares_shortages")
    with stage(tmp_path_factory.mktemp("shortages"), url, accounts=4, grids=2, workers=1) as made:
        made.trade(3)
        yield made


def test_a_worker_does_not_start_on_a_redis_that_may_drop_leases(found: Stage) -> None:
    redis = found.world.redis
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(AssertionError, match="set maxmemory-policy to noeviction"):
            found.world.start_worker("hopeful")
    finally:
        redis.config_set("maxmemory-policy", "noeviction")
    del found.world.workers["hopeful"]


@pytest.mark.parametrize("why", ["cannot save", "full"])
def test_grids_on_a_redis_that_refuses_to_write_do_no_harm_and_go_on_afterwards(found: Stage, why: str) -> None:
    found.staff(1)
    redis, folder = found.world.redis, found.world.redis_service.folder
    found.moving.set()
    if why == "full":
        redis.config_set("maxmemory", "1")
    else:
        redis.config_set("stop-writes-on-bgsave-error", "yes")
        (folder / "dump.rdb").mkdir()
        redis.config_set("save", "3600 1")
        redis.bgsave()
        until(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err", "the failed save")
    try:
        with pytest.raises(ResponseError):
            redis.set("any", "value")
        time.sleep(LEASE_SECONDS + 1)
        before = found.orders()
        time.sleep(3)
        if why == "cannot save":  # a full server renews leases, for that takes no room
            assert found.orders() == before, "orders were sent under leases that had run out"
    finally:
        redis.config_set("maxmemory", "0")
        redis.config_set("stop-writes-on-bgsave-error", "no")
        redis.config_set("save", "")
    found.wait_until_all_run()
    found.trade(3)
    assert found.judge() == []


def test_a_worker_that_grows_beyond_its_memory_hands_over_and_ends(found: Stage) -> None:
    found.staff(1)
    grow = found.world.folder / f"grow-{secrets.token_hex(4)}"
    most = {"ARES_WORKER__MOST_MEMORY_MB": str(MEGABYTES + 100), "ARES_WORKER__MEMORY_REST_SECONDS": "0"}
    worker = found.start_worker("growing", "tests.platform.growing_app", **most, **{GROWTH: str(grow)})
    until(lambda: worker.name in found.spread(), "a share for the growing worker", 180)
    found.wait_until_all_run()
    found.moving.clear()
    resting = {str(order["client_order_id"]) for order in found.world.venue.get("orders?market=spot")}
    assert worker.process.poll() is None, worker.log[-3000:]
    grow.touch()
    until(lambda: worker.process.poll() is not None, "the end of the worker", 180)
    assert worker.process.returncode == 0, worker.log[-3000:]
    assert "memory_bound_reached" in worker.log
    assert "drained" in worker.log
    found.wait_until_all_run(worker.name)
    assert resting <= {str(order["client_order_id"]) for order in found.world.venue.get("orders?market=spot")}
    found.trade(3)
    assert found.judge() == []


def test_grids_of_a_worker_without_a_free_file_descriptor_do_no_harm_and_go_on(found: Stage) -> None:
    found.staff(1)
    worker = found.world.workers[worker_of(found)]
    whole = resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE)
    found.moving.set()
    resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, (3, whole[1]))
    try:
        found.world.redis.client_kill_filter(_type="normal", skipme=True)  # what is lost cannot be opened again
        time.sleep(LEASE_SECONDS + 3)
        before = found.orders()
        time.sleep(3)
        assert found.orders() == before, "orders were sent under leases that could not be renewed"
    finally:
        if worker.process.poll() is None:
            resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, whole)
    found.staff(1)
    found.trade(3)
    assert found.judge() == []


def test_a_hundred_thousand_stale_messages_change_nothing(found: Stage) -> None:
    found.staff(1)
    redis, epochs = found.world.redis, {number: found.world.epoch(number) for number in found.strategies}
    for first in range(0, STALE, 1_000):
        with redis.pipeline(transaction=False) as pipe:
            for place in range(1_000):
                number = found.strategies[(first + place) % len(found.strategies)]
                pipe.lpush("q:engine", message(("strategy.stop", "strategy.start")[place % 2], number))
            pipe.execute()
    found.trade(5)
    until(lambda: redis.llen("q:engine") == 0, "every message taken", 1_200)
    found.wait_until_all_run()
    assert {number: found.world.epoch(number) for number in found.strategies} == epochs
    assert found.judge() == []


def message(task: str, number: int) -> str:
    """As Celery writes it into its queue."""
    body, tag = base64.b64encode(json.dumps([[number], {}, {}]).encode()).decode(), secrets.token_hex(8)
    info = {"exchange": "", "routing_key": "engine"}
    return json.dumps(
        {
            "body": body, "content-encoding": "utf-8", "content-type": "application/json",
            "headers": {"lang": "py", "task": task, "id": tag, "root_id": tag, "argsrepr": "", "kwargsrepr": ""},
            "properties": {
                "body_encoding": "base64", "correlation_id": tag, "priority": 0, "delivery_tag": tag,
                "delivery_info": info,
            },
        }
    )  # fmt: skip
