"""Mechanisms of the sweep: whose orders rest there, and what the stream has lost."""

from __future__ import annotations

from typing import Any

import pytest

from core.base_exchange import OpenOrder
from domain.client_order_id import OrderKey, encode
from domain.fill import Fill
from domain.order import BUY, OrderReport
from engine.account_hub import AccountHub
from engine.position_syncer import PositionSyncer
from engine.trading_engine import TradingEngine
from tests.fakes.fake_orders import Lost
from tests.fakes.virtual_time import in_virtual_time
from tests.negative.mechanism import (
    FAST,
    Mechanism,
    Stage,
    bids,
    pass_time,
    process_on,
    replace,
    require,
    require_fills_booked_once,
    require_one_order_per_slot,
)
from tests.unit.engine.floor import PRICE, SYMBOL, open_floor

# What rests at the venue and is not believed in.


def without_prefix_check(patch: pytest.MonkeyPatch) -> None:
    real = PositionSyncer._key_of

    def anyone(self: PositionSyncer, client_order_id: str) -> OrderKey:
        return real(self, client_order_id) or OrderKey(1, 7, 0, 1, 0, 0, 0)

    replace(patch, PositionSyncer, "_key_of", anyone)


@in_virtual_time
async def a_person_trades_on_the_same_account(_: Stage) -> None:
    floor = open_floor()
    other_deployment = encode(OrderKey(2, 7, 0, 1, 0, 0, 0))
    for name in ("web_4711", other_deployment):
        rest = floor.exchange.orders.foreign
        rest.append(OpenOrder(name, "5", SYMBOL, BUY, PRICE - 1_000, 10, 0, 0))
    async with process_on(floor) as node:
        await node.hub.sweep_now()
        require(
            not floor.exchange.orders.cancelled, f"foreign orders were cancelled: {floor.exchange.orders.cancelled}"
        )


def without_orphan_cancel(patch: pytest.MonkeyPatch) -> None:
    async def leave(self: PositionSyncer, key: OrderKey, found: Any, report: Any) -> None:
        return None

    replace(patch, PositionSyncer, "_cancel_orphan", leave)


@in_virtual_time
async def an_order_given_up_rests_after_all(_: Stage) -> None:
    floor = open_floor()
    floor.exchange.orders.next_places(Lost(kept=False))
    async with process_on(floor, settings=FAST) as node:
        lost = floor.our_orders()[0].client_order_id
        await pass_time(120)
        await pass_time(3)
        floor.exchange.orders.arrive_late(lost)
        await node.hub.sweep_now()
        await pass_time(3)
        require_one_order_per_slot(floor)


def without_proof_of_ownership(patch: pytest.MonkeyPatch) -> None:
    async def surely(engine: TradingEngine) -> bool:
        return True

    replace(patch, PositionSyncer, "_is_still_ours", staticmethod(surely))


@in_virtual_time
async def an_owner_of_the_past_sweeps(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor) as old:
        floor.exchange.users.lose()
        async with process_on(floor) as new:
            floor.exchange.orders.fill(bids(floor)[0])
            await new.hub.sweep_now()
            await pass_time(3)
            await old.hub.sweep_now()
            cancelled = floor.exchange.orders.cancelled
            require(not cancelled, f"the past owner cancelled the new owner's {cancelled}")


# What the stream loses is read from the trades.


def without_sweep_after_a_gap(patch: pytest.MonkeyPatch) -> None:
    real = AccountHub._take

    def deaf(self: AccountHub, event: Any) -> None:
        if isinstance(event, Fill | OrderReport):
            real(self, event)

    replace(patch, AccountHub, "_take", deaf)


def without_reading_twice(patch: pytest.MonkeyPatch) -> None:
    real = PositionSyncer._read_fills

    async def from_the_newest(self: PositionSyncer, symbol: str, engines: Any, report: Any) -> None:
        newest = await next(iter(engines.values()))._keeper._journal.watermark(1, symbol)
        if not newest:
            return await real(self, symbol, engines, report)
        for fill in await self._exchange.fills_since(symbol, newest, 0):
            self.route_fill(fill, engines)
        return None

    replace(patch, PositionSyncer, "_read_fills", from_the_newest)


@in_virtual_time
async def a_trade_is_lost_beneath_a_later_one(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor) as node:
        first, second = bids(floor)
        floor.exchange.users.lose()
        floor.exchange.orders.fill(first)
        floor.exchange.users.lose(False)
        floor.exchange.orders.fill(second)
        await pass_time(3)
        floor.exchange.users.gap()
        await pass_time(2)
        await pass_time(3)
        require_fills_booked_once(floor, node.engine.instance.position.lots)


MECHANISMS = [
    Mechanism("foreign orders are told by their name", without_prefix_check, a_person_trades_on_the_same_account),
    Mechanism("orders nobody believes in are cancelled", without_orphan_cancel, an_order_given_up_rests_after_all),
    Mechanism("a past owner proves itself before it cancels", without_proof_of_ownership, an_owner_of_the_past_sweeps),
    Mechanism("a gap of the stream is read up", without_sweep_after_a_gap, a_trade_is_lost_beneath_a_later_one),
    Mechanism("trades are read from before the newest", without_reading_twice, a_trade_is_lost_beneath_a_later_one),
]
