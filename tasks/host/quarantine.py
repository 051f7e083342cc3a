"""Strategies that have stopped their node: after the third time they run nowhere until a person has looked."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, cast

import redis as sync_redis
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.config import Config
from core.redis_names import strategy_deaths

log = structlog.get_logger(__name__)
DEATHS: Final = 3
REMEMBERED_SECONDS: Final = 3_600


def note_death(config: Config, instance: int) -> None:
    """Count a death of this node against a strategy. Blocks for two seconds at most; the process is about to end."""
    try:
        client = sync_redis.Redis.from_url(
            config.redis.url.get_secret_value(), socket_timeout=2.0, socket_connect_timeout=2.0
        )
        client.incr(strategy_deaths(instance))
        client.expire(strategy_deaths(instance), REMEMBERED_SECONDS)
    except (RedisError, OSError) as error:
        log.warning("death_not_counted", instance=instance, reason=str(error))


async def quarantined(redis: Redis, instances: list[int]) -> set[int]:
    """Those that have stopped a node too often lately."""
    if not instances:
        return set()
    counts = await cast("Awaitable[list[bytes | None]]", redis.mget([strategy_deaths(one) for one in instances]))
    return {one for one, count in zip(instances, counts, strict=True) if count and int(count) >= DEATHS}


async def forgive(redis: Redis, instance: int) -> None:
    """A person has looked: let it run again."""
    await redis.delete(strategy_deaths(instance))
