from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.trading_engine import TradingEngine
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import SYMBOL, node_on, open_floor


@in_virtual_time
async def test_the_kill_switch_cancels_entries_although_the_journal_is_down() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        assert floor.open_prices()
        floor.journal.is_down = True
        node.manager.kill()
        await asyncio.sleep(3)
        assert [order for order in floor.exchange.orders.resting(SYMBOL) if order.side > 0] == []
        floor.journal.is_down = False
        await asyncio.sleep(3)
        await node.quiet()
        assert node.engine.books.killed
        floor.check_books()


@in_virtual_time
async def test_several_instances_are_taken_up_with_one_sweep() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        sweeps = node.hub.status.sweeps
        specs = [replace(floor.spec(), number=number) for number in (8, 9, 10)]
        started = await node.manager.start_many(specs, node.hub)
        assert all(isinstance(engine, TradingEngine) for engine in started.values())
        assert node.hub.status.sweeps == sweeps + 1


@in_virtual_time
async def test_one_that_cannot_be_taken_up_does_not_keep_the_others_from_it() -> None:
    floor = open_floor()
    async with node_on(floor) as node:
        bad = replace(floor.spec(), number=8, symbol="NOSUCH")
        started = await node.manager.start_many([bad, replace(floor.spec(), number=9)], node.hub)
        assert isinstance(started[8], Exception)
        assert isinstance(started[9], TradingEngine)
