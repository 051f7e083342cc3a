"""Relationships: make, look at, edit, pause, stop, resync; what accounts may hold; all of it at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import Query
from fastapi.concurrency import run_in_threadpool

from api import copy_commanding, copy_preview, copy_symbols, copy_views, copying
from api.commanding import require_ready
from api.cursors import after, unpack
from api.deps import AnyServices, Trader, Viewer
from api.errors import BadFields, FieldError
from api.identity import Caller
from api.market import instrument_of
from api.router import new_router
from api.schemas.common import LARGEST_NUMBER, Cursor, IdempotencyKey, Limit, Number
from api.schemas.copy_record import ResyncPreview
from api.schemas.follower import (
    FollowCommandAnswer,
    FollowCommandStatus,
    Relationship,
    RelationshipCreate,
    RelationshipEdit,
    RelationshipList,
)
from api.services import Services
from api.views import feed_of
from db.models import FollowCommand, FollowRelationship, MasterPosition, StrategyInstance, VirtualPosition
from db.queries import accounts, audit, copy_results, following, masters
from db.unit_of_work import committed, reading
from domain.sentences import say

router = new_router("copy relationships")

#: By symbol what is held, by number the instances that hold it, and the account's equity.
_Holdings = tuple[dict[str, VirtualPosition], dict[int, StrategyInstance], Decimal | None]
OfMaster = Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER, description="Only those with this master.")]
OfAccount = Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER, description="Only those of this account.")]


@router.get("/api/v1/follower/relationships")
def list_relationships(
    services: AnyServices,
    caller: Viewer,
    master_id: OfMaster = None,
    account_id: OfAccount = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> RelationshipList:
    """Your relationships by number."""
    begin = unpack(cursor, int, (int,)) or 0
    with reading(services.database) as unit:
        found = following.listed(unit, caller.id, begin, limit + 1, account=account_id, master=master_id)
    page, next_cursor = after(found, limit, lambda one: [one.relationship.id])
    return RelationshipList(items=[copy_views.relationship(one) for one in page], next_cursor=next_cursor)


@router.post("/api/v1/follower/relationships", status_code=201)
async def create_relationship(services: AnyServices, caller: Trader, body: RelationshipCreate) -> Relationship:
    """Let an account of yours follow a master. It begins at once, unless `is_active` is false.

    Symbols that the account's venue lacks are refused once a worker has published what it lists; before that they are
    taken, and never traded.
    """
    copying.require_own("follower_user_id", body.follower_user_id, caller)
    numbers = {body.account_id, body.follower_credential_id} - {None}
    if len(numbers) != 1:
        raise BadFields(
            [FieldError("account_id", say("one_account_follows", "one account follows; give its number once"))]
        )
    account = numbers.pop() or 0
    feed = await run_in_threadpool(_feed, services, caller, account)
    await copy_symbols.refuse_unknown(services.market, feed, body.model_dump())
    made = await run_in_threadpool(_create, services, caller, body, account)
    services.doorbell.ring_follower(made.account_id)
    return made


@router.get("/api/v1/follower/relationships/{relationship_id}")
def get_relationship(services: AnyServices, caller: Viewer, relationship_id: Number) -> Relationship:
    """One relationship."""
    with reading(services.database) as unit:
        return copy_views.relationship(following.get(unit, relationship_id, caller.id))


@router.put("/api/v1/follower/relationships/{relationship_id}")
async def update_relationship(
    services: AnyServices,
    caller: Trader,
    relationship_id: Number,
    body: RelationshipEdit,
    idempotency_key: IdempotencyKey = None,
) -> FollowCommandAnswer:
    """Change its terms, running or not: what is held converges to what they allow."""
    terms = body.model_dump(exclude_unset=True, exclude={"revision"})

    if terms.get("allow_symbols") or terms.get("deny_symbols"):
        feed = await run_in_threadpool(_feed_of_relationship, services, caller, relationship_id)
        await copy_symbols.refuse_unknown(services.market, feed, terms)

    def edit() -> tuple[FollowCommand, following.Followed]:
        with committed(services.database) as unit:
            given = copy_commanding.give_edit(
                unit, caller, relationship_id, body.revision, terms, idempotency_key, services.now()
            )
            return given, following.get(unit, relationship_id, caller.id)

    given, found = await run_in_threadpool(edit)
    return _answer(services, given, found)


@router.delete("/api/v1/follower/relationships/{relationship_id}", status_code=204)
def delete_relationship(services: AnyServices, caller: Trader, relationship_id: Number) -> None:
    """Remove one that has stopped. Its record stays, and counts in its master's."""
    now = services.now()
    with committed(services.database) as unit:
        following.remove(unit, relationship_id, caller.id, now)
        deed = audit.Deed(caller.login, "follow_delete", {"relationship": relationship_id}, caller.id)
        audit.record(unit, deed, now)


@router.post("/api/v1/follower/relationships/{relationship_id}/start", status_code=202)
async def start_relationship(
    services: AnyServices, caller: Trader, relationship_id: Number, idempotency_key: IdempotencyKey = None
) -> FollowCommandAnswer:
    """Follow again after a stop."""
    return await _command(services, caller, relationship_id, "start", idempotency_key)


@router.post("/api/v1/follower/relationships/{relationship_id}/pause", status_code=202)
async def pause_relationship(
    services: AnyServices, caller: Trader, relationship_id: Number, idempotency_key: IdempotencyKey = None
) -> FollowCommandAnswer:
    """No new entries; exits go on."""
    return await _command(services, caller, relationship_id, "pause", idempotency_key)


@router.post("/api/v1/follower/relationships/{relationship_id}/resume", status_code=202)
async def resume_relationship(
    services: AnyServices, caller: Trader, relationship_id: Number, idempotency_key: IdempotencyKey = None
) -> FollowCommandAnswer:
    """Go on after a pause. What the master entered meanwhile is copied by a resync only."""
    return await _command(services, caller, relationship_id, "resume", idempotency_key)


@router.post("/api/v1/follower/relationships/{relationship_id}/stop", status_code=202)
async def stop_relationship(
    services: AnyServices, caller: Trader, relationship_id: Number, idempotency_key: IdempotencyKey = None
) -> FollowCommandAnswer:
    """End following; what is held is kept, closed or handed over, as `on_stop` says."""
    return await _command(services, caller, relationship_id, "stop", idempotency_key)


@router.post("/api/v1/follower/relationships/{relationship_id}/resync", status_code=202)
async def resync_relationship(
    services: AnyServices, caller: Trader, relationship_id: Number, idempotency_key: IdempotencyKey = None
) -> FollowCommandAnswer:
    """Copy all that the master holds now, whatever was skipped, came late or was changed by hand."""
    return await _command(services, caller, relationship_id, "resync", idempotency_key)


@router.get("/api/v1/follower/relationships/{relationship_id}/resync-preview")
async def preview_resync(services: AnyServices, caller: Viewer, relationship_id: Number) -> ResyncPreview:
    """What a resync would change, symbol by symbol. Nothing of it is kept."""

    def read() -> tuple[following.Followed, list[MasterPosition], _Holdings]:
        with reading(services.database) as unit:
            found = following.get(unit, relationship_id, caller.id)
            at = masters.positions(unit, [found.master.id or 0])
            held = {one.symbol: one for one in following.positions(unit, [relationship_id])}
            of = copy_results.instances_of(unit, [one.strategy_instance_id for one in held.values()])
            account = following.follower_accounts(unit, caller.id)
            equity = next((one.equity for one in account if one.account_id == found.account.id), None)
            return found, list(at), (held, of, equity)

    found, at, (held, of, equity) = await run_in_threadpool(read)
    feed, instruments = feed_of(found.account), {}
    for one in at:
        known = of.get(held[one.symbol].strategy_instance_id) if one.symbol in held else None
        instrument = instrument_of(known) if known is not None else None
        instrument = instrument or await services.market.instrument(feed, one.symbol)
        if instrument is not None:
            instruments[one.symbol] = instrument
    return copy_preview.preview(found.relationship, found.master, at, held, instruments, equity, feed, services.now())


@router.get("/api/v1/follower/commands/{follow_command_id}")
def get_follow_command(services: AnyServices, caller: Viewer, follow_command_id: Number) -> FollowCommandStatus:
    """What became of a command of a relationship."""
    with reading(services.database) as unit:
        return copy_views.command(following.command(unit, follow_command_id, caller.id))


def _feed(services: Services, caller: Caller, account: int) -> str:
    with reading(services.database) as unit:
        return feed_of(accounts.get(unit, account, caller.id))


def _feed_of_relationship(services: Services, caller: Caller, number: int) -> str:
    with reading(services.database) as unit:
        return feed_of(following.get(unit, number, caller.id).account)


def _create(services: Services, caller: Caller, body: RelationshipCreate, account: int) -> Relationship:
    now = services.now()
    with committed(services.database) as unit:
        of = copying.master_to_follow(unit, caller, body.master_id, body.master_user_id, body.master_credential_id, now)
        row = FollowRelationship(
            owner_id=caller.id,
            account_id=account,
            master_id=of.id or 0,
            desired_state=following.FOLLOWING if body.is_active else following.PAUSED,
            created_at=now,
            updated_at=now,
            **copying.columns_of(body.model_dump()),
        )
        made = copying.follow(unit, caller, row, of, now)
        if body.is_active:
            require_ready(unit, account, caller)
        return copy_views.relationship(following.get(unit, made.id or 0, caller.id))


async def _command(services: Services, caller: Caller, number: int, kind: str, key: str | None) -> FollowCommandAnswer:
    def keep() -> tuple[FollowCommand, following.Followed]:
        with committed(services.database) as unit:
            given = copy_commanding.give(unit, caller, number, kind, key, services.now())
            return given, following.get(unit, number, caller.id)

    given, found = await run_in_threadpool(keep)
    return _answer(services, given, found)


def _answer(services: Services, given: FollowCommand, found: following.Followed) -> FollowCommandAnswer:
    services.doorbell.ring_follower(found.relationship.account_id)
    return FollowCommandAnswer(
        command_id=given.id or 0, outcome=given.outcome, relationship=copy_views.relationship(found)
    )
