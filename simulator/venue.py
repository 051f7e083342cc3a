"""The venue put together: both exchanges, their markets, the clocks, and the loop that moves market time."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from simulator.accounts import Account, AccountBook, ApiKey
from simulator.calm import Calm, narrowed
from simulator.clock import MarketClock, ProtocolClock
from simulator.config import AccountSpec, SimulatorConfig
from simulator.events import Bus
from simulator.faults import FaultBoard
from simulator.futures.exchange import FuturesExchange
from simulator.futures.funding import read_schedule
from simulator.instruments import Market
from simulator.market import MarketSource, open_market
from simulator.market.symbol_market import SymbolMarket
from simulator.outages import Outages
from simulator.spot.exchange import SpotExchange
from simulator.streams.hub import StreamHub
from simulator.streams.listen_keys import ListenKeys
from simulator.tape import Tape
from simulator.wire.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.calm import Entry, Levels

MARKETS: tuple[Market, Market] = ("spot", "futures")


class Venue:
    """Both exchanges on one clock. Synchronous: the server around it does the waiting."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.protocol = ProtocolClock()
        self.source: MarketSource = open_market(
            config.market,
            symbols=config.symbols,
            start_ms=self._start_ms(),
            prints_per_minute=config.prints_per_minute,
            gaps=config.gaps,
        )
        self.clock = MarketClock(self.source.start_ms)
        self.tape = Tape(self.clock, config.tape)
        self.bus = Bus()
        self.accounts = AccountBook()
        self.spot = SpotExchange(self.clock, self.bus, self.tape, self.accounts)
        schedule = read_schedule(config.funding) if config.funding else None
        self.futures = FuturesExchange(self.clock, self.bus, self.tape, self.accounts, schedule)
        self.faults = FaultBoard()
        self.limits = Limits(self.protocol, lifted=config.lift_limits)
        self.listen_keys = ListenKeys(self.protocol)
        self.hub = StreamHub(self)
        self._markets: list[tuple[Market, str, SymbolMarket]] = []
        self._warmed = 0
        self._list_symbols()
        self._outages = Outages(self._markets)
        self._break_and_resume(self.clock.now_ms())
        for spec in config.accounts:
            self.open_account(spec)

    def _start_ms(self) -> int | None:
        """A generated market that runs with the wall begins now, unless it was told otherwise."""
        runs_with_the_wall = self.config.speed.factor == 1 and self.config.market.startswith("generated:")
        if self.config.start_ms is None and runs_with_the_wall:
            return self.protocol.now_ms() // 60_000 * 60_000
        return self.config.start_ms

    def exchange(self, market: Market) -> SpotExchange | FuturesExchange:
        """The exchange of a market."""
        return self.spot if market == "spot" else self.futures

    def open_account(self, spec: AccountSpec, name: str = "") -> Account:
        """An account with one HMAC key, funded with the same amounts on spot and on USD-M."""
        account = self.accounts.create(name or f"account-{spec.key[:6]}")
        self.accounts.add_key(ApiKey(spec.key, spec.secret, account.account_id))
        for asset, amount in spec.amounts:
            self.spot.deposit(account.account_id, asset, amount)
            self.futures.deposit(account.account_id, asset, amount)
        return account

    def advance_to(self, until_ms: int, stop: Callable[[], bool] | None = None, levels: Levels | None = None) -> None:
        """Move market time to `until_ms`: every print, timer and stream frame due on the way, in time order.

        `stop` is asked after each moment at which something could happen; time stays there once it says so. Prints
        of a symbol that stay strictly between its `levels`, and reach no order, may be passed over.
        """
        hot, cold = self._split_by_heat()
        calm = self._calm(hot, levels or {})
        prints = [
            (due, index)
            for index, (_, _, market) in enumerate(hot)
            if (due := calm[index].wakes_ms(until_ms) if index in calm else market.next_print_ms()) is not None
        ]
        heapq.heapify(prints)
        while (now := self.clock.now_ms()) < until_ms:
            look = self._next_look(now, until_ms, is_sparse=bool(calm))
            step = max(min(look, prints[0][0]) if prints else look, now + 1)
            while prints and prints[0][0] <= step:
                due, index = heapq.heappop(prints)
                if index in calm:
                    self._pass_over(calm.pop(index), due - 1)
                if (following := self._print(hot[index], step)) is not None:
                    heapq.heappush(prints, (following, index))
            if step >= look:
                for one in calm.values():
                    self._pass_over(one, step)
            self.clock.move_to(max(step, self.clock.now_ms()))
            for _, _, market in cold:
                market.skip_to(step)
            self._break_and_resume(step)
            self.futures.on_time(step)
            self.hub.flush(step)
            if stop is not None and stop():
                for one in calm.values():
                    self._pass_over(one, step)
                return

    def _calm(self, hot: list[Entry], levels: Levels) -> dict[int, Calm]:
        """Place among the hot symbols -> those that may be passed over for a while."""
        found: dict[int, Calm] = {}
        for index, entry in enumerate(hot):
            kind, symbol, _ = entry
            if symbol in levels and (between := narrowed(levels[symbol], self.exchange(kind).calm_between(symbol))):
                found[index] = Calm(entry, *between)
        return found

    def _pass_over(self, calm: Calm, until_ms: int) -> None:
        """Tell of the last print due by a moment only."""
        kind, symbol, market = calm.entry
        if (due := market.next_print_ms()) is None or due > until_ms:
            return
        self.hub.pass_over(kind, symbol)
        if (last := market.passing.all_but_last(until_ms)) is not None:
            self._print(calm.entry, last)

    def warm_charts(self) -> None:
        """Prepare, a few milliseconds long, one symbol's long history; call it when there is nothing else to do."""
        self._warmed = (self._warmed + 1) % max(len(self._markets), 1)
        self._markets[self._warmed][2].warm()

    def on_protocol_time(self) -> None:
        """Timers of real time: listen keys, dead-man's switches."""
        self.faults.keep_time()
        now = self.protocol.now_ms()
        self.futures.on_protocol_time(now)
        self.hub.on_protocol_time(now)

    def _next_look(self, now: int, until_ms: int, *, is_sparse: bool) -> int:
        """The next moment, prints apart, at which anything may be due."""
        candidates = [until_ms, self.futures.next_timer_ms(now)]
        if (frame := self.hub.next_due(now, is_sparse=is_sparse)) is not None:
            candidates.append(frame)
        if (outage := self._outages.next_ms()) is not None:
            candidates.append(outage)
        return max(min(candidates), now + 1)

    def _break_and_resume(self, now_ms: int) -> None:
        """Stop trading where the replayed market had an outage, and go on after it."""
        for change in self._outages.due(now_ms):
            exchange = self.exchange(change.market)
            exchange.set_instrument(exchange.instrument(change.symbol).with_status(change.status))

    def _print(self, entry: tuple[Market, str, SymbolMarket], until_ms: int) -> int | None:
        """Let everything due on one symbol happen; gives the time of its next print."""
        kind, symbol, market = entry
        for trade_print in market.due(until_ms):
            self.clock.move_to(max(trade_print.time_ms, self.clock.now_ms()))
            self.exchange(kind).on_print(symbol, trade_print)
        return market.next_print_ms()

    def _split_by_heat(self) -> tuple[list[tuple[Market, str, SymbolMarket]], list[tuple[Market, str, SymbolMarket]]]:
        """Symbols somebody would notice, and symbols that may be skipped over cheaply."""
        hot: list[tuple[Market, str, SymbolMarket]] = []
        cold: list[tuple[Market, str, SymbolMarket]] = []
        for entry in self._markets:
            kind, symbol, _ = entry
            watched = self.hub.watches(kind, symbol) or self.exchange(kind).is_hot(symbol)
            (hot if watched else cold).append(entry)
        return hot, cold

    def _list_symbols(self) -> None:
        for kind in MARKETS:
            for instrument, market in self.source.listings(kind):
                self.exchange(kind).list_symbol(instrument, market)
                self._markets.append((kind, instrument.symbol, market))

    def markets(self) -> Iterator[tuple[Market, str, SymbolMarket]]:
        """Every (market, symbol, its market)."""
        return iter(self._markets)

    @property
    def has_ended(self) -> bool:
        """Whether every replayed series has come to its end."""
        return all(market.has_ended for _, _, market in self._markets)
