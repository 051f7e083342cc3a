"""An account that lets others go first leaves its private events unread for a moment, and hears all of them then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.base_exchange import Balance, BalanceChange
from engine.account_hub import AccountHub
from engine.right_of_way import LONGEST_SECONDS, RightOfWay
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.law_harness import BTCUSDT


class Pausable(FakeExchange):
    """A venue whose private events can wait."""

    def pause_events(self) -> None:
        self.users.hold()

    def resume_events(self) -> None:
        self.users.release()


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[AccountHub, Pausable]]:
    clock = virtual_clock()
    exchange = Pausable(BTCUSDT, clock=clock)
    hub = AccountHub(1, 1, exchange, MemoryJournal(clock.machine.now_ms), clock)
    await hub.start()
    await asyncio.sleep(0.1)
    try:
        yield hub, exchange
    finally:
        await hub.stop()


async def tell(exchange: FakeExchange, free: int) -> None:
    exchange.users.happen(BalanceChange("USDT", Balance(free, 0), 0))
    await asyncio.sleep(0.01)


def heard(hub: AccountHub) -> int:
    return hub.balances["USDT"].free


@in_virtual_time
async def test_what_comes_while_a_claim_is_held_is_heard_when_it_is_over() -> None:
    way = RightOfWay()
    async with listening() as (hub, exchange):
        hub.let_pass(way)
        await tell(exchange, 1)
        assert heard(hub) == 1, "nobody has claimed anything"
        claim = way.claim()
        hub.let_pass(way)
        await tell(exchange, 2)
        assert heard(hub) == 1
        way.release(claim)
        await asyncio.sleep(0.01)
        assert heard(hub) == 2


@in_virtual_time
async def test_who_has_let_one_claim_pass_lets_no_second_one_pass_before_something_was_heard() -> None:
    way = RightOfWay()
    async with listening() as (hub, exchange):
        way.claim()
        hub.let_pass(way)
        way.claim()
        hub.let_pass(way)
        await tell(exchange, 1)
        assert heard(hub) == 1
        hub.let_pass(way)
        await tell(exchange, 2)
        assert heard(hub) == 1
        await asyncio.sleep(LONGEST_SECONDS)
        assert heard(hub) == 2


@in_virtual_time
async def test_an_order_whose_fate_is_unknown_has_its_account_read_on_at_once() -> None:
    way = RightOfWay()
    async with listening() as (hub, exchange):
        way.claim()
        hub.let_pass(way)
        await tell(exchange, 1)
        hub.gateway.on_unknown()
        await asyncio.sleep(0.01)
        assert way.claimed
        assert heard(hub) == 1
