"""A sweep that finds everything as it is known wakes nobody, and asks only for what is still in doubt."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import SYMBOL, node_on, open_floor
from tests.unit.engine.test_sweeps import PATIENT, sweep


@in_virtual_time
async def test_an_instance_whose_orders_rest_as_it_knows_does_nothing_in_a_sweep() -> None:
    floor = open_floor()
    async with node_on(floor, settings=PATIENT) as node:
        await sweep(node)
        steps, requests = node.engine.status.steps, node.hub.gateway.requests
        for _ in range(3):
            await sweep(node)
        assert node.hub.status.last_sweep.orders == len(floor.our_orders()) > 0
        assert node.engine.status.steps == steps
        assert node.hub.gateway.requests == requests


@in_virtual_time
async def test_an_order_whose_end_is_told_while_the_venue_is_asked_is_not_asked_for() -> None:
    floor = open_floor()
    async with node_on(floor, settings=PATIENT) as node:
        await sweep(node)
        name = floor.exchange.orders.resting(SYMBOL)[0].client_order_id
        requests, placed = node.hub.gateway.requests, len(floor.exchange.orders.placed)

        def end_it() -> None:
            floor.exchange.before_listing = None
            floor.exchange.orders.expire(name)

        floor.exchange.before_listing = end_it
        await sweep(node)
        assert name not in node.hub.status.last_sweep.missing
        again = len(floor.exchange.orders.placed) - placed
        assert again == 1, "the slot goes on with another order"
        assert node.hub.gateway.requests - requests == again
        assert not list(node.hub.gateway.alarms)


@in_virtual_time
async def test_an_order_whose_end_is_told_while_the_list_is_on_its_way_is_not_cancelled_again() -> None:
    floor = open_floor()
    async with node_on(floor, settings=PATIENT) as node:
        await sweep(node)
        name = floor.exchange.orders.resting(SYMBOL)[0].client_order_id

        def end_it() -> None:
            floor.exchange.after_listing = None
            floor.exchange.orders.expire(name)

        floor.exchange.after_listing = end_it
        cancels = len(floor.exchange.orders.cancelled)
        await sweep(node)
        report = node.hub.status.last_sweep
        assert (report.missing, report.unbelieved, report.orphans) == ([], {}, [])
        assert len(floor.exchange.orders.cancelled) == cancels


@in_virtual_time
async def test_accounts_that_are_taken_up_together_are_not_swept_together_for_long() -> None:
    floor = open_floor()
    async with node_on(floor, settings=PATIENT) as node:
        times = [asyncio.get_running_loop().time()]
        for _ in range(3):
            await sweep(node)
            times.append(asyncio.get_running_loop().time())
        first, second, third = (after - before for before, after in pairwise(times))
        interval = PATIENT.sweep_interval
        assert first < 0.9 * interval, "by its number"
        assert 0.9 * interval < second < 1.1 * interval
        assert 0.9 * interval < third < 1.1 * interval
