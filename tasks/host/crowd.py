"""How many may do something heavy at the same time in a process: as many as leave its event loop prompt."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

#: A loop that wakes up to so many milliseconds late has time for one more.
PROMPT_MS: Final = 25.0
#: One that is later than this has taken on too much.
LATE_MS: Final = 100.0
#: A crowd is halved once for so many seconds: those that began together are late together.
ROUND_SECONDS: Final = 1.0


class LoopLag:
    """How late the event loop of this process wakes: the worst of the last second or so."""

    def __init__(self) -> None:
        self.milliseconds = 0.0

    def note(self, milliseconds: float) -> None:
        """The loop woke so late; asked for ten times a second."""
        self.milliseconds = max(milliseconds, self.milliseconds * 0.9)


class Crowd:
    """Whoever does it waits here for room, first come, first served.

    What is far away is waited for, and many can wait at once; what is computed holds up everybody in the process. So
    there is room for one more with each that ends while the loop is prompt, and for half as many when it is late.
    """

    def __init__(self, fewest: int, most: int, lag: LoopLag) -> None:
        self.room = fewest
        self.inside = 0
        self._fewest = fewest
        self._most = most
        self._lag = lag
        self._queue: deque[asyncio.Future[None]] = deque()
        self._halved_at = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for room and keep it inside the block."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(mine)
        self._let_in()
        try:
            await mine
            yield
        finally:
            if mine.done() and not mine.cancelled():
                self.inside -= 1
                self._learn()
            mine.cancel()
            self._let_in()

    def _learn(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._lag.milliseconds > LATE_MS:
            if now - self._halved_at >= ROUND_SECONDS:
                self.room, self._halved_at = max(self.room // 2, self._fewest), now
        elif self._lag.milliseconds <= PROMPT_MS and self._queue:
            self.room = min(self.room + 1, self._most)

    def _let_in(self) -> None:
        while self._queue and (self._queue[0].done() or self.inside < self.room):
            turn = self._queue.popleft()
            if not turn.done():
                self.inside += 1
                turn.set_result(None)
