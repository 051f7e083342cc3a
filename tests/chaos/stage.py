"""Grids on many accounts of the simulated venue, traded by several workers, and a judge that knows only the tape."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text

from core.redis_names import strategy_lock
from tasks.host.placement import Member, owner_of
from tests.acceptance.checker import Views, amounts, complaints
from tests.acceptance.stored import read
from tests.acceptance.tape import OURS, Tape
from tests.platform.world import Worker, World, until, world

#: Short terms, so that a sweep of deaths need not wait; one scenario runs with the real ones.
SHORT = {
    "ARES_WORKER__LEASE_SECONDS": "5",
    "ARES_WORKER__HEARTBEAT_SECONDS": "1",
    "ARES_WORKER__MARGIN_SECONDS": "1.5",
    "ARES_WORKER__MEMBER_SECONDS": "4",
    "ARES_WORKER__STABILITY_SECONDS": "2",
    "ARES_WORKER__ORPHAN_SECONDS": "3",
    "ARES_WORKER__LATE_ORDERS_SECONDS": "3",
    "ARES_WORKER__SWEEP_SECONDS": "5",
}
#: Sweeps stay a minute apart: thirty accounts of two symbols may not ask for more weight than the venue gives.
REAL = {"ARES_WORKER__LATE_ORDERS_SECONDS": "10"}
SYMBOLS = ("BTCUSDT", "ETHUSDT")
#: Market time moves so far, so often, while somebody trades.
STEP_MS, STEP_SECONDS = 10_000, 0.25


@dataclass(slots=True)
class Stage:
    """The world with its strategies."""

    world: World
    accounts: list[int] = field(default_factory=list)
    strategies: list[int] = field(default_factory=list)
    tapes: dict[int, Tape] = field(default_factory=dict)
    moving: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def start_worker(self, name: str, app: str = "celery_app", **settings: str) -> Worker:
        """A worker whose name gives it a fair share of these few accounts; placement is by name alone."""
        alive = [Member(worker.name, 100, frozenset()) for worker in self.world.workers.values()]
        fair = max(len(self.accounts) // (len(alive) + 1), 1)
        for ending in range(1000):
            mine = Member(f"{name}-{ending}-{secrets.token_hex(2)}", 100, frozenset())
            shares = Counter(owner_of(account, (), [*alive, mine]) for account in self.accounts)
            if shares[mine.worker_id] == fair and len(shares) == len(alive) + 1:
                return self.world.start_worker(name, app, mine.worker_id, **settings)
        raise AssertionError("no name gives a fair share")

    def staff(self, count: int) -> None:
        """Have at least so many workers that each hold something, and everything running, whatever died before."""
        workers = self.world.workers
        for name in [name for name, worker in workers.items() if worker.process.poll() is not None]:
            del workers[name]
        while len(workers) < count:
            self.start_worker(f"staff-{secrets.token_hex(2)}")
        self._wait(lambda: len(self.spread()) >= count, f"strategies on {count} workers", 180)
        self.wait_until_all_run()

    def holders(self) -> dict[int, str]:
        """Strategy -> the worker that leases it; empty for nobody."""
        found = self.world.redis.mget([strategy_lock(number) for number in self.strategies])
        return {
            number: str(value or "").partition("|")[0] for number, value in zip(self.strategies, found, strict=True)
        }

    def states(self) -> dict[int, tuple[str, str]]:
        """Strategy -> worker and status, as people see them."""
        with self.world.redis.pipeline(transaction=False) as pipe:
            for number in self.strategies:
                pipe.hmget(f"strategy:running:{number}", "worker_id", "status")
            return {
                number: (str(worker or ""), str(status or ""))
                for number, (worker, status) in zip(self.strategies, pipe.execute(), strict=True)
            }

    def all_run(self, *not_on: str) -> bool:
        """Whether everything is leased by, and running on, a worker that is not among those."""
        holders = self.holders()
        if any(not holder or holder in not_on for holder in holders.values()):
            return False
        return all(state == (holders[number], "running") for number, state in self.states().items())

    def wait_until_all_run(self, *not_on: str, seconds: float = 180.0) -> float:
        """Until everything runs; gives the seconds it took."""
        return self._wait(lambda: self.all_run(*not_on), "every strategy running", seconds)

    def wait_until_owned(self, *not_on: str, seconds: float = 180.0) -> float:
        """Until others hold every lease; gives the seconds it took."""
        return self._wait(
            lambda: all(one and one not in not_on for one in self.holders().values()), "new owners", seconds
        )

    def _wait(self, is_so: Callable[[], bool], what: str, seconds: float) -> float:
        """Until it is so; what did not come is told with who lived, who held what, and the ends of the logs."""
        try:
            return until(is_so, what, seconds)
        except AssertionError as error:
            lives = {one.name: one.process.poll() for one in self.world.workers.values()}
            logs = "\n".join(f"--- {one.name}\n{one.log[-2500:]}" for one in self.world.workers.values())
            raise AssertionError(f"{error}: exits {lives}, holders {self.holders()}, {self.states()}\n{logs}") from None

    def spread(self) -> set[str]:
        """Workers that hold something."""
        return set(self.holders().values()) - {""}

    def trade(self, seconds: float) -> None:
        """Let the market move for a while, of real time."""
        self.moving.set()
        time.sleep(seconds)
        self.moving.clear()

    def judge(self, seconds: float = 180.0) -> list[str]:
        """What is wrong once nothing moves any more: books against the tape, and owners in their order."""
        self.moving.clear()
        deadline = time.monotonic() + seconds
        while True:
            found = [*self._complaints(), *self._overlaps()]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.5)

    def _complaints(self) -> Iterator[str]:
        lines = self.world.venue.tape()
        symbols = {each["symbol"]: each["last_price"] for each in self._view("symbols") if each["market"] == "spot"}
        for place, account in enumerate(self.accounts, 1):
            tape = Tape("spot", place)
            tape.take(lines)
            self.tapes[account] = tape
            resting = self._view(f"orders?market=spot&account={place}")
            views = Views(
                amounts(self._view(f"accounts/{place}")["spot"]),
                frozenset(order["client_order_id"] for order in resting), {}, amounts(symbols),
            )  # fmt: skip
            stored = read(self.world.database, account)
            for one in complaints(stored, tape, views):
                yield f"account {account}: {one}"

    def _overlaps(self) -> Iterator[str]:
        """An order of an older epoch that the venue took after one of a newer epoch."""
        with self.world.database.connect() as connection:
            rows = connection.execute(text("SELECT client_order_id, strategy_instance_id, epoch FROM orders")).all()
        epochs = {client: (instance, epoch) for client, instance, epoch in rows}
        newest: dict[int, int] = defaultdict(int)
        for line in self.world.venue.tape("order"):
            client = line.get("original_client") or line["client"]
            if line["execution"] != "NEW" or client not in epochs:
                continue
            instance, epoch = epochs[client]
            if epoch < newest[instance]:
                yield f"order {client} of epoch {epoch} was accepted after one of epoch {newest[instance]}"
            newest[instance] = max(newest[instance], epoch)

    def orders(self) -> int:
        """Orders of ours that the venue took."""
        return sum(
            line["execution"] == "NEW" and str(line["client"]).startswith(OURS)
            for line in self.world.venue.tape("order")
        )  # fmt: skip

    def fills(self) -> int:
        """Executions that are booked."""
        with self.world.database.connect() as connection:
            return int(connection.execute(text("SELECT COUNT(*) FROM fills")).scalar_one())

    def _view(self, path: str) -> Any:
        return self.world.venue.get(path)

    def _drive(self) -> None:
        while not self.ended.wait(STEP_SECONDS):
            if self.moving.is_set():
                self.world.venue.post("advance", {"ms": STEP_MS})


@contextmanager
def stage(
    folder: Path, database_url: str, *, accounts: int, grids: int, workers: int, settings: dict[str, str] | None = None,
    app: str = "celery_app",
) -> Iterator[Stage]:  # fmt: skip
    """So many accounts with so many grids each, all running on so many workers."""
    keys = [(f"key-{n}-of-chaos", f"secret-{n}-of-chaos") for n in range(accounts)]
    options = ["--market", "generated:7", "--symbols", ",".join(SYMBOLS), "--speed", "0", "--lift-limits"]
    # As at a real venue, trades carry the time of the clock that workers have: what they missed is looked for by it.
    options += ["--start", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00Z}"]
    for key, secret in keys:
        options += ["--account", f"{key}:{secret}:USDT=10000000,BTC=50,ETH=500"]
    with world(folder, database_url, *options, **(settings if settings is not None else SHORT)) as made:
        found = Stage(made)
        made.venue.post("advance", {"ms": 60_000})
        prices = {each["symbol"]: Decimal(each["last_price"]) for each in made.venue.get("symbols")}
        for key, secret in keys:
            account = made.add_account(key, secret)
            found.accounts.append(account)
            for place in range(grids):
                found.strategies.append(_add_grid(made, account, SYMBOLS[place % 2], prices, place))
        driver = threading.Thread(target=found._drive, daemon=True)
        driver.start()
        try:
            for place in range(workers):
                found.start_worker(f"w{place}", app)
            if workers:
                found.wait_until_all_run()
            yield found
        finally:
            found.ended.set()
            driver.join()


def _add_grid(made: World, account: int, symbol: str, prices: dict[str, Decimal], place: int) -> int:
    middle, width = prices[symbol], Decimal(4 + place % 3)
    parameters = {
        "lower_price": str(round(middle * (100 - width) / 100, 2)),
        "upper_price": str(round(middle * (100 + width) / 100, 2)),
        "levels": 12,
        "total_investment": "2000",
    }
    return made.add_strategy(
        account, symbol, parameters=parameters, limits={"capital": {"USDT": "2500"}, "max_price_age_seconds": 3600}
    )  # fmt: skip


def worker_of(found: Stage) -> str:
    """The process name of a worker that holds something."""
    held = found.holders()
    return next(name for name, worker in found.world.workers.items() if worker.name in held.values())


def kill(found: Stage, name: str) -> str:
    """End a worker as a power cut would; gives its id."""
    worker = found.world.workers.pop(name)
    worker.signal(signal.SIGKILL)
    worker.process.wait()
    return worker.name
