"""What waits costs nothing until something changes, and is taken up again when it does."""

from __future__ import annotations

import asyncio

from core.base_exchange import TradingRules
from domain.risk_manager import over_capital
from engine.account_hub import HubSettings
from engine.gate import PAUSING, VENUE_CLOSED
from engine.parking import hears_prices, retry_seconds
from engine.trading_engine import EngineSettings
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import SYMBOL, node_on, open_floor

CAPITAL = over_capital.__name__


def test_what_a_moment_frees_is_tried_soon_and_what_a_price_frees_hears_prices() -> None:
    settings = EngineSettings()
    assert retry_seconds([], settings) is None
    assert retry_seconds([PAUSING, CAPITAL], settings) == settings.parked_retry
    assert retry_seconds([CAPITAL, VENUE_CLOSED], settings) == settings.parked_longest
    assert not hears_prices([CAPITAL, VENUE_CLOSED])
    assert hears_prices([CAPITAL, "outside_collar"])


@in_virtual_time
async def test_an_instance_whose_orders_wait_for_capital_sleeps() -> None:
    floor = open_floor()
    floor.limits = floor.limits._replace(capital=1)
    async with node_on(floor) as node:
        assert set(node.engine.status.held_back.values()) == {CAPITAL}
        before = node.engine.status.steps
        await asyncio.sleep(300)
        assert 0 < node.engine.status.steps - before <= 12


@in_virtual_time
async def test_a_venue_that_can_be_reached_again_wakes_what_waited_for_it_at_once() -> None:
    floor = open_floor()
    async with node_on(floor, settings=HubSettings(sweep_interval=10_000)) as node:
        node.hub.rules.mark_unreachable("the venue is away")
        node.engine.recheck()
        floor.exchange.orders.fill(floor.exchange.orders.resting(SYMBOL)[0].client_order_id)
        await asyncio.sleep(2)
        assert VENUE_CLOSED in node.engine.status.held_back.values()
        node.hub.rules.mark_unreachable("")
        await asyncio.sleep(0.1)
        assert node.engine.status.held_back == {}


@in_virtual_time
async def test_rules_that_are_read_again_wake_what_they_held_back() -> None:
    floor = open_floor()
    async with node_on(floor, settings=HubSettings(sweep_interval=10_000)) as node:
        standing = node.hub.rules.standing(SYMBOL)
        standing.rules = TradingRules(halt="halted")
        floor.exchange.orders.fill(floor.exchange.orders.resting(SYMBOL)[0].client_order_id)
        await asyncio.sleep(2)
        assert VENUE_CLOSED in node.engine.status.held_back.values()
        await node.hub.rules.look(node.hub.sweep_now)
        await asyncio.sleep(0.1)
        assert node.engine.status.held_back == {}


@in_virtual_time
async def test_a_first_sweep_that_is_patient_is_one_and_serves_everybody() -> None:
    floor = open_floor()
    settings = HubSettings(first_sweep_patience=5.0)
    async with node_on(floor, settings=settings) as node:
        assert node.hub.status.sweeps == 1
        floor.exchange.users.gap()
        await asyncio.sleep(1)
        assert node.hub.status.sweeps == 2
