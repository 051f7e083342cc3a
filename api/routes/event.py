"""Everything that happens to what is yours, as it happens, in one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from redis.exceptions import RedisError

from api.deps import AnyServices, Viewer
from api.feed import Listener, is_event_id, is_later
from api.router import new_router
from api.services import Services
from domain.errors import AresError

router = new_router("events")

#: How often it is asked whether the session still stands, so that a stream ends with it.
_CHECK_SECONDS: Final = 30.0
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=60, description="Where to go on; browsers send it themselves.")
]


@router.get("/api/events", response_class=EventSourceResponse)
async def stream_events(
    services: AnyServices, caller: Viewer, request: Request, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """`hello` first, then what was missed since Last-Event-ID, then everything new. `reset` when that is gone."""
    last = last_event_id if last_event_id and is_event_id(last_event_id) else None
    async with services.feed.listen(caller.id) as listener:
        # Listening begins before what was missed is read, so that nothing falls in between.
        sent = last or "0-0"
        async for event in _missed(services, last, caller.id):
            sent = event.id or sent
            yield event
        async for event in _new(services, listener, request, sent):
            yield event


async def _missed(services: Services, last: str | None, owner: int) -> AsyncIterator[ServerSentEvent]:
    if last is None:
        yield ServerSentEvent(event="hello", data={"replayed": 0, "oldest_id": ""})
        return
    try:
        replay = await services.feed.since(last, owner)
    except (RedisError, OSError):
        yield ServerSentEvent(event="reset", data={"reason": "what was missed cannot be read now"})
        return
    yield ServerSentEvent(event="hello", data={"replayed": len(replay.events), "oldest_id": replay.oldest_id})
    if not replay.is_whole:
        yield ServerSentEvent(event="reset", data={"reason": "what was missed is not kept any more"})
    for told in replay.events:
        yield ServerSentEvent(event=told.topic, id=told.id, raw_data=told.data)


async def _new(services: Services, listener: Listener, request: Request, sent: str) -> AsyncIterator[ServerSentEvent]:
    clock = services.clock.machine
    checked = clock.steady_ns()
    while not listener.is_slow:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                told = await listener.queue.get()
        except TimeoutError:
            told = None
        if clock.steady_ns() - checked > _CHECK_SECONDS * 1e9:
            checked = clock.steady_ns()
            try:
                await services.identity.caller(request)
            except AresError:
                return
        if told is not None and is_later(told.id, sent):
            sent = told.id
            yield ServerSentEvent(event=told.topic, id=told.id, raw_data=told.data)
