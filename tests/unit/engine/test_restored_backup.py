"""The journal is older than what the venue has executed: a backup was restored, or a replica took over that lagged."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.base_strategy import STRATEGIES
from domain import events, slots
from domain.client_order_id import decode
from domain.events import Event
from domain.fill import signed_lots
from domain.order import BUY, OPEN, SELL, Order
from engine.account_hub import AccountHub
from engine.engine_manager import EngineManager, InstanceSpec
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, Node, node_on, open_floor

PARAMS: dict[str, dict[str, Any]] = {
    "trailing_grid": {"grid_levels": 3, "quantity": Decimal("0.001")},
    "dca": {"amount": Decimal(60), "interval_minutes": 60, "take_profit_percent": Decimal(1)},
}


def spec_of(floor: Floor, kind: str) -> InstanceSpec:
    made = floor.spec()
    found = STRATEGIES.get(kind)
    return made if kind == "grid" else replace(made, kind=found, params=found.params(**PARAMS[kind]))


def resting(floor: Floor, side: int) -> list[Order]:
    """Orders of ours that rest, nearest to the price first."""
    known = floor.exchange.orders.known.values()
    return sorted((one for one in known if one.status == OPEN and one.side == side), key=lambda one: -side * one.ticks)


async def execute(node: Node, floor: Floor, side: int) -> None:
    floor.exchange.orders.fill(resting(floor, side)[0].client_order_id)
    await node.quiet()


async def move(node: Node, floor: Floor, ticks: int) -> None:
    floor.exchange.orders.market_ticks[SYMBOL] = ticks
    floor.market.move(SYMBOL, ticks, 0)
    await node.quiet()


async def purchase(node: Node) -> None:
    await asyncio.sleep(3_600)
    node.engine.put(Event(events.TIMER, 0))
    await node.quiet()


async def a_grid_turns_over(node: Node, floor: Floor) -> None:
    for side in (BUY, SELL, BUY, SELL, BUY, BUY):
        await execute(node, floor, side)


async def a_grid_is_repriced(node: Node, floor: Floor) -> None:
    await execute(node, floor, BUY)
    await move(node, floor, PRICE + PRICE // 50)
    await execute(node, floor, SELL)
    await move(node, floor, PRICE + PRICE // 25)
    await execute(node, floor, BUY)


async def purchases_are_made_and_sold(node: Node, floor: Floor) -> None:
    await purchase(node)
    await purchase(node)
    await execute(node, floor, SELL)
    await purchase(node)


Course = Callable[[Node, Floor], Awaitable[None]]
COURSES = [
    pytest.param("grid", a_grid_turns_over, id="grid"),
    pytest.param("trailing_grid", a_grid_turns_over, id="trailing_grid"),
    pytest.param("trailing_grid", a_grid_is_repriced, id="trailing_grid_repriced"),
    pytest.param("dca", purchases_are_made_and_sold, id="dca"),
]


def check(node: Node, floor: Floor) -> None:
    """Every name once; every execution booked, on an order that is journaled; no more offered than is held."""
    orders, book, instance = floor.exchange.orders, floor.journal.book(7), node.engine.instance
    names = Counter(order.client_order_id for order, _ in orders.placed)
    assert {name: times for name, times in names.items() if times > 1} == {}
    assert {fill.trade_id for fill in orders.trades} == {fill.trade_id for fill in book.fills.values()}
    assert {fill.client_order_id for fill in orders.trades} <= set(book.intents)
    for name in {fill.client_order_id for fill in orders.trades}:
        known, kept = orders.known[name], book.orders[name]
        assert (kept.status, kept.filled, kept.booked) == (known.status, known.filled, known.filled)
        assert kept.side == known.side
    traded = sum(signed_lots(fill) for fill in orders.trades)
    per_lot = instance.instrument.base_per_lot
    held = sum(instance.state[at + slots.HELD] for at in range(slots.HEADER, len(instance.state), slots.WIDTH))
    assert held + instance.state[slots.DUST] == instance.position.lots == traded * per_lot
    assert sum(order.lots - order.filled for order in resting(floor, SELL)) <= traded
    assert {order.client_order_id for order in instance.live_orders()} == {
        order.client_order_id for side in (BUY, SELL) for order in resting(floor, side)
    }


@pytest.mark.parametrize(("kind", "course"), COURSES)
@in_virtual_time
async def test_what_was_executed_after_the_backup_is_not_sent_again(kind: str, course: Course) -> None:
    floor = open_floor()
    async with node_on(floor, spec_of(floor, kind)) as node:
        backup = floor.journal.back_up(7)
        await course(node, floor)
        check(node, floor)
        before = [(order.side, order.ticks, order.lots) for side in (BUY, SELL) for order in resting(floor, side)]
    floor.journal.go_back(7, backup)
    async with node_on(floor, spec_of(floor, kind)) as node:
        await asyncio.sleep(300)
        check(node, floor)
        after = [(order.side, order.ticks, order.lots) for side in (BUY, SELL) for order in resting(floor, side)]
        assert [one for one in after if one[0] == SELL] == [one for one in before if one[0] == SELL]
        await execute(node, floor, SELL)
        await (purchase(node) if kind == "dca" else execute(node, floor, BUY))
        check(node, floor)
    async with node_on(floor, spec_of(floor, kind)) as node:
        await asyncio.sleep(300)
        check(node, floor)


@in_virtual_time
async def test_a_purchase_that_was_made_after_the_backup_is_not_due_again() -> None:
    floor = open_floor()
    async with node_on(floor, spec_of(floor, "dca")) as node:
        backup = floor.journal.back_up(7)
        await purchase(node)
    floor.journal.go_back(7, backup)
    bought = len(floor.exchange.orders.trades)
    async with node_on(floor, spec_of(floor, "dca")) as node:
        assert node.engine.instance.state[slots.WAKE_MS] > floor.exchange.orders.trades[-1].time_ms + 3_000_000
    assert len(floor.exchange.orders.trades) == bought


@in_virtual_time
async def test_a_person_is_told_that_the_journal_was_behind() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        backup = floor.journal.back_up(7)
        await execute(node, floor, BUY)
        await execute(node, floor, SELL)
    floor.journal.go_back(7, backup)
    async with node_on(floor) as node:
        assert "journal_behind" in {alarm.code for alarm in node.hub.alarms}


@in_virtual_time
async def test_names_of_orders_that_came_and_went_are_never_given_again_by_any_later_owner() -> None:
    floor = open_floor()
    spec = spec_of(floor, "trailing_grid")
    async with node_on(floor, spec) as node:
        backup = floor.journal.back_up(7)
        await execute(node, floor, BUY)
        await move(node, floor, PRICE + PRICE // 50)  # bids move: what rested has ended and executed nothing
        gone = {order.client_order_id for order, _ in floor.exchange.orders.placed}
    floor.journal.go_back(7, backup)
    async with node_on(floor, spec) as node:
        await asyncio.sleep(300)
    placed = len(floor.exchange.orders.placed)
    async with node_on(floor, spec) as node:
        for times in range(3, 6):
            await move(node, floor, PRICE + times * PRICE // 50)
    given = [order for order, _ in floor.exchange.orders.placed[placed:]]
    assert given
    assert not {order.client_order_id for order in given} & gone
    assert min(order.key.attempt for order in given) > max(decode(name).attempt for name in gone)


@in_virtual_time
async def test_nothing_is_placed_before_what_was_missed_is_known() -> None:
    floor = open_floor()
    async with node_on(floor):
        backup = floor.journal.back_up(7)
    floor.journal.go_back(7, backup)
    sent = len(floor.exchange.orders.placed)
    clock = virtual_clock()
    hub = AccountHub(1, 1, floor.exchange, floor.journal, clock)
    manager = EngineManager(1, "node", floor.journal, floor.market, clock)
    await hub.start()
    floor.exchange.fail_reads(1_000)
    entering = asyncio.create_task(manager.start(floor.spec(), hub))
    await asyncio.sleep(3)
    floor.exchange.orders.fill(resting(floor, BUY)[0].client_order_id)
    await asyncio.sleep(3)
    assert len(floor.exchange.orders.placed) == sent
    assert len(floor.journal.book(7).fills) == 1, "what is told is booked all the same"
    floor.exchange.fail_reads(0)
    await entering
    await asyncio.sleep(3)
    assert len(floor.exchange.orders.placed) == sent + 1
    await manager.release(7)
    await hub.stop()
