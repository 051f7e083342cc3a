"""Market time by hand, and waiting for a quiet moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulator.admin.context import Context, verb
from simulator.admin.fields import BadField, Conflict, Fields, parse_amount
from simulator.admin.watch import EventWatch
from simulator.calm import HIGHEST, Levels
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
    """Move market time by `ms` or to `to`; answers when everything on the way has happened.

    With `until_event` it stops early, right after the first moment at which a customer was told of something or a
    subscribed kline closed; `stopped_by` lists what it was, and is empty when nothing of the kind happened. Prints
    of a symbol that stay strictly `between` two prices, `{"BTCUSDT": ["93000", null]}`, and reach no order may then
    be passed over: they happen, and streams tell of the last one only.
    """
    venue = context.venue
    if not venue.config.speed.is_stepped:
        raise Conflict("market time runs by itself; start the venue with --speed 0 to step it")
    if fields.has("ms") == fields.has("to"):
        raise BadField("ms", "give either ms or to")
    by_ms, to_ms = fields.optional_integer("ms", 0, LONGEST_MS), fields.optional_integer("to", 0, 2**53)
    watch = EventWatch() if fields.boolean("until_event", False) else None
    levels = _levels(fields) if fields.has("between") else {}
    fields.done()
    if levels and watch is None:
        raise BadField("between", "goes with until_event: who passes over prints must hear of what they lead to")
    async with context.turn:
        now = venue.clock.now_ms()
        target = now + by_ms if by_ms is not None else to_ms
        if target is None or not now <= target <= now + LONGEST_MS:
            raise BadField("to", f"lies before market time {now} or more than ten years after it")
        if watch is None:
            await _advance_to(context, target)
        else:
            with watch.on(venue.bus):
                await _advance_to(context, target, watch.has_seen, levels)
    answer: dict[str, object] = {"market_ms": venue.clock.now_ms(), "ended": venue.has_ended}
    return answer if watch is None else answer | {"stopped_by": watch.seen}


def _levels(fields: Fields) -> Levels:
    found: dict[str, tuple[int, int]] = {}
    for symbol, pair in fields.mapping("between").items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadField(f"between.{symbol}", "must be two prices, either of them null where there is none")
        low, high = (None if price is None else parse_amount(f"between.{symbol}", price) for price in pair)
        found[symbol] = (0 if low is None else low, HIGHEST if high is None else high)
    return found


async def _advance_to(
    context: Context, target: int, stop: Callable[[], bool] | None = None, levels: Levels | None = None
) -> None:
    venue, agenda = context.venue, context.agenda
    while (now := venue.clock.now_ms()) < target and not (stop is not None and stop()):
        stops = [target, now + SLICE_MS]
        if (due := agenda.next_ms()) is not None:
            stops.append(max(due, now + 1))
        venue.advance_to(min(stops), stop, levels)
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
            requests = context.wire.in_flight + context.venue.hub.in_flight
            raise Conflict(f"{requests} requests are in flight, or events have not left yet")
        await asyncio.sleep(_POLL_SECONDS)
    venue = context.venue
    return {"quiet": True, "market_ms": venue.clock.now_ms(), "tape": len(venue.tape)}


def is_quiet(context: Context) -> bool:
    """Whether nothing is under way; requests left hanging by a fault for good do not count."""
    return context.wire.in_flight == 0 and context.venue.hub.quiet()
