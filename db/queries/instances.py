"""Strategy instances: make, list, wish, edit, reset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from db.models import Account, OrderRow, StrategyInstance, StrategyState
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

RUNNING: Final = "running"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"
#: Stopped, and what it held is sold.
FLAT: Final = "flat"
#: The type of instances that copying makes for a follower account, one for each symbol, and runs by itself.
COPY: Final = "copy"
DESIRED_STATES: Final = (RUNNING, PAUSED, STOPPED, FLAT)


class NoSuchRow(Refused):
    """There is no such thing, or it belongs to someone else."""


class EditedMeanwhile(Refused):
    """Someone else has changed this; read it again and repeat the change."""


class StillWorking(Refused):
    """Orders of the instance are not complete; stop it and wait until they are."""


class UnknownWish(Refused):
    """An instance can be wished running, paused, stopped or flat."""


def add(unit: UnitOfWork, instance: StrategyInstance) -> StrategyInstance:
    """Keep a new instance, with its number. It is on paper exactly when its account, of the same owner, is."""
    # Locked, so that it is not removed while something begins to trade on it.
    account = unit.session.get(Account, instance.account_id, with_for_update=True)
    if account is None or account.owner_id != instance.owner_id or account.removed_at is not None:
        raise NoSuchRow(
            say(
                "account_of_another",
                "account {account_id} is not one of owner {owner_id}.",
                account_id=instance.account_id,
                owner_id=instance.owner_id,
            )
        )
    instance.paper = account.paper
    unit.session.add(instance)
    unit.session.flush()
    return instance


def get(unit: UnitOfWork, instance: int, owner: int) -> StrategyInstance:
    """An instance of an owner, or `NoSuchRow`: whether others have it is not told."""
    return _of_owner(unit.session.get(StrategyInstance, instance), instance, owner)


def hold(unit: UnitOfWork, instance: int, owner: int) -> StrategyInstance:
    """The same, its row locked until the unit of work ends, so that what is decided on it stays true."""
    return _of_owner(unit.session.get(StrategyInstance, instance, with_for_update=True), instance, owner)


def list_of_owner(unit: UnitOfWork, owner: int, limit: int = 200, after: int = 0) -> Sequence[StrategyInstance]:
    """An owner's instances by number, a page at a time."""
    mine = select(StrategyInstance).where(col(StrategyInstance.owner_id) == owner, col(StrategyInstance.id) > after)
    mine = mine.where(col(StrategyInstance.removed_at).is_(None))
    return unit.session.exec(mine.order_by(col(StrategyInstance.id)).limit(limit)).all()


def state_of(unit: UnitOfWork, instance: int) -> str | None:
    """What the strategy remembers, as it is stored; None when it was never started, or was reset."""
    found = unit.session.get(StrategyState, instance)
    return None if found is None else found.state_data


def remove(unit: UnitOfWork, instance: int, owner: int, now: datetime) -> None:
    """Take a stopped instance out of sight; its history stays, its name becomes free."""
    found = hold(unit, instance, owner)
    if found.desired_state not in {STOPPED, FLAT}:
        raise StillWorking(
            say(
                "still_working_on",
                "it is wished {desired_state}; stop it and wait until its orders are complete.",
                desired_state=found.desired_state,
            )
        )
    _require_complete(unit, instance)
    found.name = f"#{instance} {found.name}"[:100]
    found.removed_at = found.updated_at = now
    unit.session.flush()


def wished(unit: UnitOfWork, state: str = RUNNING) -> Sequence[StrategyInstance]:
    """Every instance with this desired state, of all owners: what workers place among themselves."""
    chosen = select(StrategyInstance).where(col(StrategyInstance.desired_state) == state)
    return unit.session.exec(chosen.order_by(col(StrategyInstance.id))).all()


def wish(unit: UnitOfWork, instance: int, owner: int, state: str, now: datetime) -> StrategyInstance:
    """Say what the instance should be doing; wishing the same again changes nothing."""
    if state not in DESIRED_STATES:
        raise UnknownWish(
            say("wish_not_one_of", "{state!r} is not one of {choices}.", state=state, choices=", ".join(DESIRED_STATES))
        )
    found = hold(unit, instance, owner)
    if found.desired_state != state:
        found.desired_state, found.updated_at = state, now
        unit.session.flush()
    return found


def edit(
    unit: UnitOfWork, instance: int, owner: int, revision: int, changes: dict[str, str], now: datetime
) -> StrategyInstance:
    """Change name, parameters or limits of the revision that was looked at; the revision rises by one."""
    found = hold(unit, instance, owner)
    if found.revision != revision:
        raise EditedMeanwhile(
            say(
                "strategy_edited_meanwhile",
                "instance {instance} is at revision {revision}, and you changed {given}.",
                instance=instance,
                revision=found.revision,
                given=revision,
            )
        )
    for field, value in changes.items():
        if field not in {"name", "parameters", "limits"}:
            raise Refused(
                say("not_editable", "{name} of an instance cannot be edited; make a new instance.", name=field)
            )
        setattr(found, field, value)
    found.revision, found.updated_at = revision + 1, now
    unit.session.flush()
    return found


def reset(unit: UnitOfWork, instance: int, owner: int, now: datetime) -> StrategyInstance:
    """Begin from scratch: a new generation, no state, no units. Its orders must be complete."""
    found = hold(unit, instance, owner)
    _require_complete(unit, instance)
    found.generation, found.revision, found.updated_at = found.generation + 1, found.revision + 1, now
    found.base_asset = found.quote_asset = None
    state = unit.session.get(StrategyState, instance)
    if state is not None:
        state.state_data = None
    unit.session.flush()
    return found


def _require_complete(unit: UnitOfWork, instance: int) -> None:
    mine = col(OrderRow.strategy_instance_id) == instance
    if unit.session.exec(select(OrderRow).where(mine, col(OrderRow.complete).is_(False)).limit(1)).first():
        raise StillWorking


def _of_owner(found: StrategyInstance | None, instance: int, owner: int) -> StrategyInstance:
    if found is None or found.owner_id != owner or found.removed_at is not None:
        raise NoSuchRow(say("no_instance_of_yours", "you have no instance {instance}.", instance=instance))
    return found
