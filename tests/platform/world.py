"""A whole platform of processes: Redis, a database, the simulated venue, and Celery workers that trade on it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import redis
from pydantic import SecretStr
from sqlalchemy import Engine

from core.redis_names import DOORBELL, strategy_running
from core.secrets import EncryptionKey, Place, Sealer
from db.database import open_database
from db.migrate import upgrade
from db.models import Account, Command, StrategyInstance, User
from db.queries import accounts, commands, fleet, instances
from db.queries.accounts import Ciphertext
from db.unit_of_work import UnitOfWork, committed
from tests.services import Service, redis_server
from tests.simulator_process import ROOT, SimulatorProcess, simulator_process

T = TypeVar("T")
ENCRYPTION_KEY = secrets.token_hex(32)
GRID = {"lower_price": "30000", "upper_price": "120000", "levels": 20, "total_investment": "1000"}
STATE_OF = {
    "start": "running", "resume": "running", "pause": "paused", "stop": "stopped", "flatten": "flat",
}  # fmt: skip


@dataclass(slots=True)
class Worker:
    """A Celery worker that hosts strategies."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def end(self, seconds: float = 180.0) -> int:
        """Ask it to end, and wait."""
        self.process.terminate()
        return self.process.wait(seconds)


@dataclass(slots=True)
class World:
    """Addresses of everything, and what a person can do."""

    folder: Path
    database: Engine
    database_url: str
    redis_service: Service
    venue: SimulatorProcess
    workers: dict[str, Worker] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    user: int = 0

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.redis_service.port}/0"

    @property
    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, decode_responses=True)

    def environment(self) -> dict[str, str]:
        """What a process of the platform is told."""
        return {
            **os.environ,
            "ARES_DATABASE__URL": self.database_url,
            "ARES_REDIS__URL": self.redis_url,
            "ARES_SECURITY__ENCRYPTION_KEY": ENCRYPTION_KEY,
            "ARES_VENUES__BINANCE_SPOT__REST_URL": self.venue.rest,
            "ARES_VENUES__BINANCE_SPOT__STREAM_URL": self.venue.stream,
            "ARES_VENUES__BINANCE_FUTURES__REST_URL": self.venue.rest,
            "ARES_VENUES__BINANCE_FUTURES__STREAM_URL": self.venue.stream,
            "ARES_HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    def start_worker(self, name: str = "one", app: str = "celery_app", worker_id: str = "", **settings: str) -> Worker:
        """A worker process; ready when it is a member."""
        log_path = self.folder / f"worker-{name}-{secrets.token_hex(2)}.log"
        command = [sys.executable, "-m", "celery", "-A", app, "worker", "-P", "threads", "-c", "4", "-Q", "engine"]
        command += ["-n", f"{name}@ares", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
        # A worker that is started again under its old name is another worker: the name gets a new ending.
        worker_id = worker_id or f"{name}-{secrets.token_hex(3)}"
        environment = self.environment() | {"ARES_WORKER__ID": worker_id} | settings
        with log_path.open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        worker = self.workers[name] = Worker(worker_id, process, log_path)
        until(
            lambda: process.poll() is not None or self.redis.zscore("workers:active", worker_id) is not None,
            f"membership of {name}", 180,
        )  # fmt: skip
        assert process.poll() is None, worker.log[-4000:]
        return worker

    def do(self, work: Callable[[UnitOfWork], T]) -> T:
        """A unit of work on the database."""
        with committed(self.database) as unit:
            return work(unit)

    def add_account(self, key: str = "", secret: str = "", exchange: str = "binance_spot", **settings: Any) -> int:
        """A paper account, or with a key one at the simulated venue."""
        name = f"account {secrets.token_hex(4)}"
        is_paper = not key
        wanted = {"venue": "binance_spot", "balances": {"USDT": "1000000"}, "fill_model": "touch"} if is_paper else {}
        row = Account(
            owner_id=self.user, name=name, exchange="paper" if is_paper else exchange, paper=is_paper,
            settings=json.dumps(wanted | settings), created_at=now(), updated_at=now(),
        )  # fmt: skip

        def work(unit: UnitOfWork) -> int:
            account = accounts.add(unit, row)
            assert account.id is not None
            if key:
                sealer = Sealer(EncryptionKey(SecretStr(ENCRYPTION_KEY)))
                sealed = [
                    sealer.seal(SecretStr(text), Place("accounts", account.id, column, self.user))
                    for column, text in (("api_key", key), ("api_secret", secret))
                ]
                accounts.set_credentials(
                    unit, account.id, self.user, Ciphertext(sealed[0], sealed[1], None, sealer.key_id), now()
                )
            return account.id

        return self.do(work)

    def add_strategy(self, account: int, symbol: str = "BTCUSDT", kind: str = "grid", **changes: Any) -> int:
        """A strategy that is wished running; `parameters` and `limits` are objects."""
        parameters = changes.pop("parameters", GRID)
        limits = changes.pop("limits", {"capital": {"USDT": "1000"}})
        fields = {
            "name": f"strategy {secrets.token_hex(4)}", "strategy_type": kind, "symbol": symbol, "kline_interval": "1m",
            "desired_state": "running", "paper": True, **changes,
        }  # fmt: skip

        def work(unit: UnitOfWork) -> int:
            made = instances.add(
                unit,
                StrategyInstance(
                    owner_id=self.user, account_id=account, parameters=json.dumps(parameters),
                    limits=json.dumps(limits), created_at=now(), updated_at=now(), **fields,
                ),
            )  # fmt: skip
            assert made.id is not None
            return made.id

        return self.do(work)

    def command(self, instance: int, kind: str, *, ring: bool = True, seconds: float = 600.0, **edits: Any) -> int:
        """Ask for something as the API does: the command, the wish and a ring."""

        def work(unit: UnitOfWork) -> int:
            given = commands.give(
                unit,
                Command(
                    strategy_instance_id=instance, owner_id=self.user, request_key=secrets.token_hex(8), kind=kind,
                    created_at=now(), expires_at=now() + timedelta(seconds=seconds),
                ),
            )  # fmt: skip
            if kind in STATE_OF:
                instances.wish(unit, instance, self.user, STATE_OF[kind], now())
            if kind == "edit":
                row = instances.get(unit, instance, self.user)
                instances.edit(unit, instance, self.user, row.revision, edits["changes"], now())
            assert given.id is not None
            return given.id

        number = self.do(work)
        if ring:
            self.redis.publish(DOORBELL, str(instance))
        return number

    def outcome(self, command: int) -> tuple[str | None, str]:
        """What became of a command."""
        row = self.do(lambda unit: unit.session.get(Command, command))
        assert row is not None
        return row.outcome, row.detail

    def finished(self, command: int, seconds: float = 180.0) -> tuple[str | None, str]:
        """What became of a command, once something has."""
        until(lambda: self.outcome(command)[0] is not None, f"outcome of command {command}", seconds)
        return self.outcome(command)

    def status(self, instance: int) -> dict[str, str]:
        """The live status of a strategy; empty when nobody runs it."""
        found: dict[str, str] = self.redis.hgetall(strategy_running(instance))  # type: ignore[assignment]
        return found

    def wait_for_status(self, instance: int, status: str, seconds: float = 180.0) -> dict[str, str]:
        """The live status, once it is this one."""
        try:
            until(lambda: self.status(instance).get("status") == status, f"status {status} of {instance}", seconds)
        except AssertionError as error:
            logs = "\n".join(worker.log[-3000:] for worker in self.workers.values())
            raise AssertionError(f"{error}: {self.status(instance)}\n{logs}") from None
        return self.status(instance)

    def parameters(self, instance: int) -> dict[str, Any]:
        """The parameters as the row has them."""
        row = self.do(lambda unit: unit.session.get(StrategyInstance, instance))
        assert row is not None
        found: dict[str, Any] = json.loads(row.parameters)
        return found

    def epoch(self, instance: int) -> int:
        """The newest fencing epoch."""
        return self.do(lambda unit: fleet.epochs(unit, [instance]))[instance]


@contextmanager
def world(folder: Path, database_url: str, *simulator_options: str, **settings: str) -> Iterator[World]:
    """Everything but workers, which are started one by one and ended with it."""
    engine = open_database(database_url)
    upgrade(engine)
    with ExitStack() as stack:
        for name in ("redis", "venue"):
            (folder / name).mkdir()
        server = stack.enter_context(redis_server(folder / "redis"))
        options = simulator_options or ("--market", "generated:7", "--symbols", "BTCUSDT,ETHUSDT", "--speed", "60")
        venue = stack.enter_context(simulator_process(folder / "venue", *options))
        made = World(folder, engine, database_url, server, venue, settings=settings)
        with committed(engine) as unit:
            user = accounts.add_user(unit, User(login="local", role="admin", created_at=now()))
            made.user = user.id or 0
        try:
            yield made
        finally:
            for worker in made.workers.values():
                worker.process.send_signal(signal.SIGCONT)
                worker.process.terminate()
            for worker in made.workers.values():
                try:
                    worker.process.wait(15)
                except subprocess.TimeoutExpired:
                    worker.process.kill()
                    worker.process.wait()
            engine.dispose()


def until(is_true: Callable[[], Any], what: str, seconds: float = 180.0) -> float:
    """Wait until it is so; gives the seconds it took."""
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - began


def now() -> datetime:
    return datetime.now(UTC)
