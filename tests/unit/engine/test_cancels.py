"""What the answer to a cancel tells need not be waited for, and what it does not tell is asked for."""

from __future__ import annotations

import asyncio

from domain import events
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import Node, node_on, open_floor


async def seconds_to_stop(node: Node) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    node.manager.tell(7, events.STOP)
    while node.engine.instance.live_orders() or not node.engine.is_idle:
        await asyncio.sleep(0.01)
    return loop.time() - began


@in_virtual_time
async def test_a_stop_does_not_wait_for_a_private_stream_where_answers_tell_how_orders_have_ended() -> None:
    floor = open_floor()
    floor.exchange.orders.answers_tell_ends = True
    async with node_on(floor) as node:
        floor.exchange.users.lose()
        requests = node.hub.gateway.requests
        assert await seconds_to_stop(node) < 0.1
        assert node.hub.gateway.requests - requests == len(floor.exchange.orders.cancelled) > 0
        assert floor.open_prices() == []
        floor.check_books()


@in_virtual_time
async def test_where_answers_do_not_tell_it_each_order_is_asked_for_a_second_later() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        floor.exchange.users.lose()
        assert 1.0 <= await seconds_to_stop(node) < 1.5
        floor.check_books()


@in_virtual_time
async def test_an_order_that_had_executed_before_its_cancel_is_not_complete_until_that_is_booked() -> None:
    floor = open_floor()
    floor.exchange.orders.answers_tell_ends = True
    async with node_on(floor) as node:
        name = floor.our_orders()[0].client_order_id
        floor.exchange.users.hold()
        floor.exchange.orders.fill(name, lots=10)
        node.manager.tell(7, events.STOP)
        await asyncio.sleep(5)
        assert [order.client_order_id for order in node.engine.instance.live_orders()] == [name]
        floor.exchange.users.release()
        await node.quiet()
        assert node.engine.instance.live_orders() == []
        floor.check_books()


@in_virtual_time
async def test_an_execution_that_no_stream_tells_of_is_read_by_the_next_sweep_once_the_order_has_ended() -> None:
    floor = open_floor()
    floor.exchange.orders.answers_tell_ends = True
    async with node_on(floor) as node:
        name = floor.our_orders()[0].client_order_id
        floor.exchange.users.lose()
        floor.exchange.orders.fill(name, lots=10)
        node.manager.tell(7, events.STOP)
        await asyncio.sleep(5)
        await node.hub.sweep_now()
        await node.quiet()
        assert node.engine.instance.live_orders() == []
        floor.check_books()
