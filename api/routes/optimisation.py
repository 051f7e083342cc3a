"""Optimisations: ask for one, see how far it is, read what it found, cancel it."""

from __future__ import annotations

from typing import Literal

from fastapi import Response

from api import run_files, running
from api.deps import AnyServices, Trader, Viewer
from api.router import new_router
from api.schemas.common import Cursor, IdempotencyKey, Limit, Number
from api.schemas.run import OptimisationCreate, Run, RunDetail, RunList

router = new_router("optimisations")


@router.get("/api/optimisations")
async def list_optimisations(
    services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100
) -> RunList:
    """Your optimisations, newest first."""
    return await running.listed(services, caller, running.OPTIMISATION, cursor, limit)


@router.post("/api/optimisations", status_code=202)
async def create_optimisation(
    services: AnyServices, caller: Trader, body: OptimisationCreate, idempotency_key: IdempotencyKey = None
) -> Run:
    """Ask for an optimisation. It is kept, and a compute worker takes it up."""
    return await running.submit_optimisation(services, caller, body, idempotency_key)


@router.get("/api/optimisations/{optimisation_id}")
def get_optimisation(services: AnyServices, caller: Viewer, optimisation_id: Number) -> RunDetail:
    """One optimisation with what it found."""
    return running.one(services, caller, running.OPTIMISATION, optimisation_id)


@router.get("/api/optimisations/{optimisation_id}/files/{name}", response_class=Response)
def get_optimisation_file(
    services: AnyServices, caller: Viewer, optimisation_id: Number, name: Literal["report.html", "trials.csv"]
) -> Response:
    """The report of an optimisation as a page of its own, or every trial as text with commas between."""
    return run_files.one(services, caller, running.OPTIMISATION, optimisation_id, name)


@router.post("/api/optimisations/{optimisation_id}/cancel")
def cancel_optimisation(services: AnyServices, caller: Trader, optimisation_id: Number) -> Run:
    """Work on it no more. What has ended already stays as it is."""
    return running.cancel(services, caller, running.OPTIMISATION, optimisation_id)


@router.delete("/api/optimisations/{optimisation_id}", status_code=204)
def delete_optimisation(services: AnyServices, caller: Trader, optimisation_id: Number) -> None:
    """Remove it with everything it found; one that is worked on is cancelled by it."""
    running.remove(services, caller, running.OPTIMISATION, optimisation_id)
