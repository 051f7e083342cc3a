"""What happened, for whoever watches: one bounded stream in Redis. It carries no right and no order.

Nobody may depend on an event: the rows in the database are the truth, and a reader who has fallen behind the end of
the stream reads them again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

import orjson
from redis.asyncio import Redis

from core.redis_names import EVENTS

#: About so many events are kept.
KEPT: Final = 20_000
#: Commands in one pipeline: what is packed without holding up the loop.
BATCH: Final = 50

STRATEGY_STATUS: Final = "strategy.status"
STRATEGY_FILL: Final = "strategy.fill"
STRATEGY_ORDER: Final = "strategy.order"
PRICE: Final = "price"
NODE: Final = "node"
COMMAND: Final = "command"
ALERT: Final = "alert"
#: How far a backtest or an optimisation is, to its owner: {id, kind, state, done, total, error}.
RUN: Final = "run"
#: A master's new version, to its owner: {master, symbol, version, quantity, entry_price, signal_at}.
COPY_SIGNAL: Final = "copy.signal"
#: A signal that a follower has taken in, or its end: {relationship, version, status} and what else of reason, outcome,
#: follower_action and symbol has changed.
COPY_TRADE: Final = "copy.trade"
#: What a worker says of a relationship: {relationship, state, last_error, applied_revision}.
COPY_STATUS: Final = "copy.status"


class Event(NamedTuple):
    """Something that happened to what an owner has; owner 0 is everybody's."""

    topic: str
    owner: int
    payload: Mapping[str, Any]


class Told(NamedTuple):
    """An event as it was read."""

    id: str
    topic: str
    owner: int
    #: JSON text.
    data: str


class EventBus:
    """Publishes and reads. Raises what the Redis client raises."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(self, topic: str, owner_id: int, payload: Mapping[str, Any]) -> None:
        """Tell of one thing."""
        await self.publish_all([Event(topic, owner_id, payload)])

    async def publish_all(self, events: Iterable[Event]) -> None:
        """Tell of many, in order."""
        waiting = list(events)
        for start in range(0, len(waiting), BATCH):
            async with self._redis.pipeline(transaction=False) as pipe:
                for topic, owner, payload in waiting[start : start + BATCH]:
                    fields = {"topic": topic, "owner": str(owner), "data": orjson.dumps(dict(payload)).decode()}
                    pipe.xadd(EVENTS, cast("Any", fields), maxlen=KEPT, approximate=True)
                await pipe.execute()

    async def read(self, after_id: str, block_ms: int, count: int = 500) -> list[Told]:
        """Events after an id, oldest first (`$` for those to come); waits for one, as long as the client may."""
        asked = self._redis.xread({EVENTS: after_id}, count=count, block=block_ms)
        answer = await cast("Awaitable[Any]", asked)
        if not answer:
            return []
        entries = next(iter(answer.values()))[0] if isinstance(answer, dict) else answer[0][1]
        return [_told(entry_id, fields) for entry_id, fields in entries]

    async def oldest_id(self) -> str:
        """The id of the oldest event that is kept; empty when there is none."""
        found = await cast("Awaitable[Any]", self._redis.xrange(EVENTS, count=1))
        return _text(found[0][0]) if found else ""


def _told(entry_id: bytes | str, fields: Mapping[Any, Any]) -> Told:
    plain = {_text(name): _text(value) for name, value in fields.items()}
    return Told(_text(entry_id), plain["topic"], int(plain["owner"]), plain["data"])


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
