"""An order that was given up for lost and traded after all: however late, its row tells what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from domain.instance import PAST_ORDERS
from domain.order import CANCELLED, FILLED, REJECTED
from domain.outcome import Rejected
from engine.order_gateway import ResolveSettings
from tests.fakes.fake_orders import Lost
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.negative.mechanism import FAST
from tests.unit.engine.floor import Floor, Node, node_on, open_floor


async def lose_an_order(floor: Floor, node: Node) -> str:
    lost = floor.our_orders()[0].client_order_id
    await asyncio.sleep(120)
    await node.quiet()
    assert floor.journal.book(7).orders[lost].status == REJECTED
    return lost


def row(floor: Floor, name: str) -> tuple[int, int, int]:
    order = floor.journal.book(7).orders[name]
    return order.status, order.filled, order.booked


@in_virtual_time
async def test_what_it_executes_after_a_restart_is_in_its_row() -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with node_on(floor, settings=FAST) as node:
        lost = await lose_an_order(floor, node)
    async with node_on(floor, settings=FAST) as node:
        assert node.engine.instance.order_known(lost) is None
        floor.exchange.orders.arrive_late(lost)
        floor.exchange.orders.fill(lost)
        await asyncio.sleep(10)
        assert row(floor, lost) == (FILLED, 100, 100)
        assert not any(alarm.code == "journal_behind" for alarm in node.hub.alarms)


@in_virtual_time
async def test_what_it_executed_in_part_before_it_was_cancelled_is_in_its_row() -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with node_on(floor, settings=FAST) as node:
        lost = await lose_an_order(floor, node)
    floor.exchange.orders.arrive_late(lost)
    floor.exchange.orders.fill(lost, lots=40)
    async with node_on(floor, settings=FAST) as node:
        await asyncio.sleep(10)
        assert lost in floor.exchange.orders.cancelled
        assert row(floor, lost) == (CANCELLED, 40, 40)
        assert node.engine.instance.position.lots == 40 * node.engine.instance.instrument.base_per_lot


@in_virtual_time
async def test_it_is_known_after_many_others_of_its_kind() -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with node_on(floor, settings=FAST) as node:
        lost = await lose_an_order(floor, node)
        for _ in range(PAST_ORDERS + 4):
            floor.exchange.orders.next_places(Rejected("not now"))
            resting = floor.exchange.orders.resting("BTCUSDT")
            floor.exchange.orders.expire(resting[0].client_order_id)
            await asyncio.sleep(400)
        assert node.engine.instance.order_known(lost) is None
        floor.exchange.orders.arrive_late(lost)
        floor.exchange.orders.fill(lost)
        await asyncio.sleep(10)
        assert row(floor, lost) == (FILLED, 100, 100)


@in_virtual_time
async def test_an_order_that_never_was_is_proven_dead_as_soon_as_it_can_be() -> None:
    """The fifth question would come 7.5 seconds after the first: the moment it is about must not be slept through."""
    floor, settings = open_floor(), replace(FAST, resolve=ResolveSettings(dead_margin_ms=3_000))
    floor.exchange.orders.next_places(Lost(kept=False))
    async with node_on(floor, settings=settings):
        lost = floor.our_orders()[0].client_order_id
        committed_ms = virtual_clock().machine.now_ms()
        while floor.journal.book(7).orders[lost].status != REJECTED:
            await asyncio.sleep(0.01)
        took_ms = virtual_clock().machine.now_ms() - committed_ms
        assert took_ms < settings.receive_window_ms + 3_000 + 500
