"""Keeps what the venue allows on the symbols of one account up to date: halts, delistings, limits, smallest orders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from core.base_exchange import BaseExchange, KeyRefused
from core.order_pace import OrderPace
from domain.errors import AresError
from domain.sentences import say
from engine.alarms import Alarms
from engine.gate import Standing
from engine.trading_engine import TradingEngine

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RulesSettings:
    """Seconds between looks at the venue's rules."""

    interval: float = 600.0
    #: While a symbol is halted.
    while_halted: float = 15.0
    #: After a look, before the next one that a refused order asks for.
    pause: float = 2.0


class RulesKeeper:
    """The standing of every symbol that is traded."""

    def __init__(
        self,
        exchange: BaseExchange,
        engines: Mapping[int, TradingEngine],
        alarms: Alarms,
        settings: RulesSettings,
        pace: OrderPace | None = None,
    ) -> None:
        self.standings: dict[str, Standing] = {}
        #: Looks that have succeeded.
        self.looks = 0
        self._exchange = exchange
        self._engines = engines
        self._alarms = alarms
        self._settings = settings
        self._wanted = asyncio.Event()
        self._refused = ""
        self._pace = pace

    def standing(self, symbol: str) -> Standing:
        """How a symbol stands, shared by every instance on it."""
        found = self.standings.get(symbol)
        if found is None:
            rules = self._exchange.trading_rules(symbol)
            found = Standing(rules, refused=self._refused, pace=self._pace)
            self.standings[symbol] = found
        return found

    def want(self) -> None:
        """An order was refused: the rules may have changed."""
        self._wanted.set()

    def refuse(self, words: str) -> None:
        """The account may not place anything any more."""
        self._refused = words
        for standing in self.standings.values():
            standing.refused = words

    def mark_unreachable(self, words: str) -> None:
        """The venue cannot be reached; empty words take that back."""
        for symbol, standing in self.standings.items():
            is_over = bool(standing.unreachable) and not words
            standing.unreachable = words
            if is_over:
                self._retry_held(symbol)

    def count_foreign(self, orders: Mapping[str, int]) -> None:
        """How many orders of others rest, by symbol."""
        for symbol, standing in self.standings.items():
            before, standing.foreign_orders = standing.foreign_orders, orders.get(symbol, 0)
            if standing.foreign_orders < before:
                self._retry_held(symbol)

    async def run(self, reconcile: Callable[[], Awaitable[object]]) -> None:
        """Look from time to time, and when it is wanted; what trades again is reconciled before orders go on."""
        while True:
            is_halted = any(standing.rules.halt for standing in self.standings.values())
            try:
                async with asyncio.timeout(self._settings.while_halted if is_halted else self._settings.interval):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()
            try:
                await self.look(reconcile)
            except KeyRefused:
                return
            except AresError as error:
                log.warning("rules_not_read", reason=str(error))
            await asyncio.sleep(self._settings.pause)

    async def look(self, reconcile: Callable[[], Awaitable[object]]) -> None:
        """Read the rules and tell every engine. Raises what the venue's reads raise."""
        await self._exchange.refresh_instruments()
        self.looks += 1
        now = {symbol: self._exchange.trading_rules(symbol) for symbol in self.standings}
        halted = {symbol for symbol, rules in now.items() if rules.halt}
        before = {symbol for symbol, standing in self.standings.items() if standing.rules.halt}
        for symbol in halted:
            self.standings[symbol].rules = now[symbol]
        for symbol in sorted(halted - before):
            self._tell(symbol, "symbol_halted", now[symbol].halt)
        if before - halted:
            await reconcile()
        for symbol in now.keys() - halted:
            self.standings[symbol].rules = now[symbol]
        for symbol in sorted(before - halted):
            self._tell(
                symbol,
                "symbol_trades_again",
                say("symbol_goes_on", "{symbol} trades again; its strategies go on.", symbol=symbol),
            )
        self._hand_on(before - halted)

    def _hand_on(self, reopened: set[str]) -> None:
        for engine in self._engines.values():
            symbol = engine.instance.instrument.symbol
            engine.take_rules(self._exchange.instrument(symbol))
            if symbol in reopened:
                engine.setbacks.forgive()
                engine.tell("")
            engine.retry_held()

    def _retry_held(self, symbol: str) -> None:
        for engine in self._engines.values():
            if engine.instance.instrument.symbol == symbol:
                engine.retry_held()

    def _tell(self, symbol: str, code: str, words: str) -> None:
        for number, engine in self._engines.items():
            if engine.instance.instrument.symbol == symbol:
                self._alarms.ring(code, words, number)
                engine.tell(words)
