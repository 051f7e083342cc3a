"""Funding reaches the books of whoever held the position: once, whole, and only when its executions are all known."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.base_exchange import Capabilities, FundingCharged
from domain import events
from domain.funding import FundingPayment, FundingShare
from domain.order import BUY
from engine.idle_books import idle_books
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.memory_journal import DOWN, UNKNOWN_KEPT
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.law_harness import BTCUSDT
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, Node, node_on, open_floor


def futures_floor() -> Floor:
    floor = open_floor()
    clock = virtual_clock()
    floor.exchange = FakeExchange(BTCUSDT, clock=clock, capabilities=Capabilities(market="futures", can_short=True))
    floor.exchange.orders.market_ticks[SYMBOL] = PRICE
    return floor


async def held(floor: Floor, node: Node) -> int:
    """Fill the nearest bid; gives the lots."""
    bid = max((one for one in floor.exchange.orders.resting(SYMBOL) if one.side == BUY), key=lambda one: one.ticks)
    floor.exchange.orders.fill(bid.client_order_id)
    await node.quiet()
    return bid.lots


def pay(floor: Floor, amount: int, lots: int, number: str = "51") -> FundingPayment:
    """The venue charges or pays, and its stream says so."""
    now_ms = virtual_clock().trading.now_ms()
    payment = FundingPayment(SYMBOL, number, now_ms, "USDT", amount, lots)
    floor.exchange.payments.append(payment)
    floor.exchange.users.happen(FundingCharged(now_ms))
    return payment


def booked(floor: Floor) -> list[int]:
    entries = floor.journal.book(7).entries.values()
    return [entry.postings[0].amount for entry in entries if entry.kind == "funding"]


@in_virtual_time
async def test_funding_is_booked_once_however_often_it_is_told_and_read() -> None:
    floor = futures_floor()
    async with node_on(floor) as node:
        lots = await held(floor, node)
        await asyncio.sleep(1)
        pay(floor, -1_234, lots)
        await node.quiet()
        assert booked(floor) == [-1_234]
        before = node.engine.books.result.realised
        floor.exchange.users.replay(1)
        floor.exchange.users.gap()
        await asyncio.sleep(200)
        await node.quiet()
        assert booked(floor) == [-1_234]
        assert node.engine.books.result.realised == before
        metrics = floor.journal.book(7).metrics
        assert metrics is not None
        assert metrics.realised == before - node.engine.books.result.fees
    async with node_on(floor) as node:
        assert booked(floor) == [-1_234]
        assert node.engine.books.result.realised == before


@in_virtual_time
async def test_funding_that_nobody_saw_is_booked_by_the_next_owner() -> None:
    floor = futures_floor()
    async with node_on(floor) as node:
        lots = await held(floor, node)
    await asyncio.sleep(1)
    pay(floor, 777, lots)
    async with node_on(floor) as node:
        assert booked(floor) == [777]
        assert node.engine.books.result.realised == 777


@in_virtual_time
async def test_a_payment_that_the_venue_lists_late_is_looked_for() -> None:
    floor = futures_floor()
    async with node_on(floor) as node:
        lots = await held(floor, node)
        await asyncio.sleep(1)
        payment = pay(floor, -9, lots)
        floor.exchange.payments.clear()
        await asyncio.sleep(20)
        assert booked(floor) == []
        floor.exchange.payments.append(payment)
        await asyncio.sleep(60)
        assert booked(floor) == [-9]


@in_virtual_time
async def test_an_execution_that_was_lost_is_found_before_the_funding_of_its_position_is_shared() -> None:
    floor = futures_floor()
    async with node_on(floor) as node:
        floor.exchange.users.lose()
        lots = await held(floor, node)
        lots += await held(floor, node)
        floor.exchange.users.lose(is_losing=False)
        await asyncio.sleep(1)
        pay(floor, -1_000, lots)
        await asyncio.sleep(60)
        await node.quiet()
        assert node.engine.instance.position.lots == lots * BTCUSDT.base_per_lot
        assert booked(floor) in ([-1_000], []), "a share of an unknown position"
        floor.exchange.users.gap()
        await asyncio.sleep(4_000)
        assert booked(floor) == [-1_000]


@in_virtual_time
async def test_the_owner_s_own_position_keeps_its_own_funding() -> None:
    floor = futures_floor()
    async with node_on(floor) as node:
        lots = await held(floor, node)
        await asyncio.sleep(1)
        pay(floor, -1_000, 4 * lots)
        await node.quiet()
        assert booked(floor) == [-250]


@in_virtual_time
async def test_a_journal_that_fails_books_funding_once() -> None:
    floor = futures_floor()
    async with node_on(floor) as node:
        lots = await held(floor, node)
        await asyncio.sleep(1)
        floor.journal.fail_next(UNKNOWN_KEPT, DOWN, UNKNOWN_KEPT)
        pay(floor, -50, lots)
        await asyncio.sleep(30)
        await node.quiet()
        assert booked(floor) == [-50]


@in_virtual_time
async def test_a_strategy_that_was_stopped_with_a_position_gets_its_funding_in_time() -> None:
    floor = futures_floor()
    ether = replace(BTCUSDT, symbol="ETHUSDT", base="ETH")
    floor.exchange.instruments["ETHUSDT"] = ether
    floor.market.move("ETHUSDT", PRICE, virtual_clock().machine.now_ms())
    async with node_on(floor) as node:
        lots = await held(floor, node)
        node.manager.tell(7, events.STOP)
        await node.quiet()
    epoch = floor.journal.book(7).epoch
    await asyncio.sleep(1)
    pay(floor, -1_000, lots)
    async with node_on(floor, replace(floor.spec(), number=8, symbol="ETHUSDT")) as node:
        assert booked(floor) == [-1_000], "what came while nothing of the account ran"
        await asyncio.sleep(86_400)
        pay(floor, -234, lots, "52")
        await node.quiet()
        assert sorted(booked(floor)) == [-1_000, -234]
        floor.exchange.users.replay(1)
        await asyncio.sleep(7_200)
        assert len(booked(floor)) == 2
        assert floor.journal.book(7).epoch == epoch, "nobody is fenced"
        assert not any(entry.kind == "funding" for entry in floor.journal.book(8).entries.values())
        metrics = floor.journal.book(7).metrics
        assert metrics is not None
        assert metrics.realised == -234, "the day it was paid"
    async with node_on(floor) as node:
        assert len(booked(floor)) == 2
        assert node.engine.books.result.realised == -1_234


@in_virtual_time
async def test_whoever_takes_a_stopped_strategy_up_books_its_funding_itself() -> None:
    floor = futures_floor()
    async with node_on(floor) as node:
        lots = await held(floor, node)
        idle = await idle_books(7, BTCUSDT, floor.journal)
    async with node_on(floor) as node:
        payment = pay(floor, -77, lots)
        await node.quiet()
        await idle.give(FundingShare(payment, -77))
        assert booked(floor) == [-77]
        assert node.engine.books.result.realised == -77
