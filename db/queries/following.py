"""Relationships: make, find, edit, wish; what follower accounts may hold; commands of relationships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4

from sqlalchemy import func, update
from sqlalchemy import select as choose
from sqlmodel import col, select

from db.models import Account, FollowCommand, FollowerAccount, FollowRelationship, FollowTarget, Master, VirtualPosition
from db.queries.commands import OUTCOMES, OtherCommand
from db.queries.instances import EditedMeanwhile, NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

FOLLOWING: Final = "following"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"
DESIRED_STATES: Final = (FOLLOWING, PAUSED, STOPPED)

#: What nobody has carried out by then is not carried out any more; the wish stays.
LIFETIME: Final = timedelta(minutes=10)


class FollowsAlready(Refused):
    """This account follows this master already; edit that relationship, or stop and remove it first."""


class StillFollowing(Refused):
    """The relationship has not stopped yet; stop it and wait until the worker says so."""


class Followed(NamedTuple):
    """A relationship with the account that follows and the master it follows."""

    relationship: FollowRelationship
    account: Account
    master: Master


def add(unit: UnitOfWork, new: FollowRelationship, now: datetime) -> FollowRelationship:
    """Keep a new relationship, with its number; its account becomes a follower account."""
    account = unit.session.get(Account, new.account_id, with_for_update=True)
    if account is None or account.owner_id != new.owner_id or account.removed_at is not None:
        raise NoSuchRow(say("account_not_yours", "you have no account {account_id}.", account_id=new.account_id))
    living = select(FollowRelationship).where(
        col(FollowRelationship.account_id) == new.account_id, col(FollowRelationship.live_master_id) == new.master_id
    )
    if unit.session.exec(living).first() is not None:
        raise FollowsAlready
    follower_account(unit, new.account_id, new.owner_id, now)
    new.live_master_id = new.master_id
    unit.session.add(new)
    unit.session.flush()
    return new


def get(unit: UnitOfWork, number: int, owner: int) -> Followed:
    """A relationship of a follower, or `NoSuchRow`."""
    found = listed(unit, owner, after=number - 1, limit=1)
    if not found or found[0].relationship.id != number:
        raise NoSuchRow(say("no_relationship", "you have no relationship {number}.", number=number))
    return found[0]


def hold(unit: UnitOfWork, number: int, owner: int) -> FollowRelationship:
    """The same row alone, locked until the unit of work ends."""
    found = unit.session.get(FollowRelationship, number, with_for_update=True)
    if found is None or found.owner_id != owner or found.removed_at is not None:
        raise NoSuchRow(say("no_relationship", "you have no relationship {number}.", number=number))
    return found


def listed(
    unit: UnitOfWork, owner: int, after: int = 0, limit: int = 100, *, account: int | None = None,
    master: int | None = None,
) -> list[Followed]:  # fmt: skip
    """A follower's relationships by number."""
    row = FollowRelationship
    chosen = (
        select(row, Account, Master)
        .join(Account, col(Account.id) == col(row.account_id))
        .join(Master, col(Master.id) == col(row.master_id))
        .where(col(row.owner_id) == owner, col(row.id) > after, col(row.removed_at).is_(None))
    )
    if account is not None:
        chosen = chosen.where(col(row.account_id) == account)
    if master is not None:
        chosen = chosen.where(col(row.master_id) == master)
    return [Followed(*found) for found in unit.session.exec(chosen.order_by(col(row.id)).limit(limit))]


def follows(unit: UnitOfWork) -> list[tuple[int, int]]:
    """(follower account, account of its master) of everything that is followed: what circles are looked for in."""
    row = FollowRelationship
    chosen = (
        select(row.account_id, Master.account_id)
        .join(Master, col(Master.id) == col(row.master_id))
        .where(col(row.live_master_id).is_not(None), col(Master.account_id).is_not(None))
    )
    return [(follower, master) for follower, master in unit.session.exec(chosen) if master is not None]


def edit(
    unit: UnitOfWork, number: int, owner: int, revision: int, changes: Mapping[str, Any], now: datetime
) -> FollowRelationship:
    """Change the terms of the revision that was looked at; the revision rises by one."""
    found = hold(unit, number, owner)
    if found.revision != revision:
        raise EditedMeanwhile(
            say(
                "relationship_edited_meanwhile",
                "relationship {number} is at revision {revision}, and you changed {given}.",
                number=number,
                revision=found.revision,
                given=revision,
            )
        )
    for field, value in changes.items():
        setattr(found, field, value)
    found.revision, found.updated_at = revision + 1, now
    unit.session.flush()
    return found


def wish(unit: UnitOfWork, found: FollowRelationship, state: str, now: datetime) -> None:
    """Wish a state of a held relationship; a wish that is there already changes nothing."""
    if found.desired_state != state:
        found.desired_state, found.revision, found.updated_at = state, found.revision + 1, now
        found.stopped_at = now if state == STOPPED else None
        unit.session.flush()


def remove(unit: UnitOfWork, number: int, owner: int, now: datetime) -> None:
    """Take a stopped relationship out of sight; its history stays. What it still holds is its follower's own."""
    found = hold(unit, number, owner)
    never_ran = found.state == "waiting" and found.applied_revision < 0
    if found.desired_state != STOPPED or not (found.state == STOPPED or never_ran):
        raise StillFollowing(
            say(
                "still_following_on",
                "it is wished {desired_state} and is {state}; stop it and wait.",
                desired_state=found.desired_state,
                state=found.state,
            )
        )
    found.live_master_id, found.removed_at, found.updated_at = None, now, now
    unit.session.flush()


def follower_account(unit: UnitOfWork, account: int, owner: int, now: datetime) -> FollowerAccount:
    """What a follower account may hold; made without limits when it is not there."""
    found = unit.session.get(FollowerAccount, account, with_for_update=True)
    if found is None:
        found = FollowerAccount(account_id=account, owner_id=owner, created_at=now, updated_at=now)
        unit.session.add(found)
        unit.session.flush()
    return found


def follower_accounts(unit: UnitOfWork, owner: int) -> Sequence[FollowerAccount]:
    """A follower's accounts that follow."""
    mine = select(FollowerAccount).where(col(FollowerAccount.owner_id) == owner)
    return unit.session.exec(mine.order_by(col(FollowerAccount.account_id))).all()


def positions(unit: UnitOfWork, numbers: Sequence[int]) -> Sequence[VirtualPosition]:
    """What some relationships hold, by relationship and symbol."""
    row = VirtualPosition
    chosen = select(row).where(col(row.relationship_id).in_(numbers))
    return unit.session.exec(chosen.order_by(col(row.relationship_id), col(row.symbol))).all()


def targets(unit: UnitOfWork, account: int) -> Sequence[FollowTarget]:
    """What an account is to hold for all its masters, by symbol."""
    chosen = select(FollowTarget).where(col(FollowTarget.account_id) == account)
    return unit.session.exec(chosen.order_by(col(FollowTarget.symbol))).all()


def give(
    unit: UnitOfWork, found: FollowRelationship, kind: str, payload: str, key: str | None, now: datetime
) -> tuple[FollowCommand, bool]:
    """Keep a command of a held relationship, and whether it is new: the same key again gives the command of then."""
    key = key or uuid4().hex
    row = FollowCommand
    known = select(row).where(col(row.owner_id) == found.owner_id, col(row.request_key) == key)
    if before := unit.session.exec(known).first():
        if (before.relationship_id, before.kind, before.payload) != (found.id, kind, payload):
            raise OtherCommand
        return before, False
    last = unit.session.exec(select(func.max(row.sequence)).where(col(row.relationship_id) == found.id)).one()
    new = FollowCommand(
        relationship_id=found.id or 0,
        owner_id=found.owner_id,
        request_key=key,
        kind=kind,
        payload=payload,
        sequence=(last or 0) + 1,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    unit.session.add(new)
    unit.session.flush()
    return new, True


def command(unit: UnitOfWork, number: int, owner: int) -> FollowCommand:
    """A command of an owner, or `NoSuchRow`."""
    found = unit.session.get(FollowCommand, number)
    if found is None or found.owner_id != owner:
        raise NoSuchRow(say("no_command", "you have no command {number}.", number=number))
    return found


def waiting(unit: UnitOfWork) -> Sequence[FollowCommand]:
    """Every command without an outcome, in the order in which those of a relationship are carried out."""
    row = FollowCommand
    chosen = select(row).where(col(row.outcome).is_(None))
    return unit.session.exec(chosen.order_by(col(row.relationship_id), col(row.sequence))).all()


def finish(unit: UnitOfWork, number: int, outcome: str, detail: str, now: datetime) -> bool:
    """Give a command its outcome; False when it has one already, which stays."""
    if outcome not in OUTCOMES:
        raise Refused(
            say(
                "outcome_not_one_of",
                "{outcome!r} is not one of {choices}.",
                outcome=outcome,
                choices=", ".join(OUTCOMES),
            )
        )
    values = {"outcome": outcome, "detail": detail, "finished_at": now}
    change = update(FollowCommand).where(col(FollowCommand.id) == number, col(FollowCommand.outcome).is_(None))
    return unit.connection.execute(change.values(**values)).rowcount == 1


def count_by_master(unit: UnitOfWork, numbers: Sequence[int]) -> dict[int, int]:
    """Master -> how many follow it now."""
    row = FollowRelationship
    chosen = (
        choose(col(row.master_id), func.count())
        .where(
            col(row.master_id).in_(numbers),
            col(row.live_master_id).is_not(None),
            col(row.desired_state) != STOPPED,
        )
        .group_by(col(row.master_id))
    )
    return {row[0]: row[1] for row in unit.connection.execute(chosen)}
