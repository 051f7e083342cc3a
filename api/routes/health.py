"""Whether this node works, and what it needs. Anyone may ask; nothing is told but yes or no."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, cast

from fastapi import Response
from redis.exceptions import RedisError

from api.deps import AnyServices
from api.router import new_router
from api.schemas.platform import Health
from api.services import Services
from api.threads import within
from db.queries import platform
from db.unit_of_work import reading
from domain.errors import AresError

router = new_router("health")


@router.get("/health")
async def get_health() -> Health:
    """This process answers."""
    return Health(status="ok", version=version("ares"))


@router.get("/health/redis")
async def get_redis_health(services: AnyServices, response: Response) -> Health:
    """Redis answers; 503 when it does not."""

    async def ask() -> None:
        await cast("Awaitable[Any]", services.redis.ping())

    return await _measured(services, response, ask)


@router.get("/health/database")
async def get_database_health(services: AnyServices, response: Response) -> Health:
    """The database answers; 503 when it does not."""

    def ask() -> None:
        with reading(services.database) as unit:
            platform.kill_state(unit)

    seconds = services.config.redis.timeout_seconds
    return await _measured(services, response, lambda: within(seconds, ask))


async def _measured(services: Services, response: Response, ask: Callable[[], Awaitable[None]]) -> Health:
    began = services.clock.machine.steady_ns()
    try:
        async with asyncio.timeout(services.config.redis.timeout_seconds):
            await ask()
    except (RedisError, OSError, AresError, TimeoutError):
        response.status_code = 503
        return Health(status="failed")
    took = (services.clock.machine.steady_ns() - began) / 1e6
    return Health(status="ok", milliseconds=round(took, 3))
