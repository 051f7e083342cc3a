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
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import psutil
from sqlmodel import col, select

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
        hold(made, master, "1", price=Decimal(60_000))
        until(lambda: done(made, 1) == wanted.followers, "every follower's first order", wanted.patience)
        settle(process)
        if wanted.idle:
            show_idle(process, wanted)
        show_rounds(made, process, master, wanted)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=int, default=0, help="further relationships whose master does nothing")
    parser.add_argument("--seconds", type=int, default=20, help="of measuring idle cost")
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
    """How many followers have had their order of a version acknowledged."""
    return len(records(made, version))


def records(made: World, version: int) -> Sequence[TradeLog]:
    mine = select(TradeLog).where(
        col(TradeLog.master_version) == version, col(TradeLog.acknowledged_at).is_not(None),
        col(TradeLog.status) == "success",
    )  # fmt: skip
    with reading(made.database) as unit:  # whoever measures must not take the lock that is waited for
        return unit.session.exec(mine).all()


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


def show_rounds(made: World, process: psutil.Process, master: int, wanted: argparse.Namespace) -> None:
    every: list[float] = []
    lasts: list[float] = []
    slowest: list[tuple[float, datetime, TradeLog]] = []
    cost = 0.0
    for version in range(2, wanted.rounds + 2):
        before, began = spent(process), now()
        hold(made, master, str(1 + (version + 1) % 2), price=Decimal(60_000))
        until(lambda: done(made, version) == wanted.followers, "every order", wanted.patience)  # noqa: B023
        cost += spent(process) - before
        timed = [
            (milliseconds(began, row.acknowledged_at), began, row) for row in records(made, version)
            if row.acknowledged_at
        ]  # fmt: skip
        waits = [took for took, _, _ in timed]
        slowest = sorted([*slowest, *timed], key=lambda one: one[0])[-3:]
        every += waits
        lasts.append(max(waits))
    every.sort()
    print(f"{wanted.followers:,} followers, {wanted.rounds} changes of the master, all of one worker:")
    print(f"  published -> acknowledged: p50 {every[len(every) // 2]:.1f} ms, p95 {at(every, 95):.1f} ms, "
          f"p99 {at(every, 99):.1f} ms; the last of each change {statistics.median(lasts):.0f} ms")  # fmt: skip
    each = cost / (wanted.rounds * wanted.followers) * 1000
    print(f"  the worker's processor time: {each:.2f} ms for each follower and change, its signing and wire included")
    for took, began, row in slowest:
        print(f"  one of the slowest, {took:.1f} ms: {stages(began, row)}")
    mean, longest = POLL_SECONDS * 500, POLL_SECONDS * 1000
    times = mean / every[len(every) // 2]
    print(
        f"  polling every {POLL_SECONDS:g} s: {mean:.0f} ms on average and {longest:.0f} ms at worst before any order"
    )
    print(f"  order leaves: {times:.0f} times as long")


def stages(began: datetime, row: TradeLog) -> str:
    """How long after the change a record was made, and its order sent and acknowledged."""
    named = (("planned", row.received_at), ("sent", row.sent_at), ("acknowledged", row.acknowledged_at))
    return ", ".join(f"{name} after {milliseconds(began, moment):.1f} ms" for name, moment in named if moment)


def at(values: list[float], percent: int) -> float:
    return values[min(len(values) * percent // 100, len(values) - 1)]


def milliseconds(began: datetime, ended: datetime) -> float:
    return (ended - began).total_seconds() * 1000


if __name__ == "__main__":
    main()
