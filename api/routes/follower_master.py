"""Masters: make them, enter what a manual one holds, see what all of them hold and how their followers have done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import Query
from fastapi.concurrency import run_in_threadpool

from api import copy_views, copying
from api.cursors import after, unpack
from api.deps import AnyServices, Trader, Viewer
from api.errors import BadFields, FieldError
from api.identity import Caller
from api.router import new_router
from api.schemas.common import LARGEST_NUMBER, SYMBOL_PATTERN, Cursor, Limit, Number
from api.schemas.master import (
    Leaderboard,
    Master,
    MasterCreate,
    MasterEdit,
    MasterList,
    MasterPosition,
    MasterPositionList,
    MasterPositionSet,
)
from api.services import Services
from core import event_bus
from db import models
from db.queries import audit, following, masters
from db.unit_of_work import UnitOfWork, committed, reading
from domain.money import TooFine, check_storable, to_wire
from domain.sentences import say

router = new_router("copy masters")

#: Masters on one leaderboard.
_MOST: Final = 500
OfMaster = Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER, description="Only of this master.")]
OfUser = Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER, description="Only of this person's masters.")]
OfSymbol = Annotated[str | None, Query(max_length=40, pattern=SYMBOL_PATTERN)]


@router.get("/api/v1/follower/masters")
def list_masters(services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100) -> MasterList:
    """Your masters, and those that others share, by number."""
    begin = unpack(cursor, int, (int,)) or 0
    with reading(services.database) as unit:
        found, next_cursor = after(masters.visible(unit, caller.id, begin, limit + 1), limit, lambda one: [one.id])
        counts = following.count_by_master(unit, [one.id for one in found])
    items = [copy_views.master(one, caller.id, counts.get(one.id, 0)) for one in found]
    return MasterList(items=items, next_cursor=next_cursor)


@router.post("/api/v1/follower/masters", status_code=201)
def create_master(services: AnyServices, caller: Trader, body: MasterCreate) -> Master:
    """Let an account of yours, a strategy of yours, or positions that you enter be followed."""
    now = services.now()
    row = models.Master(
        owner_id=caller.id, name=body.name, kind=body.kind, account_id=body.account_id,
        strategy_instance_id=body.strategy_id, venue=body.venue or copying.DEFAULT_VENUE, shared=body.shared,
        created_at=now, updated_at=now,
    )  # fmt: skip
    with committed(services.database) as unit:
        return copy_views.master(copying.new_master(unit, caller, row, now), caller.id, 0)


@router.get("/api/v1/follower/masters/{master_id}")
def get_master(services: AnyServices, caller: Viewer, master_id: Number) -> Master:
    """One master."""
    with reading(services.database) as unit:
        return _one(unit, caller, master_id)


@router.put("/api/v1/follower/masters/{master_id}")
async def update_master(services: AnyServices, caller: Trader, master_id: Number, body: MasterEdit) -> Master:
    """Rename it, share it, pause it, or end it: then every relationship with it stops as it says."""
    changes = body.model_dump(exclude={"revision"}, exclude_none=True)
    if not changes:
        raise BadFields(
            [
                FieldError(
                    "body", say("nothing_to_change_of_master", "nothing is to be changed; give name, state or shared")
                )
            ]
        )

    def edit() -> Master:
        now = services.now()
        with committed(services.database) as unit:
            before = masters.hold(unit, master_id, caller.id)
            content = {name: {"before": getattr(before, name), "after": value} for name, value in changes.items()}
            found = masters.edit(unit, master_id, caller.id, body.revision, changes, now)
            deed = audit.Deed(caller.login, "master_edit", {"master": master_id, **content}, caller.id)
            audit.record(unit, deed, now)
            counts = following.count_by_master(unit, [master_id])
            return copy_views.master(found, caller.id, counts.get(master_id, 0))

    answer = await run_in_threadpool(edit)
    services.doorbell.ring_master(master_id)
    return answer


@router.delete("/api/v1/follower/masters/{master_id}", status_code=204)
def delete_master(services: AnyServices, caller: Trader, master_id: Number) -> None:
    """Remove a master that nobody follows. Its record stays on the leaderboard of those who saw it."""
    now = services.now()
    with committed(services.database) as unit:
        masters.remove(unit, master_id, caller.id, now)
        audit.record(unit, audit.Deed(caller.login, "master_delete", {"master": master_id}, caller.id), now)


@router.post("/api/v1/follower/master-position")
async def set_master_position(services: AnyServices, caller: Trader, body: MasterPositionSet) -> MasterPosition:
    """Enter what a manual master of yours holds. It is a new version, and its followers begin to converge at once."""
    copying.require_own("master_user_id", body.master_user_id, caller)
    for name in ("position_size", "entry_price"):
        amount = getattr(body, name)
        if amount is None:
            continue
        if amount.is_zero() and amount.is_signed():
            raise BadFields([FieldError(name, say("minus_zero", "it is minus zero; leave the sign out"))])
        try:
            check_storable(amount)
        except TooFine as error:
            raise BadFields(
                [FieldError(name, say("too_many_digits", "it has more than 18 digits before or after the point"))]
            ) from error
    answer, is_new = await run_in_threadpool(_publish, services, caller, body)
    if is_new:
        services.doorbell.ring_master(answer.master_id)
        await services.feed.tell(event_bus.COPY_SIGNAL, caller.id, {
            "master": answer.master_id, "symbol": answer.symbol, "version": answer.version,
            "quantity": answer.position_size, "entry_price": answer.entry_price,
            "signal_at": answer.signal_at.isoformat(),
        })  # fmt: skip
    return answer


@router.get("/api/v1/follower/master-positions")
def list_master_positions(
    services: AnyServices,
    caller: Viewer,
    master_id: OfMaster = None,
    master_user_id: OfUser = None,
    symbol: OfSymbol = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> MasterPositionList:
    """What the masters that you may see hold, flat symbols too."""
    number, name = unpack(cursor, _place, (int, str)) or (0, "")
    with reading(services.database) as unit:
        seen = {one.id or 0: one for one in masters.visible(unit, caller.id, 0, _MOST)}
        if master_id is not None:
            seen = {master_id: masters.get(unit, master_id, caller.id)}
        if master_user_id is not None:
            seen = {key: one for key, one in seen.items() if one.owner_id == master_user_id}
        found = [
            one
            for one in masters.positions(unit, list(seen))
            if (one.master_id, one.symbol) > (number, name) and symbol in (None, one.symbol)
        ]
    page, next_cursor = after(found, limit, lambda one: [one.master_id, one.symbol])
    items = [copy_views.position(one, seen[one.master_id], caller.id) for one in page]
    return MasterPositionList(items=items, next_cursor=next_cursor)


@router.get("/api/v1/follower/leaderboard")
def get_master_leaderboard(services: AnyServices, caller: Viewer) -> Leaderboard:
    """Masters by what their followers earned for what they held. Followers who left and ended masters count too."""
    with reading(services.database) as unit:
        seen = {one.id or 0: one for one in masters.visible(unit, caller.id, 0, _MOST, ended=True)}
        found = services.standings.of_masters(unit, list(seen), services.now())
        counts = following.count_by_master(unit, list(seen))
    rows = [
        (copy_views.master_result(seen[number], caller.id, counts.get(number, 0), one), copy_views.return_of(one))
        for number, one in found.items()
    ]
    rows.sort(key=lambda row: (not row[0].enough, -row[1], row[0].master.id))
    ranked = [row.model_copy(update={"rank": place if row.enough else 0}) for place, (row, _) in enumerate(rows, 1)]
    return Leaderboard(items=ranked)


def _one(unit: UnitOfWork, caller: Caller, number: int) -> Master:
    found = masters.get(unit, number, caller.id)
    return copy_views.master(found, caller.id, following.count_by_master(unit, [number]).get(number, 0))


def _publish(services: Services, caller: Caller, body: MasterPositionSet) -> tuple[MasterPosition, bool]:
    now: datetime = services.now()
    with committed(services.database) as unit:
        if body.master_id is not None:
            number = masters.hold(unit, body.master_id, caller.id).id or 0
        else:
            number = copying.manual_master(unit, caller, body.master_credential_id, now).id or 0
        master = masters.hold(unit, number, caller.id)
        if master.kind != masters.MANUAL:
            reason = say(
                "not_entered_by_hand",
                "master {number} is of kind {kind}: it holds what its account or strategy holds",
                number=number,
                kind=master.kind,
            )
            raise BadFields([FieldError("master_id", reason)])
        symbol = copying.symbol_at(master.venue, body.symbol)
        price = body.entry_price
        told = masters.Published(
            symbol, body.position_size, now, masters.MANUAL, price if body.position_size else None, price
        )
        signal = masters.publish(unit, master, told, now)
        if signal is not None:
            content = {"master": number, "symbol": symbol, "version": signal.version, "size": to_wire(signal.quantity)}
            audit.record(unit, audit.Deed(caller.login, "master_position", content, caller.id), now)
        row = next((one for one in masters.positions(unit, [number]) if one.symbol == symbol), None)
        if row is None:
            raise BadFields(
                [
                    FieldError(
                        "position_size", say("flat_already", "{symbol} is flat already, and always was", symbol=symbol)
                    )
                ]
            )
        return copy_views.position(row, master, caller.id), signal is not None


def _place(number: int, name: str) -> tuple[int, str]:
    return number, name
