from __future__ import annotations

import asyncio

from domain.client_order_id import OrderKey, encode
from domain.order import BUY, LIMIT, Order
from domain.outcome import Rejected
from tests.fakes.fake_orders import Lost
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import PRICE, SYMBOL, node_on, open_floor

NOBODYS = OrderKey(1, 7, 0, 40, 7, 0, 0)


@in_virtual_time
async def test_an_orphan_whose_cancel_is_lost_or_refused_is_cancelled_again_within_seconds() -> None:
    floor = open_floor()
    name = encode(NOBODYS)
    await floor.exchange.place(Order(NOBODYS, name, SYMBOL, BUY, LIMIT, PRICE // 2, 100), 0)
    floor.exchange.orders.next_cancels(Lost(kept=False), Rejected("-2011 Unknown order sent."))
    async with node_on(floor) as node:
        await asyncio.sleep(12)
        assert floor.exchange.orders.cancelled.count(name) == 3
        assert name not in {order.client_order_id for order in floor.exchange.orders.resting(SYMBOL)}
        sweeps = node.hub.status.sweeps
        await asyncio.sleep(30)
        assert node.hub.status.sweeps <= sweeps + 2, "it sweeps on and on though no orphan is left"
