"""The list of live workers: each says from time to time that it is there, and reads who else is."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Collection, Mapping
from typing import Final, cast

from redis.asyncio import Redis

from core import redis_names
from core.clock import utc_from_ms
from core.config import WorkerSection
from core.editions import Edition, parse
from core.redis_names import WORKERS_ACTIVE
from domain.sentences import packed
from tasks.host.placement import Member
from tasks.wiring import version

# KEYS: the set, my hash. ARGV: my id (empty when I only look), ms after which a silent worker is none, ms my hash
# is kept, then fields and values of my hash. The server's clock counts, so that no two machines need agree.
_BEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('HSET', KEYS[2], unpack(ARGV, 4))
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
return redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[2], '+inf')
"""

#: Of why nothing is taken up, with its code and values.
LONGEST_GATE: Final = 2_000


def about(
    wanted: WorkerSection, address: tuple[str, str], edition: Edition, gate: str, running: int, room: int,
    started_ms: int, lag_ms: float, http_port: int,
) -> dict[str, str]:  # fmt: skip
    """What a worker says of itself; `gate` is why it takes no strategies up, and is empty when it does.

    `room` is how many more strategies it may take.
    """
    return {
        "hostname": address[0],
        "ip": address[1],
        "version": version(),
        "edition": str(edition),
        "gate": packed(gate, LONGEST_GATE),
        "capacity": str(wanted.capacity),
        "tags": ",".join(wanted.tags),
        "running": str(running),
        "room": str(room),
        "started_at": utc_from_ms(started_ms).isoformat(),
        "loop_lag_ms": f"{lag_ms:.1f}",
        "http_port": str(http_port),
        "pid": str(os.getpid()),
    }


class MemberList:
    """This worker's place among the others. Raises what the Redis client raises."""

    def __init__(self, redis: Redis, worker_id: str, member_ms: int) -> None:
        self._redis = redis
        self._worker_id = worker_id
        self._member_ms = member_ms
        self._known: dict[str, Member] = {}

    async def beat(self, about_me: Mapping[str, str], *, joins: bool) -> list[Member]:
        """Say what there is to say of me, be a member or only look, and read who is one."""
        flat = [text for pair in about_me.items() for text in pair]
        keys = [WORKERS_ACTIVE, redis_names.worker(self._worker_id)]
        arguments = [self._worker_id if joins else "", str(self._member_ms), str(5 * self._member_ms), *flat]
        answer = await cast("Awaitable[list[bytes]]", self._redis.eval(_BEAT, 2, *keys, *arguments))
        names = [name.decode() for name in answer]
        for name in names:
            if name not in self._known:
                await self._meet(name)
        self._known = {name: self._known[name] for name in names if name in self._known}
        return list(self._known.values())

    async def leave(self) -> None:
        """Be a member no more, from this moment on."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(WORKERS_ACTIVE, self._worker_id)
            pipe.delete(redis_names.worker(self._worker_id))
            await pipe.execute()

    async def rooms(self, names: Collection[str]) -> dict[str, int]:
        """How many strategies each of these has room for; those who do not tell are left out."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(redis_names.worker(name), "room")
            answers: list[bytes | None] = await pipe.execute()
        return {name: int(told) for name, told in zip(names, answers, strict=True) if told is not None}

    async def _meet(self, name: str) -> None:
        """Capacity, tags and edition of a worker do not change while it lives, so they are read once."""
        asked = self._redis.hmget(redis_names.worker(name), ["capacity", "tags", "edition"])
        capacity, tags, edition = await cast("Awaitable[list[bytes | None]]", asked)
        if capacity is not None:
            offered = frozenset((tags or b"").decode().split(",")) - {""}
            told = parse((edition or b"").decode())
            self._known[name] = Member(name, max(int(capacity), 1), offered, told)
