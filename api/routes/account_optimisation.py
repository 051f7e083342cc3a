"""Optimisations of several strategies on one account; once asked for, they are among the others."""

from __future__ import annotations

from api import running
from api.deps import AnyServices, Trader
from api.router import new_router
from api.schemas.common import IdempotencyKey
from api.schemas.run import AccountOptimisationCreate, Run

router = new_router("optimisations")


@router.post("/api/account-optimisations", status_code=202)
async def create_account_optimisation(
    services: AnyServices, caller: Trader, body: AccountOptimisationCreate, idempotency_key: IdempotencyKey = None
) -> Run:
    """Search the parameters of several strategies on one account. It is read, cancelled and removed as any other
    optimisation, under `/api/optimisations`.
    """
    return await running.submit_account_optimisation(services, caller, body, idempotency_key)
