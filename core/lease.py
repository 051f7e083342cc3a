"""Leases in Redis: who should run what, for a few seconds, renewed or lost. Many at once, one script per batch.

A lease is not proof: whoever holds one must also be the newest epoch in the journal. It is counted from before the
request left, on a clock that counts the time a machine sleeps. No wall clock of two machines is ever compared.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar, cast

from redis.asyncio import Redis

from core.redis_names import ENGINE_BOOT

T = TypeVar("T")
#: Leases in one script: what a server does in about a millisecond, and a client packs in one.
BATCH: Final = 250

# What renewing a lease gave.
KEPT: Final = 1
GONE: Final = 0
OTHERS: Final = -1

# KEYS[1] the boot key. Gives its name and its age in ms, and makes it where there is none: the server is new, or wiped.
_BOOT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local boot = redis.call('GET', KEYS[1])
if not boot then
  boot = ARGV[1] .. '|' .. string.format('%d', now)
  redis.call('SET', KEYS[1], boot)
end
local age = now - tonumber(string.match(boot, '|(%d+)$'))
"""
# ARGV: a name for the boot, ttl in ms, then the value of each of KEYS[2..]. A request that is sent twice finds its own.
_ACQUIRE = (
    _BOOT
    + """
local got = {}
for i = 2, #KEYS do
  local holder = redis.call('GET', KEYS[i])
  if not holder or holder == ARGV[i + 1] then
    redis.call('SET', KEYS[i], ARGV[i + 1], 'PX', ARGV[2])
    got[i - 1] = 1
  else
    got[i - 1] = -1
  end
end
return {boot, age, got}
"""
)
_RENEW = (
    _BOOT
    + """
local got = {}
for i = 2, #KEYS do
  local holder = redis.call('GET', KEYS[i])
  if holder == ARGV[i + 1] then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
    got[i - 1] = 1
  elseif holder then
    got[i - 1] = -1
  else
    got[i - 1] = 0
  end
end
return {boot, age, got}
"""
)
_RELEASE = """
local count = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[i] then count = count + redis.call('DEL', KEYS[i]) end
end
return count
"""


class Lease(NamedTuple):
    """A wish to hold a key: its name, and the value that says who and by which claim."""

    key: str
    value: str


class Answer(NamedTuple):
    """What a batch was told."""

    #: Changes when the server has lost its memory.
    boot: str
    #: How long ago the server began to know itself by that name, by its own clock.
    boot_age_ms: int
    #: `KEPT`, `GONE` or `OTHERS` for each lease, in order.
    results: list[int]


class LeaseStore:
    """The leases of one server. Raises what the Redis client raises; then nothing is known of the batch."""

    def __init__(self, redis: Redis, ttl_ms: int) -> None:
        self.ttl_ms = ttl_ms
        self._redis = redis

    async def acquire(self, leases: Sequence[Lease]) -> Answer:
        """Take what is free; what the caller holds under the same value stays theirs, for a whole term."""
        return await self._ask(_ACQUIRE, leases)

    async def renew(self, leases: Sequence[Lease]) -> Answer:
        """A whole term more for what is still held."""
        return await self._ask(_RENEW, leases)

    async def release(self, leases: Sequence[Lease]) -> int:
        """Give back what is still held; gives how many were."""
        count = 0
        for some in pieces(leases):
            keys, values = [lease.key for lease in some], [lease.value for lease in some]
            count += cast("int", await self._eval(_RELEASE, keys, values))
        return count

    async def holders(self, keys: Sequence[str]) -> list[str]:
        """Who holds each key; empty text for nobody."""
        found = cast("list[bytes | None]", await self._redis.mget(keys)) if keys else []
        return [value.decode() if value else "" for value in found]

    async def _ask(self, script: str, leases: Sequence[Lease]) -> Answer:
        answer = Answer("", 0, [])
        for some in pieces(leases) if leases else [()]:
            keys = [ENGINE_BOOT, *(lease.key for lease in some)]
            values = [secrets.token_hex(8), str(self.ttl_ms), *(lease.value for lease in some)]
            boot, age, got = cast("tuple[bytes, int, list[int]]", await self._eval(script, keys, values))
            answer = Answer(boot.decode(), age, answer.results + got)
        return answer

    async def _eval(self, script: str, keys: list[str], values: list[str]) -> object:
        return await cast("Awaitable[object]", self._redis.eval(script, len(keys), *keys, *values))


def pieces(things: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The same in batches."""
    for start in range(0, len(things), size):
        yield things[start : start + size]
