"""Ties trading engines to a venue's market: what an engine waits for is armed again after each of its steps."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from core.base_exchange import Bar, PriceUpdate
from domain import slots
from domain.events import PRICE, TIMER, Event
from domain.risk_manager import stale_price
from engine.books import LastPrice
from engine.market_data.levels import Watcher
from engine.market_data.prices import Listener
from engine.market_data.venue import VenueMarket
from engine.parking import hears_prices
from engine.trading_engine import Price, TradingEngine


@dataclass(slots=True)
class _Tie:
    """One attached engine."""

    watcher: Watcher
    interval: str


class EngineMarket:
    """A venue's market as the engine manager wants it."""

    def __init__(self, venue: VenueMarket) -> None:
        self._venue = venue
        self._shared: dict[str, LastPrice] = {}
        self._listeners: dict[str, Listener] = {}
        self._ties: dict[TradingEngine, _Tie] = {}
        #: Symbol -> how many engines are attached to it.
        self._tied: Counter[str] = Counter()
        self._asking: dict[str, asyncio.Lock] = {}

    async def price(self, symbol: str) -> LastPrice:
        """The shared last price of a symbol, followed from now on; `Transient` when the venue gives none."""
        shared = self._follow(symbol)
        # A thousand instances that are taken up together ask once.
        async with self._asking.setdefault(symbol, asyncio.Lock()):
            await self._venue.first_price(symbol)
        return shared

    async def history(self, symbol: str, interval: str, bars: int) -> list[Bar]:
        """The newest closed bars, oldest first."""
        return await self._venue.past_bars(symbol, interval, bars)

    async def attach(self, engine: TradingEngine, interval: str) -> None:
        """Wake the engine from now on: at the levels it asks for, and with closed bars when an interval is given.

        Takes the engine's `on_change` and calls what was there before.
        """
        symbol = engine.instance.instrument.symbol
        self._follow(symbol)

        def wake(kind: int, ticks: int, time_ms: int) -> None:
            engine.put(Price(ticks, time_ms) if kind == PRICE else Event(TIMER, time_ms))

        tie = self._ties[engine] = _Tie(self._venue.watch(symbol, wake), interval)
        self._tied[symbol] += 1
        before = engine.on_change

        def after_step(changed: TradingEngine) -> None:
            if changed in self._ties:
                self._arm(changed, tie)
            before(changed)

        engine.on_change = after_step
        self._arm(engine, tie)
        if interval:
            # Bars that closed since the warm-up are in the past of the feed; the engine takes each bar once.
            for bar in await self._venue.join_bars(symbol, interval, engine.put_bar, engine.warm_up_bars):
                engine.put_bar(bar)

    async def detach(self, engine: TradingEngine) -> None:
        """Stop waking it."""
        tie = self._ties.pop(engine, None)
        if tie is None:
            return
        symbol = engine.instance.instrument.symbol
        self._venue.unwatch(symbol, tie.watcher)
        if tie.interval:
            self._venue.leave_bars(symbol, tie.interval, engine.put_bar)
        self._tied[symbol] -= 1
        if not self._tied[symbol]:
            self._venue.unfollow(symbol, self._listeners.pop(symbol))

    def _follow(self, symbol: str) -> LastPrice:
        shared = self._shared.setdefault(symbol, LastPrice())
        if symbol not in self._listeners:

            def listen(update: PriceUpdate, seen_ms: int) -> None:
                shared.see(update.last, seen_ms)

            self._venue.follow(symbol, listen)
            self._listeners[symbol] = listen
        return shared

    def _arm(self, engine: TradingEngine, tie: _Tie) -> None:
        state, held_back = engine.instance.state, engine.status.held_back
        tie.watcher.arm(
            state[slots.WAKE_ABOVE],
            state[slots.WAKE_BELOW],
            state[slots.WAKE_MS],
            any_price=hears_prices(held_back.values()),
        )
        if stale_price.__name__ in held_back.values():
            self._venue.refresh(engine.instance.instrument.symbol)
