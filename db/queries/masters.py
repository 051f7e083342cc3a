"""Masters: make, find, publish what they hold in versions, and read what was published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from db.models import FollowRelationship, Master, MasterPosition, MasterSignal
from db.queries.instances import EditedMeanwhile, NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

ACCOUNT: Final = "account"
STRATEGY: Final = "strategy"
MANUAL: Final = "manual"
KINDS: Final = (ACCOUNT, STRATEGY, MANUAL)

ACTIVE: Final = "active"
PAUSED: Final = "paused"
ENDED: Final = "ended"
STATES: Final = (ACTIVE, PAUSED, ENDED)

EDITABLE: Final = frozenset({"name", "state", "shared"})


class StillFollowed(Refused):
    """Somebody follows this master; end it first, and remove it when nobody follows any more."""


class Ended(Refused):
    """This master has ended; make another one."""


class Published(NamedTuple):
    """What a master holds of one symbol, as it is told. Amounts as in `MasterPosition`."""

    symbol: str
    quantity: Decimal
    signal_at: datetime
    source: str
    entry_price: Decimal | None = None
    price: Decimal | None = None
    equity: Decimal | None = None
    event_key: str | None = None


def add(unit: UnitOfWork, master: Master) -> Master:
    """Keep a new master, with its number."""
    unit.session.add(master)
    unit.session.flush()
    return master


def get(unit: UnitOfWork, number: int, owner: int) -> Master:
    """A master that a person may see, their own or a shared one; `NoSuchRow` otherwise."""
    found = unit.session.exec(select(Master).where(col(Master.id) == number, _visible(owner))).first()
    if found is None or found.removed_at is not None:
        raise NoSuchRow(say("no_master_to_see", "there is no master {number} that you may see.", number=number))
    return found


def hold(unit: UnitOfWork, number: int, owner: int) -> Master:
    """A master of one's own, its row locked until the unit of work ends."""
    found = unit.session.get(Master, number, with_for_update=True)
    if found is None or found.owner_id != owner or found.removed_at is not None:
        raise NoSuchRow(say("no_master_of_yours", "you have no master {number}.", number=number))
    return found


def find(unit: UnitOfWork, owner: int, kind: str | None, account: int | None) -> Master | None:
    """The oldest master of an owner with this account (none at all for None), of one kind or of any."""
    chosen = select(Master).where(
        col(Master.owner_id) == owner, col(Master.account_id) == account, col(Master.removed_at).is_(None)
    )
    if kind is not None:
        chosen = chosen.where(col(Master.kind) == kind)
    return unit.session.exec(chosen.order_by(col(Master.id))).first()


def visible(unit: UnitOfWork, owner: int, after: int, limit: int, *, ended: bool = False) -> Sequence[Master]:
    """Masters that a person may see, by number; with `ended` also those that were removed."""
    chosen = select(Master).where(_visible(owner), col(Master.id) > after)
    if not ended:
        chosen = chosen.where(col(Master.removed_at).is_(None))
    return unit.session.exec(chosen.order_by(col(Master.id)).limit(limit)).all()


def publish(unit: UnitOfWork, master: Master, told: Published, now: datetime) -> MasterSignal | None:
    """Give what a master holds the next version, or None when nothing has changed or the event was told before.

    The caller holds the master's row, and has compared the fencing epoch if it watches one.
    """
    if master.state == ENDED:
        raise Ended
    number = master.id or 0
    if told.event_key is not None:
        known = select(MasterSignal).where(
            col(MasterSignal.master_id) == number, col(MasterSignal.event_key) == told.event_key
        )
        if unit.session.exec(known).first() is not None:
            return None
    position = unit.session.get(MasterPosition, (number, told.symbol))
    before = position.quantity if position is not None else Decimal(0)
    if told.quantity == before:
        return None
    master.version, master.updated_at = master.version + 1, now
    if told.equity is not None:
        master.equity, master.equity_at = told.equity, now
    if position is None:
        position = MasterPosition(master_id=number, symbol=told.symbol, owner_id=master.owner_id)
        unit.session.add(position)
    position.version, position.quantity, position.entry_price = master.version, told.quantity, told.entry_price
    position.price, position.signal_at, position.published_at = told.price, told.signal_at, now
    position.source = told.source
    signal = MasterSignal(
        master_id=number,
        version=master.version,
        owner_id=master.owner_id,
        symbol=told.symbol,
        action=action_of(before, told.quantity),
        quantity_before=before,
        quantity=told.quantity,
        entry_price=told.entry_price,
        price=told.price,
        equity=told.equity,
        signal_at=told.signal_at,
        published_at=now,
        source=told.source,
        event_key=told.event_key,
    )
    unit.session.add(signal)
    unit.session.flush()
    return signal


def action_of(before: Decimal, after: Decimal) -> str:
    """What a change of a position is called."""
    if after == 0:
        return "close_position"
    if before == 0:
        return "open_long" if after > 0 else "open_short"
    if (before > 0) != (after > 0):
        return "reverse"
    return "increase" if abs(after) > abs(before) else "reduce"


def positions(unit: UnitOfWork, numbers: Sequence[int]) -> Sequence[MasterPosition]:
    """Everything that some masters hold, flat symbols too, by master and symbol."""
    chosen = select(MasterPosition).where(col(MasterPosition.master_id).in_(numbers))
    return unit.session.exec(chosen.order_by(col(MasterPosition.master_id), col(MasterPosition.symbol))).all()


def signals_since(unit: UnitOfWork, number: int, version: int, limit: int = 1000) -> Sequence[MasterSignal]:
    """What a master has published after a version, oldest first."""
    chosen = select(MasterSignal).where(col(MasterSignal.master_id) == number, col(MasterSignal.version) > version)
    return unit.session.exec(chosen.order_by(col(MasterSignal.version)).limit(limit)).all()


def edit(
    unit: UnitOfWork, number: int, owner: int, revision: int, changes: dict[str, str | bool], now: datetime
) -> Master:
    """Change name, state or sharing of the revision that was looked at. What has ended does not begin again."""
    found = hold(unit, number, owner)
    if found.revision != revision:
        raise EditedMeanwhile(
            say(
                "master_edited_meanwhile",
                "master {number} is at revision {revision}, and you changed {given}.",
                number=number,
                revision=found.revision,
                given=revision,
            )
        )
    if found.state == ENDED and changes.get("state", ENDED) != ENDED:
        raise Ended
    for field in changes.keys() & EDITABLE:
        setattr(found, field, changes[field])
    found.revision, found.updated_at = revision + 1, now
    unit.session.flush()
    return found


def remove(unit: UnitOfWork, number: int, owner: int, now: datetime) -> None:
    """Take a master out of sight that nobody follows; what it did stays, and its name becomes free."""
    found = hold(unit, number, owner)
    followers = select(FollowRelationship).where(
        col(FollowRelationship.master_id) == number,
        col(FollowRelationship.live_master_id).is_not(None),
        col(FollowRelationship.desired_state) != "stopped",
    )
    if unit.session.exec(followers.limit(1)).first() is not None:
        raise StillFollowed
    found.name = f"#{number} {found.name}"[:100]
    found.state, found.removed_at, found.updated_at = ENDED, now, now
    unit.session.flush()


def _visible(owner: int) -> ColumnElement[bool]:
    return or_(col(Master.owner_id) == owner, col(Master.shared))
