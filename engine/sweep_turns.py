"""Accounts of a process sweep in turn: a crowd that sweeps by itself must not keep those waiting who are taken up."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

#: So many accounts of a process are swept at the same time, beside those that somebody waits for.
AT_ONCE: Final = 8

Turn = asyncio.Future[None]


class SweepTurns:
    """First come, first served; whoever somebody waits for goes at once.

    A thousand accounts whose turns come together, after a broken connection or a take-over, ask the venue no faster
    than it answers. Those that are being taken up do not stand behind those that only look.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        #: Below zero where some went ahead.
        self._free = at_once
        self._queue: deque[Turn] = deque()

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return sum(1 for turn in self._queue if not turn.done())

    def ask(self) -> Turn:
        """A place in the queue: done when it is our turn."""
        turn: Turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._let_in()
        return turn

    def hurry(self, turn: Turn) -> None:
        """Somebody waits for this one: it is its turn now."""
        if not turn.done():
            self._free -= 1
            turn.set_result(None)

    def leave(self, turn: Turn) -> None:
        """Done, or given up."""
        if not turn.done():
            turn.cancel()
        elif not turn.cancelled():
            self._free += 1
            self._let_in()

    def _let_in(self) -> None:
        while self._queue and (self._queue[0].done() or self._free > 0):
            self.hurry(self._queue.popleft())
