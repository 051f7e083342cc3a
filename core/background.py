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

#: Works that wait for their next piece, and since when, first come, first served.
Waiting = deque[tuple[asyncio.Future[None], float]]
_WAITING: WeakKeyDictionary[asyncio.AbstractEventLoop, Waiting] = WeakKeyDictionary()


async def give_way() -> None:
    """Let everybody else have a turn, and wait, for a moment at most, for other works of this kind."""
    loop = asyncio.get_running_loop()
    waiting = _WAITING.setdefault(loop, deque())
    turn: asyncio.Future[None] = loop.create_future()
    waiting.append((turn, loop.time()))
    if len(waiting) == 1:
        loop.call_later(REST, _go_on, loop, waiting)
    await turn


def phase_of(number: int) -> float:
    """Where in each period one of many that do the same has its turn, from 0 to 1: works begun together stay apart."""
    return number * _SPREAD % 1


def _go_on(loop: asyncio.AbstractEventLoop, waiting: Waiting) -> None:
    """Let the first go on, and whoever has waited for long."""
    is_taken, since = False, loop.time() - LONGEST
    while waiting and (not is_taken or waiting[0][1] <= since):
        turn, _ = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            is_taken = True
    if waiting:
        loop.call_later(REST, _go_on, loop, waiting)
