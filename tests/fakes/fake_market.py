"""The market side of the fake exchange: prices and bars that the test pushes, and streams that fail when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from core.base_exchange import Bar, MarketEvent, PriceUpdate
from domain.errors import Refused, Transient

Deliver = Callable[[MarketEvent], Awaitable[None] | None]


@dataclass(eq=False)
class FakeStream:
    """One running `watch_market`."""

    prices: set[str]
    bars: set[tuple[str, str]]
    queue: asyncio.Queue[MarketEvent | Exception] = field(default_factory=asyncio.Queue)
    is_stalled: bool = False

    def wants(self, event: MarketEvent) -> bool:
        """Whether the event belongs to what was subscribed."""
        if isinstance(event, PriceUpdate):
            return event.symbol in self.prices
        return (event.symbol, event.interval) in self.bars


class FakeMarket:
    """Public market data. The verbs of the test come first; `watch`, `last_price` and `bars` are the venue's side."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        #: Streams that run now, oldest first.
        self.streams: list[FakeStream] = []
        #: How often a stream was asked for, and every REST read as ("last_price" or "bars", symbol, ...).
        self.connects = 0
        self.rest_calls: list[tuple[str, ...]] = []
        self.latest: dict[str, PriceUpdate] = {}
        self.history: dict[tuple[str, str], list[Bar]] = {}
        self._refusals = 0
        self._rest_failures = 0
        self._rest_gate = asyncio.Event()
        self._rest_gate.set()
        self._error: Exception = Transient("the fake venue does not answer.")

    def price(
        self, symbol: str, last: int, *, bid: int | None = None, ask: int | None = None,
        time_ms: int | None = None, streamed: bool = True,
    ) -> PriceUpdate:  # fmt: skip
        """The price changes. Bid and ask are one tick away unless given; not `streamed` shows it to REST only."""
        update = PriceUpdate(
            symbol, last, last - 1 if bid is None else bid, last + 1 if ask is None else ask,
            self._now_ms() if time_ms is None else time_ms,
        )  # fmt: skip
        self.latest[symbol] = update
        if streamed:
            self.send(update)
        return update

    def bar(self, bar: Bar, *, streamed: bool = True) -> None:
        """A bar closes. Not `streamed` shows it to REST only: the stream has lost it."""
        known = self.history.setdefault((bar.symbol, bar.interval), [])
        known.append(bar)
        known.sort(key=lambda item: item.open_ms)
        if streamed:
            self.send(bar)

    def send(self, event: MarketEvent) -> None:
        """Put this on the streams as it is: nonsense, a duplicate, something old. REST does not know of it."""
        for stream in self.streams:
            if stream.wants(event) and not stream.is_stalled:
                stream.queue.put_nowait(event)

    def break_streams(self, error: Exception | None = None) -> None:
        """Every stream that runs raises."""
        for stream in self.streams:
            stream.queue.put_nowait(error or Transient("the fake stream was cut."))

    def refuse_streams(self, times: int) -> None:
        """So many of the next streams raise at once."""
        self._refusals = times

    def stall(self) -> None:
        """The streams that run now stay open and silent; new ones work."""
        for stream in self.streams:
            stream.is_stalled = True

    def fail_rest(self, times: int, error: Exception | None = None) -> None:
        """So many of the next REST reads of the market raise; 0 ends it."""
        self._rest_failures = times
        self._error = error or self._error

    def hang_rest(self, is_hanging: bool = True) -> None:
        """REST reads of the market wait until this is called with False."""
        if is_hanging:
            self._rest_gate.clear()
        else:
            self._rest_gate.set()

    async def drained(self) -> None:
        """Wait until the streams have delivered everything that was pushed."""
        for stream in list(self.streams):
            await stream.queue.join()

    async def watch(self, prices: set[str], bars: set[tuple[str, str]], deliver: Deliver) -> None:
        """`BaseExchange.watch_market`."""
        self.connects += 1
        if self._refusals > 0:
            self._refusals -= 1
            raise Transient("the fake venue refuses the stream.")
        stream = FakeStream(set(prices), set(bars))
        self.streams.append(stream)
        try:
            while True:
                event = await stream.queue.get()
                try:
                    if isinstance(event, Exception):
                        raise event
                    waiting = deliver(event)
                    if waiting is not None:
                        await waiting
                finally:
                    stream.queue.task_done()
        finally:
            self.streams.remove(stream)
            while not stream.queue.empty():
                stream.queue.get_nowait()
                stream.queue.task_done()

    async def last_price(self, symbol: str) -> PriceUpdate:
        """`BaseExchange.last_price`."""
        await self._answer("last_price", symbol)
        if symbol not in self.latest:
            raise Refused(f"the fake venue has no price of {symbol}; push one first.")
        return self.latest[symbol]

    async def bars(self, symbol: str, interval: str, since_ms: int, limit: int) -> list[Bar]:
        """`BaseExchange.bars`."""
        await self._answer("bars", symbol, interval)
        known = self.history.get((symbol, interval), [])
        return [bar for bar in known if bar.open_ms >= since_ms][:limit]

    async def _answer(self, *call: str) -> None:
        self.rest_calls.append(call)
        await asyncio.sleep(0)
        await self._rest_gate.wait()
        if self._rest_failures > 0:
            self._rest_failures -= 1
            raise self._error
