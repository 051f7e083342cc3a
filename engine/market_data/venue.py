"""The market of one venue: prices with their age, and closed bars, shared by every instance of this process."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import structlog

from core.base_exchange import Bar, BaseExchange, MarketEvent, PriceUpdate
from core.clock import Clock, VenueTime
from domain.errors import Transient
from domain.sentences import say
from engine.market_data.bars import BarCounts, BarFeed, TakeBar
from engine.market_data.connects import ConnectBudget
from engine.market_data.intervals import bar_open, next_open
from engine.market_data.levels import Wake, Watcher
from engine.market_data.prices import ACCEPTED, NONSENSE, REPEATED, Listener, SymbolPrices
from engine.market_data.rest import RestReader
from engine.market_data.settings import MarketSettings
from engine.market_data.stream import KNOWN, NEWS, WORTHLESS, StreamKeeper
from engine.market_data.timers import Timers

log = structlog.get_logger(__name__)

BarKey = tuple[str, str]


@dataclass(slots=True)
class PriceCounts:
    """What happened to the prices of a venue."""

    #: Times a symbol had to live on REST.
    fallbacks: int = 0
    #: Prices asked for by REST, for whatever reason.
    polls: int = 0
    #: Listeners that raised.
    failures: int = 0


class VenueMarket:
    """Prices and bars of one venue. `run` of the service keeps it going."""

    def __init__(
        self, exchange: BaseExchange, clock: Clock, settings: MarketSettings, timers: Timers, chance: random.Random
    ) -> None:
        self.name = exchange.name
        self.rest = RestReader(exchange, clock, settings)
        self.budget = ConnectBudget(settings.connects_per_5_minutes, clock.machine)
        self.prices: dict[str, SymbolPrices] = {}
        self.feeds: dict[BarKey, BarFeed] = {}
        self.price_counts = PriceCounts()
        self.bar_counts = BarCounts()
        #: Verdict -> how many price updates got it.
        self.verdicts: Counter[str] = Counter()
        #: Machine time in ms of the last news of each kind; 0 before the first.
        self.last_price_ms = 0
        self.last_bar_ms = 0
        self._exchange = exchange
        self._clock = clock
        self._settings = settings
        self._timers = timers
        self.price_stream: StreamKeeper[str] = StreamKeeper(
            f"{self.name} prices", lambda keys, deliver: exchange.watch_market(keys, set(), deliver),
            self._take_price, self.budget, clock, settings, chance,
        )  # fmt: skip
        self.bar_stream: StreamKeeper[BarKey] = StreamKeeper(
            f"{self.name} bars", lambda keys, deliver: exchange.watch_market(set(), keys, deliver),
            self._take_bar, self.budget, clock, settings, chance,
        )  # fmt: skip

    def watch(self, symbol: str, wake: Wake, max_age_ms: int = 0) -> Watcher:
        """Watch a symbol for one instance, which then arms what it waits for; `Refused` for an unknown symbol.

        `max_age_ms` is how old the price may become before REST is asked; 0 leaves it to the settings.
        """
        prices = self._join(symbol, max_age_ms)
        return Watcher(prices.index, self._timers, wake, max_age_ms)

    def unwatch(self, symbol: str, watcher: Watcher) -> None:
        """End a watch."""
        watcher.arm()
        self._leave(symbol, watcher.max_age_ms)

    def follow(self, symbol: str, listener: Listener, max_age_ms: int = 0) -> None:
        """Tell `listener` of every believed price of a symbol, and of every confirmation of it."""
        prices = self._join(symbol, max_age_ms)
        prices.listeners[listener] = max_age_ms

    def unfollow(self, symbol: str, listener: Listener) -> None:
        """End a `follow`."""
        self._leave(symbol, self.prices[symbol].listeners.pop(listener))

    def price(self, symbol: str) -> PriceUpdate | None:
        """The last price that is believed; None before the first, or when nobody watches the symbol."""
        prices = self.prices.get(symbol)
        return prices.last if prices else None

    async def first_price(self, symbol: str) -> PriceUpdate:
        """The last price of a watched symbol, by REST when there is none yet; `Transient` when that fails too."""
        prices = self.prices[symbol]
        if prices.last is None:
            await self.ask(prices)
        if prices.last is None:
            raise Transient(
                say(
                    "senseless_price",
                    "{name} gives no price of {symbol} that makes sense; try again.",
                    name=self.name,
                    symbol=symbol,
                )
            )
        return prices.last

    def age_ms(self, symbol: str) -> int | None:
        """How long ago the price was last known to be true, by machine time; None when there is none."""
        prices = self.prices.get(symbol)
        if prices is None or prices.last is None:
            return None
        return prices.age_ms(self._clock.machine.steady_ns())

    def refresh(self, symbol: str) -> None:
        """Somebody cannot act on a price this old: have it asked for at the next look, once."""
        self.prices[symbol].is_needed = True

    async def join_bars(self, symbol: str, interval: str, take: TakeBar, past: int = 0) -> list[Bar]:
        """Hand every closed bar to `take`, each once and in order; gives the last `past` bars before, oldest first."""
        bar_open(interval, 0)
        self._exchange.instrument(symbol)
        key = symbol, interval
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = BarFeed(symbol, interval, self.rest, self._clock, self._settings, self.bar_counts)
        self.bar_stream.want(key)
        try:
            return await feed.join(take, past)
        except BaseException:
            self._drop_feed(key, feed)
            raise

    async def past_bars(self, symbol: str, interval: str, count: int) -> list[Bar]:
        """The last `count` closed bars, oldest first."""

        def ignore(bar: Bar) -> None:
            del bar

        bars = await self.join_bars(symbol, interval, ignore, count)
        self.leave_bars(symbol, interval, ignore)
        return bars

    def leave_bars(self, symbol: str, interval: str, take: TakeBar) -> None:
        """End a `join_bars`."""
        feed = self.feeds[symbol, interval]
        feed.leave(take)
        self._drop_feed((symbol, interval), feed)

    async def ask(self, prices: SymbolPrices, bound_ppm: int = 0) -> bool:
        """Ask for a price by REST; gives whether it is newer than the last and further from it than the bound."""
        self.price_counts.polls += 1
        prices.is_asked = True
        prices.asked_ns = self._clock.machine.steady_ns()
        try:
            update = await self.rest.price(prices.symbol)
        finally:
            prices.is_asked = False
        has_missed = prices.is_behind(update, bound_ppm)
        verdict = prices.judge_answer(update)
        self.verdicts[verdict] += 1
        if verdict == ACCEPTED:
            self._believe(prices, update)
        elif verdict == REPEATED and prices.last is not None:
            self._confirm(prices, prices.last)
        return has_missed

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way: no request, no connection being made, no bar waiting for another."""
        is_busy = self.price_stream.is_busy or self.bar_stream.is_busy or self.rest.in_flight > 0
        return not is_busy and not any(feed.is_busy for feed in self.feeds.values())

    @property
    def is_connected(self) -> bool:
        """Whether the streams that are wanted are there; that of prices has told something."""
        prices, bars = self.price_stream, self.bar_stream
        return (prices.is_sound or not prices.wanted) and (bars.is_up or not bars.wanted)

    def _join(self, symbol: str, max_age_ms: int) -> SymbolPrices:
        prices = self.prices.get(symbol)
        if prices is None:
            instrument = self._exchange.instrument(symbol)
            prices = SymbolPrices(symbol, instrument.max_ticks, self._settings, self._clock.machine.steady_ns())
            self.prices[symbol] = prices
            self.price_stream.want(symbol)
        prices.join(max_age_ms)
        return prices

    def _leave(self, symbol: str, max_age_ms: int) -> None:
        prices = self.prices[symbol]
        prices.leave(max_age_ms)
        if not prices.users:
            del self.prices[symbol]
            self.price_stream.drop(symbol)

    def _drop_feed(self, key: BarKey, feed: BarFeed) -> None:
        self.bar_stream.drop(key)
        if not self.bar_stream.wants(key):
            del self.feeds[key]
            feed.abandon()

    def _take_price(self, event: MarketEvent) -> int:
        prices = self.prices.get(event.symbol)
        if prices is None or not isinstance(event, PriceUpdate):
            return WORTHLESS
        verdict = prices.judge(event)
        self.verdicts[verdict] += 1
        if verdict != ACCEPTED:
            return WORTHLESS if verdict in NONSENSE else KNOWN
        prices.is_on_rest = False
        self._believe(prices, event)
        return NEWS

    def _take_bar(self, event: MarketEvent) -> int:
        feed = self.feeds.get((event.symbol, event.interval)) if isinstance(event, Bar) else None
        if feed is None or not isinstance(event, Bar) or not feed.is_possible(event):
            return WORTHLESS
        if not feed.offer(event):
            return KNOWN
        self.last_bar_ms = self._clock.machine.now_ms()
        self._pass_time(next_open(event.interval, event.open_ms))
        return NEWS

    def _believe(self, prices: SymbolPrices, accepted: PriceUpdate) -> None:
        update = prices.last = prices.believed(accepted)
        self._confirm(prices, update)
        prices.index.tick(update.last, update.time_ms)
        self._pass_time(update.time_ms)

    def _confirm(self, prices: SymbolPrices, update: PriceUpdate) -> None:
        machine = self._clock.machine
        prices.seen_ns = machine.steady_ns()
        prices.is_needed = False
        seen_ms = self.last_price_ms = machine.now_ms()
        for listener in prices.listeners:
            try:
                listener(update, seen_ms)
            except Exception as error:  # noqa: BLE001 - one listener's fault must not keep the price from the others
                self.price_counts.failures += 1
                log.error("price_not_taken", symbol=prices.symbol, error=f"{type(error).__name__}: {error}")

    def _pass_time(self, venue_ms: int) -> None:
        """When trading time follows the venue, its timestamps move it, and moments come with them."""
        trading = self._clock.trading
        if isinstance(trading, VenueTime):
            trading.follow(venue_ms)
            self._timers.run_due(trading.now_ms())
