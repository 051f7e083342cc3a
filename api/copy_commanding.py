"""What is asked of relationships: row, wish, command and audit record in one transaction."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from api.commanding import WrongState, require_ready
from api.copying import check_terms, columns_of, symbol_at
from api.errors import BadFields, FieldError
from api.identity import Caller
from api.views import feed_of
from db.models import FollowCommand, FollowRelationship
from db.queries import accounts, audit, following
from db.unit_of_work import UnitOfWork
from domain.money import to_wire
from domain.sentences import say

#: Kind of a command -> the state it wishes. A resync wishes none.
_WISHES: Final = {
    "start": following.FOLLOWING,
    "resume": following.FOLLOWING,
    "pause": following.PAUSED,
    "stop": following.STOPPED,
}
#: Kind of a command -> the states in which it makes sense.
_FROM: Final = {
    "resume": (following.PAUSED, following.FOLLOWING),
    "pause": (following.PAUSED, following.FOLLOWING),
    "resync": (following.FOLLOWING,),
}


class Changed(NamedTuple):
    """What asking for everything at once has changed."""

    #: Accounts whose worker is to look.
    accounts: set[int]
    relationships: int


def give(unit: UnitOfWork, caller: Caller, number: int, kind: str, key: str | None, now: datetime) -> FollowCommand:
    """Take a command of a relationship down."""
    row = following.hold(unit, number, caller.id)
    given, is_new = following.give(unit, row, kind, "{}", key, now)
    if is_new:
        _carry(unit, caller, row, kind, given, now)
    return given


def give_edit(
    unit: UnitOfWork, caller: Caller, number: int, revision: int, terms: dict[str, Any], key: str | None, now: datetime
) -> FollowCommand:
    """Edit the terms of a relationship and take that down as a command; without changes nothing happens."""
    row = following.hold(unit, number, caller.id)
    changes = columns_of(terms)
    if not changes:
        raise BadFields(
            [FieldError("body", say("nothing_to_change_of_terms", "nothing is to be changed; give one of the terms"))]
        )
    venue = feed_of(accounts.get(unit, row.account_id, caller.id))
    for name in changes.keys() & {"allow_symbols", "deny_symbols"}:
        changes[name] = json.dumps(sorted({symbol_at(venue, symbol) for symbol in json.loads(changes[name])}))
    told = {name: _plain(value) for name, value in changes.items()}
    payload = json.dumps({"revision": revision, **told}, sort_keys=True)
    given, is_new = following.give(unit, row, "edit", payload, key, now)
    if not is_new:
        return given
    content = {name: {"before": _plain(getattr(row, name)), "after": told[name]} for name in changes}
    following.edit(unit, number, caller.id, revision, changes, now)
    check_terms(row)
    audit.record(unit, audit.Deed(caller.login, "follow_edit", {"relationship": number, **content}, caller.id), now)
    return given


def give_all(unit: UnitOfWork, caller: Caller, kind: str, now: datetime) -> Changed:
    """Pause, or let go on, everything of a follower that follows or is paused; what has stopped stays so."""
    changed: set[int] = set()
    count, after = 0, 0
    while page := following.listed(unit, caller.id, after, 500):
        after = page[-1].relationship.id or 0
        for row in (found.relationship for found in page):
            if row.desired_state in {following.STOPPED, _WISHES[kind]}:
                continue
            held = following.hold(unit, row.id or 0, caller.id)
            given, _ = following.give(unit, held, kind, "{}", None, now)
            _carry(unit, caller, held, kind, given, now)
            changed.add(held.account_id)
            count += 1
    return Changed(changed, count)


def _carry(
    unit: UnitOfWork, caller: Caller, row: FollowRelationship, kind: str, given: FollowCommand, now: datetime
) -> None:
    allowed = _FROM.get(kind)
    if allowed is not None and row.desired_state not in allowed:
        raise WrongState(
            say(
                "wrong_state_for_verb",
                "it is wished {desired_state}; {kind} needs one that is {states}.",
                desired_state=row.desired_state,
                kind=kind,
                states=" or ".join(sorted(allowed)),
            )
        )
    before = row.desired_state
    if kind in {"start", "resume"}:
        require_ready(unit, row.account_id, caller)
    if kind == "resync":
        row.resync, row.updated_at = row.resync + 1, now
    else:
        following.wish(unit, row, _WISHES[kind], now)
    content = {"relationship": row.id, "command": given.id, "before": before, "after": row.desired_state}
    audit.record(unit, audit.Deed(caller.login, f"follow_{kind}", content, caller.id), now)


def _plain(value: Any) -> Any:
    return to_wire(value) if isinstance(value, Decimal) else value
