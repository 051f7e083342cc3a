"""Commands: row, wish and audit record in one transaction. The same key again gives the same command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from api.errors import BadFields, FieldError
from api.identity import Caller
from db.models import Command, StrategyInstance
from db.queries import accounts, audit, commands, instances
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

#: What nobody has carried out by then is not carried out any more; the wish stays.
LIFETIME: Final = timedelta(minutes=10)

#: Kind of a command -> the state it wishes. A reset wishes nothing.
WISHES: Final[Mapping[str, str]] = {
    "start": instances.RUNNING,
    "pause": instances.PAUSED,
    "resume": instances.RUNNING,
    "stop": instances.STOPPED,
    "flatten": instances.FLAT,
}


class NotReady(Refused):
    """The account cannot be traded on; look at what it says of its key."""


class WrongState(Refused):
    """The strategy is not in a state in which this makes sense."""


def give(unit: UnitOfWork, caller: Caller, number: int, kind: str, key: str | None, now: datetime) -> Command:
    """Take a command down."""
    instance = instances.hold(unit, number, caller.id)
    _require_own_wish(instance)
    given, is_new = _keep(unit, caller, number, kind, "{}", key, now)
    if not is_new:
        # The command of then: what was wished since then stays.
        return given
    if kind in {"start", "resume"}:
        require_ready(unit, instance.account_id, caller)
    if kind == "resume" and instance.desired_state not in {instances.PAUSED, instances.RUNNING}:
        raise WrongState(
            say(
                "only_paused_goes_on",
                "it is wished {desired_state}; only a paused strategy can go on, others are started.",
                desired_state=instance.desired_state,
            )
        )
    if kind == "pause" and instance.desired_state not in {instances.PAUSED, instances.RUNNING}:
        raise WrongState(
            say(
                "only_running_pauses",
                "it is wished {desired_state}; only a running strategy can be paused.",
                desired_state=instance.desired_state,
            )
        )
    before = instance.desired_state
    if kind == "reset":
        if instance.desired_state not in {instances.STOPPED, instances.FLAT}:
            raise instances.StillWorking(
                say(
                    "still_wished",
                    "it is wished {before}; stop it and wait until its orders are complete.",
                    before=before,
                )
            )
        instances.reset(unit, number, caller.id, now)
    else:
        instances.wish(unit, number, caller.id, WISHES[kind], now)
    content = {"command": given.id, "before": before, "after": WISHES.get(kind, before)}
    audit.record(unit, audit.Deed(caller.login, f"strategy_{kind}", content, caller.id, number), now)
    return given


def give_edit(
    unit: UnitOfWork,
    caller: Caller,
    number: int,
    revision: int,
    changes: Mapping[str, Any],
    key: str | None,
    now: datetime,
) -> Command:
    """Edit a strategy and take that down as a command; without changes nothing happens."""
    if not changes:
        raise BadFields(
            [
                FieldError(
                    "body",
                    say("nothing_to_change_of_strategy", "nothing is to be changed; give name, parameters or limits"),
                )
            ]
        )
    _require_own_wish(instances.hold(unit, number, caller.id))
    payload = json.dumps({"revision": revision, **changes}, sort_keys=True)
    given, is_new = _keep(unit, caller, number, "edit", payload, key, now)
    if not is_new:
        return given
    before = instances.get(unit, number, caller.id)
    content = {name: {"before": getattr(before, name), "after": value} for name, value in changes.items()}
    instances.edit(unit, number, caller.id, revision, dict(changes), now)
    audit.record(unit, audit.Deed(caller.login, "strategy_edit", content, caller.id, number), now)
    return given


def _keep(
    unit: UnitOfWork, caller: Caller, number: int, kind: str, payload: str, key: str | None, now: datetime
) -> tuple[Command, bool]:
    new = Command(
        strategy_instance_id=number,
        owner_id=caller.id,
        request_key=key or uuid4().hex,
        kind=kind,
        payload=payload,
        sequence=0,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    kept = commands.give(unit, new)
    return kept, kept is new


def _require_own_wish(instance: StrategyInstance) -> None:
    if instance.strategy_type == instances.COPY:
        raise WrongState(say("run_by_copying", "copying runs this one; pause, stop or edit the relationship instead."))


def require_ready(unit: UnitOfWork, number: int, caller: Caller) -> None:
    """Return if an account of the caller's can be traded on; `NotReady` says why not."""
    account = accounts.get(unit, number, caller.id)
    if account.disabled:
        raise NotReady(say("account_is_disabled", "the account is disabled; enable it first."))
    if account.paper:
        return
    if account.api_key is None:
        raise NotReady(say("account_has_no_key", "the account has no key; enter one first."))
    if account.rights == "refused":
        raise NotReady(say("key_can_withdraw", "the account's key can withdraw; enter one that can only trade."))
    if account.rights != "verified" and account.rights_consent_at is None:
        raise NotReady(
            say(
                "key_rights_unknown",
                "what the account's key may do is not known yet; wait for the check, or consent to it.",
            )
        )
