"""Market time by hand, and waiting for a quiet moment."""

from __future__ import annotations

import asyncio

from simulator.admin.context import Context, verb
from simulator.admin.fields import BadField, Conflict, Fields
from simulator.clock import monotonic

SLICE_MS = 3_600_000
"""Market time that one step covers at most before requests get their turn."""
LONGEST_MS = 10 * 366 * 86_400_000
_POLL_SECONDS = 0.001


@verb("GET", "/time")
def show_time(context: Context, fields: Fields) -> object:
    """Both clocks, and whether market time waits to be moved."""
    fields.done()
    venue = context.venue
    return {
        "market_ms": venue.clock.now_ms(),
        "protocol_ms": venue.protocol.now_ms(),
        "stepped": venue.config.speed.is_stepped,
        "ended": venue.has_ended,
    }


@verb("POST", "/advance")
async def advance(context: Context, fields: Fields) -> object:
    """Move market time by `ms` or to `to`; answers when everything on the way has happened."""
    venue = context.venue
    if not venue.config.speed.is_stepped:
        raise Conflict("market time runs by itself; start the venue with --speed 0 to step it")
    if fields.has("ms") == fields.has("to"):
        raise BadField("ms", "give either ms or to")
    by_ms, to_ms = fields.optional_integer("ms", 0, LONGEST_MS), fields.optional_integer("to", 0, 2**53)
    fields.done()
    async with context.turn:
        now = venue.clock.now_ms()
        target = now + by_ms if by_ms is not None else to_ms
        if target is None or not now <= target <= now + LONGEST_MS:
            raise BadField("to", f"lies before market time {now} or more than ten years after it")
        await _advance_to(context, target)
    return {"market_ms": venue.clock.now_ms(), "ended": venue.has_ended}


async def _advance_to(context: Context, target: int) -> None:
    venue, agenda = context.venue, context.agenda
    while (now := venue.clock.now_ms()) < target:
        stops = [target, now + SLICE_MS]
        if (due := agenda.next_ms()) is not None:
            stops.append(max(due, now + 1))
        venue.advance_to(min(stops))
        agenda.run_due(venue.clock.now_ms())
        await asyncio.sleep(0)


@verb("POST", "/settle")
async def settle(context: Context, fields: Fields) -> object:
    """Wait until no request is in flight and every event has left; 409 when that takes longer than `timeout_ms`."""
    timeout_ms = fields.optional_integer("timeout_ms", 0, 600_000)
    fields.done()
    deadline = monotonic() + (5_000 if timeout_ms is None else timeout_ms) / 1000
    while not is_quiet(context):
        if monotonic() >= deadline:
            raise Conflict(f"{context.wire.in_flight} requests are in flight, or events have not left yet")
        await asyncio.sleep(_POLL_SECONDS)
    venue = context.venue
    return {"quiet": True, "market_ms": venue.clock.now_ms(), "tape": len(venue.tape)}


def is_quiet(context: Context) -> bool:
    """Whether nothing is under way. Requests that a fault holds back do not count."""
    return context.wire.in_flight == 0 and context.venue.hub.quiet()
