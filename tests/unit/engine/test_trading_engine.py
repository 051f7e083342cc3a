from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain import events, slots
from domain.order import CANCELLED, EXIT, FILLED, OPEN, OrderReport
from domain.outcome import Rejected
from engine.account_hub import HubSettings
from engine.order_gateway import ResolveSettings
from engine.trading_engine import Price
from tests.fakes.fake_orders import Lost
from tests.fakes.memory_journal import DOWN, FENCED, UNKNOWN_KEPT, UNKNOWN_LOST
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, node_on, open_floor

FAST = HubSettings(resolve=ResolveSettings(dead_margin_ms=2_000))


def below(floor: Floor) -> list[str]:
    """Names of the resting bids, highest first."""
    resting = sorted(floor.exchange.orders.resting(SYMBOL), key=lambda order: -order.ticks)
    return [order.client_order_id for order in resting]


@in_virtual_time
async def test_a_grid_places_its_bids_after_their_intents_are_kept() -> None:
    floor = open_floor()
    async with node_on(floor):
        assert len(floor.open_prices()) == 2
        assert all(ticks < PRICE for ticks in floor.open_prices())
        floor.check_books()


@in_virtual_time
async def test_a_fill_and_the_order_it_causes_are_one_step() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.orders.fill(below(floor)[0])
        await node.quiet()
        step = next(step for step in floor.journal.steps if step.fills)
        assert [order.key.leg for order in step.intents] == [EXIT]
        assert step.entries
        assert step.state is not None
        floor.check_books()


@in_virtual_time
async def test_a_restart_takes_up_the_same_orders_and_sends_nothing_again() -> None:
    floor = open_floor()
    async with node_on(floor):
        before = floor.open_prices()
        sent = len(floor.our_orders())
    async with node_on(floor) as node:
        assert floor.open_prices() == before
        assert len(floor.our_orders()) == sent
        assert node.engine.status.state == "running"


@in_virtual_time
async def test_what_filled_while_nobody_was_there_is_booked_and_answered_once() -> None:
    floor = open_floor()
    async with node_on(floor):
        bid = below(floor)[0]
    floor.exchange.orders.fill(bid)
    async with node_on(floor) as node:
        exits = [order for order in floor.our_orders() if order.key.leg == EXIT]
        assert len(exits) == 1
        floor.exchange.users.replay(20)
        await node.quiet()
        floor.check_books()


@pytest.mark.parametrize("kept", [True, False])
@in_virtual_time
async def test_an_order_of_unknown_fate_keeps_its_slot_and_is_never_sent_again(kept: bool) -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=kept), Lost(kept=kept))
    async with node_on(floor, settings=FAST) as node:
        first = [order.client_order_id for order in floor.our_orders()]
        if kept:
            assert len(floor.open_prices()) == 2
            assert len(first) == 2
        else:
            await asyncio.sleep(120)
            await node.quiet()
            attempts = {order.key.attempt for order in floor.our_orders()}
            assert attempts == {0, 1}
            assert len(floor.open_prices()) == 2
        floor.check_books()


@in_virtual_time
async def test_an_order_taken_for_lost_that_appears_after_all_is_cancelled() -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with node_on(floor, settings=FAST) as node:
        lost = floor.our_orders()[0].client_order_id
        await asyncio.sleep(120)
        await node.quiet()
        floor.exchange.orders.arrive_late(lost)
        await node.hub.sweep_now()
        await node.quiet()
        assert lost in floor.exchange.orders.cancelled
        assert len(floor.open_prices()) == 2


@in_virtual_time
async def test_fills_of_an_order_taken_for_lost_are_booked_all_the_same() -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with node_on(floor, settings=FAST) as node:
        lost = floor.our_orders()[0].client_order_id
        await asyncio.sleep(120)
        await node.quiet()
        floor.exchange.orders.arrive_late(lost)
        floor.exchange.orders.fill(lost, lots=40)
        await node.quiet()
        floor.check_books()
        assert node.engine.instance.position.lots == 40 * 1_000


@in_virtual_time
async def test_nothing_is_sent_while_the_journal_is_down_and_all_of_it_afterwards() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        sent = len(floor.our_orders())
        floor.journal.is_down = True
        floor.exchange.orders.fill(below(floor)[0])
        await asyncio.sleep(5)
        assert len(floor.our_orders()) == sent
        assert node.engine.status.state == "suspended"
        floor.journal.is_down = False
        await node.quiet()
        assert len(floor.our_orders()) == sent + 1
        assert node.engine.status.state == "running"
        floor.check_books()


@pytest.mark.parametrize("fault", [DOWN, UNKNOWN_KEPT, UNKNOWN_LOST])
@in_virtual_time
async def test_a_commit_that_breaks_is_neither_lost_nor_doubled(fault: str) -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.journal.fail_next(fault)
        floor.exchange.orders.fill(below(floor)[0])
        await node.quiet()
        floor.check_books()
        assert len([order for order in floor.our_orders() if order.key.leg == EXIT]) == 1


@in_virtual_time
async def test_a_fenced_owner_stops_without_sending() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        sent = len(floor.our_orders())
        floor.journal.fail_next(FENCED)
        floor.exchange.orders.fill(below(floor)[0])
        while node.engine.status.state != "lost":
            await asyncio.sleep(0.1)
        assert len(floor.our_orders()) == sent


@in_virtual_time
async def test_events_in_reverse_twice_and_late_end_in_the_same_books() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.users.hold()
        for name in below(floor):
            floor.exchange.orders.fill(name, lots=30)
            floor.exchange.orders.fill(name)
        floor.exchange.users.release(lambda held: list(reversed(held)) + held)
        await node.quiet()
        floor.check_books()
        assert len([order for order in floor.our_orders() if order.key.leg == EXIT]) == 2


@in_virtual_time
async def test_a_gap_in_the_stream_is_closed_from_trades() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.users.lose()
        floor.exchange.orders.fill(below(floor)[0])
        floor.exchange.users.lose(False)
        floor.exchange.users.gap()
        await asyncio.sleep(2)
        await node.quiet()
        floor.check_books()


@in_virtual_time
async def test_a_rejected_order_is_shown_and_tried_again_under_a_new_name() -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Rejected("-2010 insufficient balance"))
    async with node_on(floor) as node:
        await asyncio.sleep(3)
        await node.quiet()
        assert len(floor.open_prices()) == 2
        floor.check_books()


@in_virtual_time
async def test_foreign_orders_are_counted_and_never_touched() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        mine = floor.exchange.orders.resting(SYMBOL)[0]
        floor.exchange.orders.foreign.append(mine._replace(client_order_id="x-somebody", venue_order_id="999"))
        report = await node.hub.sweep_now()
        assert report.foreign_orders == 1
        assert "x-somebody" not in floor.exchange.orders.cancelled


@in_virtual_time
async def test_stop_cancels_resting_orders_and_keeps_what_is_held() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.orders.fill(below(floor)[0])
        await node.quiet()
        node.manager.tell(7, events.STOP)
        await node.quiet()
        assert floor.open_prices() == []
        assert node.engine.instance.position.lots > 0
        floor.check_books()


@in_virtual_time
async def test_stop_and_flatten_sells_what_is_held_even_while_an_order_is_unknown() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        names = below(floor)
        floor.exchange.orders.fill(names[0])
        await node.quiet()
        floor.exchange.orders.next_cancels(Lost(kept=False), Lost(kept=True), Lost(kept=True))
        node.manager.tell(7, events.FLATTEN)
        await asyncio.sleep(10)
        await node.hub.sweep_now()
        await node.quiet()
        left = node.engine.instance.position.lots
        assert left * PRICE * 10 // 1_000 < 5 * 10**8
        floor.check_books()


@in_virtual_time
async def test_an_edit_moves_only_the_levels_that_change() -> None:
    floor = open_floor()
    async with node_on(floor, floor.spec(spacing="arithmetic")) as node:
        kept = set(below(floor))
        from decimal import Decimal

        node.manager.edit(floor.spec(spacing="arithmetic", upper_price=Decimal(61_500), levels=5))
        await node.quiet()
        assert kept <= set(below(floor))
        assert floor.exchange.orders.cancelled == []


@in_virtual_time
async def test_more_levels_than_the_limit_rest_nearest_first() -> None:
    floor = open_floor()
    floor.limits = floor.limits._replace(max_open_orders=3)
    from decimal import Decimal

    async with node_on(floor, floor.spec(lower_price=Decimal(55_000), levels=24)) as node:
        bids = floor.open_prices()
        wished = sorted(
            slots.wish_of(node.engine.instance.state, slot).ticks
            for slot in range(slots.count_of(node.engine.instance.state))
            if slots.wish_of(node.engine.instance.state, slot).side
        )
        assert len(bids) == 3
        assert bids == wished[-3:]
        assert "too_many_open_orders" in node.engine.status.held_back.values()


@in_virtual_time
async def test_the_kill_switch_withdraws_entries_and_lets_exits_rest() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.orders.fill(below(floor)[0])
        await node.quiet()
        node.manager.kill()
        await node.quiet()
        legs = {order.key.leg for order in node.engine.instance.live_orders() if order.status == OPEN}
        assert legs == {EXIT}


@in_virtual_time
async def test_a_cancel_that_crosses_a_fill_books_the_fill() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        name = below(floor)[0]
        floor.exchange.orders.next_cancels(Rejected("-2011 unknown order"))
        floor.exchange.users.lose()
        floor.exchange.orders.fill(name)
        floor.exchange.users.lose(False)
        node.manager.tell(7, events.STOP)
        await asyncio.sleep(2)
        await node.hub.sweep_now()
        await node.quiet()
        floor.check_books()
        assert node.engine.instance.order_named(name).status == FILLED  # type: ignore[union-attr]


@in_virtual_time
async def test_a_late_fill_after_a_cancel_is_booked() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        name = below(floor)[0]
        node.engine.put(OrderReport(name, "1", CANCELLED, 0, 1))
        await node.quiet()
        floor.exchange.orders.fill(name, lots=10)
        await node.quiet()
        floor.check_books()


@in_virtual_time
async def test_a_price_that_changes_nothing_leaves_nothing_in_the_journal() -> None:
    def idle(law: Any, state: list[int], *_: Any) -> int:
        state[slots.OWN] = law
        return 0

    floor = open_floor()
    async with node_on(floor) as node:
        await node.quiet()
        instance = node.engine.instance
        instance.decision, instance.law, instance.state[slots.WAKE_ABOVE] = idle, instance.state[slots.OWN], 1
        same, before, steps = instance.law, len(floor.journal.steps), node.engine.status.steps
        node.engine.put(Price(PRICE, 1))
        await node.quiet()
        assert (len(floor.journal.steps), node.engine.status.steps) == (before, steps + 1)
        instance.law = same + 1
        node.engine.put(Price(PRICE, 2))
        await node.quiet()
        assert floor.journal.steps[before].state is not None, "a price that changes the state is kept"
