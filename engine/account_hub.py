"""One account in this process: its private events, its sweeps, and the instances that trade on it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from core.background import phase_of
from core.base_exchange import Balance, BalanceChange, BaseExchange, FundingCharged, KeyRefused, StreamGap, UserEvent
from core.base_journal import BaseJournal
from core.base_stream import PausesEvents
from core.clock import Clock
from core.crash_points import reach
from core.order_pace import OrderPace
from domain.errors import AresError, unforeseen
from domain.fill import Fill
from domain.order import OrderReport
from domain.sentences import say, without_stop
from engine.alarms import Alarms
from engine.funding_desk import FundingDesk
from engine.liveness import Liveness
from engine.order_gateway import OrderGateway, ResolveSettings
from engine.position_syncer import PositionSyncer, SweepReport
from engine.right_of_way import RightOfWay
from engine.rules_keeper import RulesKeeper, RulesSettings
from engine.sweep_turns import SweepTurns, Turn
from engine.trading_engine import TradingEngine

log = structlog.get_logger(__name__)


#: The state of an account whose key the venue does not accept.
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Times of one account, in seconds."""

    #: Between sweeps when nothing is wrong.
    sweep_interval: float = 60.0
    #: Between attempts of a sweep or a stream that failed.
    retry: float = 1.0
    #: Between sweeps while orders rest under our name that nobody here believes in.
    orphan_retry: float = 5.0
    receive_window_ms: int = 1_200
    resolve: ResolveSettings = field(default_factory=ResolveSettings)
    rules: RulesSettings = field(default_factory=RulesSettings)
    #: Between looks for instances that should do something and do nothing; three in a row count.
    liveness_interval: float = 10.0
    #: The longest between attempts of a sweep that goes on failing.
    longest_retry: float = 30.0
    #: Longest that the first sweep waits for the private stream, and begins only when it is asked for: a sweep before
    #: either has to be repeated. 0 sweeps at once.
    first_sweep_patience: float = 0.0


@dataclass(slots=True)
class HubStatus:
    """What a person sees of an account."""

    state: str = "starting"
    last_error: str = ""
    gaps: int = 0
    #: Sweeps that have succeeded.
    sweeps: int = 0
    last_sweep: SweepReport = field(default_factory=SweepReport)


class AccountHub:
    """Serves every instance on one account with one stream and one sweep."""

    def __init__(
        self,
        account: int,
        deployment: int,
        exchange: BaseExchange,
        journal: BaseJournal,
        clock: Clock,
        settings: HubSettings | None = None,
        pace: OrderPace | None = None,
        turns: SweepTurns | None = None,
    ) -> None:
        self.exchange = exchange
        self.engines: dict[int, TradingEngine] = {}
        self.balances: dict[str, Balance] = {}
        self.status = HubStatus()
        self._settings = settings or HubSettings()
        self.alarms = Alarms()
        self.gateway = OrderGateway(
            exchange, clock, self._settings.receive_window_ms, self._settings.resolve, self.alarms
        )
        self.gateway.on_key_refused = self.refuse
        self.gateway.on_unreachable = self._lose_touch
        self.gateway.on_unknown = self._read_on
        self.syncer = PositionSyncer(deployment, exchange, journal, self.gateway, clock, self.alarms)
        self.rules = RulesKeeper(exchange, self.engines, self.alarms, self._settings.rules, pace)
        self.funding = FundingDesk(account, exchange, journal, self.engines, self.sweep_now, self._settings.retry)
        #: Instances that were there at the last sweep.
        self._known: set[TradingEngine] = set()
        self._account = account
        self._clock = clock
        self._is_refused = False
        self._tasks: list[asyncio.Task[None]] = []
        self._sweep_wanted = asyncio.Event()
        self._is_listening = asyncio.Event()
        self._swept = asyncio.Condition()
        #: Shared by the accounts of a process.
        self._turns = turns or SweepTurns()
        #: Of the sweep that is under way or waits, and how many wait for one to succeed.
        self._turn: Turn | None = None
        self._awaiting = 0
        #: Where private events can be left unread, whether they are, and whether nothing was heard since they were.
        self._pausable = exchange if isinstance(exchange, PausesEvents) else None
        self._is_paused = self._has_let_pass = False
        #: Whether its sweeps have come apart from those of accounts that were taken up together with it.
        self._has_parted = False
        #: Sweeps that have begun, and the number of the last one that has succeeded.
        self._begun = 0
        self._done = 0

    async def start(self) -> None:
        """Connect, listen, and sweep from time to time. `Refused` when the key does not work."""
        await self.exchange.open()
        reach("hub.opened")
        self.balances = await self.exchange.balances()
        self._tasks = [
            asyncio.create_task(self._listen(), name="user events"),
            asyncio.create_task(self._sweep_forever(), name="sweeps"),
            asyncio.create_task(self.rules.run(self.sweep_now), name="trading rules"),
            asyncio.create_task(self._look_forever(), name="liveness"),
            asyncio.create_task(self.funding.run(), name="funding"),
        ]

    async def stop(self) -> None:
        """Stop listening; resting orders stay resting."""
        self._read_on()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self.gateway.close()
        await self.exchange.close()

    def let_pass(self, right_of_way: RightOfWay) -> None:
        """Leave private events unread until the claim that is held now is over, where the venue can do that.

        Who has let one pass lets no second pass before something was heard, and an order whose fate is unknown ends it
        at once: its word may be what comes.
        """
        if self._pausable is None or self._has_let_pass or not right_of_way.claimed:
            return
        self._is_paused = self._has_let_pass = True
        self._pausable.pause_events()
        right_of_way.call_first(self._read_on)

    def _read_on(self) -> None:
        if self._pausable is not None and self._is_paused:
            self._is_paused = False
            self._pausable.resume_events()

    async def sweep_now(self) -> SweepReport:
        """Ask for a sweep and wait until one that began after this call has succeeded; `KeyRefused` when none can."""
        async with self._swept:
            before = self._begun
            self._sweep_wanted.set()
            self._awaiting += 1
            try:
                if self._turn is not None:
                    self._turns.hurry(self._turn)
                await self._swept.wait_for(lambda: self._done > before or self.is_refused)
            finally:
                self._awaiting -= 1
        if self._done <= before:
            raise KeyRefused(self.status.last_error)
        return self.status.last_sweep

    @property
    def is_refused(self) -> bool:
        """Whether the venue does not accept the account's key any more."""
        return self._is_refused

    def refuse(self, reason: str) -> None:
        """The key is refused: ask the venue for nothing any more, and tell the person."""
        if self.is_refused:
            return
        words = say(
            "key_refused_at",
            "account {account} at {venue}: {reason}. "
            "Give the account a key that works, then start its strategies again; orders at the venue stay as they are.",
            account=self._account,
            venue=self.exchange.name,
            reason=without_stop(reason),
        )
        self._is_refused = True
        self.status.state, self.status.last_error = REFUSED, words
        self.rules.refuse(words)
        self.gateway.stop_asking()
        for engine in self.engines.values():
            engine.tell(words)
        self.alarms.ring("key_refused", words)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        asyncio.get_running_loop().call_soon(self._wake_waiters)

    def _wake_waiters(self) -> None:
        async def wake() -> None:
            async with self._swept:
                self._swept.notify_all()

        self._tasks.append(asyncio.create_task(wake(), name="refused"))

    def _lose_touch(self, reason: str) -> None:
        """A request could not leave this machine: orders wait until a sweep has succeeded."""
        self.rules.mark_unreachable(
            say(
                "venue_unreachable",
                "{venue} cannot be reached ({reason}); orders wait until it can.",
                venue=self.exchange.name,
                reason=reason,
            )
        )
        self._sweep_wanted.set()

    @property
    def is_idle(self) -> bool:
        """Whether no order's fate is being asked for, no sweep is running or wanted, and no funding is being shared."""
        is_swept = not self._sweep_wanted.is_set() and self.status.state == "ready"
        return is_swept and not self.gateway.unresolved and self.funding.is_idle

    async def _listen(self) -> None:
        while True:
            try:
                async for event in self.exchange.user_events():
                    self._take(event)
            except KeyRefused as error:
                self.refuse(str(error))
                return
            except AresError as error:
                self.status.last_error = str(error)
                log.warning("user_events_failed", reason=str(error))
            except Exception as error:
                # One message that nobody foresaw must not end the stream; the sweep makes up for it.
                self.status.last_error = unforeseen(error)
                log.exception("user_event_failed")
            self._sweep_wanted.set()
            await asyncio.sleep(self._settings.retry)

    def _take(self, event: UserEvent) -> None:
        reach("hub.user_event")
        self._has_let_pass = self._has_let_pass and self._is_paused
        if isinstance(event, Fill):
            if self.syncer.hear(event, self.engines):
                self._sweep_wanted.set()
        elif isinstance(event, OrderReport):
            if self.syncer.is_surprise(event, self.engines):
                self.syncer.distrust()
                self._sweep_wanted.set()
            self.syncer.route_report(event, self.engines)
        elif isinstance(event, BalanceChange):
            self.balances[event.asset] = event.balance
        elif isinstance(event, FundingCharged):
            self.funding.hear(event.time_ms)
        elif isinstance(event, StreamGap):
            reach("hub.stream_gap")
            self.status.gaps += 1
            self.syncer.distrust()
            self._is_listening.set()
            self._sweep_wanted.set()

    async def _look_forever(self) -> None:
        liveness = Liveness(self.engines, self.alarms)
        await asyncio.sleep(phase_of(self._account) * self._settings.liveness_interval)
        while True:
            await liveness.look()
            await asyncio.sleep(self._settings.liveness_interval)

    async def _sweep_forever(self) -> None:
        retry = self._settings.retry
        await self._await_first_sweep()
        while True:
            self.status.state = "sweeping"
            if not await self._sweep_in_turn():
                if self.is_refused:
                    return
                await asyncio.sleep(retry)
                retry = min(2 * retry, self._settings.longest_retry)
                continue
            retry = self._settings.retry
            reach("hub.swept")
            self.status.state = "ready"
            self.rules.mark_unreachable("")
            self._read_funding()
            self.rules.count_foreign(self.status.last_sweep.foreign_by_symbol)
            async with self._swept:
                self.status.sweeps += 1
                self._done = self._begun
                self._swept.notify_all()
            try:
                # Not `wait_for`: before Python 3.12 it may swallow the cancellation that ends this task.
                async with asyncio.timeout(self._pause()):
                    await self._sweep_wanted.wait()
            except TimeoutError:
                self._has_parted = True

    def _read_funding(self) -> None:
        serving = set(self.engines.values())
        self.funding.want(self._clock.trading.now_ms(), is_new=not serving <= self._known)
        self._known = serving

    async def _await_first_sweep(self) -> None:
        """Until somebody wants it and the stream is there, whose first word is a gap that a sweep has to close."""
        if not (patience := self._settings.first_sweep_patience):
            return
        while not self.engines:
            self._sweep_wanted.clear()
            await self._sweep_wanted.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._is_listening.wait()

    def _pause(self) -> float:
        """Until the next sweep: soon after an orphan was found, for its cancel may have been lost or refused.

        Accounts that are taken up together are swept together at first. They part with the first sweep that nobody
        has asked for.
        """
        if self.status.last_sweep.unbelieved:
            return self._settings.orphan_retry
        return self._settings.sweep_interval * (1 if self._has_parted else phase_of(self._account))

    async def _sweep_in_turn(self) -> bool:
        """When it is our turn; at once when somebody waits for it."""
        turn = self._turn = self._turns.ask()
        if self._awaiting:
            self._turns.hurry(turn)
        try:
            await turn
            # Whoever has asked since is served by a sweep that begins now.
            self._sweep_wanted.clear()
            self._begun += 1
            return await self._sweep()
        finally:
            self._turn = None
            self._turns.leave(turn)

    async def _sweep(self) -> bool:
        try:
            self.status.last_sweep = await self.syncer.sweep(self.engines)
        except KeyRefused as error:
            self.refuse(str(error))
            return False
        except AresError as error:
            self.status.state, self.status.last_error = "unreachable", str(error)
            log.warning("sweep_failed", reason=str(error))
            return False
        except Exception as error:
            self.status.state, self.status.last_error = "unreachable", unforeseen(error)
            log.exception("sweep_failed")
            return False
        return True
