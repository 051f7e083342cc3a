"""Connections to Redis, and the few atomic steps that need a script."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import BlockingConnectionPool, Redis

from domain.errors import Refused

#: Delete the key only while it still holds what the caller put there. One step: nobody can come in between.
_COMPARE_AND_DELETE = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
)


#: The only policy under which a key stays until it is deleted or has run out.
_LASTING = "noeviction"


class Evicts(Refused):
    """Redis may drop leases when its memory is full; set maxmemory-policy to noeviction."""


def connect(url: str, *, max_connections: int = 16, timeout_seconds: float = 2.0) -> Redis:
    """A client for commands. A caller waits for a free connection instead of failing when all are busy."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=30,
    )
    return Redis.from_pool(pool)


def connect_for_subscription(url: str, *, connect_timeout_seconds: float = 2.0) -> Redis:
    """A client for publish and subscribe: it may stay silent for hours, so reading has no time limit."""
    pool = BlockingConnectionPool.from_url(
        url, max_connections=1, socket_timeout=None, socket_connect_timeout=connect_timeout_seconds
    )
    return Redis.from_pool(pool)


async def require_lasting_keys(client: Redis) -> None:
    """`Evicts` when the server may drop keys that have not run out. Raises what the Redis client raises."""
    policy = str((await client.info("memory")).get("maxmemory_policy", _LASTING))
    if policy != _LASTING:
        raise Evicts(f"Redis may drop leases when its memory is full ({policy}); set maxmemory-policy to {_LASTING}.")


async def compare_and_delete(client: Redis, key: str, expected: bytes) -> bool:
    """Delete `key` if it holds exactly `expected`; whether it was deleted."""
    answer = cast("Awaitable[object]", client.eval(_COMPARE_AND_DELETE, 1, key, expected))
    return await answer == 1
