"""The kill switch, and the nodes it has to reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import col, select

from db.models import Node, PlatformSetting
from db.unit_of_work import UnitOfWork
from domain.errors import Broken

#: Name of the switch for everybody; an owner's own is called `kill:<owner>`.
KILL: Final = "kill"
_OF_OWNER: Final = "kill:"


class BadSetting(Broken):
    """A setting of the platform cannot be read; write it again."""


class Kill(NamedTuple):
    """One kill switch: whether it is on, who turned it so, and when."""

    on: bool
    by: str
    at: datetime


class KillState(NamedTuple):
    """Every kill switch there is."""

    #: The one for everybody; None when nobody ever touched it.
    everybody: Kill | None
    #: Owner -> their own.
    owners: dict[int, Kill]

    @property
    def is_on(self) -> bool:
        """Whether any switch is on."""
        return bool(self.everybody and self.everybody.on) or any(kill.on for kill in self.owners.values())

    def stops(self, owner: int) -> bool:
        """Whether this owner's instances may not open anything."""
        mine = self.owners.get(owner)
        return bool(self.everybody and self.everybody.on) or bool(mine and mine.on)


def kill_state(unit: UnitOfWork) -> KillState:
    """The switches as they stand: one small read, meant to be asked every second."""
    chosen = select(PlatformSetting).where(col(PlatformSetting.name).startswith(KILL))
    rows = {row.name: _kill(row) for row in unit.session.exec(chosen)}
    owners = {int(name.removeprefix(_OF_OWNER)): kill for name, kill in rows.items() if name.startswith(_OF_OWNER)}
    return KillState(rows.get(KILL), owners)


def set_kill(unit: UnitOfWork, *, on: bool, by: str, owner: int | None, now: datetime) -> Kill:
    """Turn a switch: everybody's, or with an `owner` theirs. Turning it the way it stands keeps who did so first."""
    name = KILL if owner is None else f"{_OF_OWNER}{owner}"
    row = unit.session.get(PlatformSetting, name, with_for_update=True)
    if row is not None and (before := _kill(row)).on == on:
        return before
    scope = "all" if owner is None else owner
    value = json.dumps({"on": on, "by": by, "at": now.isoformat(), "scope": scope})
    if row is None:
        row = PlatformSetting(name=name, value=value, updated_at=now)
    row.value, row.updated_at = value, now
    unit.session.add(row)
    unit.session.flush()
    return Kill(on, by, now)


def see_node(unit: UnitOfWork, node: Node) -> Node:
    """Keep where a worker listens; the same worker again is the same row."""
    kept = unit.session.merge(node)
    unit.session.flush()
    return kept


def forget_node(unit: UnitOfWork, worker_id: str) -> None:
    """A worker has ended."""
    row = unit.session.get(Node, worker_id)
    if row is not None:
        unit.session.delete(row)
        unit.session.flush()


def nodes(unit: UnitOfWork, seen_since: datetime | None = None) -> Sequence[Node]:
    """Worker nodes by name, or only those seen since a moment."""
    chosen = select(Node).order_by(col(Node.worker_id))
    if seen_since is not None:
        chosen = chosen.where(col(Node.last_seen_at) >= seen_since)
    return unit.session.exec(chosen).all()


def _kill(row: PlatformSetting) -> Kill:
    try:
        value = json.loads(row.value)
        return Kill(value["on"] is True, str(value["by"]), datetime.fromisoformat(value["at"]))
    except (ValueError, KeyError, TypeError) as error:
        raise BadSetting(f"the platform setting {row.name} is {row.value!r}; turn the kill switch again.") from error
