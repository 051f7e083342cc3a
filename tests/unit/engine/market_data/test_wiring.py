from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from core.base_strategy import STRATEGIES
from domain import slots
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager
from engine.market_data.service import MarketData
from engine.market_data.wiring import EngineMarket
from engine.trading_engine import TradingEngine
from tests.fakes.virtual_time import START_MS, in_virtual_time, virtual_clock
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, open_floor
from tests.unit.engine.market_data.hall import bar, passes


@dataclass
class Desk:
    """One engine on a real market service."""

    floor: Floor
    data: MarketData
    manager: EngineManager

    @property
    def engine(self) -> TradingEngine:
        return self.manager.engines[7]

    async def tell(self, ticks: int) -> None:
        self.floor.exchange.market.price(SYMBOL, ticks)
        await self.floor.exchange.market.drained()
        await passes(0.1)


@asynccontextmanager
async def desk(floor: Floor, kind: str = "grid", params: dict[str, Any] | None = None) -> AsyncIterator[Desk]:
    clock = virtual_clock()
    data = MarketData(clock, chance=random.Random(1))
    hub = AccountHub(1, 1, floor.exchange, floor.journal, clock, HubSettings())
    manager = EngineManager(1, "node", floor.journal, EngineMarket(data.venue(floor.exchange)), clock)
    floor.exchange.market.price(SYMBOL, PRICE)
    await hub.start()
    try:
        spec = floor.spec()
        if params is not None:
            found = STRATEGIES.get(kind)
            spec = replace(spec, kind=found, params=found.params(**params))
        await manager.start(spec, hub)
        await passes(1)
        yield Desk(floor, data, manager)
    finally:
        for number in list(manager.engines):
            await manager.release(number)
        await hub.stop()
        await data.close()


@in_virtual_time
async def test_an_engine_trades_on_the_price_of_the_service_and_knows_its_age() -> None:
    async with desk(open_floor()) as at:
        assert len(at.floor.open_prices()) > 0
        await at.tell(PRICE + 10)
        assert at.engine.books.last_ticks == PRICE + 10


@in_virtual_time
async def test_an_idle_engine_makes_no_step_on_a_tick_and_one_at_its_level() -> None:
    async with desk(open_floor()) as at:
        at.engine.instance.state[slots.WAKE_ABOVE] = PRICE + 100
        at.engine.on_change(at.engine)
        before = at.engine.status.steps
        for ticks in range(PRICE, PRICE + 100):
            await at.tell(ticks)
        steps = [at.engine.status.steps - before]
        await at.tell(PRICE + 100)
        steps.append(at.engine.status.steps - before)
        assert steps[0] == 0
        assert steps[1] > 0


@in_virtual_time
async def test_what_a_stale_price_held_back_is_placed_once_rest_has_told_a_fresh_one() -> None:
    floor = open_floor()
    floor.limits = floor.limits._replace(max_price_age_ms=5_000)
    async with desk(floor) as at:
        await passes(4.5)
        placed, asked = len(floor.our_orders()), len(floor.exchange.market.rest_calls)
        floor.exchange.orders.fill(floor.exchange.orders.resting(SYMBOL)[0].client_order_id)
        await passes(0.1)
        assert set(at.engine.status.held_back.values()) == {"stale_price"}
        await passes(1.9)
        assert at.engine.status.held_back == {}
        assert len(floor.our_orders()) == placed + 1
        assert len(floor.exchange.market.rest_calls) > asked


@in_virtual_time
async def test_a_released_engine_leaves_no_subscription_behind() -> None:
    floor = open_floor()
    async with desk(floor) as at:
        await at.manager.release(7)
        await passes(5)
        assert floor.exchange.market.streams == []
        (venue,) = at.data.venues.values()
        assert venue.prices == {}


@in_virtual_time
async def test_a_bar_strategy_is_warmed_up_and_then_gets_each_bar_once() -> None:
    floor = open_floor()
    for number in range(-300, 0):
        floor.exchange.market.bar(bar(number, close=PRICE)._replace(open=PRICE, high=PRICE, low=PRICE))
    async with desk(floor, "ma_cross", {"fast": 2, "slow": 3, "size": Decimal("0.001")}) as at:
        assert at.engine.wants_bars
        before = at.engine.status.steps
        await passes(60)
        closed = bar(0, close=PRICE)._replace(open=PRICE, high=PRICE, low=PRICE)
        floor.exchange.market.bar(closed)
        floor.exchange.market.send(closed)
        await passes(1)
        assert at.engine.status.steps == before + 1
        assert at.engine._last_bar_ms == START_MS
