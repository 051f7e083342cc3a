"""A venue small enough to read, for trying the law without any I/O: it fills what the price reaches."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.base_strategy import StrategyKind
from domain import events, slots
from domain.events import Event, View
from domain.fill import Fill
from domain.instance import Action, Instance, Place
from domain.instrument import Instrument
from domain.order import BUY, CANCELLED, MARKET, OPEN, Order, OrderReport, is_terminal

BTCUSDT = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    max_price=Decimal(1_000_000),
    max_position=Decimal(1_000),
    min_quantity=Decimal("0.00001"),
    max_quantity=Decimal(100),
    min_notional=Decimal(5),
)


@dataclass
class Bench:
    """One instance on one toy venue. `fee_ppm` is taken in the asset received, as spot venues do."""

    kind: StrategyKind
    params: Any
    price: int
    seed: int = 0
    fee_ppm: int = 1_000
    partial: bool = False
    instrument: Instrument = BTCUSDT
    #: 1 is a futures venue: positions may be short, fees are taken in the quote asset.
    is_margin: int = 0
    now_ms: int = 1_000
    trade_id: int = 0
    reports: list[OrderReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.plan = self.kind.prepare(self.params, self.instrument, self.price)
        self.instance = Instance(1, 1, 0, self.instrument, self.kind.decide, self.plan.params)
        self.instance.begin(self.plan.slots, self.plan.memory)

    def view(self) -> View:
        instrument = self.instrument
        return View(
            now_ms=self.now_ms,
            last_ticks=self.price,
            tick_lot=instrument.tick_lot,
            base_per_lot=instrument.base_per_lot,
            min_notional=5 * 10**8,
            min_lots=1,
            max_lots=10**7,
            free_quote=10**15,
            free_base=10**15,
            is_margin=self.is_margin,
        )

    def tell(self, kind: int, **fields: int) -> None:
        self._process([Event(kind, self.now_ms, **fields)])

    def move_to(self, price: int) -> None:
        """The price goes there; what it reaches fills; the strategy is woken where it asked to be."""
        self.now_ms += 1_000
        self.price = price
        for order in sorted(self.instance.live_orders(), key=lambda item: item.key):
            self._fill_if_reached(order)
        state = self.instance.state
        above, below = state[slots.WAKE_ABOVE], state[slots.WAKE_BELOW]
        if (0 < above <= price) or (below > 0 and price <= below):
            self.tell(events.PRICE, ticks=price)
        if 0 < state[slots.WAKE_MS] <= self.now_ms:
            self.tell(events.TIMER)

    def held(self) -> int:
        """Base quanta that the strategy believes it holds."""
        state = self.instance.state
        return state[slots.DUST] + sum(
            state[slots.HEADER + slot * slots.WIDTH + slots.HELD] for slot in range(slots.count_of(state))
        )

    def _process(self, queue: list[Event]) -> None:
        while queue:
            event = queue.pop(0)
            proposal = self.instance.propose(event, self.view())
            self.instance.adopt(proposal)
            for action in proposal.actions:
                queue.extend(self._carry_out(action))

    def _carry_out(self, action: Action) -> list[Event]:
        order = action.order
        if isinstance(action, Place):
            self.instance.on_report(OrderReport(order.client_order_id, "1", OPEN, 0, self.now_ms), self.now_ms)
            if order.type == MARKET or self._reaches(order):
                return self._fill(order, order.lots, self.price)
            return []
        current = self.instance.orders[order.key.slot]
        if is_terminal(current):
            return []
        report = OrderReport(order.client_order_id, "1", CANCELLED, current.filled, self.now_ms)
        return self.instance.on_report(report, self.now_ms)

    def _reaches(self, order: Order) -> bool:
        return self.price <= order.ticks if order.side == BUY else self.price >= order.ticks

    def _fill_if_reached(self, order: Order) -> None:
        current = self.instance.orders.get(order.key.slot)
        if current is None or current.client_order_id != order.client_order_id or not self._reaches(current):
            return
        left = current.lots - current.filled
        lots = self.chance.randint(1, left) if self.partial else left
        self._process(self._fill(current, lots, current.ticks))

    def _fill(self, order: Order, lots: int, ticks: int) -> list[Event]:
        self.trade_id += 1
        buying = order.side == BUY and not self.is_margin
        received = lots * (self.instrument.base_per_lot if buying else ticks * self.instrument.tick_lot)
        fill = Fill(
            symbol=self.instrument.symbol,
            trade_id=str(self.trade_id),
            client_order_id=order.client_order_id,
            side=order.side,
            ticks=ticks,
            lots=lots,
            fee=received * self.fee_ppm // 1_000_000,
            fee_asset=self.instrument.base if buying else self.instrument.quote,
            is_maker=order.type != MARKET,
            time_ms=self.now_ms,
        )
        return self.instance.on_fill(fill, self.now_ms)
