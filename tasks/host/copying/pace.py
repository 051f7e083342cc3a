"""How fast a fan-out goes: no faster than its orders leave, so that none grows too old for the venue while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Final

from engine.right_of_way import RightOfWay
from engine.trading_engine import TradingEngine
from tasks.host.account import AccountRunner

#: So many accounts are planned for together: the first have their orders out while the last are planned for.
TOGETHER: Final = 128
#: The next are planned for when no more than so many of the last have orders under way.
STILL_UNDER_WAY: Final = 16
#: Venues that do not answer hold the others up no longer than this.
LOOK_SECONDS, LOOKS = 0.005, 100
#: And planned for when no more than so many of the last are still to be journaled; nor is that waited for any longer.
STILL_TO_JOURNAL: Final = 4
JOURNAL_LOOK_SECONDS, JOURNAL_LOOKS = 0.002, 25
#: A change of so many accounts or more goes ahead of what can wait.
MANY: Final = 32
#: Executions are kept at the latest so many seconds after they were shared out, or a fan-out was over.
FLUSH_SECONDS: Final = 0.25
#: Fan-outs put that off for no longer, however many follow one another.
LONGEST_UNKEPT_NS: Final = 2_000_000_000
#: Prices are marked, and stops looked at, so often.
MARK_NS: Final = 1_000_000_000


class FanOut:
    """Goes first while the orders of many accounts leave."""

    def __init__(self, right_of_way: RightOfWay) -> None:
        self._right_of_way = right_of_way
        self._ending: asyncio.Task[None] | None = None
        #: When what orders have come to could last be kept.
        self._kept_ns = 0

    def begin(self, accounts: int) -> int:
        """So many accounts are to be planned for; gives the claim, 0 when they are too few for one."""
        return self._right_of_way.claim() if accounts >= MANY else 0

    def give_way(self, engine: TradingEngine, account: AccountRunner, copying: Collection[int]) -> None:
        """One that is told a target lets others go first afterwards.

        While a claim is held the account's private events wait too, if these instances are all that trade on it.
        """
        engine.right_of_way = self._right_of_way
        if account.hub is not None and account.runners.keys() <= set(copying):
            account.hub.let_pass(self._right_of_way)

    def lets_keep(self, now_ns: int, later: Callable[[], None]) -> bool:
        """Whether what orders have come to may be kept now; if not, `later` is called once those of many have left.

        Their own news comes with it then, in the same rows.
        """
        if self._right_of_way.claimed and now_ns - self._kept_ns < LONGEST_UNKEPT_NS:
            self._right_of_way.call_first(later)
            return False
        self._kept_ns = now_ns
        return True

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
    await _until_few(engines, lambda engine: engine.is_sending, STILL_UNDER_WAY, LOOKS, LOOK_SECONDS)


async def until_most_are_journaled(engines: Iterable[TradingEngine]) -> None:
    """Wait until most of them have journaled what they were told, or for a twentieth of a second.

    Where the database has one lock for all, keeping what is planned next would hold up every order of those before;
    while these are on their way to the venue it holds up nobody.
    """
    await _until_few(engines, lambda engine: engine.is_deciding, STILL_TO_JOURNAL, JOURNAL_LOOKS, JOURNAL_LOOK_SECONDS)


async def _until_few(
    engines: Iterable[TradingEngine], is_busy: Callable[[TradingEngine], bool], few: int, looks: int, seconds: float
) -> None:
    """Look so many times, so many seconds apart, until no more than a few of those that run are busy."""
    told = [engine for engine in engines if engine.is_running]
    for _ in range(looks):
        told = [engine for engine in told if is_busy(engine)]
        if len(told) <= few:
            return
        await asyncio.sleep(seconds)
