"""Sends what is journaled, once, and finds out what became of it.

An outcome that is not known keeps its order PENDING, hence its slot locked. The gateway asks by client order id on a
widening schedule. Only when the dead time has passed, after at least three answers "no such order" from at least two
places, is the order taken for lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import structlog

from core.base_exchange import KEY_REFUSED, NOTHING_SENT, BaseExchange, KeyRefused
from core.clock import Clock
from core.crash_points import reach
from domain.errors import AresError
from domain.order import CANCELLED, OPEN, REJECTED, Order, OrderReport
from domain.outcome import Accepted, Outcome, Rejected, Unknown
from domain.sentences import say
from engine.alarms import Alarms
from engine.venue_orders import order_at_venue

log = structlog.get_logger(__name__)

DAY_MS = 86_400_000

Deliver = Callable[[OrderReport], None]
#: Whether nothing is known of an order yet, by its client order id.
IsOpenQuestion = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class ResolveSettings:
    """How unknown outcomes are resolved. The defaults are for Binance; sweeps shorten them."""

    #: Seconds between questions; the last is repeated.
    schedule: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 30, 60)
    #: Milliseconds after the signed window in which the venue may still accept: its own 10 s and a margin of 45 s.
    dead_margin_ms: int = 55_000
    #: Seconds after an accepted cancel at which the order is asked for, should no event have come.
    cancel_check_seconds: float = 1.0
    #: Answers "no such order" that are needed.
    denials: int = 3


class OrderGateway:
    """The one way of an account's orders to its venue."""

    def __init__(
        self, exchange: BaseExchange, clock: Clock, receive_window_ms: int, settings: ResolveSettings | None = None,
        alarms: Alarms | None = None,
    ) -> None:  # fmt: skip
        self._exchange = exchange
        self._clock = clock
        self._window_ms = receive_window_ms
        self._settings = settings or ResolveSettings()
        self._asking: dict[str, asyncio.Task[None]] = {}
        #: Requests about orders that have been sent so far.
        self.requests = 0
        self.alarms = alarms if alarms is not None else Alarms()
        #: Whether requests of an instance may leave this process: its lease is good for long enough. Asked last of all.
        self.may_send: Callable[[int], bool] = lambda _: True
        #: Told how many orders have been answered, or were not sent after all, and how many ms after they were kept.
        self.on_answered: Callable[[int, float], None] = lambda _orders, _took_ms: None
        #: Told when the venue refuses the account's key, and when it cannot be reached.
        self.on_key_refused: Callable[[str], None] = lambda _: None
        self.on_unreachable: Callable[[str], None] = lambda _: None
        #: Told when an order was sent and nothing is known of it.
        self.on_unknown: Callable[[], None] = lambda: None

    async def place(
        self, orders: Sequence[Order], committed_ms: int, deliver: Deliver, is_open_question: IsOpenQuestion
    ) -> None:
        """Send the orders of one instance, once, and deliver what is known of each.

        What is not known is asked for until it is, unless the private stream has answered by then: `is_open_question`.
        """
        try:
            await self._place(orders, committed_ms, deliver, is_open_question)
        finally:
            self.on_answered(len(orders), self._clock.machine.now_ms() - committed_ms)

    async def _place(
        self, orders: Sequence[Order], committed_ms: int, deliver: Deliver, is_open_question: IsOpenQuestion
    ) -> None:
        reach("gateway.before_place")
        if orders and not self.may_send(orders[0].key.instance):
            for order in orders:
                log.warning("order_not_sent", client_order_id=order.client_order_id, reason="the lease has run out")
                deliver(OrderReport(order.client_order_id, "", REJECTED, 0, 0))
            return
        self.requests += len(orders)
        outcomes = await self._send(orders, committed_ms)
        reach("gateway.after_place")
        for order, outcome in zip(orders, outcomes, strict=True):
            self._take(order, outcome, committed_ms, deliver, is_open_question)
        reach("gateway.place_delivered")

    async def cancel(self, order: Order, deliver: Deliver) -> None:
        """Ask to cancel, once; then make sure to learn the order's end, unless the answer tells it."""
        reach("gateway.before_cancel")
        outcome = await self._cancel(order)
        reach("gateway.after_cancel")
        if isinstance(outcome, Rejected):
            log.info("cancel_refused", client_order_id=order.client_order_id, reason=outcome.reason)
            self._heed(outcome.reason)
        if isinstance(outcome, Accepted) and outcome.end is not None:
            # The answer tells what the stream will: a stream that is just being opened holds up no stop.
            self.settled(order.client_order_id)
            deliver(outcome.end)
            return
        delay = self._settings.cancel_check_seconds if isinstance(outcome, Accepted) else 0.0
        self.settled(order.client_order_id)  # whoever asks already would be content with an order that still works
        self._ask(order, self._clock.machine.now_ms(), deliver, first_delay=delay, is_cancelled=True)

    def resolve(self, order: Order, committed_ms: int, deliver: Deliver) -> None:
        """Find out what became of an order that was journaled some time ago."""
        self._ask(order, committed_ms, deliver, first_delay=0.0, is_cancelled=False)

    def look_up(self, order: Order, answer: Callable[[Order, Order | None], None]) -> None:
        """Ask whether the venue knows an order of this name, until it answers; `answer` is given what was asked."""
        name = f"name of {order.client_order_id}"
        if name not in self._asking:
            task = asyncio.create_task(self._look_up(order, answer), name=name)
            self._asking[name] = task
            task.add_done_callback(lambda done: self._asking.pop(name, None))

    async def _look_up(self, order: Order, answer: Callable[[Order, Order | None], None]) -> None:
        for delay in chain(self._settings.schedule, repeat(self._settings.schedule[-1])):
            try:
                self.requests += 1
                found = await order_at_venue(self._exchange, order)
            except KeyRefused as error:
                self.on_key_refused(str(error))
                return
            except AresError as error:
                log.info("name_not_asked_for", client_order_id=order.client_order_id, reason=str(error))
                await asyncio.sleep(delay)
            else:
                answer(order, found)
                return

    def settled(self, client_order_id: str) -> None:
        """The order's end is known by another way; stop asking."""
        task = self._asking.pop(client_order_id, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    @property
    def unresolved(self) -> int:
        """Orders that are being asked for."""
        return len(self._asking)

    def stop_asking(self) -> None:
        """Ask for nothing any more: the venue will not answer this account. What is unknown stays unknown."""
        tasks, self._asking = list(self._asking.values()), {}
        for task in tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def close(self) -> None:
        """Stop asking; nothing is cancelled at the venue."""
        tasks = list(self._asking.values())
        self._asking.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _cancel(self, order: Order) -> Outcome:
        if not self.may_send(order.key.instance):
            return Rejected("the lease has run out; nothing was sent.")
        self.requests += 1
        return await self._exchange.cancel(order)

    async def _send(self, orders: Sequence[Order], committed_ms: int) -> list[Outcome]:
        size = max(self._exchange.capabilities.batch_orders, 1)
        outcomes: list[Outcome] = []
        if len(orders) == 1:
            # Not gathered: a task of its own would wait for another turn of a loop that may be busy.
            return [await self._exchange.place(orders[0], committed_ms)]
        if size == 1:
            return list(await asyncio.gather(*(self._exchange.place(order, committed_ms) for order in orders)))
        for start in range(0, len(orders), size):
            outcomes.extend(await self._exchange.place_batch(orders[start : start + size], committed_ms))
        return outcomes

    def _take(
        self, order: Order, outcome: Outcome, committed_ms: int, deliver: Deliver, is_open_question: IsOpenQuestion
    ) -> None:
        name = order.client_order_id
        if isinstance(outcome, Accepted):
            deliver(OrderReport(name, outcome.venue_order_id, OPEN, 0, 0))
        elif isinstance(outcome, Rejected):
            reach("gateway.rejected")
            self._heed(outcome.reason)
            deliver(OrderReport(name, "", REJECTED, 0, 0, outcome.reason))
        elif isinstance(outcome, Unknown):
            reach("gateway.unknown")
            log.warning("order_outcome_unknown", client_order_id=name, cause=outcome.cause)
            self.on_unknown()
            if is_open_question(name):
                delay = self._settings.schedule[0]
                self._ask(order, committed_ms, deliver, first_delay=delay, is_cancelled=False)

    def _heed(self, reason: str) -> None:
        """Tell at once of what concerns more than this order."""
        if reason.startswith(KEY_REFUSED):
            self.on_key_refused(reason)
        elif reason.startswith(NOTHING_SENT):
            self.on_unreachable(reason)

    def _ask(
        self, order: Order, committed_ms: int, deliver: Deliver, *, first_delay: float, is_cancelled: bool
    ) -> None:
        name = order.client_order_id
        if name in self._asking:
            return
        inquiry = self._inquire(order, committed_ms, deliver, first_delay, is_cancelled)
        task = asyncio.create_task(inquiry, name=f"resolve {name}")
        self._asking[name] = task
        task.add_done_callback(lambda done: self._asking.pop(name, None) if self._asking.get(name) is done else None)

    async def _inquire(
        self, order: Order, committed_ms: int, deliver: Deliver, first_delay: float, is_cancelled: bool
    ) -> None:
        denials = 0
        delays = iter(self._settings.schedule)
        await asyncio.sleep(first_delay)
        while True:
            try:
                reach("gateway.before_query")
                self.requests += 1
                report = await self._exchange.query(order)
                reach("gateway.after_query")
            except KeyRefused as error:
                self.on_key_refused(str(error))
                return
            except AresError as error:
                log.info("order_query_failed", client_order_id=order.client_order_id, reason=str(error))
            else:
                if report is not None:
                    deliver(report)
                    if report.status != OPEN or not is_cancelled:
                        return
                    # The cancel has not arrived. Asking again is safe: an order cannot be cancelled twice.
                    reach("gateway.before_second_cancel")
                    await self._cancel(order)
                elif await self._is_dead(order, committed_ms, denials := denials + 1, deliver):
                    return
            pause = next(delays, self._settings.schedule[-1])
            left_ms = self._last_moment_ms(committed_ms) - self._clock.machine.now_ms()
            # The moment from which an order that is denied can be proven dead is not slept through.
            await asyncio.sleep(min(pause, (left_ms + 1) / 1000) if denials and left_ms >= 0 else pause)

    def _last_moment_ms(self, committed_ms: int) -> int:
        """Until when the venue may still accept what was committed then."""
        return committed_ms + self._window_ms + self._settings.dead_margin_ms

    def _traded_since(self, order: Order, committed_ms: int) -> int:
        """The trading time before which an order cannot have traded; one that has rested may have for a day."""
        age_ms = self._clock.machine.now_ms() - committed_ms + self._window_ms
        since_ms = self._clock.trading.now_ms() - age_ms
        return max(min(since_ms, order.updated_ms - DAY_MS) if order.venue_order_id else since_ms, 0)

    async def _is_dead(self, order: Order, committed_ms: int, denials: int, deliver: Deliver) -> bool:
        """Whether the order is proven never to have been: the venue could not accept it any more, and denies it."""
        is_late = self._clock.machine.now_ms() > self._last_moment_ms(committed_ms)
        if denials < self._settings.denials or not is_late:
            return False
        try:
            resting = await self._exchange.open_orders(order.symbol)
            fills = await self._exchange.fills_since(order.symbol, "", self._traded_since(order, committed_ms))
        except AresError as error:
            log.info("order_search_failed", client_order_id=order.client_order_id, reason=str(error))
            return False
        name = order.client_order_id
        if any(name == seen.client_order_id for seen in resting):
            return False
        reach("gateway.taken_for_lost")
        executed = sum(fill.lots for fill in fills if fill.client_order_id == name)
        if executed or order.venue_order_id:
            # The venue has had it and has forgotten it since: what it executed is in the account's trades.
            self.alarms.ring("order_forgotten", say(
                "order_was_forgotten",
                "the venue knows nothing of order {name} any more; it has ended, "
                "with {lots} lots executed by the account's trades.",
                name=name, lots=executed,
            ), order.key.instance)  # fmt: skip
            deliver(OrderReport(name, order.venue_order_id, CANCELLED, max(order.filled, executed), 0))
        else:
            self.alarms.ring("order_lost", say(
                "order_was_lost", "order {name} was never seen by the venue; its slot is free again.", name=name),
                             order.key.instance)  # fmt: skip
            deliver(OrderReport(name, "", REJECTED, 0, 0))
        return True
