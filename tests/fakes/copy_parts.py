"""Of a worker those parts that copying needs, without Redis: leases are always held, and nobody is rung.

The rows are real, as a person's wishes leave them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from core.base_exchange import BaseExchange
from core.clock import Clock
from core.config import Config
from db.database_thread import DatabaseThread
from db.journal import GroupCommitJournal
from db.models import Account, FollowRelationship, Master
from db.queries import accounts, following, masters
from db.unit_of_work import committed
from engine.right_of_way import RightOfWay
from tasks.wiring import Venue

WORKER = "worker"
OWNER = 1
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Follower:
    """One account that follows, and on which terms."""

    account: int
    terms: dict[str, Any]
    funds: str = "USDT=1000000"

    @property
    def key(self) -> tuple[str, str]:
        """What it signs with at the venue."""
        return f"key-{self.account}-of-lockstep", f"secret-{self.account}-of-lockstep"

    def option(self) -> tuple[str, str]:
        """The venue's account, on its command line: accounts are numbered in their order there."""
        return "--account", ":".join((*self.key, self.funds))


class EveryLease:
    """Leases that are held, all of them, for ever."""

    is_young = False

    def __init__(self) -> None:
        self.held: dict[str, None] = {}

    def is_good(self, key: str) -> bool:
        del key
        return True

    def may_act(self, instance: int) -> bool:
        del instance
        return True

    async def acquire(self, keys: Iterable[str]) -> set[str]:
        return set(keys)

    async def release(self, keys: Iterable[str]) -> None:
        del keys


class NoBells:
    """Nobody listens: everybody looks at every quiet moment."""

    async def publish(self, channel: str, words: str) -> None:
        del channel, words


@dataclass(slots=True)
class CopyParts:
    """Of a worker's parts those that copying needs."""

    database: DatabaseThread
    clock: Clock
    journal: GroupCommitJournal
    leases: EveryLease
    market: Venue
    config: Config = field(default_factory=Config)
    worker_id: str = WORKER
    redis: NoBells = field(default_factory=NoBells)
    #: Account -> its adapter.
    exchanges: dict[int, BaseExchange] = field(default_factory=dict)
    right_of_way: RightOfWay = field(default_factory=RightOfWay)

    def exchange_of(self, account: Account) -> BaseExchange:
        return self.exchanges[account.id or 0]

    async def venue(self, name: str) -> Venue:
        del name
        return self.market


def enter(database: Engine, venue: str, strategy: int, followers: Iterable[Follower]) -> tuple[int, dict[int, int]]:
    """The rows that a person's wishes leave, with a strategy as master; gives it, and account -> relationship."""
    return _enter(database, venue, followers, kind=masters.STRATEGY, account_id=1, strategy_instance_id=strategy)


def enter_manual(database: Engine, venue: str, followers: Iterable[Follower]) -> int:
    """The same with a master whose positions are entered by hand; gives it."""
    return _enter(database, venue, followers, kind=masters.MANUAL)[0]


def _enter(database: Engine, venue: str, followers: Iterable[Follower], **leads: Any) -> tuple[int, dict[int, int]]:
    with committed(database) as unit:
        row = Master(owner_id=OWNER, name="the leader", venue=venue, created_at=NOW, updated_at=NOW, **leads)
        master = masters.add(unit, row).id or 0
        made: dict[int, int] = {}
        for follower in followers:
            account = Account(
                id=follower.account, owner_id=OWNER, name=f"follower {follower.account}", exchange=venue, paper=False,
                settings="{}", created_at=NOW, updated_at=NOW,
            )  # fmt: skip
            accounts.add(unit, account)
            terms = {"mode": "fixed_ratio", "ratio": Decimal(1), "desired_state": "following", **follower.terms}
            relationship = FollowRelationship(
                owner_id=OWNER, account_id=follower.account, master_id=master, created_at=NOW, updated_at=NOW, **terms
            )  # fmt: skip
            made[follower.account] = following.add(unit, relationship, NOW).id or 0
    return master, made
