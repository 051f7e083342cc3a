"""From a master's position to its followers' orders: latency, processor time for each follower, cost of idle ones.

    python -m benchmarks.bench_copy --followers 200 --rounds 5
    python -m benchmarks.bench_copy --followers 1 --rounds 100
    python -m benchmarks.bench_copy --followers 1 --rounds 20 --idle 10000

Starts everything by itself: Redis, an SQLite database, the simulator with its limits lifted, and one Celery worker. A
round is one change of the master's position; the clock runs from just before it is published until the venue has
taken an order, by the moment at which the order was acknowledged in `trade_logs`. Beside it stands what polling every
five seconds comes to, as the design had it: half of the interval on average, all of it at worst, before any order.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import neg
from pathlib import Path

import psutil
from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from benchmarks.yardstick import words as speed_of_the_machine
from db.models import FollowRelationship, TradeLog
from db.queries import following
from db.unit_of_work import committed, reading
from tests.platform import copying
from tests.platform.copying import FUTURES, add_master, follow, hold, keys
from tests.platform.world import World, now, until, world

POLL_SECONDS = 5.0


def main() -> None:
    wanted = arguments()
    with tempfile.TemporaryDirectory(prefix="copy") as name, prepared(Path(name), wanted) as made:
        accounts = [made.add_account(*key, exchange=FUTURES) for key in keys(wanted.followers)]
        master = add_master(made)
        for account in accounts:
            follow(made, account, master, "0.01")
        if wanted.idle:
            add_idle(made, wanted.idle, wanted.followers)
        made.start_worker("copy")
        process = psutil.Process(made.workers["copy"].process.pid)
        venue = psutil.Process(made.venue.pid)
        hold(made, master, "1", price=Decimal(60_000))
        until(lambda: done(made, 1) == wanted.followers, "every follower's first order", wanted.patience)
        settle(process)
        if wanted.idle:
            show_idle(process, wanted)
        show_rounds(made, Costs(process, venue), master, wanted)
    print("  " + speed_of_the_machine())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=int, default=0, help="further relationships whose master does nothing")
    parser.add_argument("--seconds", type=int, default=20, help="of measuring idle cost")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between changes")
    parser.add_argument("--patience", type=float, default=900.0)
    return parser.parse_args()


def prepared(folder: Path, wanted: argparse.Namespace) -> AbstractContextManager[World]:
    url = f"sqlite:///{folder / 'copy.sqlite3'}"
    return world(folder, url, *copying.options(wanted.followers), ARES_WORKER__MOST_STRATEGIES="1000000")


def add_idle(made: World, count: int, followers: int) -> None:
    """Relationships of accounts without keys, whose master never trades: rows that every look has to pass by."""
    accounts = [made.add_account() for _ in range(max(count // 20, 1))]
    masters = [add_master(made) for _ in range(20)]
    rows = [
        FollowRelationship(
            owner_id=made.user, account_id=accounts[n // 20], master_id=masters[n % 20],
            live_master_id=masters[n % 20], mode="fixed_ratio", ratio=Decimal("0.1"), desired_state="following",
            created_at=now(), updated_at=now(),
        )
        for n in range(count)
    ]  # fmt: skip
    with committed(made.database) as unit:
        for account in accounts:
            following.follower_account(unit, account, made.user, now())
        unit.session.add_all(rows)


def done(made: World, version: int) -> int:
    """How many followers have had their order of a version executed, by their record."""
    mine = select(func.count()).select_from(TradeLog).where(*_ended(version))
    with reading(made.database) as unit:  # whoever measures must not take the lock that is waited for
        return unit.session.exec(mine).one()


def records(made: World, version: int) -> Sequence[TradeLog]:
    with reading(made.database) as unit:
        return unit.session.exec(select(TradeLog).where(*_ended(version))).all()


def _ended(version: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(TradeLog.master_version) == version, col(TradeLog.acknowledged_at).is_not(None),
        col(TradeLog.status) == "success",
    )  # fmt: skip


def settle(process: psutil.Process) -> None:
    """Until what the start has left to do is done."""

    def is_quiet() -> bool:
        return process.cpu_percent(interval=2.0) < 30

    process.cpu_percent()
    until(is_quiet, "a quiet worker", 300)


def spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def show_idle(process: psutil.Process, wanted: argparse.Namespace) -> None:
    before = spent(process)
    process.cpu_percent()
    process.cpu_percent(interval=wanted.seconds)
    cost = (spent(process) - before) / wanted.seconds
    print(f"idle: {wanted.idle:,} relationships and a worker cost {cost:.1%} of a core")


@dataclass(slots=True)
class Costs:
    """Processor time of the platform and of the venue, who share a machine here and nowhere else."""

    worker: psutil.Process
    venue: psutil.Process
    #: Seconds of both until every record had ended.
    ended: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def now(self) -> list[float]:
        return [spent(self.worker), spent(self.venue)]


@dataclass(slots=True)
class Found:
    """What the rounds have shown: milliseconds from the change, of every order, by stage."""

    stages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lasts: list[float] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)

    def take(self, began: datetime, rows: Iterable[TradeLog]) -> None:
        waits = []
        for row in rows:
            named = (("planned", row.received_at), ("sent", row.sent_at), ("acknowledged", row.acknowledged_at))
            took = {name: milliseconds(began, moment) for name, moment in named if moment is not None}
            for name, waited in took.items():
                self.stages[name].append(waited)
            waits.append(took["acknowledged"])
            words = ", ".join(f"{name} after {waited:.1f} ms" for name, waited in took.items())
            self.slowest = sorted([*self.slowest, (waits[-1], words)])[-3:]
        self.lasts.append(max(waits))


def show_rounds(made: World, costs: Costs, master: int, wanted: argparse.Namespace) -> None:
    print(f"every follower is up; the worker is process {costs.worker.pid}", flush=True)
    found = Found()
    for version in range(2, wanted.rounds + 2):
        before, began = costs.now(), now()
        hold(made, master, str(1 + (version + 1) % 2), price=Decimal(60_000))
        wait_for(lambda: done(made, version) == wanted.followers, wanted.patience)  # noqa: B023
        costs.ended = [sum(three) for three in zip(costs.ended, costs.now(), map(neg, before), strict=True)]
        found.take(began, records(made, version))
        if wanted.pause:
            time.sleep(wanted.pause)
    show(found, costs, wanted)


def show(found: Found, costs: Costs, wanted: argparse.Namespace) -> None:
    print(f"{wanted.followers:,} followers, {wanted.rounds} changes of the master, all of one worker:")
    for name, waits in found.stages.items():
        waits.sort()
        print(
            f"  published -> {name}: p50 {at(waits, 50):.1f} ms, p95 {at(waits, 95):.1f} ms, p99 {at(waits, 99):.1f} ms"
        )
    print(f"  the last order of each change was acknowledged after {statistics.median(found.lasts):.0f} ms")
    worker, venue = (cost / (wanted.rounds * wanted.followers) * 1000 for cost in costs.ended)
    print(f"  processor time for each follower and change, until its record has ended: worker {worker:.2f} ms, its "
          f"signing and wire included; the simulated venue, which others would pay for, {venue:.2f} ms")  # fmt: skip
    for _, words in found.slowest:
        print(f"  one of the slowest: {words}")
    mean, longest = POLL_SECONDS * 500, POLL_SECONDS * 1000
    times = mean / at(found.stages["acknowledged"], 50)
    print(
        f"  polling every {POLL_SECONDS:g} s: {mean:.0f} ms on average and {longest:.0f} ms at worst before any order "
        f"leaves: {times:.0f} times as long"
    )


def wait_for(is_true: Callable[[], bool], seconds: float) -> None:
    """Until it is so; looks seldom, for it shares a processor with what it waits for."""
    ends = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < ends, "not every order has come"
        time.sleep(0.1)


def at(values: list[float], percent: int) -> float:
    return values[min(len(values) * percent // 100, len(values) - 1)]


def milliseconds(began: datetime, ended: datetime) -> float:
    return (ended - began).total_seconds() * 1000


if __name__ == "__main__":
    main()
