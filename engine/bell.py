"""Wakes one task that sleeps until there is something to do."""

from __future__ import annotations

import asyncio


class Bell:
    """One sleeper; a sleeping instance keeps no more than its future, where an `asyncio.Event` keeps a queue."""

    __slots__ = ("_sleeper",)

    def __init__(self) -> None:
        self._sleeper: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake whoever sleeps; nobody is woken later for it."""
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    async def sleep(self, seconds: float | None) -> bool:
        """Until it rings, at most so many seconds; gives whether it rang. None sleeps as long as it takes."""
        self._sleeper = asyncio.get_running_loop().create_future()
        try:
            if seconds is None:
                await self._sleeper
                return True
            async with asyncio.timeout(seconds):
                await self._sleeper
        except TimeoutError:
            return False
        finally:
            self._sleeper = None
        return True
