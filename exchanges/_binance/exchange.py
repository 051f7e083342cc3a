"""One account at Binance, spot or USD-M futures: the contract of a venue over REST and streams."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

from core.base_exchange import (
    Balance,
    Bar,
    Capabilities,
    MarketEvent,
    OpenOrder,
    PriceUpdate,
    TradingRules,
    UserEvent,
    VenuePosition,
    VenueSettings,
)
from core.clock import Clock
from domain.errors import AresError, Refused
from domain.fill import Fill
from domain.instrument import Instrument
from domain.order import STOP_MARKET, Order, OrderReport
from domain.outcome import Accepted, Outcome, Rejected
from domain.sentences import say
from exchanges._binance import market_reads, orders
from exchanges._binance.account import read_balances, read_key_rights, read_positions, refuse_hedge_mode
from exchanges._binance.dialect import Dialect
from exchanges._binance.funding import read_funding, read_rates
from exchanges._binance.history import OrderNames, TradeHistory
from exchanges._binance.market_stream import watch
from exchanges._binance.rest import BinanceRest
from exchanges._binance.rule_book import RuleBook, book_of
from exchanges._binance.rules import Rules, renewed
from exchanges._binance.user_stream import Tap, UserStream
from exchanges._binance.watchdog import Watchdog

#: The clocks are compared so often.
_CLOCK_SECONDS = 60.0
#: Rules that another account has read so lately are good enough to open with, and a balance to try a key with.
_LATELY_NS = 10_000_000_000


class UnknownSymbol(Refused):
    """The venue lists no such symbol, or its steps cannot be represented exactly."""


class BinanceExchange:
    """The adapter; its two markets differ by their dialect."""

    def __init__(self, dialect: Dialect, settings: VenueSettings, clock: Clock) -> None:
        self.name = dialect.name
        self.capabilities: Capabilities = dialect.capabilities
        self._dialect = dialect
        self._settings = settings
        self._rest = BinanceRest(dialect, settings, clock)
        #: What the account's key may do; see `TellsRights`.
        self.key_rights = partial(read_key_rights, self._rest)
        #: What the account was paid and charged; see `TellsFunding`.
        self.funding_since = partial(read_funding, self._rest, self.instrument)
        #: What everybody was; see `TellsFundingRates`.
        self.funding_rates = partial(read_rates, self._rest)
        self._names = OrderNames()
        #: What stands under the name of an order; see `DescribesOrders`.
        self.describe = partial(orders.describe, self._rest, self.instrument, self._names)
        self._machine = clock.machine
        self._book: RuleBook | None = None
        self._rules = Rules({}, {}, {})
        #: Every symbol; see `ListsSymbols`.
        self.symbols = lambda: frozenset(self._rules.instruments)
        #: What trying the key has shown, and when; it answers the first question.
        self._tried: tuple[dict[str, Balance], int] | None = None
        #: Symbols whose instrument was handed out.
        self._used: set[str] = set()
        self._history = TradeHistory(self._rest, self._names, self.instrument)
        self._watchdog = Watchdog(clock, settings.silence_seconds, settings.report_seconds)
        tap = self._tap = Tap()
        #: Leave private events in the connection for a moment, and read on; see `PausesEvents`.
        self.pause_events, self.resume_events = tap.pause, tap.resume
        self._beat: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, measure the clock offset, load instruments, and try the key."""
        await self._rest.door.open()
        try:
            await self._rest.measure_clock()
            await self._read_rules(self._machine.steady_ns() - _LATELY_NS)
            if self._settings.credentials is not None:
                self._tried = await read_balances(self._rest), self._machine.steady_ns()
                if self._dialect.is_futures:
                    await refuse_hedge_mode(self._rest)
        except BaseException:
            await self._rest.door.close()
            raise
        if self._beat is None:
            self._beat = asyncio.create_task(self._keep_clock(), name=f"{self.name} clock")

    async def close(self) -> None:
        """Close every connection; nothing is cancelled."""
        beat, self._beat = self._beat, None
        if beat is not None:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat
        await self._rest.door.close()

    def instrument(self, symbol: str) -> Instrument:
        """A symbol's rules; `UnknownSymbol` names the nearest one, or why this one cannot be traded exactly."""
        found = self._rules.instruments.get(symbol)
        if found is not None:
            self._used.add(symbol)
            return found
        if symbol in self._rules.refused:
            raise UnknownSymbol(self._rules.refused[symbol])
        near = difflib.get_close_matches(symbol, self._rules.instruments, n=1)
        raise UnknownSymbol(
            say(
                "venue_lists_no_symbol",
                "{name} lists no {symbol!r}; {hint}",
                name=self.name,
                symbol=symbol,
                hint=say("did_you_mean_symbol", "did you mean {near}.", near=near[0])
                if near
                else say("check_it", "check it."),
            )
        )

    def max_open_orders(self, symbol: str) -> int:
        """Most orders that may rest on the symbol; 0 when the venue does not limit them."""
        return self.trading_rules(symbol).max_open_orders

    def trading_rules(self, symbol: str) -> TradingRules:
        """What the venue allows on a symbol, as last read."""
        self.instrument(symbol)
        return self._rules.trading[symbol]

    async def refresh_instruments(self) -> None:
        """Read the rules again; instruments that are in use keep their units."""
        await self._read_rules(self._machine.steady_ns())

    async def _read_rules(self, moment_ns: int) -> None:
        if self._book is None:
            self._book = book_of(self.name, self._settings.rest_url, self._machine)
        fresh = await self._book.read_since(
            moment_ns,
            lambda: self._rest.read(self._dialect.public, "exchangeInfo", {}, self._dialect.info_weight),
        )
        self._rules = renewed(self._rules, fresh, self._used)
        if self._settings.budget is not None and self._book.weight_limit:
            self._settings.budget.note_limit(self._book.weight_limit)
        if self._settings.pace is not None:
            self._settings.pace.note_limits(self._book.order_limits)

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Send an order once, signed with the machine time at which its intent was committed."""
        try:
            request, echo = orders.placing(self._dialect, order, self.instrument(order.symbol))
        except AresError as error:
            return Rejected(f"not sent: {error}")
        outcome = await self._rest.write(request, committed_ms, echo)
        self._note(order, outcome)
        return outcome

    async def place_batch(self, batch: Sequence[Order], committed_ms: int) -> list[Outcome]:
        """Send several in requests of five on futures; stops, and everything on spot, one by one."""
        outcomes: dict[int, Outcome] = {}
        together = [i for i, order in enumerate(batch) if order.type != STOP_MARKET and self._dialect.is_futures]
        size = self.capabilities.batch_orders
        for start in range(0, len(together), size):
            chunk = together[start : start + size]
            found = await orders.send_batch(self._rest, [batch[i] for i in chunk], self.instrument, committed_ms)
            outcomes.update(zip(chunk, found, strict=True))
        for i, order in enumerate(batch):
            if i not in outcomes:
                outcomes[i] = await self.place(order, committed_ms)
        for i in together:
            self._note(batch[i], outcomes[i])
        return [outcomes[i] for i in range(len(batch))]

    async def cancel(self, order: Order) -> Outcome:
        """Ask to cancel; a refusal says that the order is not open (any more), which a query explains."""
        outcome = await orders.cancel(self._rest, order, self.instrument)
        if isinstance(outcome, Accepted) and outcome.end is not None:
            self._watchdog.expect(order.client_order_id, is_end=True)
        return outcome

    async def query(self, order: Order) -> OrderReport | None:
        """What the venue says of an order by its client order id; None when it knows of none (weak evidence)."""
        found = await orders.query(self._rest, order, self.instrument(order.symbol), self._names)
        if found is not None:
            self._names.remember(order.symbol, found.venue_order_id, order.client_order_id)
            self._watchdog.learn(found)
        return found

    async def open_orders(self, symbol: str | None = None) -> list[OpenOrder]:
        """Everything that rests on the account, ours and foreign, conditional orders included."""
        found = await orders.open_orders(self._rest, symbol, self.instrument)
        for order in found:
            self._names.remember(order.symbol, order.venue_order_id, order.client_order_id)
        return found

    async def fills_since(self, symbol: str, after_trade_id: str, since_ms: int) -> list[Fill]:
        """The account's trades after a trade id (empty: from `since_ms`), oldest first, all pages."""
        found = await self._history.since(symbol, after_trade_id, since_ms)
        for fill in found:
            self._watchdog.learn(fill)
        return found

    async def balances(self) -> dict[str, Balance]:
        """Asset -> what the account holds, in quanta of 10^-8."""
        tried, self._tried = self._tried, None
        if tried is not None and self._machine.steady_ns() - tried[1] < _LATELY_NS:
            return tried[0]
        return await read_balances(self._rest)

    async def positions(self) -> list[VenuePosition]:
        """Futures positions that are not flat; empty on spot."""
        return await read_positions(self._rest, self.instrument) if self._dialect.is_futures else []

    def user_events(self) -> AsyncIterator[UserEvent]:
        """Private events for as long as it is iterated; reconnects by itself and then tells of a gap."""
        return UserStream(self._rest, self._settings, self._names, self.instrument, self._watchdog, self._tap).events()

    async def last_price(self, symbol: str) -> PriceUpdate:
        """The price now, by REST."""
        return await market_reads.last_price(self._rest, self.instrument(symbol))

    async def bars(self, symbol: str, interval: str, since_ms: int, limit: int) -> list[Bar]:
        """Closed bars from `since_ms`, oldest first, by REST."""
        return await market_reads.bars(self._rest, self.instrument(symbol), interval, since_ms, limit)

    async def watch_market(
        self, prices: set[str], bars: set[tuple[str, str]], deliver: Callable[[MarketEvent], Awaitable[None] | None]
    ) -> None:
        """Stream prices of symbols and closed bars of (symbol, interval) until cancelled; raises when it breaks."""
        await watch(self._rest, self._settings, {s: self.instrument(s) for s in prices | {s for s, _ in bars}},
                    prices, bars, deliver)  # fmt: skip

    async def flush(self) -> None:
        """Wait until all that the venue had sent when this was called has been handed on: for steps in lockstep."""
        await self._rest.door.session.flush()

    def clock_offset_ms(self) -> int:
        """Venue time less machine time, as last measured."""
        return self._rest.door.offset_ms

    def _note(self, order: Order, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            self._names.remember(order.symbol, outcome.venue_order_id, order.client_order_id)
            self._watchdog.expect(order.client_order_id)

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(_CLOCK_SECONDS)
            with contextlib.suppress(AresError):
                await self._rest.measure_clock()
