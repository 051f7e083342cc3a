"""Compute workers as they run in production: real Celery processes on a real Redis share one sweep, and one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
import redis
from sqlalchemy import Engine
from sqlmodel import col, select

from api.doorbell import open_broker
from core.redis_names import EVENTS
from core.task_names import COMPUTE_RUN, QUEUE_COMPUTE
from db.models import RunChunk
from db.queries import runs
from db.unit_of_work import reading
from engine.backtest.optimiser import conclude, search_of, work
from tests import journal_database
from tests.contract.journal_contract import ACCOUNTS
from tests.markets import trending
from tests.optimising import find
from tests.platform.world import until
from tests.runs import ask, crosses, look, share
from tests.simulator_process import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow]


class Computers:
    """Compute workers and what they work on."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.engine: Engine = journal_database.prepare(f"sqlite:///{folder / 'ares.sqlite3'}", ACCOUNTS)
        self.redis_url = redis_url
        self.folder = folder
        self.broker = open_broker(redis_url, 5.0)
        self.environment = {
            **os.environ, "ARES_DATABASE__URL": journal_database.address(self.engine), "ARES_REDIS__URL": redis_url,
            "ARES_HOME": str(folder), "ARES_WORKER__CLAIM_SECONDS": "6",
        }  # fmt: skip

    @contextmanager
    def worker(self, name: str) -> Iterator[psutil.Process]:
        """A worker with one process that computes; it is there when it answers."""
        command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-P", "prefork", "-c", "1"]
        command += ["-Q", QUEUE_COMPUTE, "-n", f"{name}@ares", "--loglevel", "INFO"]
        log_path = self.folder / f"{name}.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        try:
            until(lambda: b"ready." in log_path.read_bytes() or process.poll() is not None, f"start of {name}", 180)
            assert process.poll() is None, log_path.read_text()
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(180)

    def send(self, number: int) -> None:
        self.broker.send_task(COMPUTE_RUN, args=[number], queue=QUEUE_COMPUTE, ignore_result=True)

    def chunks(self, number: int) -> list[RunChunk]:
        with reading(self.engine) as unit:
            return list(unit.session.exec(select(RunChunk).where(col(RunChunk.run_id) == number)))


@pytest.fixture
def computers(tmp_path: Path, redis_url: str) -> Iterator[Computers]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    made = Computers(tmp_path, redis_url)
    yield made
    made.engine.dispose()


def hosts(chunks: list[RunChunk], is_it: Callable[[RunChunk], bool]) -> set[str]:
    """The processes that hold or have done chunks: their numbers stand in the names."""
    return {chunk.worker.split("-")[-2] for chunk in chunks if chunk.worker and is_it(chunk)}


def freeze(worker: psutil.Process) -> list[psutil.Process]:
    """The worker and its children stand still."""
    family = [*worker.children(recursive=True), worker]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    return family


def test_two_workers_share_a_sweep_and_when_one_is_killed_its_end_is_the_same(computers: Computers) -> None:
    history = trending(9, 600)
    job = crosses(space={"fast": "2:20:2", "slow": "22:80:6", "size": "0.1"})
    with ExitStack() as stack:
        one, two = (stack.enter_context(computers.worker(name)) for name in ("one", "two"))
        number = ask(computers.engine, 1, share(computers.engine, history), job)
        computers.send(number)
        children = {str(child.pid): worker for worker in (one, two) for child in worker.children(recursive=True)}

        def have_done_something() -> set[psutil.Process]:
            done = hosts(computers.chunks(number), lambda chunk: chunk.result is not None)
            return {children[pid] for pid in done if pid in children}

        until(have_done_something, "a part of the sweep")
        # However much quicker it is than the other one, it does not do all of it.
        family = freeze(next(iter(have_done_something())))
        until(lambda: len(have_done_something()) == 2, "a part of it by the other one")
        for process in family:
            process.kill()
        until(lambda: look(computers.engine, number).state not in runs.OPEN, "end of the sweep", 300)
    row = look(computers.engine, number)
    assert row.state == runs.DONE, row.error
    search = search_of(job, find("ma_cross"), history)
    expected: Any = orjson.loads(orjson.dumps(conclude(search, work(search, find, processes=1)).as_dict()))
    found = orjson.loads(row.result or "")
    with reading(computers.engine) as unit:
        table = zlib.decompress(runs.file(unit, number, "trials.csv")).decode()
    assert table.count("\n") == 1 + 100
    assert found == expected
    with redis.Redis.from_url(computers.redis_url, decode_responses=True) as client:
        told = [orjson.loads(fields["data"]) for _, fields in client.xrange(EVENTS) if fields["topic"] == "run"]
    assert told[-1] == {"id": number, "kind": "optimisation", "state": "done", "done": 100, "total": 100, "error": ""}
    assert any(0 < one["done"] < 100 for one in told)
