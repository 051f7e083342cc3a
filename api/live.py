"""What strategies do now, as their workers tell it in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, cast

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.errors import LiveUnavailable
from api.schemas.live import LiveStatus
from core import redis_names

log = structlog.get_logger(__name__)

#: Keys of one question: what is answered without holding up the server or the loop.
_CHUNK: Final = 50
#: Every hash as one text: reading a few long texts costs far less than reading many short ones.
_READ: Final = """
local found = {}
for place, key in ipairs(KEYS) do
  local fields = redis.call('HGETALL', key)
  found[place] = #fields > 0 and cjson.encode(fields) or ''
end
return found
"""


class LiveReader:
    """Reads status hashes. `LiveUnavailable` when Redis cannot be asked."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: dict[int, asyncio.Future[LiveStatus | None]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def of(self, instance: int) -> LiveStatus | None:
        """The status of one strategy; None when no worker runs it. What is asked at one time is read at once."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._ask_for_all)
        if instance not in self._waiting:
            self._waiting[instance] = loop.create_future()
        return await asyncio.shield(self._waiting[instance])

    async def of_many(self, instances: Sequence[int]) -> dict[int, LiveStatus]:
        """The status of those that run."""
        found: dict[int, LiveStatus] = {}
        for start in range(0, len(instances), _CHUNK):
            some = instances[start : start + _CHUNK]
            for instance, answer in zip(some, await self._ask(some), strict=True):
                if answer and (status := status_of(answer)) is not None:
                    found[instance] = status
        return found

    async def of_many_if_known(self, instances: Sequence[int]) -> tuple[dict[int, LiveStatus], bool]:
        """The same, and whether Redis could be asked: lists of rows do not fail because it cannot."""
        try:
            return await self.of_many(instances), True
        except LiveUnavailable:
            return {}, False

    def _ask_for_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        task = asyncio.get_running_loop().create_task(self._answer(waiting))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _answer(self, waiting: dict[int, asyncio.Future[LiveStatus | None]]) -> None:
        try:
            found = await self.of_many(list(waiting))
        except LiveUnavailable as error:
            for future in waiting.values():
                future.set_exception(error)
            return
        for instance, future in waiting.items():
            future.set_result(found.get(instance))

    async def _ask(self, instances: Sequence[int]) -> list[bytes]:
        keys = [redis_names.strategy_running(instance) for instance in instances]
        try:
            return cast("list[bytes]", await self._redis.eval(_READ, len(keys), *keys))
        except (RedisError, OSError) as error:
            raise LiveUnavailable from error


def status_of(answer: bytes) -> LiveStatus | None:
    """A status hash, as JSON of names and values in turn; None for one that cannot be understood."""
    try:
        pairs = orjson.loads(answer)
        return LiveStatus.model_validate(dict(zip(pairs[::2], pairs[1::2], strict=True)))
    except ValueError as error:
        log.warning("strange_live_status", error=str(error)[:500])
        return None
