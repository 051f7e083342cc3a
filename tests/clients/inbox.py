"""What came in over a socket, and waiting for what matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

Wanted = Callable[[Any], bool]
DEADLINE_SECONDS = 180


class Inbox:
    """Messages in the order they came; `put` is the callback that clients want."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._arrived = asyncio.Event()

    def put(self, message: Any) -> None:
        self.messages.append(message)
        self._arrived.set()

    async def until(self, is_enough: Callable[[list[Any]], bool], seconds: float = DEADLINE_SECONDS) -> list[Any]:
        """All messages, once they are enough; TimeoutError names what there was."""
        try:
            async with asyncio.timeout(seconds):
                while not is_enough(self.messages):
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise TimeoutError(f"{len(self.messages)} messages came, the last: {self.messages[-3:]}") from None
        return self.messages

    async def first(self, is_wanted: Wanted, seconds: float = DEADLINE_SECONDS) -> Any:
        """The first message that is wanted, however long ago it came."""
        found = await self.until(lambda messages: any(map(is_wanted, messages)), seconds)
        return next(filter(is_wanted, found))

    async def first_of(self, **fields: Any) -> Any:
        """The first message that carries these fields."""
        return await self.first(lambda message: all(message.get(name) == value for name, value in fields.items()))


@asynccontextmanager
async def reading(receive: Callable[[], Awaitable[Any]]) -> AsyncIterator[Inbox]:
    """An inbox that is filled by calling `receive` again and again."""
    inbox = Inbox()

    async def fill() -> None:
        while True:
            inbox.put(await receive())

    task = asyncio.create_task(fill())
    try:
        yield inbox
    finally:
        # A receive that has just got its message swallows a cancellation (asyncio.wait_for before Python 3.12).
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.1)
        with suppress(asyncio.CancelledError):
            task.result()
