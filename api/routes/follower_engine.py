"""All of one's copying at once: whether it runs and where, and what each account may hold for all its masters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from typing import Any, Literal, cast

from fastapi.concurrency import run_in_threadpool
from redis.exceptions import RedisError

from api import copy_commanding, copy_views
from api.deps import AnyServices, Trader, Viewer
from api.errors import BadFields, FieldError
from api.identity import Caller
from api.router import new_router
from api.schemas.common import Number
from api.schemas.follower import EngineStatus, FollowerAccount, FollowerAccountEdit, FollowerAccountList, HeldBy
from api.services import Services
from core import redis_names
from db.queries import accounts, audit, following
from db.queries.instances import EditedMeanwhile
from db.unit_of_work import committed, reading
from domain.sentences import say

router = new_router("copy engine")


@router.post("/api/v1/follower/engine/start")
async def start_follower_engine(services: AnyServices, caller: Trader) -> EngineStatus:
    """Let everything of yours that is paused follow again. Copying itself runs as long as the platform does."""
    return await _all(services, caller, "resume")


@router.post("/api/v1/follower/engine/stop")
async def stop_follower_engine(services: AnyServices, caller: Trader) -> EngineStatus:
    """Pause everything of yours: nothing new is entered, exits still follow. Stop a relationship to end it."""
    return await _all(services, caller, "pause")


@router.get("/api/v1/follower/engine/status")
async def get_follower_engine_status(services: AnyServices, caller: Viewer) -> EngineStatus:
    """What is wished of your relationships, what runs, and which worker holds the leases."""
    return await _status(services, caller, 0)


@router.get("/api/v1/follower/accounts")
def list_follower_accounts(services: AnyServices, caller: Viewer) -> FollowerAccountList:
    """What each of your accounts that follow may hold for all its masters together."""
    with reading(services.database) as unit:
        known = {one.id: one for one in accounts.list_of_owner(unit, caller.id)}
        rows = following.follower_accounts(unit, caller.id)
        items = [copy_views.follower_account(one, known[one.account_id]) for one in rows if one.account_id in known]
    return FollowerAccountList(items=items)


@router.put("/api/v1/follower/accounts/{account_id}")
async def update_follower_account(
    services: AnyServices, caller: Trader, account_id: Number, body: FollowerAccountEdit
) -> FollowerAccount:
    """Cap what an account may hold for all its masters together. What is held already stays until its master exits."""
    changes = body.model_dump(exclude_unset=True, exclude={"revision"})
    if not changes:
        raise BadFields(
            [
                FieldError(
                    "body",
                    say("nothing_to_change_of_caps", "nothing is to be changed; give max_notional or max_leverage"),
                )
            ]
        )

    def edit() -> FollowerAccount:
        now = services.now()
        with committed(services.database) as unit:
            account = accounts.hold(unit, account_id, caller.id)
            row = following.follower_account(unit, account_id, caller.id, now)
            if row.revision != body.revision:
                raise EditedMeanwhile(
                    say(
                        "account_edited_meanwhile",
                        "account {account_id} is at revision {revision}, not {given}.",
                        account_id=account_id,
                        revision=row.revision,
                        given=body.revision,
                    )
                )
            told = {name: copy_views.wire(value) for name, value in changes.items()}
            for name, value in changes.items():
                setattr(row, name, value)
            row.revision, row.updated_at = row.revision + 1, now
            unit.session.flush()
            deed = audit.Deed(caller.login, "follower_account_edit", {"account": account_id, **told}, caller.id)
            audit.record(unit, deed, now)
            return copy_views.follower_account(row, account)

    answer = await run_in_threadpool(edit)
    services.doorbell.ring_follower(account_id)
    return answer


async def _all(services: Services, caller: Caller, kind: str) -> EngineStatus:
    def keep() -> copy_commanding.Changed:
        with committed(services.database) as unit:
            return copy_commanding.give_all(unit, caller, kind, services.now())

    changed = await run_in_threadpool(keep)
    for account in sorted(changed.accounts):
        services.doorbell.ring_follower(account)
    return await _status(services, caller, changed.relationships)


async def _status(services: Services, caller: Caller, changed: int) -> EngineStatus:
    def read() -> list[following.Followed]:
        found: list[following.Followed] = []
        with reading(services.database) as unit:
            while page := following.listed(unit, caller.id, found[-1].relationship.id or 0 if found else 0, 500):
                found += page
        return found

    found = await run_in_threadpool(read)
    rows = [one.relationship for one in found]
    wished = Counter(row.desired_state for row in rows)
    return EngineStatus(
        is_running=wished[following.FOLLOWING] > 0,
        relationships=len(rows),
        following=wished[following.FOLLOWING],
        paused=wished[following.PAUSED],
        stopped=wished[following.STOPPED],
        waiting=sum(1 for row in rows if row.state == "waiting" and row.desired_state != following.STOPPED),
        in_error=sum(1 for row in rows if row.state == "error"),
        changed=changed,
        held_by=await _holders(services, found),
    )


async def _holders(services: Services, found: list[following.Followed]) -> list[HeldBy]:
    """Who holds the leases of the masters of a follower, and of the accounts."""
    kinds: list[tuple[Literal["master", "account"], int, str]] = [
        *(("master", one, redis_names.master_lock(one)) for one in sorted({f.relationship.master_id for f in found})),
        *(
            ("account", one, redis_names.account_lock(one))
            for one in sorted({f.relationship.account_id for f in found})
        ),
    ]
    if not kinds:
        return []
    try:
        texts: list[Any] = await cast("Awaitable[Any]", services.redis.mget([key for _, _, key in kinds]))
    except (RedisError, OSError):
        return [HeldBy(kind=kind, id=number, worker=None) for kind, number, _ in kinds]
    workers = [text.decode().partition("|")[0] if text else "" for text in texts]
    return [HeldBy(kind=kind, id=number, worker=who) for (kind, number, _), who in zip(kinds, workers, strict=True)]
