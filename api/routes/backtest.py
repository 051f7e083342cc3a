"""Backtests: ask for one, see how far it is, read what it found, cancel it."""

from __future__ import annotations

from typing import Literal

from fastapi import Response

from api import run_files, running
from api.deps import AnyServices, Trader, Viewer
from api.router import new_router
from api.schemas.common import Cursor, IdempotencyKey, Limit, Number
from api.schemas.run import BacktestCreate, Run, RunDetail, RunFillList, RunList

router = new_router("backtests")


@router.get("/api/backtests")
async def list_backtests(services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100) -> RunList:
    """Your backtests, newest first."""
    return await running.listed(services, caller, running.BACKTEST, cursor, limit)


@router.post("/api/backtests", status_code=202)
async def create_backtest(
    services: AnyServices, caller: Trader, body: BacktestCreate, idempotency_key: IdempotencyKey = None
) -> Run:
    """Ask for a backtest. It is kept, and a compute worker takes it up."""
    return await running.submit_backtest(services, caller, body, idempotency_key)


@router.get("/api/backtests/{backtest_id}")
def get_backtest(services: AnyServices, caller: Viewer, backtest_id: Number) -> RunDetail:
    """One backtest with what it found."""
    return running.one(services, caller, running.BACKTEST, backtest_id)


@router.get("/api/backtests/{backtest_id}/fills")
def list_backtest_fills(
    services: AnyServices, caller: Viewer, backtest_id: Number, cursor: Cursor = None, limit: Limit = 100
) -> RunFillList:
    """What a backtest executed, in its order."""
    return run_files.fills(services, caller, running.BACKTEST, backtest_id, cursor, limit)


@router.get("/api/backtests/{backtest_id}/files/{name}", response_class=Response)
def get_backtest_file(
    services: AnyServices, caller: Viewer, backtest_id: Number, name: Literal["report.html", "fills.csv"]
) -> Response:
    """The report of a backtest as a page of its own, or its executions as text with commas between."""
    return run_files.one(services, caller, running.BACKTEST, backtest_id, name)


@router.post("/api/backtests/{backtest_id}/cancel")
def cancel_backtest(services: AnyServices, caller: Trader, backtest_id: Number) -> Run:
    """Work on it no more. What has ended already stays as it is."""
    return running.cancel(services, caller, running.BACKTEST, backtest_id)


@router.delete("/api/backtests/{backtest_id}", status_code=204)
def delete_backtest(services: AnyServices, caller: Trader, backtest_id: Number) -> None:
    """Remove it with everything it found; one that is worked on is cancelled by it."""
    running.remove(services, caller, running.BACKTEST, backtest_id)
