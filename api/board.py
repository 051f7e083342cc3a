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
from api.totals import AMOUNTS, Sums
from core import redis_names
from core.clock import MachineTime, utc_from_ms
from db.database import Database
from db.queries import pages
from db.unit_of_work import reading
from domain.sentences import read_words

#: Fields of a status hash that go into the list; the rest is told by the status of one strategy.
FIELDS: Final = ("status", "worker_id", "current_price", "equity", "lease_age_ms", "updated_at", "last_error",
                 "last_error_words")  # fmt: skip
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
    totals: bytes = b""
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
        return (await self._sheet(owner)).body

    async def totals_of(self, owner: int) -> bytes:
        """What the owner's list comes to, as JSON; of the same reading."""
        return (await self._sheet(owner)).totals

    async def _sheet(self, owner: int) -> _Sheet:
        sheet = self._sheets.setdefault(owner, _Sheet())
        if sheet.reading is None or sheet.reading.done():
            age = self._time.steady_ns() - sheet.read_ns
            if not sheet.body or age > max(_FRESH_NS, _PATIENCE * sheet.took_ns):
                sheet.reading = asyncio.get_running_loop().create_task(self._read(owner, sheet))
        is_old = self._time.steady_ns() - sheet.read_ns > 3 * max(_FRESH_NS, _PATIENCE * sheet.took_ns)
        if sheet.reading is not None and (not sheet.body or is_old):
            # Nobody has asked for a while: what is there is too old to be shown.
            await asyncio.shield(sheet.reading)
        return sheet

    async def close(self) -> None:
        """Let what is being read be."""
        for sheet in self._sheets.values():
            if sheet.reading is not None:
                sheet.reading.cancel()
                await asyncio.gather(sheet.reading, return_exceptions=True)

    async def _read(self, owner: int, sheet: _Sheet) -> None:
        began = self._time.steady_ns()
        as_of = utc_from_ms(self._time.now_ms()).isoformat().replace("+00:00", "Z")
        wanted = await run_in_threadpool(self._wanted, owner)
        parts, sums = list[bytes](), Sums()
        try:
            for start in range(0, len(wanted), _CHUNK):
                parts += await self._chunk(owner, wanted[start : start + _CHUNK], sums)
        except (RedisError, OSError) as error:
            sheet.body = sheet.totals = b""
            raise LiveUnavailable from error
        body = b",".join(parts)
        sheet.body = b'{"as_of":"%s","wanted":%d,"items":[%s]}' % (as_of.encode(), len(wanted), body)
        sheet.totals = orjson.dumps({"as_of": as_of, "items": sums.lines()})
        sheet.read_ns = self._time.steady_ns()
        sheet.took_ns = sheet.read_ns - began

    def _wanted(self, owner: int) -> list[pages.Alive]:
        with reading(self._database) as unit:
            return pages.wished_alive(unit, owner)

    async def _chunk(self, owner: int, wanted: list[pages.Alive], sums: Sums) -> list[bytes]:
        keys = [redis_names.strategy_running(one.number) for one in wanted]
        answers = cast("list[bytes]", await self._redis.eval(_READ, len(keys), *keys, _OWNER, *FIELDS, *AMOUNTS))
        told, mine = (orjson.loads(answer) for answer in answers), str(owner)
        items = []
        for one, (whose, *values) in zip(wanted, told, strict=True):
            is_told = whose == mine
            sums.count(one.quote_asset, one.paper, values[len(FIELDS) :] if is_told else ())
            if is_told:
                items.append(_item(one.number, values[: len(FIELDS)]))
        return items


def _item(number: int, values: list[str | bool]) -> bytes:
    # A field that is not there is told as false.
    item: dict[str, Any] = {"id": number} | {name: value or "" for name, value in zip(FIELDS, values, strict=True)}
    item["lease_age_ms"] = int(item["lease_age_ms"] or 0)
    item["current_price"] = item["current_price"] or None
    item["equity"] = item["equity"] or "0"
    item["last_error_words"] = read_words(item["last_error_words"])
    return orjson.dumps(item)
