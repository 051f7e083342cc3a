"""A venue on another venue's live market: the prices are real, the money and the orders are not."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal

import structlog

from core.base_exchange import (
    Balance,
    BalanceChange,
    Bar,
    BaseExchange,
    Capabilities,
    MarketEvent,
    OpenOrder,
    PaperSettings,
    PriceUpdate,
    SharedMarket,
    StreamGap,
    TradingRules,
    UserEvent,
    VenuePosition,
    VenueSettings,
)
from core.clock import Clock
from domain.errors import AresError, Refused
from domain.fill import Fill
from domain.instrument import Instrument
from domain.money import divmod_exact
from domain.order import Order, OrderReport, is_terminal
from domain.outcome import Accepted, Outcome, Rejected, Unknown
from exchanges._paper import book
from exchanges._paper.feed import PaperFeed
from exchanges._paper.matching import Matcher

_log = structlog.get_logger("exchanges.paper")

#: The store is rewritten as one record when it has grown by so many.
_COMPACT_AFTER = 5_000
_MOST_WAITING = 10_000
_CATCH_UP_BARS = 1_000
_MINUTE_MS = 60_000


class PaperExchange:
    """One paper account on spot. It belongs to one process at a time, as its store does."""

    def __init__(
        self,
        feed: BaseExchange,
        paper: PaperSettings,
        settings: VenueSettings,
        clock: Clock,
        compact_after: int = _COMPACT_AFTER,
    ) -> None:
        if feed.capabilities.market != "spot":
            raise Refused(f"paper trading follows a spot market, and {feed.name} is not one.")
        self.name = "paper"
        self.capabilities = Capabilities(market="spot", has_time_window=True, order_weight=0)
        self._feed: SharedMarket = paper.market or PaperFeed(feed, clock.machine, owns=True)
        self._paper = paper
        self._window_ms = settings.receive_window_ms
        self._clock = clock
        self._account = book.Account()
        self._matcher = Matcher(paper.fill_model, paper.maker_fee_ppm, paper.taker_fee_ppm)
        self._prices: dict[str, PriceUpdate] = {}
        self._lock = asyncio.Lock()
        self._records = 0
        self._compact_after = compact_after
        self._listeners: list[asyncio.Queue[UserEvent]] = []
        self._watched: set[str] = set()
        self._is_open = False
        #: Prices that act on the book and wait for those before them.
        self._waiting: deque[PriceUpdate] = deque()
        self._acting: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the feed, read the book back, and catch up with what the market did meanwhile."""
        await self._feed.open()
        self._is_open = True
        records = await self._paper.store.load()
        self._account = book.Account()
        for record in records:
            self._account.apply(book.decode(record), self.instrument)
        self._records = len(records)
        if not records:
            await self._keep([["funds", asset, _quanta(amount)] for asset, amount in sorted(self._paper.funds.items())])
        for symbol in {order.symbol for order in self._account.resting()}:
            await self._catch_up(symbol)
            self._follow(symbol)

    async def close(self) -> None:
        """Stop following the market and close the feed; the book stays in its store."""
        self._feed.leave(self._take)
        self._watched.clear()
        acting, self._acting = self._acting, None
        if acting is not None:
            acting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await acting
        if self._is_open:
            self._is_open = False
            await self._feed.close()

    def instrument(self, symbol: str) -> Instrument:
        """A symbol's rules at the feed."""
        return self._feed.venue.instrument(symbol)

    def max_open_orders(self, symbol: str) -> int:
        """As at the feed."""
        return self._feed.venue.max_open_orders(symbol)

    def trading_rules(self, symbol: str) -> TradingRules:
        """As the venue whose market it follows."""
        return self._feed.venue.trading_rules(symbol)

    async def refresh_instruments(self) -> None:
        """Read the feed's rules again."""
        await self._feed.refresh_instruments()

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Put an order on the paper book; it is in the store before it is accepted."""
        if self._paper.latency_ms:
            await asyncio.sleep(self._paper.latency_ms / 1000)
        if self._clock.machine.now_ms() - committed_ms > self._window_ms:
            return Rejected("the intent is older than the receive window.")
        try:
            instrument, price = self.instrument(order.symbol), await self._price(order.symbol)
        except AresError as error:
            return Rejected(f"no price to place the order at: {error}")
        async with self._lock:
            known = self._account.orders.get(order.client_order_id)
            if known is not None and not is_terminal(known):
                return Unknown("an earlier send of this order lives.")
            if why := book.refusal(self._account, order, price, instrument):
                return Rejected(why)
            facts = [book.placed(self._account, order, price, instrument, price.time_ms)]
            facts += book.taken(self._account, order, price, instrument, self._matcher.rates)
            await self._keep(facts)
            self._matcher.enqueue(self._account, order, price)
            venue_order_id = self._account.orders[order.client_order_id].venue_order_id
        self._follow(order.symbol)
        return Accepted(venue_order_id)

    async def place_batch(self, orders: Sequence[Order], committed_ms: int) -> list[Outcome]:
        """Each on its own."""
        return [await self.place(order, committed_ms) for order in orders]

    async def cancel(self, order: Order) -> Outcome:
        """Take an order off the book."""
        async with self._lock:
            known = self._account.orders.get(order.client_order_id)
            if known is None or is_terminal(known):
                return Rejected("the order is not open.")
            await self._keep([book.cancelled(known, self._account.time_ms)])
            return Accepted(known.venue_order_id)

    async def query(self, order: Order) -> OrderReport | None:
        """What the book says of an order."""
        known = self._account.orders.get(order.client_order_id)
        return None if known is None else _report(known)

    async def open_orders(self, symbol: str | None = None) -> list[OpenOrder]:
        """Everything that rests."""
        return [
            OpenOrder(o.client_order_id, o.venue_order_id, o.symbol, o.side, o.ticks, o.lots, o.filled, o.updated_ms)
            for o in self._account.resting(symbol)
        ]

    async def fills_since(self, symbol: str, after_trade_id: str, since_ms: int) -> list[Fill]:
        """The newest thousands of fills are kept."""
        after = int(after_trade_id or 0)
        found = [fill for fill in self._account.fills if fill.symbol == symbol and int(fill.trade_id) > after]
        return found if after_trade_id else [fill for fill in found if fill.time_ms >= since_ms]

    async def balances(self) -> dict[str, Balance]:
        """Asset -> what the account holds, in quanta."""
        return self._account.balances()

    async def positions(self) -> list[VenuePosition]:
        """Spot has none."""
        return []

    async def user_events(self) -> AsyncIterator[UserEvent]:
        """Events of the paper account; it begins with a gap, and has another when a listener is too slow."""
        queue: asyncio.Queue[UserEvent] = asyncio.Queue(_MOST_WAITING)
        self._listeners.append(queue)
        try:
            yield StreamGap(0, "connected")
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(queue)

    async def last_price(self, symbol: str) -> PriceUpdate:
        """The feed's price."""
        return await self._feed.venue.last_price(symbol)

    async def bars(self, symbol: str, interval: str, since_ms: int, limit: int) -> list[Bar]:
        """The feed's bars."""
        return await self._feed.venue.bars(symbol, interval, since_ms, limit)

    async def watch_market(
        self, prices: set[str], bars: set[tuple[str, str]], deliver: Callable[[MarketEvent], Awaitable[None] | None]
    ) -> None:
        """The feed's stream."""
        await self._feed.venue.watch_market(prices, bars, deliver)

    def clock_offset_ms(self) -> int:
        """The feed's."""
        return self._feed.venue.clock_offset_ms()

    async def on_price(self, update: MarketEvent) -> None:
        """Let a price of the feed act on the book."""
        if not isinstance(update, PriceUpdate):
            return
        self._prices[update.symbol] = update._replace(traded=0)
        async with self._lock:
            facts = self._matcher.on_price(self._account, update, self.instrument(update.symbol))
            if facts:
                await self._keep(facts)

    async def _price(self, symbol: str) -> PriceUpdate:
        found = self._prices.get(symbol) if symbol in self._watched else None
        return found or await self._feed.venue.last_price(symbol)

    async def _keep(self, facts: list[book.Fact]) -> None:
        """First the store, then the book, then whoever listens."""
        await self._paper.store.append(book.encode(facts))
        self._account.apply(facts, self.instrument)
        self._records += 1
        for fact in facts:
            for event in self._events_of(fact):
                self._tell(event)
        if self._records > self._compact_after:
            await self._paper.store.replace([book.encode(book.snapshot(self._account))])
            self._records = 1

    def _events_of(self, fact: book.Fact) -> list[UserEvent]:
        kind, first = fact[0], fact[1]
        if kind == "fill":
            fill = Fill(*fact[1:])
            return [fill, _report(self._account.orders[fill.client_order_id]), *self._changes(fill.symbol)]
        if kind == "order":
            return [_report(self._account.orders[first[1]])]
        if kind == "end":
            order = self._account.orders[first]
            return [_report(order), *self._changes(order.symbol)]
        return []

    def _changes(self, symbol: str) -> list[UserEvent]:
        instrument, balances = self.instrument(symbol), self._account.balances()
        time_ms = self._account.time_ms
        return [
            BalanceChange(asset, balances[asset], time_ms)
            for asset in (instrument.base, instrument.quote)
            if asset in balances
        ]

    def _tell(self, event: UserEvent) -> None:
        for queue in self._listeners:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                event = StreamGap(0, "the listener was too slow")
            queue.put_nowait(event)

    async def _catch_up(self, symbol: str) -> None:
        """Fill what the market went through while nobody watched."""
        since = self._account.time_ms - self._account.time_ms % _MINUTE_MS
        while bars := await self._feed.venue.bars(symbol, "1m", since, _CATCH_UP_BARS):
            async with self._lock:
                facts = self._matcher.on_bars(self._account, bars[1:], self.instrument(symbol), _MINUTE_MS)
                if facts:
                    await self._keep(facts)
            if len(bars) < _CATCH_UP_BARS:
                return
            since = bars[-1].open_ms

    def _follow(self, symbol: str) -> None:
        if symbol not in self._watched:
            self._watched.add(symbol)
            self._feed.follow(symbol, self._take)

    def _take(self, update: PriceUpdate) -> None:
        """A price that no order is near costs no more than this look."""
        self._prices[update.symbol] = update._replace(traded=0)
        if not (self._acting or self._lock.locked() or self._account.is_touched(update)):
            return
        self._waiting.append(update)
        if self._acting is None:
            self._acting = asyncio.create_task(self._act(), name="paper prices")

    async def _act(self) -> None:
        try:
            while self._waiting:
                await self.on_price(self._waiting.popleft())
        except AresError as error:
            # The store is away, or another process has the book: prices that come later find it as it was.
            _log.warning("paper_price_not_taken", reason=str(error))
            self._waiting.clear()
        finally:
            self._acting = None


def _quanta(amount: Decimal) -> int:
    """What is finer than a quantum is cut off: nobody is given what the venue could not book."""
    return divmod_exact(amount, book.QUANTUM)[0]


def _report(order: Order) -> OrderReport:
    return OrderReport(order.client_order_id, order.venue_order_id, order.status, order.filled, order.updated_ms)
