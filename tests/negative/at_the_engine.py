"""Mechanisms of the engine: what it sends, when, and what it makes of what it hears."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.base_journal import Step
from domain import events, instance, slots, working
from domain import order as order_law
from domain.client_order_id import encode
from domain.fill import Fill
from domain.order import BUY, EXIT, OPEN, PENDING, REJECTED, Order, OrderReport
from domain.risk_manager import RiskLimits
from engine.order_gateway import OrderGateway
from engine.parking import NOT_PLACED
from engine.step_keeper import StepKeeper
from engine.trading_engine import TradingEngine
from tests.fakes.fake_orders import Lost
from tests.fakes.memory_journal import UNKNOWN_LOST, Intent, MemoryJournal
from tests.fakes.memory_journal import Book as JournalBook
from tests.fakes.virtual_time import in_virtual_time
from tests.law_harness import BTCUSDT
from tests.negative.mechanism import (
    FAST,
    Mechanism,
    Stage,
    bids,
    pass_time,
    process_on,
    replace,
    require,
    require_fills_booked_once,
    require_one_order_per_slot,
)
from tests.unit.engine.floor import Floor, open_floor

WIDE = RiskLimits(max_price_age_ms=10**9, max_rejections=50)


# Each trade is booked once.


class Forgetful(set[str]):
    """Remembers nothing."""

    def __contains__(self, name: object) -> bool:
        return False


def without_fill_dedup(patch: pytest.MonkeyPatch) -> None:
    original = instance.Instance.__init__

    def begin(self: instance.Instance, *arguments: Any) -> None:
        original(self, *arguments)
        self._booked = Forgetful()

    replace(patch, instance.Instance, "__init__", begin)


@in_virtual_time
async def a_fill_is_told_three_times(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor) as node:
        floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(3)
        for _again in range(2):
            floor.exchange.users.replay(20)
            await pass_time(3)
        require_fills_booked_once(floor, node.engine.instance.position.lots)


# An order's life is a join: its end and its quantity never go back.


def without_rank(patch: pytest.MonkeyPatch) -> None:
    def last_word(order: Order, report: OrderReport) -> Order:
        filled = max(order.filled, report.filled)
        return order._replace(status=report.status, filled=filled, venue_order_id=report.venue_order_id)

    replace(patch, order_law, "merge", last_word)


@in_virtual_time
async def old_news_come_after_the_end(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor) as node:
        told = [event for event in floor.exchange.users.log if isinstance(event, OrderReport)]
        node.manager.tell(7, events.STOP)
        await pass_time(3)
        for report in told:
            floor.exchange.users.send(report)
        await pass_time(3)
        require(not node.engine.instance.live_orders(), "an order that had ended came back to life")


def without_cumulative_quantity(patch: pytest.MonkeyPatch) -> None:
    real = order_law.merge

    def last_quantity(order: Order, report: OrderReport) -> Order:
        return real(order, report)._replace(filled=report.filled)

    replace(patch, order_law, "merge", last_quantity)


@in_virtual_time
async def a_smaller_quantity_is_told_late(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor) as node:
        bid = bids(floor)[0]
        for filled in (60, 20):
            node.engine.put(OrderReport(bid, "1000", OPEN, filled, 0))
            await pass_time(3)
        order = node.engine.instance.order_named(bid)
        require(order is not None and order.filled == 60, "executions that were told of are forgotten")


# The intent is journaled before anything is sent.


def without_journal_before_send(patch: pytest.MonkeyPatch) -> None:
    real, later = StepKeeper.keep, []

    async def send_first(self: StepKeeper, step: Step) -> int:
        later.append(asyncio.create_task(real(self, step)))
        return self._clock.machine.now_ms()

    replace(patch, StepKeeper, "keep", send_first)


def require_intents(floor: Floor) -> None:
    sent = {order.client_order_id for order in floor.our_orders()}
    orphans = sent - set(floor.journal.book(7).intents)
    require(not orphans, f"{sorted(orphans)} left without a journaled intent")


@in_virtual_time
async def the_journal_is_down_when_an_order_is_wished(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor):
        floor.journal.is_down = True
        floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(2)
        require_intents(floor)


def without_re_read(patch: pytest.MonkeyPatch) -> None:
    async def surely(self: StepKeeper, step: Step) -> bool:
        return True

    replace(patch, StepKeeper, "_was_kept", surely)


@in_virtual_time
async def a_commit_breaks_and_was_not_kept(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor):
        floor.journal.fail_next(UNKNOWN_LOST)
        floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(2)
        await pass_time(3)
        require_intents(floor)


# What is unknown keeps its slot, its money and its time.


class TrustingJournal(MemoryJournal):
    """Has no key on the live slot, so that the law alone has to hold."""

    def _intend(self, book: JournalBook, intent: Intent) -> None:
        book.live.pop(intent.order.key.slot, None)
        super()._intend(book, intent)


def without_slot_lock(patch: pytest.MonkeyPatch) -> None:
    real = slots.action_for

    def hasty(wish: slots.Wish, order: Order | None) -> int:
        if order is not None and order.status == PENDING:
            return slots.PLACE
        return real(wish, order)

    replace(patch, slots, "action_for", hasty)


@in_virtual_time
async def an_unknown_order_is_looked_at_again(_: Stage) -> None:
    floor = open_floor()
    floor.journal = TrustingJournal(floor.journal._now_ms)
    floor.exchange.users.lose()
    floor.exchange.orders.denials = 4
    floor.exchange.orders.next_places(Lost(kept=True), Lost(kept=True))
    async with process_on(floor) as node:
        for slot in range(5):
            node.engine.status.held_back[slot] = NOT_PLACED
        node.engine.recheck()
        await pass_time(3)
        require_one_order_per_slot(floor)


def without_reservation(patch: pytest.MonkeyPatch) -> None:
    real = order_law.unbooked

    def only_confirmed(order: Order) -> int:
        return 0 if order.status == PENDING else real(order)

    replace(patch, working, "unbooked", only_confirmed)


@in_virtual_time
async def two_entries_are_wished_and_one_is_allowed(_: Stage) -> None:
    floor = open_floor()
    floor.limits = WIDE._replace(max_position_lots=100)
    floor.exchange.orders.next_places(Lost(kept=True), Lost(kept=True))
    async with process_on(floor):
        await pass_time(3)
        could = sum(order.lots for order in floor.our_orders() if order.side == BUY)
        require(could <= 100, f"{could} lots could be bought; 100 may")


def without_dead_time(patch: pytest.MonkeyPatch) -> None:
    async def at_once(self: OrderGateway, order: Order, committed_ms: int, denials: int, deliver: Any) -> bool:
        deliver(OrderReport(order.client_order_id, "", REJECTED, 0, 0))
        return True

    replace(patch, OrderGateway, "_is_dead", at_once)


@in_virtual_time
async def a_lost_order_arrives_within_the_dead_time(_: Stage) -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with process_on(floor):
        lost = floor.our_orders()[0].client_order_id
        await pass_time(5)
        floor.exchange.orders.arrive_late(lost)
        require_one_order_per_slot(floor)
        await pass_time(3)


def without_late_fills(patch: pytest.MonkeyPatch) -> None:
    real = TradingEngine.put

    def only_of_living_orders(self: TradingEngine, item: Any) -> None:
        if not isinstance(item, Fill) or self.instance.order_named(item.client_order_id) is not None:
            real(self, item)

    replace(patch, TradingEngine, "put", only_of_living_orders)


@in_virtual_time
async def an_order_given_up_trades_after_all(_: Stage) -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with process_on(floor, settings=FAST) as node:
        lost = floor.our_orders()[0].client_order_id
        await pass_time(120)
        await pass_time(3)
        floor.exchange.orders.arrive_late(lost)
        floor.exchange.orders.fill(lost, lots=40)
        await pass_time(3)
        require_fills_booked_once(floor, node.engine.instance.position.lots)


# The name of an order is a function of what it is for.


def with_names_by_count(patch: pytest.MonkeyPatch) -> None:
    made = iter(range(1, 1_000))
    replace(patch, instance, "encode", lambda key: encode(key._replace(attempt=next(made)) if key.leg == EXIT else key))


@in_virtual_time
async def two_owners_send_the_same_order(_: Stage) -> None:
    """Both decide on the same state; neither journal nor lease stands between them, only the venue's own check."""
    floor = open_floor()
    async with process_on(floor) as node:
        engine = node.engine
        bid = bids(floor)[0]
        floor.exchange.users.hold()
        fill = floor.exchange.orders.fill(bid)
        for _owner in range(2):
            twin = instance.Instance(1, 7, 0, BTCUSDT, engine.instance.decision, engine.instance.law)
            twin.state = list(engine.instance.state)
            for order in engine.instance.orders.values():
                twin.track(order)
            for event in twin.on_fill(fill, 0):
                proposal = twin.propose(event, engine.books.view(twin, 0))
                twin.adopt(proposal)
                for action in proposal.actions:
                    await floor.exchange.orders.place(action.order, 0)
        rest = [order for order in floor.exchange.orders.known.values() if order.key.leg == EXIT]
        require(bool(rest), "nothing was offered")
        require(sum(order.lots for order in rest) <= fill.lots, "what was bought once is offered twice")


MECHANISMS = [
    Mechanism("fills are known by their trade id", without_fill_dedup, a_fill_is_told_three_times),
    Mechanism("an order's end is never left", without_rank, old_news_come_after_the_end),
    Mechanism(
        "an order's executed quantity only grows",
        without_cumulative_quantity,
        a_smaller_quantity_is_told_late,
    ),
    Mechanism(
        "the intent is journaled before the send",
        without_journal_before_send,
        the_journal_is_down_when_an_order_is_wished,
    ),
    Mechanism("a commit of unknown fate is read again", without_re_read, a_commit_breaks_and_was_not_kept),
    Mechanism("an unknown order locks its slot", without_slot_lock, an_unknown_order_is_looked_at_again),
    Mechanism("an unknown order keeps its reservation", without_reservation, two_entries_are_wished_and_one_is_allowed),
    Mechanism("the dead time passes before LOST", without_dead_time, a_lost_order_arrives_within_the_dead_time),
    Mechanism("fills of orders given up are booked", without_late_fills, an_order_given_up_trades_after_all),
    Mechanism("client order ids are a function of the order", with_names_by_count, two_owners_send_the_same_order),
]
