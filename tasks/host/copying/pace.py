"""How fast a fan-out goes: no faster than its orders leave, so that none grows too old for the venue while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from engine.right_of_way import RightOfWay
from engine.trading_engine import TradingEngine

#: So many accounts are planned for together: the first have their orders out while the last are planned for.
TOGETHER: Final = 64
#: The next are planned for when no more than so many of the last have orders under way.
STILL_UNDER_WAY: Final = 16
#: Venues that do not answer hold the others up no longer than this.
LOOK_SECONDS, LOOKS = 0.005, 100
#: A change of so many accounts or more goes ahead of what can wait.
MANY: Final = 32
#: Executions are kept at the latest so many seconds after they were shared out.
FLUSH_SECONDS: Final = 0.25
#: Prices are marked, and stops looked at, so often.
MARK_NS: Final = 1_000_000_000


class FanOut:
    """Goes first while the orders of many accounts leave."""

    def __init__(self, right_of_way: RightOfWay) -> None:
        self._right_of_way = right_of_way
        self._ending: asyncio.Task[None] | None = None

    def begin(self, accounts: int) -> int:
        """So many accounts are to be planned for; gives the claim, 0 when they are too few for one."""
        return self._right_of_way.claim() if accounts >= MANY else 0

    def end(self, claim: int, engines: Iterable[TradingEngine]) -> None:
        """Everything was handed over: it is over when the orders of the last ones have left."""
        if claim:
            self._ending = asyncio.create_task(self._end(claim, list(engines)), name="end of a fan-out")

    async def _end(self, claim: int, engines: list[TradingEngine]) -> None:
        try:
            await until_most_have_left(engines)
        finally:
            self._right_of_way.release(claim)


async def until_most_have_left(engines: Iterable[TradingEngine]) -> None:
    """Wait until most of them have the venue's word on their orders, or for half a second.

    An order is signed for about a second from its commit. A thousand that are committed at once would wait for the
    processor longer than that, and the venue would refuse them.
    """
    told = [engine for engine in engines if engine.is_running]
    for _ in range(LOOKS):
        told = [engine for engine in told if engine.is_sending]
        if len(told) <= STILL_UNDER_WAY:
            return
        await asyncio.sleep(LOOK_SECONDS)
