"""Events for browsers: one reader of the stream in this process, and a bounded queue for every one who listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import structlog
from redis.exceptions import RedisError

from api.metrics import Metrics
from core.event_bus import EventBus, Told
from core.redis_names import EVERYBODY

log = structlog.get_logger(__name__)

#: Events that may wait for one who reads slowly; then the stream is ended, and the browser begins where it stood.
_MOST_WAITING: Final = 2_000
_BLOCK_MS: Final = 1_000
_RETRY_SECONDS: Final = 1.0
_PAGE: Final = 1_000


class Replay(NamedTuple):
    """What happened since an event."""

    events: list[Told]
    #: Whether the event asked for is still there, so that nothing is missing.
    is_whole: bool
    oldest_id: str
    newest_id: str


class Listener:
    """One browser."""

    def __init__(self, owner: int) -> None:
        self.owner = owner
        self.queue: asyncio.Queue[Told] = asyncio.Queue(_MOST_WAITING)
        self.is_slow = False

    def may_see(self, told: Told) -> bool:
        """Whether an event is theirs, or everybody's."""
        return told.owner in (EVERYBODY, self.owner)

    def offer(self, told: Told) -> None:
        """Hand an event over, unless they are too slow already."""
        try:
            self.queue.put_nowait(told)
        except asyncio.QueueFull:
            self.is_slow = True


class Feed:
    """Reads the stream while anybody listens."""

    def __init__(self, bus: EventBus, metrics: Metrics) -> None:
        self._bus = bus
        self._metrics = metrics
        self._listeners: set[Listener] = set()
        self._reader: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self, owner: int) -> AsyncIterator[Listener]:
        """Be told of everything that is the owner's from here on."""
        listener = Listener(owner)
        self._listeners.add(listener)
        self._metrics.streams.set(len(self._listeners))
        if self._reader is None or self._reader.done():
            self._reader = asyncio.get_running_loop().create_task(self._read())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._metrics.streams.set(len(self._listeners))
            if listener.is_slow:
                self._metrics.dropped.inc()

    async def since(self, last_id: str, owner: int) -> Replay:
        """What the owner has missed after an event; raises what Redis raises."""
        oldest = await self._bus.oldest_id()
        newest, events = last_id, list[Told]()
        while some := await self._bus.read(newest, _NO_WAIT_MS, _PAGE):
            newest = some[-1].id
            events += [told for told in some if told.owner in (EVERYBODY, owner)]
            if len(some) < _PAGE:
                break
        is_whole = not oldest or _moment(last_id) >= _moment(oldest) or _moment(last_id) == (0, 0)
        return Replay(events, is_whole, oldest, newest)

    async def tell(self, topic: str, owner: int, payload: Mapping[str, Any]) -> None:
        """Put an event of this node's own on the stream; nobody depends on one, so a failure is logged and no more."""
        try:
            await self._bus.publish(topic, owner, payload)
        except (RedisError, OSError) as error:
            log.warning("event_not_told", topic=topic, error=type(error).__name__)

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        last = "$"
        while self._listeners:
            try:
                events = await self._bus.read(last, _BLOCK_MS)
            except (RedisError, OSError) as error:
                log.warning("event_stream_unreadable", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            for told in events:
                last = told.id
                for listener in self._listeners:
                    if listener.may_see(told):
                        listener.offer(told)


#: Redis blocks for ever on 0.
_NO_WAIT_MS: Final = 1


def is_event_id(text: str) -> bool:
    """Whether this can be the id of an event."""
    milliseconds, _, number = text.partition("-")
    return all(part.isascii() and part.isdigit() and len(part) <= 20 for part in (milliseconds, number))


def is_later(one: str, other: str) -> bool:
    """Whether one event came after another."""
    return _moment(one) > _moment(other)


def _moment(event_id: str) -> tuple[int, int]:
    milliseconds, _, number = event_id.partition("-")
    return int(milliseconds or 0), int(number or 0)
