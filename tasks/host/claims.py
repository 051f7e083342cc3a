"""Which accounts this worker takes up, keeps, and hands over: decided anew each second, from what everyone can see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Final

import structlog

from core.clock import MachineTime, utc_from_ms
from core.config import WorkerSection
from core.editions import Edition
from core.redis_names import account_lock
from db.queries import editions
from db.queries.editions import Recorded
from db.queries.fleet import Want
from domain.sentences import say
from tasks.host.account import AccountRunner
from tasks.host.leases import LeaseKeeper
from tasks.host.placement import Member, newest, owner_of
from tasks.wiring import Parts

log = structlog.get_logger(__name__)
_SECOND: Final = 1_000_000_000
#: What was taken in place of a worker that does not act is kept at least so long.
KEEP_ORPHANS_NS: Final = 60 * _SECOND


class Claims:
    """Placement as one worker sees it."""

    def __init__(
        self, worker_id: str, settings: WorkerSection, leases: LeaseKeeper, machine: MachineTime, edition: Edition
    ) -> None:
        self.members: list[Member] = []
        #: Those of the newest edition: what moves, moves to them.
        self.newest: list[Member] = []
        self.is_draining = False
        #: Why nothing is taken up here, though what runs here goes on; empty while there is no reason.
        self.gate = ""
        self.edition = edition
        #: How many strategies these members have room for, by their own word; those who do not tell are not limited.
        self.rooms: Callable[[Collection[str]], Awaitable[Mapping[str, int]]] = _unlimited
        self._worker_id = worker_id
        self._settings = settings
        self._leases = leases
        self._machine = machine
        self._stable_since_ns = machine.steady_ns()
        #: Account -> since when nobody is seen to have it.
        self._unclaimed: dict[int, int] = {}
        #: Other workers that fell silent, and those of them that came back: when each was seen to.
        self._silent: dict[str, int] = {}
        self._returned: dict[str, int] = {}

    def see(self, members: list[Member]) -> None:
        """These are the members now."""
        before, after = ({member.worker_id for member in some} for some in (self.members, members))
        if before != after:
            self._stable_since_ns = self._machine.steady_ns()
            log.info("members", workers=sorted(after))
        self._note_returns(before - after, after)
        self.members = members
        self.newest = newest(members)

    def check_edition(self, recorded: Recorded) -> bool:
        """Compare this build with what the database has now, and with the other members; gives whether that changes
        what may be taken up.
        """
        latest = max((member.edition for member in self.members), default=self.edition)
        gate = ""
        if recorded.schema != self.edition.schema:
            gate = say(
                "other_schema",
                "the database is at schema {schema}, this build needs {wanted}",
                schema=recorded.schema or "none",
                wanted=self.edition.schema,
            )
        elif recorded.law > self.edition.law:
            gate = say(
                "older_law",
                "strategies have run by law {law}, this build has law {own}",
                law=recorded.law,
                own=self.edition.law,
            )
        elif latest > self.edition:
            gate = say(
                "older_build",
                "the fleet has {latest}, this build {own}",
                latest=latest.describe(),
                own=self.edition.describe(),
            )
        if gate and gate != self.gate:
            log.warning("takes_nothing_up", reason=f"{gate}; end this worker and start one of the newest build.")
        has_changed, self.gate = gate != self.gate, gate
        return has_changed

    def for_account(self, wanted: Mapping[int, Want], account: AccountRunner) -> Mapping[int, Want]:
        """What of the wanted instances an account that is held here may run."""
        if not self.gate:
            return wanted
        return {number: want for number, want in wanted.items() if number in account.runners}

    async def to_claim(
        self,
        wanted: Mapping[int, Mapping[int, Want]],
        held: Mapping[int, AccountRunner],
        tags: Mapping[int, frozenset[str]],
    ) -> dict[int, bool]:
        """Accounts to take up: whether each is an orphan that another worker should have. Raises what Redis raises."""
        if self.gate or self.is_draining or not any(one.worker_id == self._worker_id for one in self.newest):
            return {}
        free = {account: wants for account, wants in wanted.items() if account not in held}
        if self._leases.is_young:
            free = {account: wants for account, wants in free.items() if self._is_nobodys(wants.values())}
        owners = {account: owner_of(account, tags.get(account, frozenset()), self.newest) for account in free}
        mine = {account: False for account, owner in owners.items() if owner == self._worker_id}
        others = [account for account, owner in owners.items() if owner not in (self._worker_id, "")]
        mine |= dict.fromkeys(await self._orphans(others, tags), True)
        room = self._settings.most_strategies - sum(len(account.runners) for account in held.values())
        chosen: dict[int, bool] = {}
        for account, is_orphan in mine.items():
            room -= len(free[account])
            if room < 0:
                break
            chosen[account] = is_orphan
        return chosen

    async def to_hand_over(
        self, held: Mapping[int, AccountRunner], tags: Mapping[int, frozenset[str]]
    ) -> list[AccountRunner]:
        """Accounts that another member should have and has room for, as many as may move now.

        What its owner has no room for stays: nobody would run it until it came back here. Raises what Redis raises.
        """
        now_ns = self._machine.steady_ns()
        if self.gate or now_ns - self._stable_since_ns < self._settings.stability_seconds * _SECOND:
            return []  # an older build keeps what it has until it is ended: the newer ones may not have the room yet
        # One that freezes again and again would be given the same accounts each time it wakes, and lose them.
        steady = [member for member in self.newest if member.worker_id not in self._returned]
        going: list[tuple[AccountRunner, str]] = []
        for account in held.values():
            owner = owner_of(account.number, tags.get(account.number, frozenset()), steady)
            is_kept = account.is_orphan and now_ns - account.taken_ns < KEEP_ORPHANS_NS
            if owner not in ("", self._worker_id) and not is_kept:
                going.append((account, owner))
        return self._that_fit(going, dict(await self.rooms({owner for _, owner in going})) if going else {})

    def _that_fit(self, going: list[tuple[AccountRunner, str]], rooms: dict[str, int]) -> list[AccountRunner]:
        budget = self._settings.handovers_per_second * self._settings.reconcile_seconds
        chosen: list[AccountRunner] = []
        for account, owner in going:
            size = len(account.runners)
            if rooms.get(owner, size) < size:
                continue
            if chosen and budget < size:
                break
            budget -= size
            if owner in rooms:
                rooms[owner] -= size
            chosen.append(account)
        return chosen

    def _note_returns(self, gone: set[str], present: set[str]) -> None:
        """Those who have fallen silent, and those who are back: nothing is handed to them for a while."""
        now_ns = self._machine.steady_ns()
        self._silent |= dict.fromkeys(gone - {self._worker_id}, now_ns)
        back = present & self._silent.keys()
        self._returned |= dict.fromkeys(back, now_ns)
        oldest_ns = now_ns - round(self._settings.return_seconds * _SECOND)
        self._silent = {one: at for one, at in self._silent.items() if one not in back and at > oldest_ns}
        self._returned = {one: at for one, at in self._returned.items() if at > oldest_ns}

    def _is_nobodys(self, wants: Iterable[Want]) -> bool:
        """Whether nobody can be running these: a server without memory does not tell, but the rows do."""
        return all(want.epoch == 0 or want.epoch_owner == self._worker_id for want in wants)

    async def _orphans(self, accounts: list[int], tags: Mapping[int, frozenset[str]]) -> list[int]:
        """Those that nobody has had for a while, though another should, and that may run here."""
        me = next(member for member in self.members if member.worker_id == self._worker_id)
        able = [account for account in accounts if me.tags.issuperset(tags.get(account, frozenset()))]
        holders = await self._leases.holders(map(account_lock, able))
        now_ns = self._machine.steady_ns()
        free = [account for account, holder in zip(able, holders, strict=True) if not holder]
        self._unclaimed = {account: self._unclaimed.get(account, now_ns) for account in free}
        grace_ns = self._settings.orphan_seconds * _SECOND
        return [account for account in free if now_ns - self._unclaimed[account] > grace_ns]


async def note_law(parts: Parts, recorded: Recorded, taken: Collection[str]) -> None:
    """Before anything runs here no older build may take it up again: otherwise these leases are given back."""
    law, now = parts.edition.law, utc_from_ms(parts.clock.machine.now_ms())
    if recorded.law >= law:
        return
    try:
        await parts.database.keep(partial(editions.note_law, law=law, now=now))
    except Exception:
        await parts.leases.release(taken)
        raise


async def _unlimited(_names: Collection[str]) -> Mapping[str, int]:
    return {}
