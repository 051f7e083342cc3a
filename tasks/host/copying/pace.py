"""How fast a fan-out goes: no faster than its orders leave, so that none grows too old for the venue while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from engine.trading_engine import TradingEngine

#: So many accounts are planned for together: the first have their orders out while the last are planned for.
TOGETHER: Final = 64
#: The next are planned for when no more than so many of the last have orders under way.
STILL_UNDER_WAY: Final = 16
#: Venues that do not answer hold the others up no longer than this.
LOOK_SECONDS, LOOKS = 0.005, 100


async def until_most_have_left(engines: Iterable[TradingEngine]) -> None:
    """Wait until most of them have the venue's word on their orders, or for half a second.

    An order is signed for about a second from its commit. A thousand that are committed at once would wait for the
    processor longer than that, and the venue would refuse them.
    """
    told = [engine for engine in engines if engine.is_running]
    for _ in range(LOOKS):
        told = [engine for engine in told if not engine.is_idle]
        if len(told) <= STILL_UNDER_WAY:
            return
        await asyncio.sleep(LOOK_SECONDS)
