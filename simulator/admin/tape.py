"""The tape over HTTP: JSON lines, from a sequence number on, of one kind if asked, and on as it grows."""

from __future__ import annotations

import asyncio

import orjson
from aiohttp import web

from simulator.admin.context import Context
from simulator.admin.fields import Fields
from simulator.tape import Tape

_POLL_SECONDS = 0.02
_MOST = 1_000_000
CHUNK = 1_000
"""Lines that are looked through before requests to the venue have their turn: a millisecond or two."""


async def serve_tape(context: Context, fields: Fields, request: web.Request) -> web.StreamResponse:
    """`after`, `kind`, `limit`, `follow`; a followed tape ends when the reader goes or the venue stops."""
    after = fields.optional_integer("after", 0, 2**53) or 0
    kind = fields.optional_text("kind")
    limit = fields.optional_integer("limit", 1, _MOST)
    follow = fields.boolean("follow", False)
    fields.done()
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    left = _MOST if limit is None else limit
    while left > 0 and not context.shutdown.is_set():
        lines, after = _take(context.venue.tape, after, kind, left)
        if lines:
            left -= len(lines)
            await response.write(b"".join(lines))
            await asyncio.sleep(0)
        elif after >= len(context.venue.tape):
            if not follow or request.transport is None or request.transport.is_closing():
                break
            await asyncio.sleep(_POLL_SECONDS)
        else:
            await asyncio.sleep(0)
    await response.write_eof()
    return response


def _take(tape: Tape, after: int, kind: str | None, limit: int) -> tuple[list[bytes], int]:
    """Up to a chunk of lines after a sequence number, and the number reached."""
    found: list[bytes] = []
    for looked, line in enumerate(tape.lines(after)):
        if looked == CHUNK or len(found) == limit:
            break
        after += 1
        if kind is None or orjson.loads(line)["kind"] == kind:
            found.append(line)
    return found, after
