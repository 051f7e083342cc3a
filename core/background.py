"""Long work that nobody waits for, in pieces: of all of it one piece at a time, with a rest after each.

Several such works at once would otherwise take as many pieces between two steps of whoever is waited for, and a stop
takes some ten steps; and a loop that never rests keeps the interpreter from the threads that write the journal. Where
there is so much of it that works wait for long, they wait for each other no more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

#: Seconds between two pieces.
REST: Final = 0.001
#: Seconds after which a work goes on, however many others do.
LONGEST: Final = 0.005
#: Of one number after the other each comes into the widest gap that the others have left in a period.
_SPREAD: Final = 0.618_033_988_749_895


class _Works:
    """The works of one loop that wait for their next piece, and since when, first come, first served."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[asyncio.Future[None], float]] = deque()
        #: When one of them went on last.
        self.went_on = -REST


_WORKS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Works] = WeakKeyDictionary()


async def give_way() -> None:
    """Let everybody else have a turn, and wait, for a moment at most, for other works of this kind."""
    loop = asyncio.get_running_loop()
    works, now = _WORKS.setdefault(loop, _Works()), loop.time()
    if not works.waiting and now - works.went_on >= REST:
        works.went_on = now
        await asyncio.sleep(0)
        return
    turn: asyncio.Future[None] = loop.create_future()
    works.waiting.append((turn, now))
    if len(works.waiting) == 1:
        loop.call_later(REST, _go_on, loop, works)
    await turn


def phase_of(number: int) -> float:
    """Where in each period one of many that do the same has its turn, from 0 to 1: works begun together stay apart."""
    return number * _SPREAD % 1


def _go_on(loop: asyncio.AbstractEventLoop, works: _Works) -> None:
    """Let the first go on, and whoever has waited for long."""
    is_taken, now = False, loop.time()
    while works.waiting and (not is_taken or works.waiting[0][1] <= now - LONGEST):
        turn, _ = works.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            is_taken, works.went_on = True, now
    if works.waiting:
        loop.call_later(REST, _go_on, loop, works)
