"""The adapter shared by venues that are a table. Private events and prices are polled, and the capabilities say so."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from core.base_exchange import (
    READ,
    Balance,
    Bar,
    Capabilities,
    KeyRefused,
    MarketEvent,
    OpenOrder,
    PriceUpdate,
    StreamGap,
    TradingRules,
    UserEvent,
    VenuePosition,
    VenueSettings,
)
from core.clock import Clock
from domain.errors import AresError, Refused, Transient
from domain.fill import Fill
from domain.instrument import Instrument
from domain.order import Order, OrderReport
from domain.outcome import Outcome, Rejected, Unknown
from domain.sentences import say
from exchanges._ccxt import Door, Lost, NotSent
from exchanges._ccxt_venue import translate
from exchanges._ccxt_venue.funding import FundingLists, FundingReader
from exchanges._ccxt_venue.outcomes import write_outcome
from exchanges._ccxt_venue.table import VenueTable

_POLL_SECONDS = 2.0
_PRICE_SECONDS = 1.0
_PAGE = 100
#: A bar is taken for closed so long after its end, by the venue's clock.
_BAR_MARGIN_MS = 1_000


class CcxtVenue:
    """One account at a venue."""

    def __init__(
        self,
        table: VenueTable,
        settings: VenueSettings,
        clock: Clock,
        funding_lists: FundingLists | None = None,
    ) -> None:
        self.name = table.name
        self.capabilities: Capabilities = table.capabilities
        self._table = table
        self._settings = settings
        self._clock = clock
        self._door = Door(table.ccxt_id, settings, clock, table.options)
        self._markets: dict[str, translate.Market] = {}
        self._refused: dict[str, str] = {}
        self._order_names: dict[str, str] = {}
        funding = FundingReader(funding_lists, self._read, lambda: self._markets, table, self._door.venue_ms)
        self.funding_since = funding.payments
        self.funding_rates = funding.rates

    async def open(self) -> None:
        """Connect, measure the clock offset, load instruments, and try the key."""
        await self._door.open()
        try:
            before = self._clock.machine.steady_ns()
            venue_ms = await self._read(lambda client: client.fetch_time())
            half_ms = (self._clock.machine.steady_ns() - before) // 2_000_000
            self._door.offset_ms = int(venue_ms) + half_ms - self._clock.machine.now_ms()
            await self.refresh_instruments()
            if self._settings.credentials is not None:
                await self.balances()
        except BaseException:
            await self._door.close()
            raise

    async def close(self) -> None:
        """Close every connection; nothing is cancelled."""
        await self._door.close()

    def instrument(self, symbol: str) -> Instrument:
        """A symbol's rules, by the venue's own name of it."""
        return self._market(symbol).instrument

    def symbols(self) -> frozenset[str]:
        """Every symbol that can be traded here."""
        return frozenset(self._markets)

    def max_open_orders(self, symbol: str) -> int:
        """As the table says, for every symbol."""
        del symbol
        return self.capabilities.max_open_orders

    def trading_rules(self, symbol: str) -> TradingRules:
        """The number of orders only: what else the venue would not take it says when it refuses an order."""
        return TradingRules(max_open_orders=self.max_open_orders(symbol))

    async def refresh_instruments(self) -> None:
        """Read the rules again."""
        rows = await self._read(lambda client: client.load_markets(True))
        self._markets, self._refused = translate.markets(rows, self._table)

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Send an order once, signed with the machine time at which its intent was committed."""
        try:
            arguments, params = translate.place_arguments(order, self._market(order.symbol), self._table)
        except AresError as error:
            return Rejected(f"not sent: {error}")
        name = self._table.name_out(order.client_order_id)
        return await self._write(lambda client: client.create_order(*arguments, params), name, committed_ms)

    async def place_batch(self, orders: Sequence[Order], committed_ms: int) -> list[Outcome]:
        """Each on its own."""
        return [await self.place(order, committed_ms) for order in orders]

    async def cancel(self, order: Order) -> Outcome:
        """Ask to cancel by the client order id."""
        try:
            unified = self._market(order.symbol).unified
        except AresError as error:
            return Rejected(f"not sent: {error}")
        name = self._table.name_out(order.client_order_id)
        params = {self._table.order_id_param: name}
        return await self._write(lambda client: client.cancel_order(None, unified, params), name, None)

    async def query(self, order: Order) -> OrderReport | None:
        """What the venue says of an order; None when it knows of none."""
        market, name = self._market(order.symbol), self._table.name_out(order.client_order_id)
        params = {self._table.order_id_param: name, **self._table.query_params}
        row = await self._read(lambda client: client.fetch_order(None, market.unified, params), missing={})
        if not row:
            return None
        if row.get("clientOrderId") != name:
            raise Transient(
                say(
                    "answered_another_order",
                    "{client_order_id}: the venue answered with another order; ask again.",
                    client_order_id=order.client_order_id,
                )
            )
        return translate.report(row, market, order.client_order_id)

    async def open_orders(self, symbol: str | None = None) -> list[OpenOrder]:
        """Everything that rests, ours and foreign."""
        unified = None if symbol is None else self._market(symbol).unified
        rows = await self._read(lambda client: client.fetch_open_orders(unified))
        found = []
        for row in rows:
            market = self._by_unified(row["symbol"])
            if market is not None:
                found.append(translate.open_order(row, market, self._table))
        return found

    async def fills_since(self, symbol: str, after_trade_id: str, since_ms: int) -> list[Fill]:
        """Trades after an id or a time, oldest first, as far back as the venue's list of trades reaches."""
        market = self._market(symbol)
        rows: dict[str, Any] = {}
        since = since_ms
        while True:
            page = await self._trades(market.unified, since)
            fresh = [row for row in page if row["id"] not in rows]
            rows |= {row["id"]: row for row in fresh}
            if len(page) < _PAGE or not fresh:
                break
            since = max(int(row["timestamp"]) for row in page)
        ordered = sorted(rows.values(), key=lambda row: (int(row["timestamp"]), len(row["id"]), row["id"]))
        ids = [row["id"] for row in ordered]
        start = ids.index(after_trade_id) + 1 if after_trade_id in ids else 0
        return [translate.fill(row, market, await self._name_of(row, market), self._table) for row in ordered[start:]]

    async def balances(self) -> dict[str, Balance]:
        """Asset -> what the account holds, in the table's quanta."""
        return translate.balances(await self._read(lambda client: client.fetch_balance()), self._table)

    async def positions(self) -> list[VenuePosition]:
        """Futures positions that are not flat."""
        if self.capabilities.market == "spot":
            return []
        rows = await self._read(lambda client: client.fetch_positions())
        found = [(row, self._by_unified(row["symbol"])) for row in rows]
        listed = [translate.position(row, market) for row, market in found if market is not None]
        return [position for position in listed if position.lots]

    async def user_events(self) -> AsyncIterator[UserEvent]:
        """A gap every two seconds: there is no private stream here, so whoever listens has to look."""
        while True:
            yield StreamGap(self._door.venue_ms() - int(_POLL_SECONDS * 5_000), "polled")
            await asyncio.sleep(_POLL_SECONDS)

    async def last_price(self, symbol: str) -> PriceUpdate:
        """The price now, by REST."""
        market = self._market(symbol)
        return translate.price(await self._read(lambda client: client.fetch_ticker(market.unified)), market)

    async def bars(self, symbol: str, interval: str, since_ms: int, limit: int) -> list[Bar]:
        """Closed bars from `since_ms`, oldest first, by REST; one request."""
        market, step = self._market(symbol), int(self._door.client.parse_timeframe(interval)) * 1000
        # Taken before the bars are read: one that ends while they are under way may not be all of it.
        now = self._door.venue_ms() - _BAR_MARGIN_MS
        rows = await self._read(lambda client: client.fetch_ohlcv(market.unified, interval, since_ms, limit + 1))
        return [translate.bar(row, market, interval) for row in rows if int(row[0]) + step <= now][:limit]

    async def watch_market(
        self, prices: set[str], bars: set[tuple[str, str]], deliver: Callable[[MarketEvent], Awaitable[None] | None]
    ) -> None:
        """Poll prices every second and closed bars as they come, until cancelled; raises when it breaks."""
        told: dict[tuple[str, str], int] = {}
        while True:
            for symbol in sorted(prices):
                await _hand(deliver, await self.last_price(symbol))
            for symbol, interval in sorted(bars):
                since = told.get((symbol, interval), self._door.venue_ms())
                for bar in await self.bars(symbol, interval, since, _PAGE):
                    told[symbol, interval] = bar.open_ms + 1
                    await _hand(deliver, bar)
            await asyncio.sleep(_PRICE_SECONDS)

    def clock_offset_ms(self) -> int:
        """Venue time less machine time, as measured when it was opened."""
        return self._door.offset_ms

    async def _write(self, send: Callable[[Any], Awaitable[Any]], name: str, committed_ms: int | None) -> Outcome:
        try:
            done = await self._door.guarded(lambda: send(self._door.client), committed_ms)
        except NotSent as error:
            return Rejected(str(error))
        except Lost as error:
            return Unknown(str(error))
        return write_outcome(done, name, self._table.duplicate_codes)

    async def _read(self, ask: Callable[[Any], Awaitable[Any]], missing: Any = None) -> Any:
        if self._settings.budget is not None:
            await self._settings.budget.take(1, READ)
        try:
            done = await self._door.guarded(lambda: ask(self._door.client))
        except Lost as error:
            raise Transient(str(error)) from None
        if not done.kinds:
            return done.result
        if missing is not None and "OrderNotFound" in done.kinds:
            return missing
        if done.kinds & {"AuthenticationError", "PermissionDenied"}:
            raise KeyRefused(done.failure)
        if done.answer.status >= 500 or done.kinds & {"NetworkError", "OperationFailed"}:
            raise Transient(done.failure)
        raise Refused(done.failure)

    async def _trades(self, unified: str, since_ms: int) -> list[Any]:
        found: list[Any] = await self._read(lambda client: client.fetch_my_trades(unified, since_ms or None, _PAGE))
        return found

    async def _name_of(self, row: Any, market: translate.Market) -> str:
        """The client order id of a trade; asked for by the order's id where the trade does not tell."""
        info = row.get("info") or {}
        told = info.get("clOrdId") or info.get("orderLinkId")
        if told:
            return self._table.name_in(str(told))
        number = str(row.get("order") or "")
        if number not in self._order_names:
            params = dict(self._table.query_params)
            order = await self._read(lambda client: client.fetch_order(number, market.unified, params), missing={})
            self._order_names[number] = self._table.name_in(str(order.get("clientOrderId") or ""))
        return self._order_names[number]

    def _market(self, symbol: str) -> translate.Market:
        found = self._markets.get(symbol)
        if found is not None:
            return found
        near = difflib.get_close_matches(symbol, self._markets, n=1)
        hint = self._refused.get(symbol) or (
            say("did_you_mean_this", "did you mean {near}?", near=near[0]) if near else say("check_it", "check it.")
        )
        raise Refused(
            say("venue_has_no_symbol", "{name} lists no {symbol!r}: {hint}", name=self.name, symbol=symbol, hint=hint)
        )

    def _by_unified(self, unified: str) -> translate.Market | None:
        return next((market for market in self._markets.values() if market.unified == unified), None)


async def _hand(deliver: Callable[[MarketEvent], Awaitable[None] | None], event: MarketEvent) -> None:
    done = deliver(event)
    if done is not None:
        await done
