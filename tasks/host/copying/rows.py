"""What a worker knows of masters and relationships: rows as they were read last, and who follows whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

from db.database_thread import DatabaseThread
from db.models import FollowRelationship, Master, MasterPosition
from db.queries import copy_fleet
from db.unit_of_work import UnitOfWork
from domain.copying.loops import circular
from tasks.wiring import number_of


class CopyRows:
    """Relationships that are alive, their masters, and what those hold."""

    def __init__(self, database: DatabaseThread) -> None:
        self.relationships: dict[int, FollowRelationship] = {}
        self.masters: dict[int, Master] = {}
        self.positions: dict[int, dict[str, MasterPosition]] = {}
        #: Accounts that a worker has to hold, whether anything trades on them yet or not.
        self.wanted: set[int] = set()
        #: Relationships that are part of a circle of accounts that follow one another.
        self.circular: set[int] = set()
        #: Master -> accounts that follow it; account -> its relationships.
        self.followers: dict[int, set[int]] = {}
        self.of_account: dict[int, set[int]] = {}
        self._database = database
        #: Whether somebody follows, or a master trades, on another account than when circles were looked for last.
        self._is_rewired = False

    async def read(self, since: datetime, *, whole: bool) -> tuple[list[FollowRelationship], set[int]]:
        """Everything, or what has changed since a moment: relationships, and the accounts whose masters have moved."""
        rows = await self._database.read(partial(copy_fleet.relationships, since=None if whole else since))
        if whole:
            self.relationships, self.wanted = {}, set()
        changed = self.take(rows)
        mine = {row.master_id for row in self.relationships.values()}
        moved = await self.read_masters(mine if whole else mine & changed)
        if mine:
            for position in await self._database.read(partial(copy_fleet.published_since, moment=since)):
                if position.master_id in mine:
                    moved |= self.take_position(position)
        return rows, moved

    async def read_accounts(self, accounts: Collection[int]) -> set[int]:
        """The relationships of these accounts now; gives the accounts whose masters have moved."""
        rows = await self._database.read(partial(copy_fleet.of_accounts, accounts=sorted(accounts)))
        return await self.read_masters(self.take(rows))

    async def read_masters(self, numbers: Collection[int]) -> set[int]:
        """These masters and what they hold now; gives the accounts for which that is news."""
        if not numbers:
            return set()

        def ask(unit: UnitOfWork) -> tuple[list[Master], list[MasterPosition]]:
            return copy_fleet.masters(unit, sorted(numbers)), copy_fleet.positions(unit, sorted(numbers))

        masters, positions = await self._database.read(ask)
        moved: set[int] = set()
        for master in masters:
            number = number_of(master.id)
            before, self.masters[number] = self.masters.get(number), master
            if before is None or before.state != master.state:
                moved |= self.followers.get(number, set())
            self._is_rewired |= before is None or before.account_id != master.account_id
        for position in positions:
            moved |= self.take_position(position)
        return moved | self._find_circles() if self._is_rewired else moved

    def _find_circles(self) -> set[int]:
        """Gives the accounts for which that is news."""
        self._is_rewired = False
        known = {number: self.masters[row.master_id] for number, row in self.relationships.items()
                 if row.master_id in self.masters and row.desired_state != "stopped"}  # fmt: skip
        before, self.circular = (
            self.circular,
            circular(
                {
                    number: (self.relationships[number].account_id, master.account_id)
                    for number, master in known.items()
                    if master.account_id is not None
                }
            ),
        )
        return {self.relationships[n].account_id for n in before ^ self.circular if n in self.relationships}

    def take_position(self, position: MasterPosition) -> set[int]:
        """What a master holds; gives the accounts for which that is news."""
        mine = self.positions.setdefault(position.master_id, {})
        before = mine.get(position.symbol)
        if before is not None and before.version >= position.version:
            return set()
        mine[position.symbol] = position
        return set(self.followers.get(position.master_id, ()))

    def take(self, rows: Iterable[FollowRelationship]) -> set[int]:
        """Gives the masters of those that were new or edited."""
        masters: set[int] = set()
        is_fewer = False
        for row in rows:
            number = number_of(row.id)
            before = self.relationships.get(number)
            if before is None or before.revision != row.revision or row.master_id not in self.masters:
                masters.add(row.master_id)
                self._is_rewired = True
            is_over = row.removed_at is not None or (row.desired_state == "stopped" and row.state == "stopped")
            if is_over:
                is_fewer |= self.relationships.pop(number, None) is not None
            else:
                self.relationships[number] = row
        self._is_rewired |= is_fewer
        if masters or is_fewer or not self.wanted:
            self._index()
        return masters

    def mine(self, account: int) -> list[FollowRelationship]:
        """The relationships of an account, by number."""
        return [self.relationships[number] for number in sorted(self.of_account.get(account, ()))]

    def _index(self) -> None:
        followers: dict[int, set[int]] = defaultdict(set)
        of_account: dict[int, set[int]] = defaultdict(set)
        for number, row in self.relationships.items():
            followers[row.master_id].add(row.account_id)
            of_account[row.account_id].add(number)
        self.wanted, self.followers, self.of_account = set(of_account), dict(followers), dict(of_account)
