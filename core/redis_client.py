"""Connections to Redis, and the few atomic steps that need a script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from typing import Any, Final, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import Connection, SSLConnection
from redis.connection import HiredisRespSerializer

from domain.errors import Refused

#: Delete the key only while it still holds what the caller put there. One step: nobody can come in between.
_COMPARE_AND_DELETE = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
)


#: The only policy under which a key stays until it is deleted or has run out.
_LASTING = "noeviction"


class Evicts(Refused):
    """Redis may drop leases when its memory is full; set maxmemory-policy to noeviction."""


class _PacksInC:
    """Puts commands into the server's words by hiredis; the asynchronous client itself does it in Python, argument by
    argument, which takes four times as long.
    """

    _words = HiredisRespSerializer()

    def pack_command(self, *args: Any) -> list[bytes]:
        """One command."""
        return self._words.pack(*args)  # type: ignore[no-any-return]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        """Those of a pipeline, in one piece."""
        return [b"".join(part for command in commands for part in self.pack_command(*command))]


class _Plain(_PacksInC, Connection):
    """A connection without TLS."""


class _Encrypted(_PacksInC, SSLConnection):
    """A connection with it."""


#: Kinds of connections, and the same that pack in C.
_PACKING: Final[Mapping[type, Any]] = {Connection: _Plain, SSLConnection: _Encrypted}


class _SteadyPool(BlockingConnectionPool):
    """A pool that gets every connection back. The client's own loses those of callers who are cancelled while they
    give one back, and wakes nobody when one who was to be next is cancelled: in the end everybody waits for nothing.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._under_way: set[asyncio.Task[None]] = set()

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Any:
        """A free connection, once there is one."""
        del command_name, keys, options
        try:
            return await super().get_connection()  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            self._begin(self._wake_next())
            raise

    async def release(self, connection: Any) -> None:
        """Give a connection back, also when the caller is cancelled meanwhile."""
        await asyncio.shield(self._begin(super().release(connection)))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _wake_next(self) -> None:
        async with self._condition:
            self._condition.notify()


def connect(url: str, *, max_connections: int = 16, timeout_seconds: float = 2.0) -> Redis:
    """A client for commands. A caller waits for a free connection instead of failing when all are busy."""
    pool = _SteadyPool.from_url(
        url,
        max_connections=max_connections,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=30,
    )
    # One through a file of the machine (unix://) stays as it is.
    pool.connection_class = _PACKING.get(pool.connection_class, pool.connection_class)
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
