"""A venue, a journal and nodes that die, in virtual time; and an oracle that reads only the venue and the journal."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import strategies
from core.base_exchange import Capabilities
from core.base_journal import CommitUnknown, JournalDown
from core.base_strategy import STRATEGIES
from core.clock import Clock
from domain import ledger, slots
from domain.client_order_id import decode, is_ours
from domain.errors import AresError
from domain.events import Event
from domain.order import BUY, Order, is_complete, is_terminal, remaining
from domain.outcome import Outcome
from domain.risk_manager import RiskLimits
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager, InstanceSpec
from engine.follower_engine.kind import COPY
from engine.order_gateway import ResolveSettings
from engine.trading_engine import TradingEngine
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.plain_market import PlainMarket
from tests.fakes.virtual_time import VirtualLoop, virtual_clock
from tests.law_harness import BTCUSDT

STRATEGIES.scan(strategies)

SYMBOL = "BTCUSDT"
PRICE = 6_000_000
INSTANCE = 7
CAPITAL = {"USDT": 10_000 * 10**8, "BTC": 10**8}
HUB = HubSettings(sweep_interval=30.0, resolve=ResolveSettings(dead_margin_ms=4_000))
DEAD_MS = HUB.receive_window_ms + HUB.resolve.dead_margin_ms
MAX_POSITION_LOTS = 260
MAX_OPEN_ORDERS = 5
LIMITS = RiskLimits(
    max_price_age_ms=10**9, max_rejections=0, max_messages=50,
    max_position_lots=MAX_POSITION_LOTS, max_open_orders=MAX_OPEN_ORDERS,
)  # fmt: skip

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "grid": [
        {"lower_price": Decimal(58_000), "upper_price": Decimal(62_000), "levels": levels, "spacing": "arithmetic",
         "quantity_per_level": Decimal("0.001"), "split_at_start": split, "stop_loss_price": Decimal(55_000)}
        for levels, split in ((4, False), (8, False), (5, False))
    ],
    "trailing_grid": [
        {"grid_levels": levels, "quantity": Decimal("0.001"), "offset_percent": offset}
        for levels, offset in ((3, Decimal("0.5")), (5, Decimal("0.5")), (2, Decimal("0.7")))
    ],
    "copy": [{"can_short": True}, {"can_short": False}],
}  # fmt: skip


class WatchedExchange(FakeExchange):
    """The fake venue, which takes down every request that may not have been sent."""

    def __init__(self, journal: MemoryJournal, clock: Clock) -> None:
        super().__init__(BTCUSDT, clock=clock)
        self._journal = journal
        self._clock = clock
        self.violations: list[str] = []
        #: Orders that reached the book after the venue's time limit for them: nobody can rule them out.
        self.resurrected: set[str] = set()

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Check what must hold when a placement leaves."""
        name = order.client_order_id
        intent = self._journal.book(INSTANCE).intents.get(name)
        if intent is None:
            self.violations.append(f"{name} was sent without a journaled intent")
        if any(name == sent.client_order_id for sent, _ in self.orders.placed):
            self.violations.append(f"{name} was sent twice")
        rivals = [
            other.client_order_id
            for other in self.live()
            if other.key.slot == order.key.slot and other.client_order_id not in self.resurrected
        ]
        if rivals:
            self.violations.append(f"{name} was sent while {rivals} live in slot {order.key.slot}")
        return await super().place(order, committed_ms)

    def live(self) -> list[Order]:
        """Our orders that rest on the book."""
        return [order for name, order in self.orders.known.items() if is_ours(name) and not is_terminal(order)]

    def arrive_late(self, name: str) -> None:
        """An order that was taken for lost gets to the book after all."""
        committed_ms = next(at for order, at in self.orders.placed if order.client_order_id == name)
        if self._clock.machine.now_ms() > committed_ms + HUB.receive_window_ms + 2_000:
            self.resurrected.add(name)
        self.orders.arrive_late(name)


@dataclass
class Node:
    """One process."""

    hub: AccountHub
    manager: EngineManager
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def engine(self) -> TradingEngine | None:
        return self.manager.engines.get(INSTANCE)


class World:
    """Everything of one example. Synchronous from outside: each verb runs the virtual loop for a while."""

    def __init__(self, kind: str, fee_ppm: int = 1_000, *, can_short: bool = False) -> None:
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.clock = virtual_clock()
        self.kind = kind
        self.parameters = PARAMETERS[kind][0]
        market = Capabilities(market="futures" if can_short else "spot", has_time_window=True, can_short=can_short)
        self.journal = MemoryJournal(self.clock.machine.now_ms)
        self.exchange = WatchedExchange(self.journal, self.clock)
        self.exchange.capabilities = market
        self.exchange.orders.fee_ppm = fee_ppm
        self.market = PlainMarket()
        self.price = PRICE
        self.node: Node | None = None
        self.zombies: list[Node] = []
        self.seen_orders: dict[str, Order] = {}
        self.is_losing = False
        self.run(self._move(PRICE))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def ticks(self, count: int) -> None:
        async def some() -> None:
            for _ in range(count):
                await asyncio.sleep(0)

        self.run(some())

    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @property
    def engine(self) -> TradingEngine | None:
        engine = self.node.engine if self.node else None
        return engine if engine is not None and engine.status.state != "lost" else None

    def spec(self) -> InstanceSpec:
        kind = COPY if self.kind == COPY.name else STRATEGIES.get(self.kind)
        params = kind.params(**self.parameters)
        return InstanceSpec(INSTANCE, 0, SYMBOL, "1m", kind, params, LIMITS, tuple(CAPITAL.items()))

    def start(self) -> None:
        """A process comes up and begins to take the instance up; nobody waits for it."""

        async def begin() -> None:
            hub = AccountHub(1, 1, self.exchange, self.journal, self.clock, HUB)
            node = Node(hub, EngineManager(1, "node", self.journal, self.market, self.clock))
            before = asyncio.all_tasks()
            asyncio.create_task(self._take_up(node))  # noqa: RUF006
            await asyncio.sleep(0.001)
            node.tasks = asyncio.all_tasks() - before
            self.node = node

        self.run(begin())

    async def _take_up(self, node: Node) -> None:
        while True:
            try:
                if not node.hub.status.sweeps and node.hub.status.state == "starting":
                    await node.hub.start()
                await node.manager.start(self.spec(), node.hub)
            except (JournalDown, CommitUnknown, AresError):
                await asyncio.sleep(0.5)
            else:
                return

    def crash(self) -> None:
        """Everything of every process ends where it stands; requests that have left stay where they are."""

        async def die() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            if tasks:
                _, living = await asyncio.wait(tasks, timeout=1_000)
                assert not living, f"tasks that do not end when they are cancelled: {living}"
            self.market.attached.clear()
            self.exchange.orders.hold_answers(False)

        self.run(die())
        self.node = None
        self.zombies.clear()

    def take_over(self) -> None:
        """Another process takes the instance up while the first one still runs."""
        if self.zombies:
            return
        if self.node is not None:
            self.zombies.append(self.node)
        self.start()

    def restart_in_place(self) -> None:
        """The same process lets the instance go and takes it up again."""
        node = self.node
        if node is None or node.engine is None:
            return

        async def again() -> None:
            self.exchange.orders.hold_answers(False)
            await node.manager.release(INSTANCE)
            asyncio.create_task(self._take_up(node))  # noqa: RUF006
            await asyncio.sleep(0.001)

        if node.engine in self.market.attached:
            self.run(again())

    def tell(self, verb: int) -> None:
        engine = self.engine
        if engine is not None:
            self.do(lambda: engine.put(Event(verb, self.clock.trading.now_ms())))

    def edit(self, number: int) -> None:
        node = self.node
        self.parameters = PARAMETERS[self.kind][number]
        if node is not None and self.engine is not None:
            self.do(lambda: node.manager.edit(self.spec()))

    async def _move(self, ticks: int) -> None:
        self.price = ticks
        self.exchange.orders.reach(SYMBOL, ticks)
        self.market.move(SYMBOL, ticks, self.clock.machine.now_ms())

    def move(self, delta: int) -> None:
        self.run(self._move(max(self.price + delta, PRICE // 2)))

    def do(self, act: Any) -> None:
        """Something at the venue, inside the loop."""

        async def inside() -> None:
            act()

        self.run(inside())

    def release_events(self, seed: int) -> None:
        chance = random.Random(seed)

        def mix(held: list[Any]) -> list[Any]:
            mixed = held + [event for event in held if chance.random() < 0.5]
            chance.shuffle(mixed)
            return mixed

        self.do(lambda: self.exchange.users.release(mix))

    def lose_events(self, is_losing: bool) -> None:
        def act() -> None:
            self.exchange.users.lose(is_losing)
            if not is_losing:
                self.exchange.users.gap()

        self.is_losing = is_losing
        self.do(act)

    def end_faults(self) -> None:
        orders = self.exchange.orders
        orders._next_places.clear()
        orders._next_cancels.clear()
        orders.denials = 0
        self.journal.is_down = False
        self.journal._faults.clear()
        self.exchange.fail_reads(0)
        self.do(lambda: orders.hold_answers(False))
        self.release_events(0)
        self.lose_events(False)

    def settle(self, seconds: float = 300.0) -> None:
        """The faults stop; a process is there; time passes."""
        self.end_faults()
        if self.engine is None or self.zombies:
            self.crash()
            self.start()
        self.quiet(seconds)
        if self.engine is None:  # whoever supervises sees that nobody runs it
            self.crash()
            self.start()
            self.quiet(seconds)

    def quiet(self, seconds: float) -> None:
        """Let time pass, and then, for a little while, until nothing is under way."""
        self.wait(seconds)
        for _ in range(100):
            if self.node is None or self.node.manager.is_idle:
                return
            self.wait(0.05)

    def close(self) -> None:
        self.crash()
        self.runner.close()

    # What must hold at every moment.

    def check(self) -> None:
        assert not self.exchange.violations, self.exchange.violations
        self._check_slots()
        self._check_orders()
        self._check_fills()
        self._check_limits()
        self._check_held()

    def _check_slots(self) -> None:
        taken: dict[int, str] = {}
        for order in self.exchange.live():
            if order.client_order_id in self.exchange.resurrected:
                continue
            other = taken.setdefault(order.key.slot, order.client_order_id)
            assert other == order.client_order_id, f"slot {order.key.slot} holds {other} and {order.client_order_id}"

    def _check_orders(self) -> None:
        book = self.journal.book(INSTANCE)
        for name, order in book.orders.items():
            before = self.seen_orders.get(name, order)
            assert order.filled >= before.filled, f"{name} lost executions"
            assert order.booked >= before.booked, f"{name} lost bookings"
            assert not is_complete(before) or is_complete(order), f"{name} came back to life in the journal"
        self.seen_orders = dict(book.orders)

    def _check_fills(self) -> None:
        book = self.journal.book(INSTANCE)
        truth = {fill.trade_id: fill for fill in self.exchange.orders.trades}
        for fill in book.fills.values():
            assert truth[fill.trade_id] == fill, f"trade {fill.trade_id} was booked as something else"
        proof = self.journal_ledger().proof()
        assert set(proof.values()) <= {0}, proof
        traded = [entry for entry in book.entries.values() if entry.kind == "trade"]
        assert len(traded) == len(book.fills), "fills and ledger entries do not pair"

    def _check_limits(self) -> None:
        """What the venue could execute stays within the limits, orders of unknown fate included."""
        live = [order for order in self.exchange.live() if order.client_order_id not in self.exchange.resurrected]
        revived = [fill for fill in self.exchange.orders.trades if fill.client_order_id in self.exchange.resurrected]
        if revived:
            return
        trades = self.exchange.orders.trades
        held = sum(fill.side * fill.lots * BTCUSDT.base_per_lot for fill in trades)
        held -= sum(fill.fee for fill in trades if fill.fee_asset == BTCUSDT.base)
        worst = held // BTCUSDT.base_per_lot + sum(remaining(order) for order in live if order.side == BUY)
        assert worst <= MAX_POSITION_LOTS, f"{worst} lots could be held; {MAX_POSITION_LOTS} may"
        entries = [order for order in live if not order.reduce_only]
        assert len(entries) <= MAX_OPEN_ORDERS, f"{len(entries)} entries rest; {MAX_OPEN_ORDERS} may"

    def _check_held(self) -> None:
        engine = self.engine
        if engine is None or not engine.instance.state:
            return
        state = engine.instance.state
        held = state[slots.DUST] + sum(
            state[slots.HEADER + slot * slots.WIDTH + slots.HELD] for slot in range(slots.count_of(state))
        )
        assert held == engine.instance.position.lots, "what the strategy believes it holds is not what was traded"

    def journal_ledger(self) -> ledger.Ledger:
        books = ledger.Ledger()
        for entry in self.journal.book(INSTANCE).entries.values():
            books.post(entry)
        return books

    # What must hold once everything has settled.

    def check_settled(self) -> None:
        self.check()
        engine = self.engine
        assert engine is not None, "nobody runs the instance"
        assert self.node is not None
        assert self.node.hub.status.state == "ready", self.node.hub.status
        assert engine.status.state == "running", engine.status
        assert engine.is_idle, [order for order in engine.instance.live_orders() if order.status == 0]
        self._check_all_booked(engine)
        self._check_wishes(engine)
        self._check_reservations(engine)

    def _check_all_booked(self, engine: TradingEngine) -> None:
        orders, book = self.exchange.orders, self.journal.book(INSTANCE)
        assert {fill.trade_id for fill in orders.trades} == {fill.trade_id for fill in book.fills.values()}
        live = {order.client_order_id for order in self.exchange.live()}
        believed = {order.client_order_id for order in engine.instance.live_orders()}
        assert live == believed, f"venue only: {live - believed}; believed only: {believed - live}"
        journaled = {name for name, order in book.orders.items() if not is_complete(order)}
        assert live == journaled, f"venue only: {live - journaled}; journaled only: {journaled - live}"
        for asset, start in CAPITAL.items():
            moved = orders.balances[asset].free if asset in orders.balances else 0
            mine = self.journal_ledger().balance(ledger.cash(INSTANCE), asset)
            assert mine == start + moved, f"{asset}: booked {mine}, the venue shows {start + moved}"

    def _check_wishes(self, engine: TradingEngine) -> None:
        state = engine.instance.state
        by_slot = {decode(order.client_order_id).slot: order for order in self.exchange.live()}
        for slot in range(slots.count_of(state)):
            wish, order = slots.wish_of(state, slot), by_slot.get(slot)
            if order is not None:
                seen = (order.side, order.type, order.ticks, order.lots)
                assert seen == (wish.side, wish.type, wish.ticks, wish.lots), f"slot {slot}: {order} is not {wish}"
            elif wish.side:
                assert slot in engine.status.held_back, f"slot {slot} is idle and wishes {wish}"

    def _check_reservations(self, engine: TradingEngine) -> None:
        view = engine.books.view(engine.instance, 0)
        rest = self.exchange.live()
        quote = sum(remaining(order) * order.ticks * BTCUSDT.tick_lot for order in rest if order.side == BUY)
        base = sum(remaining(order) * BTCUSDT.base_per_lot for order in rest if order.side != BUY)
        books = self.journal_ledger()
        assert view.free_quote == books.balance(ledger.cash(INSTANCE), "USDT") - quote
        assert view.free_base == books.balance(ledger.cash(INSTANCE), "BTC") - base

    def check_stopped(self) -> None:
        """After STOP: nothing rests and nothing is reserved."""
        assert self.exchange.live() == []
        assert self.engine is not None
        assert self.engine.instance.live_orders() == []

    def check_flat(self) -> None:
        """After FLATTEN: nothing rests, and what is held is too little to sell."""
        self.check_stopped()
        held = sum(fill.side * fill.lots for fill in self.exchange.orders.trades)
        fees = sum(fill.fee for fill in self.exchange.orders.trades if fill.fee_asset == "BTC")
        lots = held - fees // BTCUSDT.base_per_lot
        slots_held = 1 + slots.count_of(self.engine.instance.state) if self.engine else 0
        smallest = -(-5 * 10**8 // (self.price * BTCUSDT.tick_lot))
        assert lots < smallest * slots_held, f"{lots} lots are still held"
