"""Sending histories in: announce a file, send its parts, see what a worker makes of it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import HTTPException, Path, Request

from api import importing
from api.deps import AnyServices, Trader, Viewer
from api.router import new_router
from api.schemas.common import Cursor, Limit, Number
from api.schemas.history import HistoryImport, HistoryImportCreate, HistoryImportList
from db.queries.histories import PART_BYTES

router = new_router("histories")

_BYTES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
#: The bound is ours, so that what is beyond it is answered as everything else is.
_ANY_BYTES: Final = 2**40
Part = Annotated[int, Path(ge=0, le=100_000, description="Which part of the file, from 0 on.")]


@router.get("/api/history-imports")
async def list_history_imports(
    services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100
) -> HistoryImportList:
    """Your histories that are on their way in, or came in, newest first."""
    return await importing.listed(services, caller, cursor, limit)


@router.post("/api/history-imports", status_code=201)
def create_history_import(services: AnyServices, caller: Trader, body: HistoryImportCreate) -> HistoryImport:
    """Announce a file of bars or trades; send its parts next."""
    return importing.begin(services, caller, body)


@router.put("/api/history-imports/{import_id}/parts/{part}", openapi_extra=_BYTES, max_body_size=_ANY_BYTES)
async def put_history_import_part(
    services: AnyServices, caller: Trader, import_id: Number, part: Part, request: Request
) -> HistoryImport:
    """Send a part of the file, in any order; sent again it changes nothing. When all have come a worker reads it."""
    return await importing.take_part(services, caller, import_id, part, await _body(request))


@router.get("/api/history-imports/{import_id}")
def get_history_import(services: AnyServices, caller: Viewer, import_id: Number) -> HistoryImport:
    """How far one is, and every row that stops it."""
    return importing.one(services, caller, import_id)


@router.delete("/api/history-imports/{import_id}", status_code=204)
def delete_history_import(services: AnyServices, caller: Trader, import_id: Number) -> None:
    """Take one off the list, or stop it; a history that it has become stays."""
    importing.remove(services, caller, import_id)


async def _body(request: Request) -> bytes:
    """What was sent, as far as a part is long; 413 for more, of which nothing more is read."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > PART_BYTES:
            raise HTTPException(413)
    return bytes(content)
