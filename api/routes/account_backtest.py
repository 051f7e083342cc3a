"""Backtests of several strategies on one account: ask for one, read what it found, cancel it."""

from __future__ import annotations

from typing import Literal

from fastapi import Response

from api import run_files, running
from api.deps import AnyServices, Trader, Viewer
from api.router import new_router
from api.schemas.common import Cursor, IdempotencyKey, Limit, Number
from api.schemas.run import AccountBacktestCreate, Run, RunDetail, RunFillList, RunList

router = new_router("backtests")


@router.get("/api/account-backtests")
async def list_account_backtests(
    services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100
) -> RunList:
    """Your backtests of several strategies on one account, newest first."""
    return await running.listed(services, caller, running.TOGETHER, cursor, limit)


@router.post("/api/account-backtests", status_code=202)
async def create_account_backtest(
    services: AnyServices, caller: Trader, body: AccountBacktestCreate, idempotency_key: IdempotencyKey = None
) -> Run:
    """Ask for a backtest of several strategies on one account and one capital."""
    return await running.submit_account_backtest(services, caller, body, idempotency_key)


@router.get("/api/account-backtests/{account_backtest_id}")
def get_account_backtest(services: AnyServices, caller: Viewer, account_backtest_id: Number) -> RunDetail:
    """One of them with what it found: the account's figures and curve, and every instance's."""
    return running.one(services, caller, running.TOGETHER, account_backtest_id)


@router.get("/api/account-backtests/{account_backtest_id}/fills")
def list_account_backtest_fills(
    services: AnyServices, caller: Viewer, account_backtest_id: Number, cursor: Cursor = None, limit: Limit = 100
) -> RunFillList:
    """What its instances executed, one instance after the other."""
    return run_files.fills(services, caller, running.TOGETHER, account_backtest_id, cursor, limit)


@router.get("/api/account-backtests/{account_backtest_id}/files/{name}", response_class=Response)
def get_account_backtest_file(
    services: AnyServices, caller: Viewer, account_backtest_id: Number, name: Literal["report.html", "fills.csv"]
) -> Response:
    """The report of the account as a page of its own, or every execution of every instance as text with commas."""
    return run_files.one(services, caller, running.TOGETHER, account_backtest_id, name)


@router.post("/api/account-backtests/{account_backtest_id}/cancel")
def cancel_account_backtest(services: AnyServices, caller: Trader, account_backtest_id: Number) -> Run:
    """Work on it no more. What has ended already stays as it is."""
    return running.cancel(services, caller, running.TOGETHER, account_backtest_id)


@router.delete("/api/account-backtests/{account_backtest_id}", status_code=204)
def delete_account_backtest(services: AnyServices, caller: Trader, account_backtest_id: Number) -> None:
    """Remove it with everything it found; one that is worked on is cancelled by it."""
    running.remove(services, caller, running.TOGETHER, account_backtest_id)
