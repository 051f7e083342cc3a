"""What is checked and kept when somebody follows: whose master, which symbols, which terms, no circles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from api.errors import BadFields, FieldError
from api.identity import Caller
from api.venues import PAPER, exchanges
from api.views import feed_of
from db.models import FollowRelationship, Master, User
from db.queries import accounts, audit, following, instances, masters
from db.queries.instances import NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.copying.loops import FollowsInACircle, FollowsItself, require_no_circle
from domain.copying.sizing import BadRatio, check_ratio
from domain.copying.terms import PPM
from domain.money import TooFine, check_storable
from domain.sentences import say

#: What a manual master without an account is priced in.
DEFAULT_VENUE: Final = "binance_spot"
#: Fields of a body that are columns of another name, or lists kept as JSON.
_RENAMED: Final = {"follow_ratio": "ratio"}
_LISTS: Final = ("allow_symbols", "deny_symbols")
_NOT_TERMS: Final = frozenset({
    "account_id", "follower_credential_id", "follower_user_id", "master_id", "master_user_id", "master_credential_id",
    "is_active", "revision",
})  # fmt: skip
#: Terms that are always there: null does not take them away.
_REQUIRED: Final = (
    "mode", "follow_ratio", "allow_symbols", "deny_symbols", "delay_ms", "copy_existing", "on_stop", "reverse",
)  # fmt: skip


def require_own(field: str, number: int | None, caller: Caller) -> None:
    """A user's number in a body is the caller's own: nobody acts for another."""
    if number is not None and number != caller.id:
        raise BadFields([FieldError(field, say("not_your_own_number", "it must be your own number, or be left out"))])


def symbol_at(venue: str, symbol: str) -> str:
    """A symbol as its venue writes it: `BTC/USDT` is BTCUSDT, and BTC-USDT where names have dashes."""
    return symbol.replace("/", "-" if venue.startswith("okx") else "")


def new_master(unit: UnitOfWork, caller: Caller, row: Master, now: datetime) -> Master:
    """Keep a new master of one's own, its account or strategy checked."""
    if row.kind == masters.STRATEGY:
        if row.strategy_instance_id is None or row.account_id is not None:
            raise BadFields(
                [
                    FieldError(
                        "strategy_id",
                        say("master_needs_strategy", "a master of kind strategy has a strategy and no account"),
                    )
                ]
            )
        row.account_id = instances.get(unit, row.strategy_instance_id, caller.id).account_id
    elif row.strategy_instance_id is not None:
        raise BadFields(
            [FieldError("strategy_id", say("strategy_of_other_master", "only a master of kind strategy has one"))]
        )
    if row.kind == masters.ACCOUNT and row.account_id is None:
        raise BadFields([FieldError("account_id", say("master_needs_account", "a master of kind account has one"))])
    if row.account_id is not None:
        row.venue = feed_of(accounts.get(unit, row.account_id, caller.id))
    elif row.venue not in exchanges() or row.venue == PAPER:
        raise BadFields([FieldError("venue", say("no_such_venue", "there is no venue {venue!r}", venue=row.venue))])
    made = masters.add(unit, row)
    content = {"master": made.id, "kind": made.kind, "name": made.name, "shared": made.shared}
    audit.record(unit, audit.Deed(caller.login, "master_create", content, caller.id, made.strategy_instance_id), now)
    return made


def manual_master(unit: UnitOfWork, caller: Caller, account: int | None, now: datetime) -> Master:
    """The manual master of the caller with this account, made when it is not there."""
    if account is not None:
        accounts.get(unit, account, caller.id)
    # Two who enter the first position at once: the second waits here, and finds what the first has made.
    unit.session.get(User, caller.id, with_for_update=True)
    if found := masters.find(unit, caller.id, masters.MANUAL, account):
        return found
    name = "Manual positions" if account is None else f"Manual positions of account {account}"
    row = Master(
        owner_id=caller.id, name=name, kind=masters.MANUAL, account_id=account, venue=DEFAULT_VENUE,
        created_at=now, updated_at=now,
    )  # fmt: skip
    return new_master(unit, caller, row, now)


def master_to_follow(
    unit: UnitOfWork, caller: Caller, number: int | None, user: int | None, account: int | None, now: datetime
) -> Master:
    """The master that is named by its number, or by its user and account as the design names it."""
    if number is not None:
        found = masters.get(unit, number, caller.id)
    elif user is None and account is None:
        raise BadFields(
            [
                FieldError(
                    "master_id", say("master_missing", "it is missing; or give master_user_id or master_credential_id")
                )
            ]
        )
    elif user in (None, caller.id):
        known = masters.find(unit, caller.id, None, account) if account is not None else None
        found = known or manual_master(unit, caller, account, now)
    else:
        shared = masters.find(unit, user or 0, None if account is not None else masters.MANUAL, account)
        if shared is None or not shared.shared:
            raise NoSuchRow(say("user_has_no_master", "user {user} has no master that you may follow.", user=user))
        found = shared
    if found.state == masters.ENDED:
        raise masters.Ended
    return found


def columns_of(terms: Mapping[str, Any]) -> dict[str, Any]:
    """The terms of a body as columns; amounts that cannot be kept are refused by field."""
    errors = [
        FieldError(name, say("not_null", "it cannot be null"))
        for name in _REQUIRED
        if name in terms and terms[name] is None
    ]
    columns: dict[str, Any] = {}
    for name, value in terms.items():
        if name in _NOT_TERMS:
            continue
        if isinstance(value, Decimal):
            try:
                check_storable(value)
            except TooFine:
                errors.append(
                    FieldError(name, say("too_many_digits", "it has more than 18 digits before or after the point"))
                )
        columns[_RENAMED.get(name, name)] = json.dumps(value) if name in _LISTS else value
    if errors:
        raise BadFields(errors)
    return columns


def check_terms(row: FollowRelationship) -> None:
    """Refuse terms that contradict one another, by field."""
    errors: list[FieldError] = []
    try:
        check_ratio(int(row.ratio * PPM), int((row.max_ratio or 0) * PPM))
    except BadRatio:
        errors.append(
            FieldError(
                "follow_ratio", say("ratio_beyond_max", "it is outside 0.01 to 1.0, and max_ratio does not allow it")
            )
        )
    if row.mode == "fixed_notional" and row.notional is None:
        errors.append(FieldError("notional", say("needed_by_fixed_notional", "the mode fixed_notional needs it")))
    both = set(json.loads(row.allow_symbols)) & set(json.loads(row.deny_symbols))
    if both:
        errors.append(
            FieldError(
                "deny_symbols",
                say("allowed_and_denied", "{symbols}: allowed and denied at once", symbols=", ".join(sorted(both))),
            )
        )
    if errors:
        raise BadFields(errors)


def follow(unit: UnitOfWork, caller: Caller, row: FollowRelationship, of: Master, now: datetime) -> FollowRelationship:
    """Keep a new relationship: its terms make sense, the account is one's own, and nobody copies a copy of itself."""
    check_terms(row)
    account = accounts.get(unit, row.account_id, caller.id)
    names = {name: json.loads(getattr(row, name)) for name in _LISTS}
    for name, symbols in names.items():
        setattr(row, name, json.dumps(sorted({symbol_at(feed_of(account), symbol) for symbol in symbols})))
    content = {"account": row.account_id, "master": of.id, "mode": row.mode, "ratio": str(row.ratio)}
    # Everybody who follows somebody waits here for one another, so two cannot close a circle together.
    audit.record(unit, audit.Deed(caller.login, "follow_create", content, caller.id), now)
    if of.account_id is not None:
        try:
            require_no_circle(following.follows(unit), row.account_id, of.account_id)
        except (FollowsItself, FollowsInACircle) as error:
            raise BadFields([FieldError("master_id", str(error))]) from error
    row.since_version = of.version
    return following.add(unit, row, now)
