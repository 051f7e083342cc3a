"""Who goes first when one process has too much to do at once: orders that are still to leave, before news of others.

A fan-out that hands targets to a thousand accounts claims the right of way until its orders have left. Whoever only
has to take in what became of an order lets it pass, and what is told to people waits too. Nothing is dropped and no
two pieces of news of an instance change places; a claim ends by itself, and who has let one pass lets no second pass.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from engine.bell import Bell
from engine.inputs import Inbox

#: A claim ends after so many seconds, whatever has become of it.
LONGEST_SECONDS: Final = 1.5
#: So many are woken in each turn of the loop: all at once would hold up what is as urgent as they are.
WOKEN_TOGETHER: Final = 25


class RightOfWay:
    """One for each process; used on its loop only."""

    def __init__(self) -> None:
        #: Numbers the claim that is held; 0 while there is none.
        self.claimed = 0
        #: Told that a claim begins, and that it is over.
        self.on_claim: Callable[[bool], None] = lambda _: None
        self._claims = 0
        self._waiting: dict[Callable[[], None], None] = {}
        #: Called before those who wait are woken, so that they find what these bring.
        self._first: dict[Callable[[], None], None] = {}
        self._end: asyncio.TimerHandle | None = None

    def claim(self) -> int:
        """Go first from now on; gives the number by which the claim is released. It replaces one that is held."""
        self.release(self.claimed)
        self._claims += 1
        self.claimed = self._claims
        self.on_claim(True)
        self._end = asyncio.get_running_loop().call_later(LONGEST_SECONDS, self.release, self.claimed)
        return self.claimed

    def release(self, claim: int) -> None:
        """The orders of a claim have left: those who have waited go on, some at a time."""
        if not claim or claim != self.claimed:
            return
        self.claimed = 0
        self.on_claim(False)
        if self._end is not None:
            self._end.cancel()
        first, self._first = self._first, {}
        waiting, self._waiting = self._waiting, {}
        _wake(deque([*first, *waiting]))

    def call_first(self, work: Callable[[], None]) -> None:
        """Have something done, once, as soon as the claim that is held now is over; at once when there is none."""
        if self.claimed:
            self._first[work] = None
        else:
            work()

    async def pass_by(self) -> None:
        """Wait until the claim that is held now is over; at once when there is none."""
        if not self.claimed:
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end() -> None:
            if not over.done():
                over.set_result(None)

        self._waiting[end] = None
        try:
            await over
        finally:
            self._waiting.pop(end, None)

    async def let_pass(self, bell: Bell, inbox: Inbox) -> None:
        """Wait until the claim that is held now is over, or there is more in the inbox than news of orders."""
        claim = self.claimed
        try:
            while claim and claim == self.claimed and inbox.can_wait:
                self._waiting[bell.ring] = None
                await bell.sleep(None)
        finally:
            self._waiting.pop(bell.ring, None)


def _wake(waiting: deque[Callable[[], None]]) -> None:
    for _ in range(min(len(waiting), WOKEN_TOGETHER)):
        waiting.popleft()()
    if waiting:
        asyncio.get_running_loop().call_soon(_wake, waiting)
