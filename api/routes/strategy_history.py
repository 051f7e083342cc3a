"""What a strategy did and earned: orders, fills, profit, equity, bars."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from fastapi import Query
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime
from redis.exceptions import RedisError

from api import views
from api.cursors import after, unpack
from api.deps import AnyServices, Viewer
from api.errors import LiveUnavailable
from api.identity import Caller
from api.router import new_router
from api.schemas.common import INTERVAL_PATTERN, Cursor, Limit, Number
from api.schemas.strategy import Bar, Bars, Equity, EquityPoint, FillList, OrderList, Pnl
from api.services import Services
from core import redis_names
from core.clock import utc_from_ms
from db.models import StrategyInstance
from db.queries import equity, pages, profit, results
from db.unit_of_work import UnitOfWork, reading
from domain.money import from_units, to_wire

router = new_router("history")


@router.get("/api/strategies/{strategy_id}/orders")
def list_strategy_orders(
    services: AnyServices,
    caller: Viewer,
    strategy_id: Number,
    state: Literal["open", "all"] = "all",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> OrderList:
    """Its orders, newest first."""
    before = unpack(cursor, pages.OrderKey, (int, str))
    with reading(services.database) as unit:
        instance = pages.instance(unit, strategy_id, caller.id).instance
        rows = pages.orders(unit, strategy_id, only_open=state == "open", before=before, limit=limit + 1)
        page, next_cursor = after(rows, limit, pages.order_key)
        reasons = views.reasons_of(services.kinds, instance)
        return OrderList(items=[views.order(one, instance, reasons) for one in page], next_cursor=next_cursor)


@router.get("/api/strategies/{strategy_id}/fills")
def list_strategy_fills(
    services: AnyServices, caller: Viewer, strategy_id: Number, cursor: Cursor = None, limit: Limit = 100
) -> FillList:
    """Its executions, newest first."""
    before = unpack(cursor, pages.FillKey, (datetime, int, str, str))
    with reading(services.database) as unit:
        instance = pages.instance(unit, strategy_id, caller.id).instance
        rows = pages.fills(unit, pages.Trades(caller.id, strategy_id), before, limit + 1)
        page, next_cursor = after(rows, limit, pages.fill_key)
        return FillList(items=[views.fill(one, instance) for one in page], next_cursor=next_cursor)


@router.get("/api/strategies/{strategy_id}/pnl")
async def get_strategy_pnl(services: AnyServices, caller: Viewer, strategy_id: Number) -> Pnl:
    """What it has earned, to the last digit, told by its fills and by the ledger."""
    live, _ = await services.live.of_many_if_known([strategy_id])
    status = live.get(strategy_id)
    price = status.current_price if status is not None and status.owner_id == caller.id else None
    return await run_in_threadpool(_pnl, services, caller, strategy_id, Decimal(price) if price else None)


@router.get("/api/strategies/{strategy_id}/equity")
def get_strategy_equity(
    services: AnyServices, caller: Viewer, strategy_id: Number, since: AwareDatetime | None = None
) -> Equity:
    """What it was worth, minute by minute, older times more rarely."""
    with reading(services.database) as unit:
        instance = pages.instance(unit, strategy_id, caller.id).instance
        points = equity.since(unit, strategy_id, since)
        if not points or instance.quote_quantum is None:
            return Equity(items=[])
        quantum = instance.quote_quantum

        def text(quanta: int) -> str:
            return to_wire(from_units(quanta, quantum))

        items = [
            EquityPoint(
                at=one.at,
                equity=text(one.equity),
                realised=text(one.realised),
                unrealised=text(one.unrealised),
                fees=text(one.fees),
            )
            for one in points
        ]
        return Equity(items=items)


@router.get("/api/strategies/{strategy_id}/bars")
async def get_strategy_bars(
    services: AnyServices,
    caller: Viewer,
    strategy_id: Number,
    interval: Annotated[str | None, Query(pattern=INTERVAL_PATTERN)] = None,
    limit: Limit = 200,
) -> Bars:
    """Newest closed bars of its symbol, as the worker that follows it has published them."""
    listed = await run_in_threadpool(_read, services, caller, strategy_id)
    wanted = interval or listed.instance.kline_interval
    key = redis_names.bars(views.feed_of(listed.account), listed.instance.symbol, wanted)
    try:
        text = await cast("Awaitable[Any]", services.redis.get(key))
    except (RedisError, OSError) as error:
        raise LiveUnavailable from error
    return Bars(items=[_bar(row) for row in json.loads(text)[-limit:]] if text else [])


def _read(services: Services, caller: Caller, number: int) -> pages.Listed:
    with reading(services.database) as unit:
        return pages.instance(unit, number, caller.id)


def _bar(row: list[Any]) -> Bar:
    moment, *numbers = row
    opened, high, low, close, volume = (str(one) for one in numbers[:5])
    return Bar(open_time=utc_from_ms(int(moment)), open=opened, high=high, low=low, close=close, volume=volume)


def _pnl(services: Services, caller: Caller, number: int, price: Decimal | None) -> Pnl:
    with reading(services.database) as unit:
        instance = pages.instance(unit, number, caller.id).instance
        try:
            mark = price if price is not None else _last_price(unit, caller, instance)
            found = profit.of_instance(unit, instance, mark or Decimal(0), services.sums)
            days = results.days(unit, instance)
        except results.NotStarted:
            return _nothing_yet(instance)
    return Pnl(
        currency=found.currency,
        capital=to_wire(found.capital),
        realised=to_wire(found.realised),
        funding=to_wire(found.funding),
        unrealised=to_wire(found.unrealised),
        fees=to_wire(found.fees),
        other_fees={asset: to_wire(amount) for asset, amount in found.other_fees.items()},
        equity=to_wire(found.equity),
        transfers=to_wire(found.transfers),
        position=to_wire(found.position),
        average_price=to_wire(found.average_price) if found.average_price is not None else None,
        mark_price=to_wire(mark) if mark is not None else None,
        trades=found.trades,
        adds_up=found.adds_up,
        days=[views.day(one) for one in days],
    )


def _last_price(unit: UnitOfWork, caller: Caller, instance: StrategyInstance) -> Decimal | None:
    """The price of the last trade, when no worker tells one."""
    last = pages.fills(unit, pages.Trades(caller.id, instance.id), None, 1)
    return from_units(last[0].ticks, instance.tick_size) if last and instance.tick_size is not None else None


def _nothing_yet(instance: StrategyInstance) -> Pnl:
    """Of a strategy that was never started."""
    zero = "0"
    return Pnl(
        currency=instance.quote_asset or "",
        capital=zero, realised=zero, funding=zero, unrealised=zero, fees=zero, other_fees={}, equity=zero,
        transfers=zero, position=zero, average_price=None, mark_price=None, trades=0, adds_up=True, days=[],
    )  # fmt: skip
