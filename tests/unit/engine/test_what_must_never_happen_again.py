"""One test for each fault that long random runs of the engine have brought to light."""

from __future__ import annotations

import asyncio

import pytest

from core.base_journal import Step
from domain import events, slots
from domain.order import EXIT, OPEN, REJECTED, SELL
from domain.order import MARKET as AT_MARKET
from domain.risk_manager import RiskLimits
from engine.account_hub import HubSettings
from engine.order_gateway import ResolveSettings
from tests.fakes.fake_orders import Lost
from tests.fakes.memory_journal import UNKNOWN_KEPT, UNKNOWN_LOST
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, node_on, open_floor

FAST = HubSettings(resolve=ResolveSettings(dead_margin_ms=2_000))


def bids(floor: Floor) -> list[str]:
    resting = sorted(floor.exchange.orders.resting(SYMBOL), key=lambda order: -order.ticks)
    return [order.client_order_id for order in resting]


@in_virtual_time
async def test_a_trade_lost_beneath_a_later_one_that_was_told_is_booked() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        first, second = bids(floor)
        floor.exchange.users.lose()
        floor.exchange.orders.fill(first)
        floor.exchange.users.lose(False)
        floor.exchange.orders.fill(second)
        await node.quiet()
        floor.exchange.users.gap()
        await asyncio.sleep(2)
        await node.quiet()
        floor.check_books()


@in_virtual_time
async def test_a_trade_lost_beneath_a_later_one_is_booked_after_a_restart_too() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        first, second = bids(floor)
        floor.exchange.users.lose()
        floor.exchange.orders.fill(first)
        floor.exchange.users.lose(False)
        floor.exchange.orders.fill(second)
        await node.quiet()
    async with node_on(floor) as node:
        floor.check_books()


@in_virtual_time
async def test_an_order_whose_commit_takes_long_is_not_taken_for_lost() -> None:
    floor = open_floor()
    async with node_on(floor, settings=FAST) as node:
        floor.journal.is_down = True
        floor.exchange.orders.fill(bids(floor)[0])
        await asyncio.sleep(300)
        floor.journal.is_down = False
        await asyncio.sleep(30)
        await node.quiet()
        exits = [order for order in floor.our_orders() if order.key.leg == EXIT]
        assert [order.key.attempt for order in exits] == [0]
        floor.check_books()


@in_virtual_time
async def test_an_owner_that_finds_its_order_in_a_newer_owners_journal_does_not_send_it() -> None:
    floor = open_floor()
    async with node_on(floor) as old:
        floor.journal.fail_next(UNKNOWN_LOST)
        floor.exchange.users.hold()
        bid = bids(floor)[0]
        floor.exchange.orders.fill(bid)
        async with node_on(floor):
            exits = [order for order in floor.our_orders() if order.key.leg == EXIT]
            assert len(exits) == 1
            floor.exchange.users.release()
            while old.engine.status.state != "lost":
                await asyncio.sleep(0.1)
            floor.check_books()


@in_virtual_time
async def test_an_owner_of_the_past_leaves_the_new_owners_orders_alone() -> None:
    floor = open_floor()
    async with node_on(floor) as old:
        floor.exchange.users.lose()
        async with node_on(floor) as new:
            floor.exchange.orders.fill(bids(floor)[0])
            await new.hub.sweep_now()
            await new.quiet()
            resting = bids(floor)
            await old.hub.sweep_now()
            assert bids(floor) == resting
            assert floor.exchange.orders.cancelled == []


@in_virtual_time
async def test_a_journal_that_goes_down_while_it_is_asked_for_a_lost_commit_is_asked_again() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.journal.fail_next(UNKNOWN_KEPT)
        floor.exchange.orders.fill(bids(floor)[0])
        while node.engine.status.state != "suspended":
            await asyncio.sleep(0)
        floor.journal.is_down = True
        await asyncio.sleep(10)
        floor.journal.is_down = False
        await node.quiet()
        assert node.engine.status.state == "running"
        assert len([order for order in floor.our_orders() if order.key.leg == EXIT]) == 1
        floor.check_books()


@in_virtual_time
async def test_an_order_that_was_unknown_when_the_instance_stopped_is_cancelled_once_it_is_found() -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=True), Lost(kept=True))
    floor.exchange.users.lose()
    floor.exchange.orders.denials = 3
    async with node_on(floor) as node:
        node.manager.tell(7, events.STOP)
        await asyncio.sleep(90)
        await node.quiet()
        assert bids(floor) == []


@in_virtual_time
async def test_a_cancel_that_died_with_its_process_is_sent_by_the_next() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        running = node.engine
        await node.manager.release(7)
    view = running.books.view(running.instance, 0)
    proposal = running.instance.propose(events.Event(events.STOP, 0), view)
    book = floor.journal.book(7)
    state = book.state
    assert state is not None
    step = Step(7, book.epoch, [], [], bids(floor), [], [], [])
    step.state = state._replace(state=list(proposal.state))
    await floor.journal.commit(step)
    async with node_on(floor) as node:
        await asyncio.sleep(2)
        await node.quiet()
        assert bids(floor) == []


@in_virtual_time
async def test_an_unknown_order_is_resolved_for_the_engine_that_took_over_in_the_same_process() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.users.lose()
        floor.exchange.orders.next_places(Lost(kept=True))
        floor.exchange.orders.denials = 2
        floor.exchange.orders.fill(bids(floor)[0])
        await node.hub.sweep_now()
        while not any(order.key.leg == EXIT for order in floor.our_orders()):
            await asyncio.sleep(0.01)
        await node.manager.release(7)
        await node.manager.start(floor.spec(), node.hub)
        await asyncio.sleep(30)
        await node.quiet()
        assert all(order.status == OPEN for order in node.engine.instance.live_orders())


@in_virtual_time
async def test_what_is_bought_while_the_flatten_is_under_way_is_sold_as_well() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        first, second = bids(floor)
        floor.exchange.orders.fill(first)
        await node.quiet()
        floor.exchange.orders.next_cancels(Lost(kept=False), Lost(kept=False))
        node.manager.tell(7, events.FLATTEN)
        floor.exchange.orders.fill(second)
        await asyncio.sleep(10)
        await node.quiet()
        assert node.engine.instance.position.lots * PRICE * 10 // 1_000 < 5 * 10**8
        floor.check_books()


@in_virtual_time
@pytest.mark.parametrize(
    ("end", "verbs"),
    [
        # A person may start again what was stopped with its position; nothing else brings it back.
        (events.STOP, (events.PAUSE, events.EDIT)),
        (events.FLATTEN, (events.PAUSE, events.RESUME, events.EDIT)),
    ],
)
async def test_no_verb_but_a_new_start_offers_anything_after_the_end(end: int, verbs: tuple[int, ...]) -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.orders.fill(bids(floor)[0])
        await node.quiet()
        node.manager.tell(7, end)
        await node.quiet()
        for verb in verbs:
            node.manager.tell(7, verb)
            await node.quiet()
        assert floor.open_prices() == []


@in_virtual_time
async def test_the_rest_of_a_level_is_offered_also_when_it_is_as_much_as_was_sold() -> None:
    floor = open_floor()
    floor.exchange.orders.fee_ppm = 0
    async with node_on(floor) as node:
        bid = bids(floor)[0]
        floor.exchange.users.hold()
        floor.exchange.orders.fill(bid, lots=50)
        floor.exchange.orders.fill(bid)
        held = floor.exchange.users._held or []
        first = next(event for event in held if getattr(event, "lots", 0) == 50)
        floor.exchange.users._held = []
        floor.exchange.users.send(first)
        node.manager.tell(7, events.PAUSE)
        floor.exchange.users._held = None
        await asyncio.sleep(5)
        await node.hub.sweep_now()
        await node.quiet()
        while offers := [order for order in floor.exchange.orders.resting(SYMBOL) if order.side == SELL]:
            floor.exchange.orders.fill(offers[0].client_order_id)
            await node.quiet()
        assert node.engine.instance.position.lots == 0
        floor.check_books()


@in_virtual_time
async def test_lots_that_were_executed_and_are_not_booked_yet_count_for_every_limit() -> None:
    floor = open_floor()
    floor.limits = RiskLimits(max_price_age_ms=10**9, max_position_lots=200, max_rejections=0)
    async with node_on(floor) as node:
        bid = bids(floor)[0]
        floor.exchange.users.lose()
        floor.exchange.orders.fill(bid)
        node.engine.put(floor.exchange.orders.report(bid))  # type: ignore[arg-type]
        await node.quiet()
        engine = node.engine
        view = engine.books.risk_view(engine.instance, 0, 0)
        assert view.position_lots + view.open_buy_lots == 200
        free = engine.books.view(engine.instance, 0).free_quote
        assert free == 10_000 * 10**8 - sum(order.ticks * order.lots * 10 for order in floor.our_orders())


@in_virtual_time
async def test_an_event_that_nobody_foresaw_does_not_end_the_stream() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.users.fail(ValueError("not a number"))
        await asyncio.sleep(3)
        floor.exchange.orders.fill(bids(floor)[0])
        await node.quiet()
        floor.check_books()
        assert "ValueError" in node.hub.status.last_error


@in_virtual_time
async def test_a_step_that_breaks_stops_the_instance_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = open_floor()
    async with node_on(floor) as node:

        def broken(*_: object) -> int:
            raise ZeroDivisionError("strategy")

        node.engine.instance.decision = broken
        floor.exchange.orders.fill(bids(floor)[0])
        await asyncio.sleep(1)
        assert node.engine.status.state == "broken"
        assert "ZeroDivisionError" in node.engine.status.last_error
    async with node_on(floor):
        floor.check_books()


@in_virtual_time
async def test_selling_more_than_is_held_makes_the_next_sale_smaller() -> None:
    floor = open_floor()
    floor.exchange.orders.fee_ppm = 0
    async with node_on(floor, settings=FAST) as node:
        floor.exchange.orders.next_places(Lost(kept=False))
        floor.exchange.orders.fill(bids(floor)[0])
        await asyncio.sleep(120)
        await node.quiet()
        lost = next(order for order in floor.our_orders() if order.key.leg == EXIT and order.key.attempt == 0)
        floor.exchange.orders.arrive_late(lost.client_order_id)
        floor.exchange.orders.fill(lost.client_order_id, lots=30)
        await node.hub.sweep_now()
        await node.quiet()
        second = next(order for order in floor.exchange.orders.resting(SYMBOL) if order.side == SELL)
        floor.exchange.orders.fill(second.client_order_id)
        await node.quiet()
        state = node.engine.instance.state
        held = state[slots.DUST] + sum(
            state[slots.HEADER + slot * slots.WIDTH + slots.HELD] for slot in range(slots.count_of(state))
        )
        assert held == node.engine.instance.position.lots == -30 * 1_000
        assert lost.type != AT_MARKET
        assert all(order.status != REJECTED for order in node.engine.instance.live_orders())
        floor.check_books()
