"""How many intents a second the journal commits, and how long one waits; beside it one transaction per intent.

    python -m benchmarks.bench_journal --database sqlite|mariadb --seconds 10 --rate 2000

Many instances journal one intent after another, together at the given rate: each is a step with an intent, the end of
the slot's last order, and a state of 20 grid levels, fenced by epoch. Arrivals are evenly random (seed 1); latency
counts from when a step was due, so that a journal which falls behind shows it. Threads take turns every half
millisecond instead of Python's five, as a process that trades should let them: the writer comes back from the
database many times a batch, and each time would wait for the event loop's turn to end. Nothing is asserted: read the
table.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.base_journal import BaseJournal, Step, StoredState
from core.clock import SystemTime
from db.journal import GroupCommitJournal
from domain.client_order_id import OrderKey, encode
from domain.order import BUY, CANCELLED, LIMIT, Order
from domain.slots import HEADER
from tests.journal_database import address, prepare
from tests.services import create_schema, mariadb_server

LEVELS = 20


class Robot:
    """One instance that places and cancels, slot by slot."""

    def __init__(self, instance: int) -> None:
        self.instance = instance
        self._count = 0
        self._last: dict[int, Order] = {}
        # As a grid's: cycle, what it holds and paid, its wish, its two prices and its size, for every level.
        level = [3, 100_000, 60_000_000, 0, 1, -1, 0, 6_010_000, 100, 6_000_000, 6_010_000, 100]
        self._state = StoredState([1] * HEADER + level * LEVELS, [])

    def next_step(self) -> Step:
        slot, cycle = self._count % LEVELS, self._count // LEVELS
        self._count += 1
        key = OrderKey(1, self.instance, 0, slot, cycle, 0, 0)
        order = Order(key, encode(key), "BTCUSDT", BUY, LIMIT, 6_000_000 + slot, 100)
        last = self._last.get(slot)
        ended = [] if last is None else [last._replace(status=CANCELLED, updated_ms=1_767_225_600_000)]
        self._last[slot] = order
        return Step(self.instance, 1, [order], [1], [], ended, [], [], self._state)


async def measure(journal: BaseJournal, instances: int, seconds: float, rate: int) -> tuple[list[float], float]:
    """Latencies in ms, and the seconds from the first step due to the last one done."""
    for instance in range(1, instances + 1):
        await journal.raise_epoch(instance, "bench")
    latencies: list[float] = []
    start = time.perf_counter() + 0.1

    async def run(robot: Robot, chance: random.Random) -> None:
        due = start + chance.random() * instances / rate
        while due < start + seconds:
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            await journal.commit(robot.next_step())
            latencies.append((time.perf_counter() - due) * 1000)
            due += instances / rate
            if time.perf_counter() > start + seconds:
                return

    chance = random.Random(1)
    await asyncio.gather(*(run(Robot(n), random.Random(chance.random())) for n in range(1, instances + 1)))
    return latencies, time.perf_counter() - start


async def one_run(url: str, instances: int, seconds: float, rate: int, batch: int) -> tuple[list[float], float, float]:
    engine = prepare(url, dict.fromkeys(range(1, instances + 1), 1))
    journal = GroupCommitJournal(address(engine), SystemTime(), batch)
    try:
        latencies, took = await measure(journal, instances, seconds, rate)
        batches, written = journal.counts()
    finally:
        await journal.close()
        engine.dispose()
    return latencies, took, (written - instances) / max(batches - instances, 1)


@contextmanager
def database(kind: str) -> Iterator[tuple[str, str]]:
    """An empty database and what it is."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/bench.sqlite3", f"SQLite {sqlite3.sqlite_version}"
            return
        with mariadb_server(Path(folder)) as service:
            yield create_schema(service, "bench"), "MariaDB, one fsync per commit"


def report(name: str, latencies: list[float], took: float, batch: float) -> None:
    ordered = sorted(latencies)
    p50, p99 = (ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.99))
    print(f"| {name} | {len(ordered) / took:,.0f} | {p50:.1f} | {p99:.1f} | {ordered[-1]:.1f} | {batch:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--turn-ms", type=float, default=0.5, help="how long a thread may keep the interpreter")
    options = parser.parse_args()
    sys.setswitchinterval(options.turn_ms / 1000)
    with database(options.database) as (url, words):
        print(f"{words}; Python {sys.version.split()[0]}; {platform.processor() or platform.machine()}")
        print(f"{options.rate:,} steps/s offered by {options.instances:,} instances for {options.seconds:g} s\n")
        print("| writer | intents/s | p50 ms | p99 ms | worst ms | steps per commit |\n|---|---|---|---|---|---|")
        for name, batch in (("group commit", options.batch), ("one transaction per intent", 1)):
            run = one_run(url, options.instances, options.seconds, options.rate, batch)
            report(name, *asyncio.run(run))


if __name__ == "__main__":
    main()
