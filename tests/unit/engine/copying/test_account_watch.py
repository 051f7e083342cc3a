"""A live account as a master: every execution counts once, whatever order the news come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from core.base_exchange import Capabilities, VenuePosition
from domain.client_order_id import OrderKey, encode
from domain.fill import signed_lots
from domain.order import BUY, ENTRY, LIMIT, SELL, Order
from engine.follower_engine.account_watch import AccountWatch, Seen
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.law_harness import BTCUSDT

SYMBOL = "BTCUSDT"
PRICE = 6_000_000


class LiveAccount(FakeExchange):
    """A futures account whose position is what it has traded, and what the test has added to it by another way."""

    def __init__(self) -> None:
        futures = Capabilities(market="futures", has_time_window=True, can_short=True)
        super().__init__(BTCUSDT, clock=virtual_clock(), capabilities=futures)
        self.moved = 0
        self.number = 0

    async def positions(self) -> list[VenuePosition]:
        """What the trades add up to."""
        await self._read()
        lots = self.moved + sum(signed_lots(fill) for fill in self.orders.trades)
        return [VenuePosition(SYMBOL, "BOTH", lots, Decimal(60_000), Decimal(0), 10)] if lots else []

    async def rest(self, lots: int) -> str:
        """An order of the master that rests; gives its name."""
        self.number += 1
        key = OrderKey(1, 99, 0, 0, self.number, ENTRY, 0)
        order = Order(key, encode(key), SYMBOL, BUY if lots > 0 else SELL, LIMIT, PRICE, abs(lots))
        await self.place(order, 0)
        return order.client_order_id


@asynccontextmanager
async def watched(account: LiveAccount) -> AsyncIterator[list[Seen]]:
    seen: list[Seen] = []
    watch = AccountWatch(account, "USDT", virtual_clock(), seen.append)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(1)
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def last(seen: list[Seen]) -> Decimal:
    return seen[-1].quantity


@in_virtual_time
async def test_the_position_follows_executions_and_not_orders() -> None:
    account = LiveAccount()
    async with watched(account) as seen:
        name = await account.rest(100_000)
        await asyncio.sleep(1)
        assert seen == []
        account.orders.fill(name, 30_000)
        await asyncio.sleep(0.1)
        account.orders.expire(name)  # cancelled with the rest of it
        await asyncio.sleep(20)
        assert [(one.quantity, one.source) for one in seen] == [(Decimal("0.3"), "stream")]


@in_virtual_time
async def test_executions_that_come_twice_late_and_in_another_order_count_once() -> None:
    account = LiveAccount()
    async with watched(account) as seen:
        account.users.hold()
        for lots in (100_000, -20_000, 50_000):
            account.orders.fill(await account.rest(lots))
        await asyncio.sleep(12)  # the audit reads the trades before the stream tells of them
        assert last(seen) == Decimal("1.3")
        account.users.release(lambda held: [*reversed(held), *held])
        await asyncio.sleep(12)
        assert last(seen) == Decimal("1.3")
        assert len(seen) == 1


@in_virtual_time
async def test_what_the_stream_loses_the_audit_finds_within_five_seconds() -> None:
    account = LiveAccount()
    async with watched(account) as seen:
        account.users.lose()
        account.orders.fill(await account.rest(-40_000))
        await asyncio.sleep(6)
        assert (last(seen), seen[-1].source) == (Decimal("-0.4"), "audit")
        account.users.lose(False)
        account.orders.fill(await account.rest(40_000))
        await asyncio.sleep(0.1)
        assert (last(seen), seen[-1].source) == (Decimal(0), "stream")


@in_virtual_time
async def test_what_no_trade_explains_is_taken_from_the_venue_and_what_was_there_before_is_the_start() -> None:
    account = LiveAccount()
    account.moved = 10_000
    async with watched(account) as seen:
        assert last(seen) == Decimal("0.1")
        account.moved = 25_000  # an adjustment by the venue
        await asyncio.sleep(12)
        assert (last(seen), seen[-1].source) == (Decimal("0.25"), "audit")
        account.orders.fill(await account.rest(5_000))
        await asyncio.sleep(0.1)
        assert last(seen) == Decimal("0.3")


@in_virtual_time
async def test_a_venue_that_cannot_be_read_for_a_while_is_told_of_and_read_again() -> None:
    account = LiveAccount()
    async with watched(account) as seen:
        account.fail_reads(4)
        account.users.lose()
        account.orders.fill(await account.rest(10_000))
        await asyncio.sleep(40)
        assert last(seen) == Decimal("0.1")
