from __future__ import annotations

import asyncio

from core.base_exchange import BaseExchange, MarketEvent, UserEvent
from domain.client_order_id import OrderKey, encode
from domain.fill import Fill
from domain.order import BUY, FILLED, LIMIT, OPEN, Order, OrderReport
from domain.outcome import Accepted, Rejected, Unknown
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.fake_orders import Lost
from tests.fakes.virtual_time import in_virtual_time, virtual_clock


def order(slot: int = 0, ticks: int = 100, lots: int = 10) -> Order:
    key = OrderKey(1, 1, 0, slot, 0, 0, 0)
    return Order(key, encode(key), "BTCUSDT", BUY, LIMIT, ticks, lots)


def fake() -> FakeExchange:
    return FakeExchange(clock=virtual_clock())


@in_virtual_time
async def test_it_keeps_the_exchange_contract() -> None:
    exchange: BaseExchange = fake()
    assert exchange.instrument("BTCUSDT").base == "BTC"
    assert await exchange.place(order(), 1) == Accepted("1000")
    assert [item.client_order_id for item in await exchange.open_orders()] == [order().client_order_id]
    assert isinstance(await exchange.place(order(), 1), Rejected)


@in_virtual_time
async def test_a_lost_answer_leaves_the_order_only_when_it_was_kept() -> None:
    exchange = fake()
    exchange.orders.next_places(Lost(kept=True), Lost(kept=False))
    kept, dropped = order(0), order(1)
    assert isinstance(await exchange.place(kept, 1), Unknown)
    assert isinstance(await exchange.place(dropped, 1), Unknown)
    report = await exchange.query(kept)
    assert report is not None
    assert report.status == OPEN
    assert await exchange.query(dropped) is None
    exchange.orders.arrive_late(dropped.client_order_id)
    assert await exchange.query(dropped) is not None


@in_virtual_time
async def test_a_fill_is_told_once_and_found_again_by_trade_id() -> None:
    exchange, seen = fake(), list[UserEvent]()

    async def listen() -> None:
        async for event in exchange.user_events():
            seen.append(event)

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await exchange.place(order(), 1)
    exchange.orders.fill(order().client_order_id, 4)
    exchange.users.lose()
    exchange.orders.reach("BTCUSDT", 100)
    await exchange.users.drained()
    assert [event.lots for event in seen if isinstance(event, Fill)] == [4]
    assert [fill.lots for fill in await exchange.fills_since("BTCUSDT", "1", 0)] == [6]
    reports = [event for event in exchange.users.log if isinstance(event, OrderReport)]
    assert [(report.status, report.filled) for report in reports] == [(OPEN, 0), (OPEN, 4), (FILLED, 10)]
    listener.cancel()


@in_virtual_time
async def test_streams_deliver_what_was_subscribed_and_break_when_told() -> None:
    exchange, seen = fake(), list[MarketEvent]()
    watching = asyncio.create_task(exchange.watch_market({"BTCUSDT"}, set(), seen.append))
    await asyncio.sleep(0)
    first = exchange.market.price("BTCUSDT", 100)
    exchange.market.price("ETHUSDT", 7)
    await exchange.market.drained()
    exchange.market.stall()
    exchange.market.price("BTCUSDT", 101)
    exchange.market.break_streams()
    done, _ = await asyncio.wait({watching})
    assert seen == [first]
    assert done.pop().exception() is not None
    assert (await exchange.last_price("BTCUSDT")).last == 101
