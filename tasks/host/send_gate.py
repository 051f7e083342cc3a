"""How many orders are on their way to venues at once: as many as are answered well within their signed window."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

#: However slow the venue is, so many may be under way, or nothing would ever be found out.
FEWEST: Final = 4
#: However fast it is, no more: what is under way is unknown should this process die.
MOST: Final = 200
#: So many orders are few: what answers an execution does not wait behind grids that lay themselves out.
FEW: Final = 2
#: Though after so many that went ahead it is the turn of who waits with more.
MOST_AHEAD: Final = 20

#: Who waits, in turn, and with how many orders.
Queue = deque[tuple[asyncio.Future[None], int]]


class SendGate:
    """Whoever wants to send waits here before the intent is kept.

    A request that waits after the commit grows old, and the venue refuses what is older than its window. So the room
    follows the answers: it grows by one for each round of them while somebody waits, and shrinks to what the venue
    answers within `aim_ms` when they take longer, at most by half for each round (additive increase, multiplicative
    decrease, as in RFC 5681). Those with few orders go ahead of those with many.
    """

    def __init__(self, most: float, aim_ms: float, patience_seconds: float = 5.0) -> None:
        self.under_way = 0
        #: Orders that may be under way now.
        self.room = float(most)
        self._aim_ms = aim_ms
        self._patience = patience_seconds
        self._few: Queue = deque()
        self._many: Queue = deque()
        #: How many have gone ahead of those with many.
        self._ahead = 0
        self._left_at = 0.0
        self._shrunk_at = 0.0
        #: The next look at whether the queue moves, while anybody waits, and since when somebody has waited.
        self._look: asyncio.TimerHandle | None = None
        self._waited_from = 0.0

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._few) + len(self._many)

    async def enter(self, orders: int) -> None:
        """Wait for room, in turn; one that is larger than all the room goes alone, and nobody waits for ever."""
        queue = self._few if orders <= FEW else self._many
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append((turn, orders))
        self._let_in()
        if turn.done():
            return
        self._watch()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(orders)
            turn.cancel()
            self._let_in()
            raise

    def leave(self, orders: int, took_ms: float | None = None) -> None:
        """So many have been answered, that long after they were kept; or were not sent after all."""
        now = asyncio.get_running_loop().time()
        self._left_at = now
        if took_ms is not None:
            self._learn(orders, took_ms, now)
        self.under_way = max(self.under_way - orders, 0)
        self._let_in()

    def _watch(self) -> None:
        """See to it that nobody waits for ever: one look for all who wait, since thousands may."""
        loop = asyncio.get_running_loop()
        if self.waiting == 1:
            self._waited_from = loop.time()
        if self._look is None:
            self._look = loop.call_later(self._patience, self._look_again)

    def _look_again(self) -> None:
        """A long queue that moves is waited for; one in which nobody leaves is not."""
        loop = asyncio.get_running_loop()
        if loop.time() >= max(self._left_at, self._waited_from) + self._patience:
            # Whoever was under way has died without a word.
            self.under_way, self._left_at = 0, loop.time()
            self._let_in()
        self._look = None
        if self.waiting:
            self._look = loop.call_at(max(self._left_at, self._waited_from) + self._patience, self._look_again)

    def _let_in(self) -> None:
        while (queue := self._next()) and (queue[0][0].done() or self._has_room(queue[0][1])):
            turn, wanted = queue.popleft()
            if not turn.done():
                self._ahead = self._ahead + 1 if queue is self._few and self._many else 0
                self.under_way += wanted
                turn.set_result(None)

    def _next(self) -> Queue:
        return self._few if self._few and (not self._many or self._ahead < MOST_AHEAD) else self._many

    def _learn(self, orders: int, took_ms: float, now: float) -> None:
        if took_ms <= self._aim_ms:
            if self.waiting:
                self.room = min(self.room + orders / self.room, MOST)
        elif now - self._shrunk_at >= took_ms / 1000:
            # Once for each round: those that were under way together are late together.
            self._shrunk_at = now
            self.room = max(self.room * max(self._aim_ms / took_ms, 0.5), FEWEST)

    def _has_room(self, orders: int) -> bool:
        return not self.under_way or self.under_way + orders <= self.room
