"""Copying as the engine host sees it: one part that hears what the host hears."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

from core.base_journal import Step
from core.event_bus import Event
from core.redis_names import FOLLOW, MASTER
from db.queries.fleet import Want
from tasks.host.account import AccountRunner
from tasks.host.copying.desk import FollowerDesk
from tasks.host.copying.fundings import Fundings
from tasks.host.copying.masters import MasterWatch
from tasks.host.placement import Member
from tasks.host.runner import Runner
from tasks.wiring import Parts


class Copying:
    """Masters that are watched here, and follower accounts that are held here."""

    def __init__(
        self, parts: Parts, accounts: Mapping[int, AccountRunner], runner_of: Callable[[int], Runner | None],
        ring: Callable[[int | None], None], tell: Callable[[Event], None],
    ) -> None:  # fmt: skip
        self.desk = FollowerDesk(parts, accounts, ring, tell)
        self.fundings = Fundings(parts, self.desk.owned, self.desk.keep_soon)
        self.masters = MasterWatch(parts, runner_of, self.desk.take_position, tell)

    def works(self) -> Iterator[tuple[Coroutine[Any, Any, None], str]]:
        """What runs until it is cancelled."""
        yield self.desk.run(), "followers"
        yield self.masters.run(), "masters"
        yield self.fundings.run(), "funding of copies"

    async def refresh(self, members: list[Member], tags: Mapping[int, frozenset[str]], *, takes: bool) -> None:
        """One look at the rows; nothing new is taken up unless this worker `takes`."""
        await self.desk.refresh()
        await self.masters.refresh(members, tags, takes=takes)

    def also_wanted(self, wanted: Mapping[int, dict[int, Want]]) -> dict[int, dict[int, Want]]:
        """The accounts that are wanted, with those that follow and trade nothing yet."""
        return {**{account: {} for account in self.desk.rows.wanted}, **wanted}

    def wanted_of(self, account: int, wanted: Mapping[int, dict[int, Want]]) -> dict[int, Want] | None:
        """The same of one account; None for one that is not wanted."""
        return wanted.get(account, {} if account in self.desk.rows.wanted else None)

    def note_step(self, step: Step) -> None:
        """A step was kept."""
        self.masters.note_step(step)
        self.desk.note_step(step)

    def hear(self, words: str) -> None:
        """What the doorbell said that is about copying."""
        numbers = words.split(":")[1:]
        if not numbers or not all(number.isascii() and number.isdigit() for number in numbers):
            return
        if words.startswith(FOLLOW):
            self.desk.ring_account(int(numbers[0]))
        elif words.startswith(MASTER):
            self.desk.ring_master(int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0)
