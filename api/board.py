"""The status of everything somebody runs, in one answer: read anew in the background while it is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson
from fastapi.concurrency import run_in_threadpool
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.errors import LiveUnavailable
from core import redis_names
from core.clock import MachineTime, utc_from_ms
from db.database import Database
from db.queries import pages
from db.unit_of_work import reading

#: Fields of a status hash that go into the list; the rest is told by the status of one strategy.
FIELDS: Final = ("status", "worker_id", "current_price", "equity", "lease_age_ms", "updated_at", "last_error")
_OWNER: Final = "owner_id"
#: Keys of one question.
_CHUNK: Final = 50
#: The fields of every hash as one text.
_READ: Final = """
local found = {}
for place, key in ipairs(KEYS) do
  found[place] = cjson.encode(redis.call('HMGET', key, unpack(ARGV)))
end
return found
"""
#: An answer is at most so old, or five times what reading it takes, so that reading leaves time for the rest.
_FRESH_NS: Final = 1_000_000_000
_PATIENCE: Final = 5


@dataclass(slots=True)
class _Sheet:
    """What one owner was told last."""

    body: bytes = b""
    read_ns: int = 0
    took_ns: int = 0
    reading: asyncio.Task[None] | None = field(default=None)


class StatusBoard:
    """One sheet for each owner who asks."""

    def __init__(self, database: Database, redis: Redis, time: MachineTime) -> None:
        self._database = database
        self._redis = redis
        self._time = time
        self._sheets: dict[int, _Sheet] = {}

    async def of(self, owner: int) -> bytes:
        """The owner's list as JSON, with the moment it was read. `LiveUnavailable` when Redis cannot be asked."""
        sheet = self._sheets.setdefault(owner, _Sheet())
        if sheet.reading is None or sheet.reading.done():
            age = self._time.steady_ns() - sheet.read_ns
            if not sheet.body or age > max(_FRESH_NS, _PATIENCE * sheet.took_ns):
                sheet.reading = asyncio.get_running_loop().create_task(self._read(owner, sheet))
        is_old = self._time.steady_ns() - sheet.read_ns > 3 * max(_FRESH_NS, _PATIENCE * sheet.took_ns)
        if sheet.reading is not None and (not sheet.body or is_old):
            # Nobody has asked for a while: what is there is too old to be shown.
            await asyncio.shield(sheet.reading)
        return sheet.body

    async def close(self) -> None:
        """Let what is being read be."""
        for sheet in self._sheets.values():
            if sheet.reading is not None:
                sheet.reading.cancel()
                await asyncio.gather(sheet.reading, return_exceptions=True)

    async def _read(self, owner: int, sheet: _Sheet) -> None:
        began = self._time.steady_ns()
        as_of = utc_from_ms(self._time.now_ms()).isoformat().replace("+00:00", "Z")
        numbers = await run_in_threadpool(self._numbers, owner)
        parts: list[bytes] = []
        try:
            for start in range(0, len(numbers), _CHUNK):
                parts += await self._chunk(owner, numbers[start : start + _CHUNK])
        except (RedisError, OSError) as error:
            sheet.body = b""
            raise LiveUnavailable from error
        body = b",".join(parts)
        sheet.body = b'{"as_of":"%s","wanted":%d,"items":[%s]}' % (as_of.encode(), len(numbers), body)
        sheet.read_ns = self._time.steady_ns()
        sheet.took_ns = sheet.read_ns - began

    def _numbers(self, owner: int) -> list[int]:
        with reading(self._database) as unit:
            return pages.numbers_wished_alive(unit, owner)

    async def _chunk(self, owner: int, numbers: list[int]) -> list[bytes]:
        keys = [redis_names.strategy_running(number) for number in numbers]
        answers = cast("list[bytes]", await self._redis.eval(_READ, len(keys), *keys, _OWNER, *FIELDS))
        told = (orjson.loads(answer) for answer in answers)
        mine = str(owner)
        return [_item(number, values) for number, (whose, *values) in zip(numbers, told, strict=True) if whose == mine]


def _item(number: int, values: list[str | bool]) -> bytes:
    # A field that is not there is told as false.
    item: dict[str, Any] = {"id": number} | {name: value or "" for name, value in zip(FIELDS, values, strict=True)}
    item["lease_age_ms"] = int(item["lease_age_ms"] or 0)
    item["current_price"] = item["current_price"] or None
    item["equity"] = item["equity"] or "0"
    return orjson.dumps(item)
