"""The private stream of the fake exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from core.base_exchange import StreamGap, UserEvent


class FakeUsers:
    """Delivers private events to whoever listens; loses, holds, repeats and shuffles them when told to."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._queues: list[asyncio.Queue[UserEvent | Exception]] = []
        self._held: list[UserEvent] | None = None
        self._is_losing = False
        #: Every event that happened, delivered or not.
        self.log: list[UserEvent] = []
        self.connects = 0

    @property
    def listeners(self) -> int:
        """How many iterate the stream now."""
        return len(self._queues)

    def happen(self, event: UserEvent) -> None:
        """Something happened on the account."""
        self.log.append(event)
        if self._held is not None:
            self._held.append(event)
        elif not self._is_losing:
            self.send(event)

    def send(self, event: UserEvent) -> None:
        """Deliver this as it is: a duplicate, something old, something foreign."""
        for queue in self._queues:
            queue.put_nowait(event)

    def gap(self, reason: str = "the fake stream was cut") -> None:
        """The stream reconnects and says that events may have been missed."""
        self.send(StreamGap(self._now_ms(), reason))

    def lose(self, is_losing: bool = True) -> None:
        """From now on events are lost, without a word, until this is called with False."""
        self._is_losing = is_losing

    def hold(self) -> None:
        """From now on events wait."""
        self._held = []

    def release(self, order: Callable[[list[UserEvent]], list[UserEvent]] = list) -> None:
        """Deliver what waits, in the order that `order` makes of it: `reversed`, doubled, shuffled."""
        held, self._held = self._held or [], None
        for event in order(held):
            self.send(event)

    def replay(self, count: int) -> None:
        """Deliver the last events once more."""
        for event in self.log[-count:]:
            self.send(event)

    def fail(self, error: Exception) -> None:
        """The stream raises."""
        for queue in self._queues:
            queue.put_nowait(error)

    async def drained(self) -> None:
        """Wait until everything that was sent has been taken and the taker has asked for more."""
        for queue in list(self._queues):
            await queue.join()

    async def events(self) -> AsyncIterator[UserEvent]:
        """`BaseExchange.user_events`."""
        self.connects += 1
        queue: asyncio.Queue[UserEvent | Exception] = asyncio.Queue()
        self._queues.append(queue)
        try:
            while True:
                event = await queue.get()
                try:
                    if isinstance(event, Exception):
                        raise event
                    yield event
                finally:
                    queue.task_done()
        finally:
            self._queues.remove(queue)
