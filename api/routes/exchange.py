"""Venues and their symbols."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, cast

from fastapi import Query
from redis.exceptions import RedisError, ResponseError

from api import venues
from api.deps import AnyServices, Viewer
from api.errors import BadFields, FieldError, LiveUnavailable
from api.router import new_router
from api.schemas.account import Exchange
from core import redis_names

router = new_router("exchanges")


@router.get("/api/exchanges")
def list_exchanges(caller: Viewer) -> list[Exchange]:
    """Venues that accounts can be at."""
    del caller
    return list(venues.exchanges().values())


@router.get("/api/symbols")
async def list_symbols(
    services: AnyServices, caller: Viewer, exchange: Annotated[str, Query(max_length=40)] = "binance_spot"
) -> list[str]:
    """Symbols of a venue, as a worker has published them; empty before one has."""
    del caller
    if exchange not in venues.exchanges():
        raise BadFields([FieldError("exchange", f"it is not one of {', '.join(venues.exchanges())}")])
    key = redis_names.symbols(exchange)
    try:
        try:
            found = await cast("Awaitable[Any]", services.redis.hkeys(key))
        except ResponseError:
            found = await cast("Awaitable[Any]", services.redis.smembers(key))
    except (RedisError, OSError) as error:
        raise LiveUnavailable from error
    return sorted(name.decode() for name in found)
