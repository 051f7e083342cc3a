"""What strategies do now, as their workers tell it in Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.errors import LiveUnavailable
from api.schemas.live import LiveStatus
from core import redis_names

log = structlog.get_logger(__name__)

#: Commands in one pipeline: what is packed and read without holding up the loop.
_CHUNK: Final = 50


class LiveReader:
    """Reads status hashes. `LiveUnavailable` when Redis cannot be asked."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, instance: int) -> LiveStatus | None:
        """The status of one strategy; None when no worker runs it."""
        try:
            found = await cast("Awaitable[Any]", self._redis.hgetall(redis_names.strategy_running(instance)))
        except (RedisError, OSError) as error:
            raise LiveUnavailable from error
        return status_of(found)

    async def of_many(self, instances: Sequence[int]) -> dict[int, LiveStatus]:
        """The status of those that run."""
        found: dict[int, LiveStatus] = {}
        try:
            for start in range(0, len(instances), _CHUNK):
                some = instances[start : start + _CHUNK]
                async with self._redis.pipeline(transaction=False) as pipe:
                    for instance in some:
                        pipe.hgetall(redis_names.strategy_running(instance))
                    answers = await pipe.execute()
                for instance, answer in zip(some, answers, strict=True):
                    if (status := status_of(answer)) is not None:
                        found[instance] = status
        except (RedisError, OSError) as error:
            raise LiveUnavailable from error
        return found

    async def of_many_if_known(self, instances: Sequence[int]) -> tuple[dict[int, LiveStatus], bool]:
        """The same, and whether Redis could be asked: lists of rows do not fail because it cannot."""
        try:
            return await self.of_many(instances), True
        except LiveUnavailable:
            return {}, False


def status_of(fields: Mapping[bytes, bytes]) -> LiveStatus | None:
    """A status hash as it is answered; None for an empty one, and for one that cannot be understood."""
    if not fields:
        return None
    plain = {name.decode(): value.decode() for name, value in fields.items()}
    try:
        return LiveStatus.model_validate(plain)
    except ValueError as error:
        log.warning("strange_live_status", task=plain.get("task_id", "?"), error=str(error)[:500])
        return None
