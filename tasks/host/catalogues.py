"""Every symbol of the venues that are open here, so that a name that a venue lacks is refused when it is written."""

from __future__ import annotations

from typing import Final

import structlog
from redis.exceptions import RedisError

from core import redis_names
from core.base_catalogue import ListsSymbols
from tasks.wiring import Parts

log = structlog.get_logger(__name__)
#: They are written so often, and are there for so long after the last worker that had the venue open.
EVERY_NS: Final = 3_600_000_000_000
SECONDS: Final = 2 * 86_400


class Catalogues:
    """Writes the symbols of a venue when it is opened, and every hour, for there may be new ones."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        #: Venue -> steady time at which it was written last.
        self._told: dict[str, int] = {}

    async def tell(self) -> None:
        """Write what is due; what cannot be written now is written next time."""
        now_ns = self._parts.clock.machine.steady_ns()
        for name, venue in list(self._parts.venues.items()):
            told_ns = self._told.get(name)
            if told_ns is not None and now_ns - told_ns < EVERY_NS:
                continue
            found = venue.exchange.symbols() if isinstance(venue.exchange, ListsSymbols) else frozenset()
            if not found:
                continue
            key = redis_names.catalogue(name)
            try:
                async with self._parts.redis.pipeline(transaction=True) as pipe:
                    pipe.delete(key)
                    pipe.sadd(key, *sorted(found))
                    pipe.expire(key, SECONDS)
                    await pipe.execute()
            except (RedisError, OSError) as error:
                log.warning("catalogue_not_written", venue=name, reason=str(error))
                return
            self._told[name] = now_ns
