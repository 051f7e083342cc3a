"""What workers publish of markets: the rules of symbols, and the newest bars."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any, Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from core import redis_names
from db.models import StrategyInstance
from domain.errors import AresError
from domain.instrument import Instrument
from domain.money import exact, multiply

log = structlog.get_logger(__name__)

#: Ticks and lots that an instrument made of an instance's units goes up to; their product is far below 2^60.
_REACH: Final = Decimal(2**29)
_AMOUNTS: Final = (
    "tick_size", "lot_size", "max_price", "max_position", "base_quantum", "quote_quantum", "min_quantity",
    "max_quantity", "min_notional",
)  # fmt: skip


class MarketReader:
    """Reads what is there; None for what is not, or cannot be read now."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def instrument(self, exchange: str, symbol: str) -> Instrument | None:
        """The rules of a symbol."""
        try:
            text = await cast("Awaitable[Any]", self._redis.hget(redis_names.symbols(exchange), symbol))
            return _instrument(symbol, json.loads(text)) if text else None
        except (RedisError, OSError):
            return None
        except (ValueError, KeyError, TypeError, AresError) as error:
            log.warning("strange_symbol", exchange=exchange, symbol=symbol, error=str(error))
            return None

    async def last_price(self, exchange: str, symbol: str, interval: str) -> Decimal | None:
        """The close of the newest bar."""
        try:
            text = await cast("Awaitable[Any]", self._redis.get(redis_names.bars(exchange, symbol, interval)))
            rows = json.loads(text) if text else []
            return exact(str(rows[-1][4])) if rows else None
        except (RedisError, OSError, ValueError, IndexError, AresError):
            return None

    async def catalogue(self, exchange: str) -> frozenset[str] | None:
        """Every symbol of a venue, traded here or not; None while no worker has told."""
        try:
            found = await cast("Awaitable[Any]", self._redis.smembers(redis_names.catalogue(exchange)))
        except (RedisError, OSError):
            return None
        return frozenset(name.decode() for name in found) or None

    async def symbols(self, exchange: str) -> list[str]:
        """Every symbol of a venue; raises what Redis raises."""
        key = redis_names.symbols(exchange)
        try:
            found = await cast("Awaitable[Any]", self._redis.hkeys(key))
        except ResponseError:
            found = await cast("Awaitable[Any]", self._redis.smembers(key))
        return sorted(name.decode() for name in found)


def instrument_of(instance: StrategyInstance) -> Instrument | None:
    """The rules as far as an instance's own units tell them; None before it was started."""
    tick, lot, base, quote = instance.tick_size, instance.lot_size, instance.base_quantum, instance.quote_quantum
    if tick is None or lot is None or base is None or quote is None:
        return None
    return Instrument(
        symbol=instance.symbol,
        base=instance.base_asset or "",
        quote=instance.quote_asset or "",
        tick_size=tick,
        lot_size=lot,
        max_price=multiply(tick, _REACH),
        max_position=multiply(lot, _REACH),
        base_quantum=base,
        quote_quantum=quote,
    )


def _instrument(symbol: str, said: dict[str, str]) -> Instrument:
    amounts = {name: exact(said[name]) for name in _AMOUNTS if name in said}
    return Instrument(symbol=symbol, base=said["base"], quote=said["quote"], **amounts)
