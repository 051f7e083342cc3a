"""The request weight that everything behind one IP address shares at a venue.

Venues count and ban by address, not by key, so one careless strategy could blind every other on the same address.
All processes take from one counter in Redis, keyed by venue and egress address. It follows what the venue itself
reports as used, keeps a share for cancels and for orders that reduce risk, and stops everyone when the venue says so.
Take before an intent is committed, never between the commit and the send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, NamedTuple, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.base_exchange import CANCEL, PLACE, READ, REDUCE
from core.clock import MachineTime

WINDOW_MS: Final = 60_000
#: How much of the limit each priority may use up, in per mille: what is left above is kept for the more urgent.
CEILINGS: Final = {CANCEL: 1000, REDUCE: 950, PLACE: 850, READ: 700}
#: With Redis away each process lives on so much of the limit, in per mille.
ALONE: Final = 100
#: Nobody sleeps longer than this before asking again, so that a lifted pause is noticed.
_LONGEST_WAIT_MS: Final = 5_000

# KEYS[1] the budget. ARGV: weight, ceiling, weight that the venue reported as used, age of that report in ms,
# whether a pause of all but urgent requests applies to this one.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = math.floor(now / 60000)
local state = redis.call('HMGET', KEYS[1], 'window', 'used', 'banned', 'paused')
local used = 0
if tonumber(state[1]) == window then used = tonumber(state[2]) end
if math.floor((now - ARGV[4]) / 60000) == window then used = math.max(used, tonumber(ARGV[3])) end
local silent = tonumber(state[3]) or 0
if ARGV[5] == '1' then silent = math.max(silent, tonumber(state[4]) or 0) end
local wait = silent - now
if wait <= 0 and used + ARGV[1] > tonumber(ARGV[2]) and used > 0 then wait = (window + 1) * 60000 - now end
if wait <= 0 then used = used + ARGV[1] end
redis.call('HSET', KEYS[1], 'window', window, 'used', used)
redis.call('PEXPIRE', KEYS[1], math.max(120000, silent - now + 60000))
return math.max(wait, 0)
"""

# KEYS[1] the budget. ARGV: field, milliseconds. A shorter pause never ends a longer one.
_PAUSE = """
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
if until_ms > (tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0) then
  redis.call('HSET', KEYS[1], ARGV[1], until_ms)
  redis.call('PEXPIRE', KEYS[1], ARGV[2] + 120000)
end
return 1
"""


class Usage(NamedTuple):
    """What the venue reported as used, and when, on the steady clock."""

    weight: int = 0
    at_ns: int = 0


class LocalBudget:
    """The same rules within one process: for an installation that has only one, and while Redis is away."""

    def __init__(self, time: MachineTime, limit: int, share: int = 1000) -> None:
        self._time = time
        self._limit = limit
        self._share = share
        self._window = -1
        self._used = 0
        self._paused_until = 0
        self._banned_until = 0

    async def take(self, weight: int, priority: int) -> None:
        """Wait until so much weight may be spent."""
        wait = self.try_take(weight, priority)
        while wait:
            await asyncio.sleep(min(wait, _LONGEST_WAIT_MS) / 1000)
            wait = self.try_take(weight, priority)

    def try_take(self, weight: int, priority: int) -> int:
        """Spend the weight and give 0, or give the milliseconds to wait."""
        now = self._now()
        silent = self._banned_until if priority <= REDUCE else max(self._banned_until, self._paused_until)
        if now < silent:
            return silent - now
        self._turn(now)
        ceiling = self._limit * self._share * CEILINGS[priority] // 1_000_000
        if self._used and self._used + weight > ceiling:
            return (self._window + 1) * WINDOW_MS - now
        self._used += weight
        return 0

    def note_used(self, weight: int) -> None:
        """The venue says this much of the current window is used, whoever used it."""
        self._turn(self._now())
        self._used = max(self._used, weight)

    def note_limit(self, weight: int) -> None:
        """The venue allows this much in a window."""
        self._limit = weight

    async def pause(self, milliseconds: int, *, banned: bool) -> None:
        """Be silent for so long; unless banned, cancels and orders that reduce risk still go out."""
        until = self._now() + milliseconds
        if banned:
            self._banned_until = max(self._banned_until, until)
        self._paused_until = max(self._paused_until, until)

    def _now(self) -> int:
        return self._time.steady_ns() // 1_000_000

    def _turn(self, now: int) -> None:
        window = now // WINDOW_MS
        if window != self._window:
            self._window, self._used = window, 0


class RateBudget:
    """The budget of one venue and egress address, shared through Redis."""

    def __init__(self, redis: Redis, time: MachineTime, venue: str, egress: str, limit: int) -> None:
        self._redis = redis
        self._time = time
        self._key = f"budget:{venue}:{egress}"
        self._limit = limit
        self._reported = Usage()
        self._alone = LocalBudget(time, limit, ALONE)

    async def take(self, weight: int, priority: int) -> None:
        """Wait until so much weight may be spent. With Redis away this process lives on a tenth of the limit."""
        wait = await self.try_take(weight, priority)
        while wait:
            await asyncio.sleep(min(wait, _LONGEST_WAIT_MS) / 1000)
            wait = await self.try_take(weight, priority)

    async def try_take(self, weight: int, priority: int) -> int:
        """Spend the weight and give 0, or give the milliseconds to wait."""
        age_ms = (self._time.steady_ns() - self._reported.at_ns) // 1_000_000
        ceiling = self._limit * CEILINGS[priority] // 1000
        pausable = int(priority > REDUCE)
        try:
            return await self._run(_TAKE, [weight, ceiling, self._reported.weight, age_ms, pausable])
        except (RedisError, OSError):
            return self._alone.try_take(weight, priority)

    def note_used(self, weight: int) -> None:
        """The venue says this much of the current window is used, whoever used it; told to all with the next take."""
        self._reported = Usage(weight, self._time.steady_ns())
        self._alone.note_used(weight)

    def note_limit(self, weight: int) -> None:
        """The venue allows this much in a window."""
        self._limit = weight
        self._alone.note_limit(weight)

    async def pause(self, milliseconds: int, *, banned: bool) -> None:
        """Be silent for so long, the whole fleet; unless banned, cancels and risk-reducing orders still go out."""
        await self._alone.pause(milliseconds, banned=banned)
        try:
            await self._run(_PAUSE, ["paused", milliseconds])
            if banned:
                await self._run(_PAUSE, ["banned", milliseconds])
        except (RedisError, OSError):
            return  # this process keeps silent by itself; the others will hear it from the venue

    async def _run(self, script: str, arguments: Sequence[str | int]) -> int:
        answer = cast("Awaitable[object]", self._redis.eval(script, 1, self._key, *map(str, arguments)))
        return int(cast("int", await answer))
