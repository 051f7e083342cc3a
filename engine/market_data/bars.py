"""Closed bars of one symbol and interval: each once, in order, without holes that the venue does not have.

Bars come by stream, or by REST when the stream has lost one; it does not matter which is first. A bar that comes too
early waits until those before it were fetched. A hole is accepted only when REST has bars after it and none in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.base_exchange import Bar
from core.clock import Clock
from domain.errors import Refused, Transient
from engine.market_data.intervals import bar_open, bars_before, next_open
from engine.market_data.rest import RestReader
from engine.market_data.settings import MarketSettings

log = structlog.get_logger(__name__)

TakeBar = Callable[[Bar], None]

#: Bars in one REST request, and bars that may wait for one before them; more are fetched again.
PAGE = 1_000
_MOST_HELD = 1_000


@dataclass(slots=True)
class BarCounts:
    """What a feed went through."""

    delivered: int = 0
    #: Bars that REST had to supply.
    filled: int = 0
    #: Of these, the ones that the stream had not even gone beyond: it was behind, or silent.
    overtaken: int = 0
    #: Bars that came again.
    repeated: int = 0
    #: Bars that cannot be: out of step with their interval, or a high below the low.
    impossible: int = 0
    #: Bars that the venue itself does not have.
    missing: int = 0
    #: Takers that raised.
    failures: int = 0


class BarFeed:
    """One symbol and interval, shared by everyone who takes its bars."""

    def __init__(
        self, symbol: str, interval: str, rest: RestReader, clock: Clock, settings: MarketSettings,
        counts: BarCounts | None = None,
    ) -> None:  # fmt: skip
        self.symbol = symbol
        self.interval = interval
        self.counts = counts or BarCounts()
        self.takers: dict[TakeBar, int] = {}
        #: When the next bar to deliver begins; 0 before the beginning is known.
        self.next_ms = 0
        self._rest = rest
        self._clock = clock
        self._settings = settings
        self._lock = asyncio.Lock()
        self._past: list[Bar] = []
        self._keep = 0
        self._is_past_complete = False
        self._held: dict[int, Bar] = {}
        self._moved_ns = clock.machine.steady_ns()
        self._asked_ns = 0
        self._filling: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether bars are being fetched, or wait for others."""
        return self._lock.locked() or bool(self._held) or (self._filling is not None and not self._filling.done())

    async def join(self, take: TakeBar, past: int) -> list[Bar]:
        """Hand every bar to `take` from now on; gives the last `past` bars before, oldest first.

        Nothing is lost or told twice between the two. `Transient` when REST is needed and does not answer.
        """
        async with self._lock:
            if not self.next_ms:
                await self._begin(past)
            elif past > len(self._past) and not self._is_past_complete:
                await self._extend(past)
            self._keep = max(self._keep, past)
            self.takers[take] = self.takers.get(take, 0) + 1
            return self._past[-past:] if past else []

    def leave(self, take: TakeBar) -> None:
        """Hand over nothing more to `take`."""
        self.takers[take] -= 1
        if not self.takers[take]:
            del self.takers[take]

    def offer(self, bar: Bar) -> bool:
        """A possible bar has come by the stream, perhaps again or too early; gives whether it was new."""
        if bar.open_ms < self.next_ms or bar.open_ms in self._held:
            self.counts.repeated += 1
            return False
        self._held[bar.open_ms] = bar
        if self.next_ms:
            self._release()
            if len(self._held) > _MOST_HELD:
                self._held = {max(self._held): self._held[max(self._held)]}
            if self._held:
                self.fill()
        return True

    def is_possible(self, bar: Bar) -> bool:
        """Whether it is in step with its interval and its prices fit together; counted when not."""
        is_in_step = bar.open_ms == bar_open(self.interval, bar.open_ms)
        inner = min(bar.open, bar.close), max(bar.open, bar.close)
        if is_in_step and 0 < bar.low <= inner[0] and inner[1] <= bar.high and bar.volume >= 0:
            return True
        self.counts.impossible += 1
        return False

    def is_overdue(self) -> bool:
        """Whether the next bar should have come by now: by trading time, and by machine time since the last one."""
        if not self.next_ms or not self.takers:
            return False
        grace = self._settings.bar_grace_ms
        has_ended = self._clock.trading.now_ms() >= next_open(self.interval, self.next_ms) + grace
        since_ns = max(self._moved_ns, self._asked_ns)
        return has_ended and (self._clock.machine.steady_ns() - since_ns) // 1_000_000 >= grace

    def fill(self) -> None:
        """Fetch what is missing, unless that is being done."""
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._fill(), name=f"bars {self.symbol} {self.interval}")

    def abandon(self) -> None:
        """Stop fetching: nobody wants these bars any more."""
        if self._filling is not None:
            self._filling.cancel()

    async def _begin(self, past: int) -> None:
        now_open = bar_open(self.interval, self._clock.trading.now_ms())
        if past:
            self._past = (await self._fetch(bars_before(self.interval, now_open, past + 1)))[-past:]
            self._is_past_complete = len(self._past) < past
        self.next_ms = next_open(self.interval, self._past[-1].open_ms) if self._past else now_open
        self._moved_ns = self._clock.machine.steady_ns()
        self._held = {open_ms: bar for open_ms, bar in self._held.items() if open_ms >= self.next_ms}
        self._release()
        if self._held:
            self.fill()

    async def _extend(self, past: int) -> None:
        first_ms = self._past[0].open_ms if self._past else self.next_ms
        missing = past - len(self._past)
        older = await self._fetch(bars_before(self.interval, first_ms, missing), until_ms=first_ms)
        self._past[:0] = older
        self._is_past_complete = len(older) < missing

    async def _fetch(self, since_ms: int, until_ms: int = 0) -> list[Bar]:
        """All bars from a moment on, page by page, as far as they make sense."""
        found: list[Bar] = []
        while True:
            page = await self._rest.bars(self.symbol, self.interval, since_ms, PAGE)
            fresh = [bar for bar in page if bar.open_ms >= since_ms and self.is_possible(bar)]
            found.extend(bar for bar in fresh if not until_ms or bar.open_ms < until_ms)
            if len(page) < PAGE or not fresh or (until_ms and fresh[-1].open_ms >= until_ms):
                return found
            since_ms = next_open(self.interval, fresh[-1].open_ms)

    async def _fill(self) -> None:
        tries = 0
        while self._held or self.is_overdue():
            try:
                found = await self._fetch(self.next_ms)
            except (Transient, Refused) as error:
                log.info("bars_not_filled", symbol=self.symbol, interval=self.interval, reason=str(error))
                found, tries = [], tries - 1
            before = self.next_ms
            self._take_filled(found)
            if self.next_ms != before:
                tries = 0
                continue
            tries += 1
            if not self._held:
                self._asked_ns = self._clock.machine.steady_ns()
                return  # the venue has none yet; a later look asks again
            if tries >= self._settings.bar_attempts:
                self._skip_to(min(self._held))
                continue
            await asyncio.sleep(self._settings.poll_ms / 1000)

    def _take_filled(self, found: list[Bar]) -> None:
        for bar in found:
            if bar.open_ms < self.next_ms:
                continue
            was_behind = not self._held
            if self._held.pop(bar.open_ms, None) is None:
                self.counts.filled += 1
                self.counts.overtaken += was_behind
            self._skip_to(bar.open_ms)
            self._deliver(bar)
        self._release()

    def _skip_to(self, open_ms: int) -> None:
        """The venue has no bars before this one."""
        while self.next_ms < open_ms:
            self.counts.missing += 1
            self.next_ms = next_open(self.interval, self.next_ms)
        self._release()

    def _release(self) -> None:
        """Deliver what no longer waits for anything."""
        while (bar := self._held.pop(self.next_ms, None)) is not None:
            self._deliver(bar)

    def _deliver(self, bar: Bar) -> None:
        self.next_ms = next_open(self.interval, bar.open_ms)
        self._moved_ns = self._clock.machine.steady_ns()
        self.counts.delivered += 1
        self._past.append(bar)
        if len(self._past) > 2 * self._keep + 2:
            del self._past[: len(self._past) - max(self._keep, 1)]
            self._is_past_complete = False
        for take in list(self.takers):
            try:
                take(bar)
            except Exception as error:  # noqa: BLE001 - one taker's fault must not keep the bar from the others
                self.counts.failures += 1
                log.error("bar_not_taken", symbol=self.symbol, error=f"{type(error).__name__}: {error}")
