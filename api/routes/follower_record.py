"""The record of copying: every signal and what became of it, how long and how well, and how far followers are off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query

from api import copy_views, distributions
from api.cursors import after, unpack
from api.deps import AnyServices, Viewer
from api.router import new_router
from api.schemas.common import LARGEST_NUMBER, SYMBOL_PATTERN, Cursor, Limit, Number
from api.schemas.copy_record import Drift, DriftList, LogStatus, TrackingList, TradeLogList, TradeLogStats
from api.services import Services
from db.queries import copy_log, copy_results, following, masters
from db.unit_of_work import UnitOfWork, reading

router = new_router("copy record")

_Of = Query(ge=1, le=LARGEST_NUMBER)
OfNumber = Annotated[int | None, _Of]
OfSymbol = Annotated[str | None, Query(max_length=40, pattern=SYMBOL_PATTERN)]
#: Relationships that are looked at in one answer.
_MOST = 1_000


@router.get("/api/v1/follower/trade-logs")
def list_trade_logs(
    services: AnyServices,
    caller: Viewer,
    master_user_id: OfNumber = None,
    follower_user_id: OfNumber = None,
    master_id: OfNumber = None,
    relationship_id: OfNumber = None,
    account_id: OfNumber = None,
    symbol: OfSymbol = None,
    status: LogStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> TradeLogList:
    """Every signal of your masters and what became of it at you, newest first; skipped ones with their reason."""
    wanted = copy_log.Wanted(caller.id, relationship_id, account_id, master_id, master_user_id, symbol, status)
    return _page(services, wanted, follower_user_id, cursor, limit)


@router.get("/api/v1/follower/trade-history")
def list_trade_history(
    services: AnyServices,
    caller: Viewer,
    master_user_id: OfNumber = None,
    follower_user_id: OfNumber = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> TradeLogList:
    """The trade log by its first name."""
    wanted = copy_log.Wanted(caller.id, master_user=master_user_id)
    return _page(services, wanted, follower_user_id, cursor, limit)


@router.get("/api/v1/follower/trade-logs/stats")
def get_trade_log_stats(
    services: AnyServices,
    caller: Viewer,
    master_user_id: OfNumber = None,
    follower_user_id: OfNumber = None,
    master_id: OfNumber = None,
    relationship_id: OfNumber = None,
    account_id: OfNumber = None,
    symbol: OfSymbol = None,
) -> TradeLogStats:
    """How many signals were carried out, failed and skipped, how long they took, and what they cost."""
    wanted = copy_log.Wanted(caller.id, relationship_id, account_id, master_id, master_user_id, symbol)
    with reading(services.database) as unit:
        if follower_user_id not in (None, caller.id):
            return distributions.stats(copy_log.Counts({}, {}, 0, 0), [])
        return distributions.stats(copy_log.counts(unit, wanted), copy_log.timings(unit, wanted))


@router.get("/api/v1/follower/drift")
def list_drift(services: AnyServices, caller: Viewer) -> DriftList:
    """How far each of your relationships is from its master, symbol by symbol, and why."""
    with reading(services.database) as unit:
        return DriftList(items=_drifts(unit, following.listed(unit, caller.id, 0, _MOST)))


@router.get("/api/v1/follower/relationships/{relationship_id}/drift")
def get_relationship_drift(services: AnyServices, caller: Viewer, relationship_id: Number) -> DriftList:
    """The same of one relationship."""
    with reading(services.database) as unit:
        return DriftList(items=_drifts(unit, [following.get(unit, relationship_id, caller.id)]))


@router.get("/api/v1/follower/relationships/{relationship_id}/tracking")
def list_tracking_errors(
    services: AnyServices,
    caller: Viewer,
    relationship_id: Number,
    symbol: OfSymbol = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> TrackingList:
    """The tracking-error ledger, newest step first: ideal less actual copy, split into causes that add up."""
    before = unpack(cursor, _place, (datetime, str, int))
    with reading(services.database) as unit:
        following.get(unit, relationship_id, caller.id)
        found = copy_results.errors(unit, relationship_id, symbol, before, limit + 1)
        page, next_cursor = after(found, limit, lambda one: [one.at, one.symbol, one.sequence])
        of = copy_results.instances_of(unit, list({one.strategy_instance_id for one in page}))
    steps = [copy_views.tracking_step(one, of.get(one.strategy_instance_id)) for one in page]
    return TrackingList(items=[step for step in steps if step is not None], next_cursor=next_cursor)


def _page(
    services: Services, wanted: copy_log.Wanted, follower: int | None, cursor: str | None, limit: int
) -> TradeLogList:
    before = unpack(cursor, int, (int,))
    if follower not in (None, wanted.owner):
        return TradeLogList(items=[])
    with reading(services.database) as unit:
        page, next_cursor = after(copy_log.page(unit, wanted, before, limit + 1), limit, lambda one: [one.id])
        return TradeLogList(items=[copy_views.trade_log(one) for one in page], next_cursor=next_cursor)


def _drifts(unit: UnitOfWork, found: Sequence[following.Followed]) -> list[Drift]:
    numbers = [one.relationship.id or 0 for one in found]
    at = masters.positions(unit, list({one.relationship.master_id for one in found}))
    held = {(one.relationship_id, one.symbol): one for one in following.positions(unit, numbers)}
    ends = copy_results.newest_errors(unit, numbers)
    of = copy_results.instances_of(unit, list({one.strategy_instance_id for one in held.values()}))
    drifts: list[Drift] = []
    for one in found:
        for position in (row for row in at if row.master_id == one.relationship.master_id):
            key = (one.relationship.id or 0, position.symbol)
            mine = held.get(key)
            instance = of.get(mine.strategy_instance_id) if mine is not None else None
            drifts.append(copy_views.drift(one, position, mine, ends.get(key), instance))
    return drifts


def _place(at: datetime, symbol: str, sequence: int) -> tuple[datetime, str, int]:
    return at, symbol, sequence
