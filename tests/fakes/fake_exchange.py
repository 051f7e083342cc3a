"""An exchange in memory that does what the test says, and fails when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from core.base_exchange import (
    Balance,
    Bar,
    Capabilities,
    OpenOrder,
    PriceUpdate,
    TradingRules,
    UserEvent,
    VenuePosition,
)
from core.clock import Clock, system_clock
from domain.errors import Refused, Transient
from domain.fill import Fill
from domain.funding import FundingPayment, FundingRate
from domain.instrument import Instrument
from domain.order import Order, OrderReport
from domain.outcome import Outcome
from tests.fakes.fake_market import Deliver, FakeMarket
from tests.fakes.fake_orders import FakeOrders
from tests.fakes.fake_users import FakeUsers
from tests.law_harness import BTCUSDT


class FakeExchange:
    """`BaseExchange` in memory. The test acts on its three sides: `market`, `orders` and `users`.

    `market.price("BTCUSDT", 100)` moves a price; `orders.next_places(Lost(kept=True))` scripts the next placement;
    `orders.fill(name)` trades; `users.gap()` cuts the private stream. `fail_reads(n)` lets private reads raise.
    """

    name = "fake"

    def __init__(
        self,
        *instruments: Instrument,
        clock: Clock | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        now_ms = (clock or system_clock()).trading.now_ms
        self.capabilities = capabilities or Capabilities(market="spot", has_time_window=True)
        self.instruments = {item.symbol: item for item in instruments or (BTCUSDT,)}
        self.market = FakeMarket(now_ms)
        self.users = FakeUsers(now_ms)
        self.orders = FakeOrders(self.users, self.instruments, now_ms)
        self.venue_positions: list[VenuePosition] = []
        self.rules: dict[str, TradingRules] = {}
        #: Funding that the venue lists; of futures only.
        self.payments: list[FundingPayment] = []
        self.rates: list[FundingRate] = []
        self.rates_asked = 0
        self.is_open = False
        #: How often trades were read.
        self.trade_reads = 0
        #: Happens before a list of open orders is made; the news of it comes a second before the list.
        self.before_listing: Callable[[], None] | None = None
        #: The same after it was made, while it is on its way.
        self.after_listing: Callable[[], None] | None = None
        self._read_failures = 0
        self._read_error: Exception = Transient()

    def fail_reads(self, times: int, error: Exception | None = None) -> None:
        """So many of the next private reads raise; 0 ends it."""
        self._read_failures = times
        self._read_error = error or Transient("the fake venue does not answer.")

    async def open(self) -> None:
        """Nothing to connect."""
        self.is_open = True

    async def close(self) -> None:
        """Nothing to close."""
        self.is_open = False

    def instrument(self, symbol: str) -> Instrument:
        """A symbol's rules."""
        if symbol not in self.instruments:
            raise Refused(f"the fake venue has no {symbol}; it has {', '.join(sorted(self.instruments))}.")
        return self.instruments[symbol]

    def max_open_orders(self, symbol: str) -> int:
        """The same for every symbol."""
        del symbol
        return self.capabilities.max_open_orders

    def trading_rules(self, symbol: str) -> TradingRules:
        """As the test has set them in `rules`."""
        return self.rules.get(symbol, TradingRules())

    async def refresh_instruments(self) -> None:
        """The rules are what `instruments` and `rules` hold."""
        await self._read()

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Carried out, or as scripted."""
        return await self.orders.place(order, committed_ms)

    async def place_batch(self, orders: Sequence[Order], committed_ms: int) -> list[Outcome]:
        """One after another, each as scripted."""
        return [await self.orders.place(order, committed_ms) for order in orders]

    async def cancel(self, order: Order) -> Outcome:
        """Carried out, or as scripted."""
        return await self.orders.cancel(order)

    async def query(self, order: Order) -> OrderReport | None:
        """What the venue says; None while `orders.denials` lasts."""
        await self._read()
        if self.orders.denials > 0:
            self.orders.denials -= 1
            return None
        return self.orders.report(order.client_order_id)

    async def open_orders(self, symbol: str | None = None) -> list[OpenOrder]:
        """Ours and `orders.foreign`."""
        await self._read()
        if self.before_listing is None and self.after_listing is None:
            return self.orders.resting(symbol)
        if self.before_listing is not None:
            self.before_listing()
        found = self.orders.resting(symbol)
        if self.after_listing is not None:
            self.after_listing()
        await asyncio.sleep(1)
        return found

    async def fills_since(self, symbol: str, after_trade_id: str, since_ms: int) -> list[Fill]:
        """Trades, oldest first."""
        await self._read()
        self.trade_reads += 1
        return self.orders.fills_since(symbol, after_trade_id, since_ms)

    async def balances(self) -> dict[str, Balance]:
        """`orders.balances`, moved by fills."""
        await self._read()
        return dict(self.orders.balances)

    async def positions(self) -> list[VenuePosition]:
        """`venue_positions`, as the test has set them."""
        await self._read()
        return list(self.venue_positions)

    async def funding_since(self, symbols: Collection[str], since_ms: int) -> list[FundingPayment]:
        """`payments`, as the test has set them."""
        await self._read()
        return [paid for paid in self.payments if paid.symbol in symbols and paid.time_ms >= since_ms]

    def symbols(self) -> frozenset[str]:
        """Those that it was made with."""
        return frozenset(self.instruments)

    async def funding_rates(self, symbol: str, since_ms: int) -> list[FundingRate]:
        """`rates`, as the test has set them."""
        await self._read()
        self.rates_asked += 1
        return [told for told in self.rates if told.symbol == symbol and told.time_ms >= since_ms]

    def user_events(self) -> AsyncIterator[UserEvent]:
        """Private events from now on."""
        return self.users.events()

    async def last_price(self, symbol: str) -> PriceUpdate:
        """The newest price that was pushed."""
        return await self.market.last_price(symbol)

    async def bars(self, symbol: str, interval: str, since_ms: int, limit: int) -> list[Bar]:
        """Bars that were pushed, streamed or not."""
        return await self.market.bars(symbol, interval, since_ms, limit)

    async def watch_market(self, prices: set[str], bars: set[tuple[str, str]], deliver: Deliver) -> None:
        """A stream that the test feeds and breaks."""
        await self.market.watch(prices, bars, deliver)

    def clock_offset_ms(self) -> int:
        """The venue's clock is the test's clock."""
        return 0

    async def _read(self) -> None:
        await asyncio.sleep(0)
        if self._read_failures > 0:
            self._read_failures -= 1
            raise self._read_error
