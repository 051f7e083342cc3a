"""Trades of all your strategies, and what they add up to."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Query

from api import views
from api.cursors import after, unpack
from api.deps import AnyServices, Viewer
from api.router import new_router
from api.schemas.common import LARGEST_NUMBER, SYMBOL_PATTERN, Cursor, Limit
from api.schemas.platform import CurrencyStats, TradeList, TradeStats
from db.queries import pages, results
from db.unit_of_work import reading
from domain.money import add, to_wire

router = new_router("trades")

OfStrategy = Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER)]
OfSymbol = Annotated[str | None, Query(max_length=40, pattern=SYMBOL_PATTERN)]


@router.get("/api/trades")
def list_trades(
    services: AnyServices,
    caller: Viewer,
    strategy_id: OfStrategy = None,
    account_id: OfStrategy = None,
    symbol: OfSymbol = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> TradeList:
    """Executions, newest first; those of removed strategies too."""
    before = unpack(cursor, pages.FillKey, (datetime, int, str, str))
    wanted = pages.Trades(caller.id, strategy_id, account_id, symbol)
    with reading(services.database) as unit:
        page, next_cursor = after(pages.fills(unit, wanted, before, limit + 1), limit, pages.fill_key)
        of = pages.instances_numbered(unit, caller.id, {one.strategy_instance_id for one in page})
        items = [views.trade(one, of[one.strategy_instance_id]) for one in page]
    return TradeList(items=items, next_cursor=next_cursor)


@router.get("/api/trades/stats")
def get_trade_stats(services: AnyServices, caller: Viewer) -> TradeStats:
    """What all your strategies have earned, by currency."""
    with reading(services.database) as unit:
        days = results.days_of_owner(unit, caller.id)
    by_currency: dict[str, list[results.Day]] = defaultdict(list)
    for _, currency, one in days:
        by_currency[currency].append(one)
    return TradeStats(
        strategies=len({number for number, _, _ in days}),
        trades=sum(one.trades for _, _, one in days),
        by_currency=[_stats(currency, found) for currency, found in sorted(by_currency.items())],
    )


def _stats(currency: str, found: list[results.Day]) -> CurrencyStats:
    by_day: dict[int, Decimal] = defaultdict(Decimal)
    for one in found:
        by_day[one.day] = add(by_day[one.day], one.realised)
    return CurrencyStats(
        currency=currency,
        trades=sum(one.trades for one in found),
        realised=to_wire(add(*(one.realised for one in found))),
        fees=to_wire(add(*(one.fees for one in found))),
        winning_days=sum(1 for amount in by_day.values() if amount > 0),
        losing_days=sum(1 for amount in by_day.values() if amount < 0),
    )
