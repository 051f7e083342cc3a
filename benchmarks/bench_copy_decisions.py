"""What copying itself costs: from a master's version to targets that are kept and handed over, without any order.

    python -m benchmarks.bench_copy_decisions --followers 1000 --rounds 20
    python -m benchmarks.bench_copy_decisions --followers 1000 --database mysql+pymysql://...

The desk, its rows and its database are the platform's; leases are always held and nobody trades, so what is measured
is the platform's share of a copy: reading the change, sizing, netting, capping, and keeping what was decided. Times
are processor time of the whole process, threads included; the wall is told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine

from core.base_exchange import Capabilities
from core.clock import Clock, SystemTime, system_clock
from db.database import open_database
from db.database_thread import DatabaseThread
from db.journal import GroupCommitJournal
from db.migrate import upgrade
from db.models import User
from db.queries import accounts, masters
from db.queries.masters import Published
from db.unit_of_work import committed
from tasks.host.copying.desk import FollowerDesk
from tasks.wiring import Parts, Venue
from tests.fakes.copy_parts import NOW, CopyParts, EveryLease, Follower, enter_manual
from tests.fakes.fake_exchange import FakeExchange
from tests.law_harness import BTCUSDT
from tests.platform.world import now

FUTURES = Capabilities(market="futures", has_time_window=True, can_short=True)


class NotUp:
    """A follower account that is held, and on which nothing runs."""

    hub = None

    def __init__(self) -> None:
        self.runners: dict[int, Any] = {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--database", default="")
    wanted = parser.parse_args()
    with prepared(wanted.database) as (database, url):
        asyncio.run(measure(database, url, wanted.followers, wanted.rounds))


@contextmanager
def prepared(url: str) -> Iterator[tuple[Engine, str]]:
    with tempfile.TemporaryDirectory(prefix="copy") as folder:
        url = url or f"sqlite:///{Path(folder) / 'copy.sqlite3'}"
        database = open_database(url)
        upgrade(database)
        yield database, url
        database.dispose()


async def measure(database: Engine, url: str, count: int, rounds: int) -> None:
    with committed(database) as unit:
        accounts.add_user(unit, User(login="bench", role="admin", created_at=NOW))
    followers = [Follower(n, {"ratio": Decimal(n % 10 + 1) / 100}) for n in range(1, count + 1)]
    master = enter_manual(database, "binance_futures", followers)
    clock: Clock = system_clock()
    journal, thread = GroupCommitJournal(url, SystemTime()), DatabaseThread(database)
    exchange = FakeExchange(BTCUSDT, clock=clock, capabilities=FUTURES)
    parts = CopyParts(thread, clock, journal, EveryLease(), Venue(exchange, cast(Any, None)))
    parts.exchanges = dict.fromkeys((one.account for one in followers), exchange)
    held = {one.account: NotUp() for one in followers}
    desk = FollowerDesk(cast(Parts, parts), cast(Any, held), lambda _: None, lambda _: None)
    publish(database, master, 0)
    began = time.process_time()
    await desk.refresh()
    await desk.look()
    print(f"{count:,} followers taken up: {(time.process_time() - began) / count * 1000:.2f} ms of processor time each")
    spent, took = [], []
    for turn in range(1, rounds + 1):
        publish(database, master, turn)
        began, wall = time.process_time(), time.perf_counter()
        desk.ring_master(master)
        await desk.look()
        spent.append(time.process_time() - began)
        took.append(time.perf_counter() - wall)
        assert all(owned.book.targets["BTCUSDT"].version == turn + 1 for owned in desk.owned.values())
    each = [seconds / count * 1000 for seconds in spent]
    print(f"{rounds} changes of the master, database {database.dialect.name}:")
    print(
        f"  decided and kept: median {statistics.median(each):.3f} ms of processor time for each follower "
        f"({min(each):.3f} to {max(each):.3f}); all of them {statistics.median(took) * 1000:.0f} ms by the wall"
    )
    thread.close()
    await journal.close()


def publish(database: Engine, master: int, turn: int) -> None:
    with committed(database) as unit:
        row = masters.hold(unit, master, 1)
        told = Published("BTCUSDT", Decimal(1 + turn % 2), now(), "manual", price=Decimal(60_000))
        masters.publish(unit, row, told, now())


if __name__ == "__main__":
    main()
