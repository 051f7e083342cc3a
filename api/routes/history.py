"""Histories that backtests and optimisations may run on."""

from __future__ import annotations

from api import importing
from api.deps import AnyServices, Trader, Viewer
from api.router import new_router
from api.schemas.common import Cursor, Limit, Number
from api.schemas.run import HistoryList

router = new_router("histories")


@router.get("/api/histories")
async def list_histories(
    services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100
) -> HistoryList:
    """Bars that your runs may use: everybody's, which `ares data share` adds to, and what you have sent in."""
    return await importing.listed_histories(services, caller, cursor, limit)


@router.delete("/api/histories/{history_id}", status_code=204)
def delete_history(services: AnyServices, caller: Trader, history_id: Number) -> None:
    """Remove bars that you have sent in, unless a run that has not ended uses them; what runs have found stays."""
    importing.remove_history(services, caller, history_id)
