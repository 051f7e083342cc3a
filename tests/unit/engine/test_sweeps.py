"""When a sweep reads trades, and when every order stands as we know it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from engine.account_hub import HubSettings
from engine.position_syncer import UNREAD_SWEEPS
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, Node, node_on, open_floor

#: The stream is never taken for dead here: what it loses, only a sweep can find.
PATIENT = HubSettings(sweep_interval=60.0)


async def sweep(node: Node) -> None:
    sweeps = node.hub.status.sweeps
    async with asyncio.timeout(200):
        while node.hub.status.sweeps == sweeps:
            await asyncio.sleep(1)
    await node.quiet()


@in_virtual_time
async def test_trades_are_not_read_while_every_order_stands_as_we_know_it_but_not_left_unread_for_long() -> None:
    floor = open_floor()
    async with node_on(floor, settings=PATIENT) as node:
        await sweep(node)
        reads = floor.exchange.trade_reads
        for _ in range(UNREAD_SWEEPS - 1):
            await sweep(node)
        assert floor.exchange.trade_reads == reads
        for _ in range(2):
            await sweep(node)
        assert floor.exchange.trade_reads == reads + 1


def _in_part(floor: Floor) -> None:
    floor.exchange.orders.fill(_nearest(floor), lots=40)


def _whole(floor: Floor) -> None:
    floor.exchange.orders.fill(_nearest(floor))


def _nearest(floor: Floor) -> str:
    resting = floor.exchange.orders.resting(SYMBOL)
    return min(resting, key=lambda order: abs(order.ticks - PRICE)).client_order_id


@pytest.mark.parametrize("happens", [_in_part, _whole])
@in_virtual_time
async def test_an_execution_that_no_news_told_of_is_booked_by_the_next_sweep(happens: Callable[[Floor], None]) -> None:
    floor = open_floor()
    async with node_on(floor, settings=PATIENT) as node:
        await sweep(node)
        await sweep(node)
        floor.exchange.users.lose()
        happens(floor)
        floor.exchange.users.lose(is_losing=False)
        assert floor.journal.book(7).fills == {}
        await sweep(node)
        assert len(floor.journal.book(7).fills) == 1
        floor.check_books()


@in_virtual_time
async def test_after_a_gap_every_trade_is_read_whatever_the_orders_look_like() -> None:
    floor = open_floor()
    async with node_on(floor, settings=PATIENT) as node:
        await sweep(node)
        await sweep(node)
        reads = floor.exchange.trade_reads
        floor.exchange.users.gap()
        await sweep(node)
        assert floor.exchange.trade_reads == reads + 1


@in_virtual_time
async def test_an_execution_that_comes_very_late_counts_where_it_happened() -> None:
    floor = open_floor()
    floor.exchange.orders.fee_ppm = 1_000
    async with node_on(floor) as node:
        higher, lower = sorted(floor.exchange.orders.resting(SYMBOL), key=lambda order: -order.ticks)
        floor.exchange.users.lose()
        floor.exchange.orders.fill(higher.client_order_id)
        floor.exchange.users.lose(False)
        name = lower.client_order_id
        for _turn in range(20):
            await asyncio.sleep(1)
            floor.exchange.orders.fill(name)
            await node.quiet()
            (name,) = (one.client_order_id for one in floor.exchange.orders.resting(SYMBOL))
        assert node.engine.instance.trades == 20
        floor.exchange.users.gap()
        await node.quiet()
        assert node.engine.instance.trades == 21
        told = node.engine.instance.position, node.engine.books.result
    async with node_on(floor) as node:
        assert (node.engine.instance.position, node.engine.books.result) == told
