"""Mechanisms for a journal that is older than the venue: nothing is placed too early, or twice under one name."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace as changed
from decimal import Decimal
from typing import Any

import pytest

from core.base_strategy import STRATEGIES
from domain import events
from domain.fill import signed_lots
from domain.instance import Instance
from domain.order import BUY, SELL
from engine.account_hub import AccountHub
from engine.engine_manager import EngineManager, InstanceSpec
from engine.names import NameProof
from engine.strangers import Strangers
from engine.trading_engine import TradingEngine
from tests.fakes.memory_journal import Book
from tests.fakes.virtual_time import in_virtual_time, virtual_clock
from tests.negative.mechanism import Mechanism, Stage, bids, pass_time, process_on, replace, require
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, Node, open_floor


def asks(floor: Floor) -> list[str]:
    """Names of the resting offers."""
    return [order.client_order_id for order in floor.exchange.orders.resting(SYMBOL) if order.side == SELL]


def require_names_once(floor: Floor) -> None:
    """No name was sent twice."""
    names = Counter(order.client_order_id for order, _ in floor.exchange.orders.placed)
    require(max(names.values()) == 1, f"sent again: {[name for name, times in names.items() if times > 1]}")


def require_no_more_offered_than_held(floor: Floor) -> None:
    """Whatever is offered was bought before."""
    held = sum(signed_lots(fill) for fill in floor.exchange.orders.trades)
    offered = sum(one.lots - one.filled for one in floor.exchange.orders.resting(SYMBOL) if one.side == SELL)
    require(offered <= held, f"{offered} lots are offered and {held} held")


def without_gate(patch: pytest.MonkeyPatch) -> None:
    replace(patch, TradingEngine, "catch_up", lambda self: None)


@in_virtual_time
async def an_execution_is_told_before_the_venue_could_be_read(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor):
        backup = floor.journal.back_up(7)
        bought = floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(1)
        floor.exchange.orders.fill(asks(floor)[0])
        await pass_time(1)
    floor.journal.go_back(7, backup)
    clock = virtual_clock()
    hub = AccountHub(1, 1, floor.exchange, floor.journal, clock)
    manager = EngineManager(1, "node", floor.journal, floor.market, clock)
    await hub.start()
    floor.exchange.fail_reads(10_000)
    entering = asyncio.create_task(manager.start(floor.spec(), hub))
    await pass_time(2)
    floor.exchange.users.send(bought)
    await pass_time(2)
    floor.exchange.fail_reads(0)
    await entering
    await pass_time(60)
    require_names_once(floor)
    require_no_more_offered_than_held(floor)
    await manager.release(7)
    await hub.stop()


def without_taking_over(patch: pytest.MonkeyPatch) -> None:
    async def nobody(self: Strangers, engine: TradingEngine, found: Any, executed: Any) -> dict[str, list[Any]]:
        return {}

    replace(patch, Strangers, "introduce", nobody)


@in_virtual_time
async def what_was_sold_after_the_backup_is_not_offered_again(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor):
        backup = floor.journal.back_up(7)
        for _round in range(2):
            floor.exchange.orders.fill(bids(floor)[0])
            await pass_time(1)
            floor.exchange.orders.fill(asks(floor)[0])
            await pass_time(1)
    floor.journal.go_back(7, backup)
    async with process_on(floor):
        await pass_time(120)
        require_names_once(floor)
        require_no_more_offered_than_held(floor)


def without_proof_of_names(patch: pytest.MonkeyPatch) -> None:
    replace(patch, NameProof, "objection", lambda self, order: "")


def trailing(floor: Floor) -> InstanceSpec:
    kind, params = STRATEGIES.get("trailing_grid"), dict[str, Any](grid_levels=2, quantity=Decimal("0.001"))
    return changed(floor.spec(), kind=kind, params=kind.params(**params))


def with_old_names(patch: pytest.MonkeyPatch) -> None:
    replace(patch, Instance, "avoid_names_up_to", lambda self, attempt: None)


async def move_and_withdraw_bids(node: Node, floor: Floor) -> None:
    """Of bids that were moved nothing shows: they rest no more and have executed nothing."""
    floor.market.move(SYMBOL, PRICE + PRICE // 50, 0)
    await pass_time(3)
    node.manager.tell(7, events.STOP)
    await pass_time(3)
    require(not bids(floor), "the bids were not withdrawn")


async def trade_after_a_backup(floor: Floor) -> Book:
    """A round is traded, which the venue tells of, and bids come and go, of which it tells only who asks for them."""
    async with process_on(floor, trailing(floor)) as node:
        backup = floor.journal.back_up(7)
        floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(1)
        floor.exchange.orders.fill(asks(floor)[0])
        await pass_time(1)
        await move_and_withdraw_bids(node, floor)
    floor.journal.go_back(7, backup)
    return backup


def require_it_goes_on(floor: Floor) -> None:
    """It bids, under names of its own."""
    require_names_once(floor)
    require(any(order.side == BUY for order in floor.exchange.orders.resting(SYMBOL)), "it does not go on")


@in_virtual_time
async def the_venue_denies_what_came_and_went_after_the_backup(_: Stage) -> None:
    floor = open_floor()
    await trade_after_a_backup(floor)
    floor.exchange.orders.denials = 10_000
    async with process_on(floor, trailing(floor)):
        await pass_time(300)
        require_it_goes_on(floor)


@in_virtual_time
async def the_same_backup_comes_back_a_second_time(_: Stage) -> None:
    floor = open_floor()
    backup = await trade_after_a_backup(floor)
    async with process_on(floor, trailing(floor)) as node:
        await pass_time(300)
        await move_and_withdraw_bids(node, floor)
    floor.journal.go_back(7, backup)
    async with process_on(floor, trailing(floor)):
        await pass_time(300)
        require_it_goes_on(floor)


MECHANISMS = [
    Mechanism(
        "nothing is placed before the venue was read", without_gate,
        an_execution_is_told_before_the_venue_could_be_read,
    ),
    Mechanism(
        "orders that only the venue knows are taken over", without_taking_over,
        what_was_sold_after_the_backup_is_not_offered_again,
    ),
    Mechanism(
        "names begin above those that a lost journal gave", with_old_names,
        the_venue_denies_what_came_and_went_after_the_backup,
    ),
    Mechanism(
        "a name is proven free where the journal was behind", without_proof_of_names,
        the_same_backup_comes_back_a_second_time,
    ),
]  # fmt: skip
