"""Venues and their symbols."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from redis.exceptions import RedisError

from api import venues
from api.deps import AnyServices, Viewer
from api.errors import BadFields, FieldError, LiveUnavailable
from api.router import new_router
from api.schemas.account import Exchange
from domain.sentences import say

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
        raise BadFields(
            [
                FieldError(
                    "exchange", say("not_one_of", "it is not one of {choices}", choices=", ".join(venues.exchanges()))
                )
            ]
        )
    try:
        return await services.market.symbols(exchange)
    except (RedisError, OSError) as error:
        raise LiveUnavailable from error
