"""Many instances in one process: taking one up from the journal, letting it go, and what a person asks of it.

Taking up is one path for a new instance, a restart and a takeover: become the owner, read the journal, compare with
the venue, warm up, and only then let the strategy act.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from core.base_exchange import Bar
from core.base_journal import BaseJournal, Step, StoredState
from core.base_strategy import Plan, StrategyKind
from core.clock import Clock
from core.crash_points import reach
from domain import events
from domain.events import Event
from domain.instance import Instance
from domain.instrument import Instrument
from domain.ledger import UNALLOCATED, cash, transfer
from domain.order import ENTRY, OPEN
from domain.risk_manager import RiskLimits
from engine.account_hub import AccountHub
from engine.books import Books, LastPrice
from engine.trading_engine import EngineSettings, TradingEngine

log = structlog.get_logger(__name__)
#: How long the kill switch waits for the ordinary way of cancelling.
KILL_GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What is wanted of an instance."""

    number: int
    generation: int
    symbol: str
    interval: str
    kind: StrategyKind
    params: Any
    limits: RiskLimits
    #: Asset -> quanta that the instance owns from the start; booked once.
    capital: tuple[tuple[str, int], ...] = ()


class Market(Protocol):
    """What the manager needs of market data."""

    async def price(self, symbol: str) -> LastPrice:
        """The shared last price of a symbol, followed from now on."""

    async def history(self, symbol: str, interval: str, bars: int) -> list[Bar]:
        """The newest closed bars, oldest first."""

    async def attach(self, engine: TradingEngine, interval: str) -> None:
        """Wake the engine from now on: at the levels it asks for, and with closed bars when an interval is given."""

    async def detach(self, engine: TradingEngine) -> None:
        """Stop waking it."""


class EngineManager:
    """The instances of one process, each under its own lease epoch."""

    def __init__(
        self, deployment: int, owner: str, journal: BaseJournal, market: Market, clock: Clock,
        settings: EngineSettings | None = None,
    ) -> None:  # fmt: skip
        self.engines: dict[int, TradingEngine] = {}
        self._deployment = deployment
        self._owner = owner
        self._journal = journal
        self._market = market
        self._clock = clock
        self._settings = settings or EngineSettings()
        #: Whether an instance may open anything when it is taken up.
        self.is_killed: Callable[[int], bool] = lambda _: False
        self._running: dict[int, asyncio.Task[None]] = {}
        self._hubs: dict[int, AccountHub] = {}
        self._cancelling: set[asyncio.Task[None]] = set()

    async def start(self, spec: InstanceSpec, hub: AccountHub) -> TradingEngine:
        """Take an instance up. Gives it back when it is safe to order: compared with the venue, and warmed up."""
        result = (await self.start_many([spec], hub))[spec.number]
        if isinstance(result, BaseException):
            raise result
        return result

    async def start_many(
        self, specs: Sequence[InstanceSpec], hub: AccountHub
    ) -> dict[int, TradingEngine | BaseException]:
        """Take up several of an account with one sweep; gives the engine of each, or why it could not be taken up."""
        plans: dict[int, Plan] = {}
        loaded = await _gather({spec.number: self._take_up(spec, hub, plans) for spec in specs})
        ready = [spec for spec in specs if isinstance(loaded[spec.number], TradingEngine)]
        if not ready:
            return loaded
        try:
            await hub.sweep_now()
        except BaseException:
            await asyncio.gather(*(self.release(spec.number) for spec in ready if spec.number in self.engines))
            raise
        reach("manager.swept")
        return loaded | await _gather({spec.number: self._set_going(spec, plans[spec.number]) for spec in ready})

    async def _take_up(self, spec: InstanceSpec, hub: AccountHub, plans: dict[int, Plan]) -> TradingEngine:
        """Become the owner and read everything; from here on events reach the engine, and it books them."""
        instrument = hub.exchange.instrument(spec.symbol)
        price = await self._market.price(spec.symbol)
        plan = plans[spec.number] = spec.kind.prepare(spec.params, instrument, price.ticks)
        epoch = await self._journal.raise_epoch(spec.number, self._owner)
        reach("manager.epoch_raised")
        await self._journal.pin_units(spec.number, instrument)
        engine = await self._load(spec, plan, instrument, price, epoch, hub)
        engine.books.killed = self.is_killed(spec.number)
        engine.catch_up()
        reach("manager.loaded")
        self.engines[spec.number] = hub.engines[spec.number] = engine
        engine.instance.working.join(hub.rules.standing(spec.symbol).own)
        self._hubs[spec.number] = hub
        self._running[spec.number] = asyncio.create_task(engine.run(), name=f"instance {spec.number}")
        return engine

    async def _set_going(self, spec: InstanceSpec, plan: Plan) -> TradingEngine:
        """Warm up, and let the strategy act."""
        engine = self.engines[spec.number]
        try:
            await self._warm_up(spec, engine)
            engine.recheck()
            engine.begin(plan)
            await self._market.attach(engine, spec.interval if engine.wants_bars else "")
        except BaseException:
            await self.release(spec.number)
            raise
        reach("manager.started")
        return engine

    async def release(self, number: int) -> None:
        """Let an instance go: its requests end, its resting orders stay resting."""
        engine, hub, task = self.engines.pop(number), self._hubs.pop(number), self._running.pop(number)
        hub.engines.pop(number, None)
        engine.instance.working.leave()
        await self._market.detach(engine)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await engine.close()
        for order in engine.instance.live_orders():
            hub.gateway.settled(order.client_order_id)  # the next owner asks on its own behalf
        reach("manager.released")

    def tell(self, number: int, verb: int) -> None:
        """Hand a person's verb to an instance: `events.PAUSE`, `RESUME`, `STOP` or `FLATTEN`."""
        if verb == events.RESUME:
            self.engines[number].setbacks.forgive()
        self.engines[number].put(Event(verb, self._clock.trading.now_ms()))

    def edit(self, spec: InstanceSpec) -> None:
        """Change a running instance's parameters; `Refused` names the field and nothing changes."""
        engine = self.engines[spec.number]
        plan = spec.kind.prepare(spec.params, engine.instance.instrument, engine.books.last_ticks)
        engine.limits = spec.limits
        engine.edit(plan)

    def kill(self, numbers: Iterable[int] | None = None) -> None:
        """Block every entry of these instances, or of all in this process, and cancel every resting entry."""
        for number in list(self.engines if numbers is None else numbers):
            engine = self.engines[number]
            engine.books.killed = True
            engine.put(Event(events.PAUSE, self._clock.trading.now_ms()))
            task = asyncio.create_task(self._cancel_entries(engine, self._hubs[number]))
            self._cancelling.add(task)
            task.add_done_callback(self._cancelling.discard)

    async def _cancel_entries(self, engine: TradingEngine, hub: AccountHub) -> None:
        """Cancel what a step has not: the kill switch waits neither for a journal nor for a lease."""
        await asyncio.sleep(KILL_GRACE_SECONDS)
        left = [order for order in engine.instance.live_orders() if order.key.leg == ENTRY and order.status == OPEN]
        if left:
            log.warning("entries_cancelled_without_journal", instance=engine.instance.instance, orders=len(left))
        for order in left:
            await hub.exchange.cancel(order)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way: no input, no commit, no request, no order of unknown fate."""
        return all(engine.is_idle for engine in self.engines.values()) and all(
            hub.is_idle for hub in self._hubs.values()
        )

    async def _load(
        self, spec: InstanceSpec, plan: Plan, instrument: Instrument, price: LastPrice, epoch: int, hub: AccountHub
    ) -> TradingEngine:
        stored = await self._journal.load(spec.number)
        instance = Instance(self._deployment, spec.number, spec.generation, instrument, spec.kind.decide, plan.params)
        if stored.state is not None:
            instance.state, instance.memory = list(stored.state.state), list(stored.state.memory)
        instance.begin(plan.slots, plan.memory)
        if stored.taken_over >= 0:
            instance.avoid_names_up_to(stored.taken_over)
        for order in stored.orders:
            instance.track(order)
        for fill in stored.fills:
            instance.remember_fill(fill)
        instance.executions.trim()
        books = Books(spec.number, instrument, price, is_margin=hub.exchange.capabilities.can_short)
        books.restore(stored.entries, stored.fills, stored.metrics)
        engine = TradingEngine(
            instance, epoch, self._journal, hub.gateway, self._clock, books, spec.limits, self._settings,
            hub.rules.standing(spec.symbol),
        )  # fmt: skip
        engine.setbacks.on_refusal = hub.rules.want
        if stored.fills:
            engine.folding.known_from_ms = stored.fills[-1].time_ms
        engine.warm_up_bars, engine.wants_bars = plan.warm_up_bars, plan.wants_bars
        is_blank = stored.state is None and not stored.orders and not stored.fills
        engine.is_new = is_blank and spec.generation == 0
        if stored.state is None:
            await self._allot(spec, engine, epoch, {entry.reference for entry in stored.entries})
        return engine

    async def _allot(self, spec: InstanceSpec, engine: TradingEngine, epoch: int, booked: set[str]) -> None:
        """Book the capital of a new instance, once, with its first state."""
        now_ms = self._clock.trading.now_ms()
        named = [(f"capital:{spec.number}:{asset}", asset, amount) for asset, amount in spec.capital]
        entries = [
            transfer(name, now_ms, asset, amount, UNALLOCATED, cash(spec.number))
            for name, asset, amount in named
            if name not in booked  # an instance that was reset keeps what it has
        ]
        state = StoredState(list(engine.instance.state), list(engine.instance.memory))
        step = Step(spec.number, epoch, [], [], [], [], [], entries, state=state, time_ms=now_ms)
        await self._journal.commit(step)
        for entry in entries:
            engine.books.ledger.post(entry)

    async def _warm_up(self, spec: InstanceSpec, engine: TradingEngine) -> None:
        """Feed closed bars that the indicators have not seen; a new strategy does not act on them."""
        if not engine.warm_up_bars:
            return
        for bar in await self._market.history(spec.symbol, spec.interval, engine.warm_up_bars):
            engine.warm_up(bar)


async def _gather(
    works: Mapping[int, Awaitable[TradingEngine]],
) -> dict[int, TradingEngine | BaseException]:
    results = await asyncio.gather(*works.values(), return_exceptions=True)
    return dict(zip(works, results, strict=True))
