"""A worker dies in the middle of telling its followers: all of them end at their target, and no order is doubled.

It dies as by `kill -9` with the intent of an order in the journal that the venue has not seen, half of its followers
told and half not. How many there are in the long run is `ARES_COPY_FOLLOWERS`, a thousand unless told.
"""

from __future__ import annotations

import os
import signal
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from db.models import FollowerAccount, TradeLog
from tests.chaos.stage import SHORT
from tests.platform import copying
from tests.platform.copying import FUTURES, add_master, follow, hold, keys
from tests.platform.dying_app import DEATH
from tests.platform.world import World, now, until, world
from tests.services import Service, create_schema

pytestmark = [pytest.mark.services, pytest.mark.slow]
MANY = int(os.environ.get("ARES_COPY_FOLLOWERS", "1000"))
#: Sweeps are a minute apart, as they are where people trade: a thousand accounts would sweep without end otherwise.
OFTEN = SHORT | {"ARES_WORKER__SWEEP_SECONDS": "60"}


@dataclass(slots=True)
class Tape:
    """What the venue has taken and executed, read as it grows."""

    platform: World
    #: Of every account that has traded: what it holds.
    held: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    #: Client order ids, in the order in which the venue took them.
    taken: list[str] = field(default_factory=list)
    _read: int = 0

    def read(self) -> None:
        """Take in what is new."""
        for line in self.platform.venue.tape_after(self._read):
            self._read = line["n"]
            if line["kind"] == "order":
                self._note(line)

    def _note(self, line: dict[str, Any]) -> None:
        if line["execution"] == "NEW":
            self.taken.append(line["client"])
        elif line["execution"] == "TRADE":
            self.held[line["account"]] += Decimal(line["last_quantity"]) * (1 if line["side"] == "BUY" else -1)

    def wait_for(self, wanted: Iterable[Decimal], patience: float) -> float:
        """Until the accounts hold just this; gives the seconds it took."""
        counted = Counter(wanted)

        def are_there() -> bool:
            self.read()
            return Counter(self.held.values()) == counted

        try:
            return until(are_there, "every follower at its target", patience)
        except AssertionError as error:
            missing = counted - Counter(self.held.values())
            logs = "\n".join(worker.log[-3000:] for worker in self.platform.workers.values())
            raise AssertionError(f"{error}; nobody holds {missing}\n{logs}") from None


def deaths(folder: Path, name: str) -> Path:
    """The file that tells a worker how many orders it has left to live."""
    return folder / f"death-of-{name}"


def follower_counts(platform: World) -> dict[str, int]:
    """Name of a worker -> follower accounts that it holds."""
    rows = platform.do(lambda unit: unit.session.exec(select(FollowerAccount.runner)).all())
    return {name: rows.count(worker.name) for name, worker in platform.workers.items()}


def seconds_after_recovery(platform: World, version: int, died: datetime) -> list[float]:
    """Of the followers that lost their worker: from being up on the other one to the venue's word on their order."""
    (survivor,) = platform.workers.values()
    moved = select(TradeLog).where(col(TradeLog.master_version) == version, col(TradeLog.acknowledged_at).is_not(None))
    found = []
    for row in platform.do(lambda unit: unit.session.exec(moved).all()):
        status = platform.status(row.strategy_instance_id or 0)
        if status.get("worker_id") != survivor.name or row.acknowledged_at is None:
            continue
        up = datetime.fromisoformat(status["started_at"].replace("Z", "+00:00")).astimezone(UTC)
        if up > died:
            found.append((row.acknowledged_at - up).total_seconds())
    return sorted(found)


def die_while_telling(platform: World, followers: int, patience: float) -> None:
    for name in ("one", "two"):
        path = str(deaths(platform.folder, name))
        platform.start_worker(name, app="tests.platform.dying_app", **{DEATH: path})
    accounts = [platform.add_account(*key, exchange=FUTURES) for key in keys(followers)]
    master = add_master(platform)
    ratios = [Decimal(n % 10 + 1) / 100 for n in range(followers)]
    for account, ratio in zip(accounts, ratios, strict=True):
        follow(platform, account, master, str(ratio))
    hold(platform, master, "1", price=Decimal(60_000))
    tape = Tape(platform)
    began = tape.wait_for(ratios, patience)

    counts = follower_counts(platform)
    victim_name = max(counts, key=lambda name: counts[name])
    deaths(platform.folder, victim_name).write_text(str(counts[victim_name] // 2))
    before = len(tape.taken)
    hold(platform, master, "3", price=Decimal(60_000))
    victim = platform.workers.pop(victim_name)
    assert victim.process.wait(patience) == -signal.SIGKILL
    died = now()
    tape.read()
    between = len(tape.taken) - before
    assert between < followers, "it died too late to be in the middle"
    took = tape.wait_for([3 * ratio for ratio in ratios], patience)
    version = copying.version(platform, master)
    until(lambda: copying.has_ended(platform, version, followers), "every follower's record", patience)
    tape.read()
    assert len(set(tape.taken)) == len(tape.taken), "an order was doubled"
    assert len(tape.taken) - before == followers, "an order was doubled under another name, or one was split"
    after = [seconds for seconds in seconds_after_recovery(platform, version, died) if seconds > 0] or [0.0]
    print(
        f"{followers} followers, first there after {began:.0f} s; {victim_name} died with {counts[victim_name]} "
        f"of them after {between} orders; all were there {took:.1f} s later, "
        f"{len(after)} of them by an order of the other worker, half within {after[len(after) // 2]:.1f} s and all "
        f"within {after[-1]:.1f} s of their own recovery"
    )


@pytest.mark.timeout(600)
def test_followers_of_a_worker_that_is_killed_end_at_their_target_without_a_doubled_order(tmp_path: Path) -> None:
    with world(tmp_path, f"sqlite:///{tmp_path / 'ares.sqlite3'}", *copying.options(8), **SHORT) as platform:
        die_while_telling(platform, 8, 180)


@pytest.mark.acceptance
@pytest.mark.timeout(3_600)
def test_a_thousand_followers_of_a_worker_that_is_killed_end_at_their_target(
    tmp_path: Path, mariadb_service: Service
) -> None:
    url = create_schema(mariadb_service, "ares_copying_many")
    with world(tmp_path, url, *copying.options(MANY), **OFTEN) as platform:
        die_while_telling(platform, MANY, 1_500)
