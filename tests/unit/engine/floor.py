"""A trading floor in memory: one account, one journal, one market, and engines that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import strategies
from core.base_strategy import STRATEGIES
from domain import ledger
from domain.client_order_id import is_ours
from domain.order import Order
from domain.risk_manager import RiskLimits
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager, InstanceSpec
from engine.trading_engine import TradingEngine
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.plain_market import PlainMarket
from tests.fakes.virtual_time import virtual_clock
from tests.law_harness import BTCUSDT

STRATEGIES.scan(strategies)
SYMBOL = "BTCUSDT"
PRICE = 6_000_000
GRID: dict[str, Any] = {
    "lower_price": Decimal(59_000), "upper_price": Decimal(61_000), "levels": 4,
    "quantity_per_level": Decimal("0.001"), "split_at_start": False, "spacing": "arithmetic",
}  # fmt: skip
CAPITAL = (("USDT", 10_000 * 10**8), ("BTC", 10**8))


@dataclass
class Floor:
    """What outlives a process: the venue, the journal, the market."""

    exchange: FakeExchange
    journal: MemoryJournal
    market: PlainMarket = field(default_factory=PlainMarket)
    limits: RiskLimits = field(default_factory=lambda: RiskLimits(max_price_age_ms=10**9, max_rejections=50))

    def spec(self, kind: str = "grid", **params: Any) -> InstanceSpec:
        found = STRATEGIES.get(kind)
        return InstanceSpec(7, 0, SYMBOL, "1m", found, found.params(**{**GRID, **params}), self.limits, CAPITAL)

    def open_prices(self) -> list[int]:
        return sorted(order.ticks for order in self.exchange.orders.resting(SYMBOL))

    def our_orders(self) -> list[Order]:
        return [order for order, _ in self.exchange.orders.placed if is_ours(order.client_order_id)]

    def check_books(self) -> None:
        """Fills booked once each, intents for all orders, books that prove, and positions that are their fills."""
        book = self.journal.book(7)
        assert {fill.trade_id for fill in self.exchange.orders.trades} == {
            fill.trade_id for fill in book.fills.values()
        }
        assert {order.client_order_id for order in self.our_orders()} <= set(book.intents)
        names = [order.client_order_id for order, _ in self.exchange.orders.placed]
        assert len(names) == len(set(names)), "an order was sent twice"
        books = ledger.Ledger()
        for entry in book.entries.values():
            books.post(entry)
        assert set(books.proof().values()) <= {0}


@dataclass
class Node:
    """One process: it may die and another may come."""

    manager: EngineManager
    hub: AccountHub

    @property
    def engine(self) -> TradingEngine:
        return self.manager.engines[7]

    async def quiet(self) -> None:
        """Until nothing is under way; in virtual time this takes none."""
        for _ in range(2):
            while not self.manager.is_idle:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)


def open_floor() -> Floor:
    clock = virtual_clock()
    floor = Floor(FakeExchange(BTCUSDT, clock=clock), MemoryJournal(clock.machine.now_ms))
    floor.exchange.orders.market_ticks[SYMBOL] = PRICE
    floor.market.move(SYMBOL, PRICE, clock.machine.now_ms())
    return floor


@asynccontextmanager
async def node_on(
    floor: Floor, spec: InstanceSpec | None = None, settings: HubSettings | None = None
) -> AsyncIterator[Node]:
    """Take the instance up in a new process; leaving is a death: nothing is tidied up at the venue."""
    clock = virtual_clock()
    hub = AccountHub(1, 1, floor.exchange, floor.journal, clock, settings or HubSettings())
    manager = EngineManager(1, "node", floor.journal, floor.market, clock)
    await hub.start()
    node = Node(manager, hub)
    try:
        await manager.start(spec or floor.spec(), hub)
        await node.quiet()
        yield node
    finally:
        for number in list(manager.engines):
            await manager.release(number)
        await hub.stop()
