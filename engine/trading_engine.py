"""One strategy instance, live: read, fold, decide, vet, journal, act, record - in that order.

Inputs wait in an inbox. A step takes all of them, folds them, lets the strategy decide, vets its orders, commits
everything that changed as one journal step, and only then sends. While the journal cannot be reached nothing is sent
and inputs wait. Whatever the venue answers is the input of a later step.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable

import structlog

from core.base_exchange import Bar
from core.base_journal import BaseJournal, Fenced, StoredState
from core.base_strategy import Plan, number_of
from core.clock import Clock
from core.crash_points import reach
from domain import events, nearest, slots
from domain.errors import unforeseen
from domain.events import Event
from domain.instance import Action, Cancel, Instance, Place, Proposal
from domain.instrument import Instrument
from domain.order import PENDING, Order, is_terminal
from domain.risk_manager import APPROVED, RiskLimits, check, name_of
from engine.bell import Bell
from engine.books import Books
from engine.engine_status import EngineSettings as EngineSettings
from engine.engine_status import EngineStatus as EngineStatus
from engine.folding import Folding
from engine.gate import CATCHING_UP, SlotPauses, Standing
from engine.inputs import Inbox, Input, bar_event
from engine.inputs import Price as Price
from engine.names import NameProof
from engine.order_gateway import OrderGateway
from engine.parking import NOT_PLACED, retry_seconds
from engine.right_of_way import RightOfWay
from engine.setbacks import Setbacks
from engine.step_keeper import Draft, StepKeeper

log = structlog.get_logger(__name__)


class TradingEngine:
    """Runs one instance under one lease epoch."""

    def __init__(
        self,
        instance: Instance,
        epoch: int,
        journal: BaseJournal,
        gateway: OrderGateway,
        clock: Clock,
        books: Books,
        limits: RiskLimits,
        settings: EngineSettings | None = None,
        standing: Standing | None = None,
    ) -> None:
        self.instance, self.epoch = instance, epoch
        self.books, self.limits = books, limits
        self.status = EngineStatus()
        self.on_change: Callable[[TradingEngine], None] = lambda _: None
        self._gateway = gateway
        self._clock = clock
        self._settings = settings or EngineSettings()
        pauses = SlotPauses(int(self._settings.refusal_pause * 1000))
        self.setbacks = Setbacks(standing or Standing(), books, clock, pauses, self.tell)
        self._keeper = StepKeeper(instance.instance, epoch, journal, clock, self._settings.journal_retry, self._suspend)
        self._inbox, self._bell = Inbox(), Bell()
        #: Whom it lets pass while it only has news of orders to take in.
        self.right_of_way: RightOfWay | None = None
        self._postponed: list[Event] = []
        #: Orders of the step that is being committed; they cannot be at the venue yet.
        self._unsent: frozenset[str] = frozenset()
        #: Slots whose order may no longer be the one that is wished.
        self._unsure: set[int] = set()
        self.folding = Folding(instance, books, self.setbacks, gateway, self._unsure, clock.trading.now_ms())
        self._names = NameProof(gateway, self.put, self.retry_held)
        #: Whether it only listens; see `catch_up`.
        self.is_catching_up = False
        #: The event that ends it, once everything put before has been decided.
        self._opening: Event | None = None
        self._last_bar_ms = 0
        #: Whether no order of it was ever journaled, so that no trade can be its own.
        self.is_new = False
        self.warm_up_bars, self.wants_bars = 0, False
        self._sends: dict[asyncio.Task[None], None] = {}
        self._is_stepping = self._is_due = False
        #: Whether `run` is under way.
        self.is_running = False

    def put(self, item: Input) -> None:
        """Hand something to the engine; it is taken up in the next step."""
        self._inbox.put(item, self._clock.machine)
        self._bell.ring()

    def catch_up(self) -> None:
        """Only listen until `begin`: what the venue did while nobody ran is still to be read, and nothing is placed."""
        self.is_catching_up = True

    def recheck(self) -> None:
        """Look at every slot's wish again in the next step: what a crash or a refusal has left undone is done then."""
        state = self.instance.state
        for slot in range(slots.count_of(state)):
            if slots.wish_of(state, slot).side and self.instance.is_free(slot):
                self.status.held_back.setdefault(slot, NOT_PLACED)
        self._unsure.update(range(slots.count_of(state)))
        self._bell.ring()

    def retry_held(self) -> None:
        """What holds orders back may be over: try them again in the next step."""
        self._is_due = self._is_due or bool(self.status.held_back)
        self._bell.ring()

    def tell(self, words: str) -> None:
        """Show a person why something is not as wished, and what comes next."""
        self.status.last_error = words

    def take_rules(self, instrument: Instrument) -> None:
        """The venue's smallest and largest orders may be others now; the units are the same."""
        if instrument != self.instance.instrument:
            self.instance.instrument = instrument
            self.books.take_rules(instrument)

    async def prove_ownership(self) -> None:
        """Return if the journal still knows this engine as the owner; `Fenced` when another has taken over."""
        await self._keeper.prove_ownership()

    def edit(self, plan: Plan) -> None:
        """Go on with other parameters; the strategy moves only the orders that have to move."""
        self.put(self._edited(plan))

    def _edited(self, plan: Plan) -> Event:
        self.instance.law = plan.params
        extra = slots.count_of(self.instance.state) if plan.slots != slots.count_of(self.instance.state) else 0
        self.instance.begin(plan.slots + extra, plan.memory)
        return Event(events.EDIT, self._clock.trading.now_ms())

    def begin(self, plan: Plan) -> None:
        """Start, or go on where the journal ends; with other parameters than before it is an edit."""
        state = self.instance.state
        is_edit = state[slots.PHASE] != slots.NEW and state[slots.LAW] not in (0, number_of(plan.params))
        self._opening = self._edited(plan) if is_edit else Event(events.START, self._clock.trading.now_ms())
        self.put(self._opening)

    def warm_up(self, bar: Bar) -> None:
        """Show a closed bar of the past to the indicators; nothing is decided on it."""
        if bar.open_ms <= self._newest_bar_ms():
            return
        self._last_bar_ms = bar.open_ms
        proposal = self.instance.propose(bar_event(bar), self.books.view(self.instance, bar.open_ms))
        self.instance.memory = proposal.memory
        if self.instance.state[slots.PHASE] == slots.NEW:
            self.instance.adopt(Proposal(proposal.state, proposal.memory, ()))
        self.instance.state[slots.LAST_BAR] = bar.open_ms

    def put_bar(self, bar: Bar) -> None:
        """Hand over a closed bar, each once and in order."""
        if bar.open_ms > self._newest_bar_ms():
            self._last_bar_ms = bar.open_ms
            self.put(bar_event(bar))

    def _newest_bar_ms(self) -> int:
        """The last bar that was taken: in this process, or as the state remembers it."""
        return max(self._last_bar_ms, self.instance.state[slots.LAST_BAR])

    def sent_orders(self) -> list[Order]:
        """Orders that are not complete and have been sent, as far as we know: what the venue should know of."""
        return [order for order in self.instance.live_orders() if order.client_order_id not in self._unsent]

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, nothing is being committed or sent, and no order's fate is unknown."""
        is_busy = self._inbox or self._is_stepping or self._sends
        return not is_busy and all(order.status != PENDING for order in self.instance.orders.values())

    @property
    def is_deciding(self) -> bool:
        """Whether something is to be decided, or what was decided is being journaled."""
        return self._is_stepping or not self._inbox.can_wait

    @property
    def is_sending(self) -> bool:
        """Whether something is to be decided, or orders are under way of which the venue has said nothing."""
        return bool(self._sends) or self.is_deciding

    @property
    def has_news(self) -> bool:
        """Whether anything waits to be folded or is being committed, and will be: what it is told is not kept yet."""
        return self.is_running and (bool(self._inbox) or self._is_stepping)

    async def run(self) -> None:
        """Step whenever there is something to do, until cancelled or fenced."""
        self.status.state, self.is_running = "running", True
        try:
            await self._run()
        finally:
            self.is_running = False

    async def _run(self) -> None:
        while self.status.state not in ("lost", "broken"):
            await self._wait()
            self._is_stepping = True
            try:
                await self.step()
            except Fenced as error:
                self.lose(error)
            except Exception as error:
                # What was folded is not journaled, so this engine must not go on; a new one reads the journal.
                self.status.state, self.status.last_error = "broken", unforeseen(error)
                log.exception("step_failed", instance=self.instance.instance)
            finally:
                self._is_stepping = False
            self.on_change(self)

    def lose(self, error: Fenced) -> None:
        """Stop for good: another owner has taken over."""
        if self.status.state != "lost":
            self.status.fenced += 1
        self.status.state, self.status.last_error = "lost", str(error)
        self._bell.ring()

    async def close(self) -> None:
        """Wait for requests that have left; resting orders stay resting."""
        await asyncio.gather(*self._sends, return_exceptions=True)

    async def step(self) -> None:
        """Take everything in the inbox, decide, commit, send."""
        inputs, heard = self._inbox.take()
        reach("engine.inputs_taken")
        if self.folding.needs_history(inputs):
            booked = await self._keeper.booked()
            self.instance.executions.relearn(booked)
            self.books.relearn(booked)
        self.books.open_day(self._clock.trading.now_ms())
        draft = Draft(self._keeper.new_step(heard))
        queue: deque[Event] = deque()
        if self.books.last_ticks > 0:
            queue.extend(self._postponed)
            self._postponed.clear()
        for item in inputs:
            queue.extend(self.folding.take(item, draft, self._clock.trading.now_ms()))
        reach("engine.folded")
        # What was executed is taken in before what is wished now: a target decided first would count it twice.
        queue = deque(sorted(queue, key=lambda event: event.kind == events.TARGET))
        while queue:
            self._decide(queue.popleft(), draft)
        reach("engine.decided")
        self._withdraw_what_is_unwished(draft)
        self._place_what_waits(draft)
        self._finish(draft)
        if draft.has_content:
            reach("engine.before_commit")
            self._unsent = frozenset(order.client_order_id for order in draft.placed)
            committed_ms = await self._keeper.keep(draft.step)
            reach("engine.after_commit")
            self._act(draft, committed_ms)
            self._unsent = frozenset()
            reach("engine.sends_started")
        self.instance.executions.trim()
        self.books.trim()
        self.status.steps += 1

    def _decide(self, event: Event, draft: Draft) -> None:
        if event is self._opening:
            if draft.rebuilt:  # what is placed comes with a later step than what was placed before it
                self.put(event)
                return
            self.is_catching_up, self._opening = False, None
            reach("engine.caught_up")
        view = self.books.view(self.instance, self._clock.trading.now_ms())
        if view.last_ticks <= 0 and event.kind not in (events.FILL, events.ORDER_DONE):
            self._postponed.append(event)
            return
        proposal = self.instance.propose(event, view)
        draft.note_state(event.kind, self.instance, proposal)
        vetted = self._vet(proposal.actions, draft)
        self.instance.adopt(Proposal(proposal.state, proposal.memory, tuple(vetted)))
        if event.kind == events.BAR:
            self.instance.state[slots.LAST_BAR] = event.time_ms
        elif event.kind in (events.START, events.EDIT):
            self.instance.state[slots.LAW] = number_of(self.instance.law)

    def _vet(self, actions: Iterable[Action], draft: Draft) -> Iterable[Action]:
        now_ms, machine_ms = self._clock.trading.now_ms(), self._clock.machine.now_ms()
        for action in sorted(actions, key=self._urgency):
            if isinstance(action, Cancel):
                if self.is_catching_up:
                    self._unsure.add(action.order.key.slot)
                    continue
                draft.cancels[action.order.client_order_id] = action.order
                yield action
                continue
            objection = self._objection(action.order)
            if not objection:
                self.status.held_back.pop(action.order.key.slot, None)
                self.setbacks.approve(machine_ms)
                order = action.order._replace(updated_ms=now_ms)
                draft.placed.append(order)
                draft.step.reasons.append(action.reason)
                self.instance.track(order)
                self.is_new = False
                reach("engine.intent_approved")
                yield Place(order, action.reason)
            else:
                self.status.held_back[action.order.key.slot] = objection

    def _objection(self, order: Order) -> str:
        """The name of what holds the order back: the venue's state, or a risk rule; empty when nothing does."""
        if self.is_catching_up:
            return CATCHING_UP
        if objection := self.setbacks.objection(order, self.books.last_ticks):
            return objection
        view = self.books.risk_view(self.instance, self._clock.trading.now_ms(), self._clock.machine.now_ms())
        verdict = check(self.limits, view, self.books.intent_of(order))
        return self._names.objection(order) if verdict == APPROVED else name_of(verdict)

    def _urgency(self, action: Action) -> tuple[int, int]:
        """Cancels first, then orders by their distance from the price: where not all may work, the nearest do."""
        if isinstance(action, Cancel):
            return (0, 0)
        return (1, nearest.distance(action.order.ticks, self.books.last_ticks))

    def _place_what_waits(self, draft: Draft) -> None:
        """Try again what the rules held back, nearest to the price first; make room for it if it is nearer."""
        if not self.status.held_back or self.is_catching_up:
            return
        held, self.status.held_back = dict(self.status.held_back), {}
        wishes = [slots.wish_of(self.instance.state, slot) for slot in held]
        waiting = nearest.nearest_first((wish for wish in wishes if wish.side), self.books.last_ticks)
        actions = {action.order.key.slot: action for action in self.instance.settle() if isinstance(action, Place)}
        list(self._vet((actions[wish.slot] for wish in waiting if wish.slot in actions), draft))
        crowded = [wish for wish in waiting if self.status.held_back.get(wish.slot) == "too_many_open_orders"]
        room = nearest.to_make_room(crowded, self.instance.live_orders(), self.books.last_ticks)
        if room is not None:
            draft.cancels[room.client_order_id] = room

    def _withdraw_what_is_unwished(self, draft: Draft) -> None:
        """Cancel orders whose wish has changed while they could not be cancelled: they were unknown, or nobody ran."""
        if self.is_catching_up:
            return
        unsure = sorted(self._unsure)
        self._unsure.clear()
        for slot in unsure:
            order = self.instance.orders.get(slot)
            if order is not None and slots.action_for(slots.wish_of(self.instance.state, slot), order) == slots.CANCEL:
                reach("engine.unwished_found")
                draft.cancels[order.client_order_id] = order

    def _finish(self, draft: Draft) -> None:
        """Complete the step with everything that has changed since the last one."""
        step = draft.step
        draft.complete()
        self._names.is_needed = self._names.is_needed or bool(draft.rebuilt)
        for order in step.orders:
            if is_terminal(order):
                self._gateway.settled(order.client_order_id)
        step.time_ms = self._clock.trading.now_ms()
        if draft.has_state:
            step.state = StoredState(list(self.instance.state), list(self.instance.memory))
        if step.entries:
            step.metrics = self.books.metrics(self.instance.instance)

    def _suspend(self, reason: str) -> None:
        self.status.state, self.status.last_error = "suspended", reason
        self.on_change(self)

    def _act(self, draft: Draft, committed_ms: int) -> None:
        self.status.state = "running"
        self.setbacks.sending(draft.placed, draft.cancels)
        if draft.placed:
            self._start(self._gateway.place(draft.placed, committed_ms, self.put, self.instance.is_unanswered))
        for order in draft.cancels.values():
            self._start(self._gateway.cancel(order, self.put))

    def _start(self, sending: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(sending)
        self._sends[task] = None
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sends.pop(task, None)
        reach("engine.send_ended")
        self._bell.ring()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.status.state, self.status.last_error = "error", unforeseen(error)
            log.error("sending_failed", instance=self.instance.instance, error=self.status.last_error)
            self.on_change(self)

    async def _wait(self) -> None:
        """Until something is in the inbox, or it is time to try again what was held back."""
        while not self._inbox and not self._is_due:
            seconds = retry_seconds(self.status.held_back.values(), self._settings)
            if not await self._bell.sleep(self._settings.parked_retry if self._postponed else seconds):
                break
        if self.right_of_way is not None and not self._is_due and self._inbox:
            await self.right_of_way.let_pass(self._bell, self._inbox)
        self._is_due = False
