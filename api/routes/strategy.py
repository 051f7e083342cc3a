"""Strategies: list, make, look at, edit, remove."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool

from api import views
from api.checking import checked_limits, checked_parameters, kind_named
from api.commanding import give_edit
from api.cursors import after, unpack
from api.deps import AnyServices, Trader, Viewer
from api.identity import Caller
from api.preview import refuse_what_cannot_run
from api.router import new_router
from api.schemas.common import LARGEST_NUMBER, Cursor, IdempotencyKey, Limit, Number
from api.schemas.live import StatusAnswer, StatusList, TotalList
from api.schemas.strategy import State, Strategy, StrategyCreate, StrategyEdit, StrategyList
from api.services import Services
from db.models import StrategyInstance
from db.queries import accounts, audit, instances, pages
from db.unit_of_work import committed, reading

router = new_router("strategies")

Text = Annotated[str | None, Query(max_length=100, description="Part of a name or symbol.")]
States = Annotated[list[State] | None, Query(description="Only those of which this is wished.")]
OfAccount = Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER, description="Only those on this account.")]


@router.get("/api/strategies")
async def list_strategies(
    services: AnyServices,
    caller: Viewer,
    cursor: Cursor = None,
    limit: Limit = 100,
    state: States = None,
    q: Text = None,
    account_id: OfAccount = None,
) -> StrategyList:
    """Your strategies by number, with what they do now."""
    wanted = pages.Wanted(tuple(state or ()), q or "", account_id)
    return await _page(services, caller, wanted, cursor, limit)


@router.get("/api/strategies/running")
async def list_running_strategies(
    services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100
) -> StrategyList:
    """Your strategies that should run, with the node they run on."""
    wanted = pages.Wanted((instances.RUNNING, instances.PAUSED))
    return await _page(services, caller, wanted, cursor, limit)


@router.get("/api/strategies/statuses", response_model=StatusList)
async def list_strategy_statuses(services: AnyServices, caller: Viewer) -> Response:
    """What all your strategies do, in one answer that is read anew about every second."""
    return Response(await services.board.of(caller.id), media_type="application/json")


@router.get("/api/strategies/totals", response_model=TotalList)
async def list_strategy_totals(services: AnyServices, caller: Viewer) -> Response:
    """What all your strategies that run come to, by currency; paper and real money apart."""
    return Response(await services.board.totals_of(caller.id), media_type="application/json")


@router.post("/api/strategies", status_code=201)
async def create_strategy(services: AnyServices, caller: Trader, body: StrategyCreate) -> Strategy:
    """Make a strategy. It does nothing until it is started."""
    kind = kind_named(services.kinds, body.strategy_type)
    parameters = checked_parameters(kind, body.parameters)
    limits = checked_limits(body.limits)

    def feed() -> str:
        with reading(services.database) as unit:
            return views.feed_of(accounts.get(unit, body.account_id, caller.id))

    await refuse_what_cannot_run(
        services.market, await run_in_threadpool(feed), body.symbol, body.interval, kind, parameters
    )
    return await run_in_threadpool(_create, services, caller, body, parameters, limits)


@router.get("/api/strategies/{strategy_id}")
async def get_strategy(services: AnyServices, caller: Viewer, strategy_id: Number) -> Strategy:
    """One strategy."""
    listed = await run_in_threadpool(_read, services, strategy_id, caller)
    live, _ = await services.live.of_many_if_known([strategy_id])
    return views.strategy(listed, live.get(strategy_id))


@router.get("/api/strategies/{strategy_id}/status", response_model=StatusAnswer)
async def get_strategy_status(services: AnyServices, caller: Viewer, strategy_id: Number) -> Response:
    """What a strategy does now, and on which node."""
    await services.owners.require(strategy_id, caller.id)
    live = await services.live.of(strategy_id)
    if live is not None and live.owner_id != caller.id:
        live = None
    answer = StatusAnswer(id=strategy_id, running=live is not None, live=live)
    return Response(answer.model_dump_json(), media_type="application/json")


@router.put("/api/strategies/{strategy_id}")
async def update_strategy(
    services: AnyServices,
    caller: Trader,
    strategy_id: Number,
    body: StrategyEdit,
    idempotency_key: IdempotencyKey = None,
) -> Strategy:
    """Edit a strategy, running or not: only the orders that have to move are moved."""
    if body.parameters is not None:
        row, account = await run_in_threadpool(_read, services, strategy_id, caller)
        kind = kind_named(services.kinds, row.strategy_type)
        parameters = checked_parameters(kind, body.parameters)
        feed = views.feed_of(account)
        await refuse_what_cannot_run(services.market, feed, row.symbol, row.kline_interval, kind, parameters)
    listed = await run_in_threadpool(_edit, services, caller, strategy_id, body, idempotency_key)
    services.doorbell.ring(strategy_id, "edit")
    live, _ = await services.live.of_many_if_known([strategy_id])
    return views.strategy(listed, live.get(strategy_id))


@router.delete("/api/strategies/{strategy_id}", status_code=204)
def delete_strategy(services: AnyServices, caller: Trader, strategy_id: Number) -> None:
    """Remove a stopped strategy whose orders are complete. Its history stays."""
    now = services.now()
    with committed(services.database) as unit:
        instances.remove(unit, strategy_id, caller.id, now)
        audit.record(unit, audit.Deed(caller.login, "strategy_delete", {}, caller.id, strategy_id), now)
    services.owners.forget(strategy_id, caller.id)


def _create(services: Services, caller: Caller, body: StrategyCreate, parameters: str, limits: str) -> Strategy:
    now = services.now()
    row = StrategyInstance(
        owner_id=caller.id,
        account_id=body.account_id,
        name=body.name,
        strategy_type=body.strategy_type,
        symbol=body.symbol,
        kline_interval=body.interval,
        parameters=parameters,
        limits=limits,
        desired_state=instances.STOPPED,
        paper=True,
        created_at=now,
        updated_at=now,
    )
    with committed(services.database) as unit:
        made = instances.add(unit, row)
        content = {"name": body.name, "parameters": json.loads(parameters), "limits": json.loads(limits)}
        audit.record(unit, audit.Deed(caller.login, "strategy_create", content, caller.id, made.id), now)
        return views.strategy(pages.instance(unit, made.id or 0, caller.id), None)


def _read(services: Services, number: int, caller: Caller) -> pages.Listed:
    with reading(services.database) as unit:
        return pages.instance(unit, number, caller.id)


async def _page(
    services: Services, caller: Caller, wanted: pages.Wanted, cursor: str | None, limit: int
) -> StrategyList:
    begin = unpack(cursor, int, (int,)) or 0

    def read() -> list[pages.Listed]:
        with reading(services.database) as unit:
            return pages.instances(unit, caller.id, wanted, begin, limit + 1)

    found, next_cursor = after(await run_in_threadpool(read), limit, lambda one: [one.instance.id])
    live, known = await services.live.of_many_if_known([one.instance.id for one in found])
    items = [views.strategy(one, live.get(one.instance.id)) for one in found]
    return StrategyList(items=items, next_cursor=next_cursor, live_known=known)


def _edit(services: Services, caller: Caller, number: int, body: StrategyEdit, key: str | None) -> pages.Listed:
    now = services.now()
    with committed(services.database) as unit:
        kind = kind_named(services.kinds, instances.get(unit, number, caller.id).strategy_type)
        changes: dict[str, Any] = {}
        if body.name is not None:
            changes["name"] = body.name
        if body.parameters is not None:
            changes["parameters"] = checked_parameters(kind, body.parameters)
        if body.limits is not None:
            changes["limits"] = checked_limits(body.limits)
        give_edit(unit, caller, number, body.revision, changes, key, now)
        return pages.instance(unit, number, caller.id)
