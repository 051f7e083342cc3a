"""Histories that backtests and optimisations may run on."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool

from api.cursors import after, unpack
from api.deps import AnyServices, Viewer
from api.router import new_router
from api.schemas.common import Cursor, Limit
from api.schemas.run import History, HistoryList
from db.models import HistoryRow
from db.queries import histories
from db.unit_of_work import reading

router = new_router("histories")


@router.get("/api/histories")
async def list_histories(
    services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100
) -> HistoryList:
    """Bars that runs may use; the market's, so everybody sees the same. `ares data share` adds one."""
    del caller
    begin = unpack(cursor, int, (int,)) or 0

    def read() -> list[HistoryRow]:
        with reading(services.database) as unit:
            return list(histories.listed(unit, begin, limit + 1))

    found, next_cursor = after(await run_in_threadpool(read), limit, lambda row: [row.id])
    return HistoryList(items=[_shown(row) for row in found], next_cursor=next_cursor)


def _shown(row: HistoryRow) -> History:
    return History(**{name: getattr(row, name) for name in History.model_fields})
