"""Risk rules that guard the order path itself; every rule at and past its limit is in `tests/unit/domain`."""

from __future__ import annotations

import pytest

from domain import events, risk_manager
from domain.order import EXIT
from domain.outcome import Rejected
from domain.risk_manager import RiskIntent, RiskLimits, RiskView
from tests.fakes.virtual_time import in_virtual_time
from tests.negative.mechanism import (
    Mechanism,
    Stage,
    Switch,
    bids,
    pass_time,
    process_on,
    require,
)
from tests.unit.engine.floor import open_floor

WIDE = RiskLimits(max_price_age_ms=10**9, max_rejections=50)


def without_rule(name: str) -> Switch:
    """The rule never objects; every other rule keeps its code."""

    def never(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
        return False

    def switch(patch: pytest.MonkeyPatch) -> None:
        names = [rule.__name__ for rule in risk_manager.RULES]
        kept = [never if rule.__name__ == name else rule for rule in risk_manager.RULES]
        if name not in names:
            raise KeyError(name)
        patch.setattr(risk_manager, "RULES", tuple(kept))

    return switch


@in_virtual_time
async def the_price_is_ten_minutes_old(_: Stage) -> None:
    floor = open_floor()
    floor.limits = RiskLimits(max_price_age_ms=5_000)
    async with process_on(floor) as node:
        await pass_time(600)
        sent = len(floor.our_orders())
        floor.exchange.orders.fill(bids(floor)[0])
        await pass_time(2)
        await node.hub.sweep_now()
        require(len(floor.our_orders()) == sent, "an order was sent at a price nobody has seen for ten minutes")


@in_virtual_time
async def more_orders_are_wished_than_may_leave_in_a_second(_: Stage) -> None:
    floor = open_floor()
    floor.limits = WIDE._replace(max_messages=3)
    async with process_on(floor, floor.spec(levels=20)):
        await pass_time(3.5)
        times = sorted(committed for _, committed in floor.exchange.orders.placed)
        require(len(times) > 3, "nothing was to be throttled")
        crowded = [at for at, later in zip(times, times[3:], strict=False) if later < at + 1_000]
        require(not crowded, f"more than 3 orders left within a second of {crowded[:1]}")


@in_virtual_time
async def the_venue_refuses_every_order(_: Stage) -> None:
    floor = open_floor()
    floor.limits = WIDE._replace(max_rejections=3)
    floor.exchange.orders.next_places(*[Rejected("-2010 refused")] * 500)
    async with process_on(floor):
        await pass_time(60)
        sent = len(floor.our_orders())
        require(sent <= 6, f"{sent} orders were sent to a venue that refuses every one")


@in_virtual_time
async def somebody_resumes_while_the_kill_switch_is_on(_: Stage) -> None:
    floor = open_floor()
    async with process_on(floor) as node:
        node.manager.kill()
        await pass_time(3)
        sent = len(floor.our_orders())
        node.manager.tell(7, events.RESUME)
        await pass_time(3)
        await pass_time(3)
        entries = [order for order in floor.our_orders()[sent:] if order.key.leg != EXIT]
        require(not entries, "an entry left while the kill switch was on")


MECHANISMS = [
    Mechanism("a stale price starts no order", without_rule("stale_price"), the_price_is_ten_minutes_old),
    Mechanism("requests are throttled", without_rule("throttled"), more_orders_are_wished_than_may_leave_in_a_second),
    Mechanism("rejections in a row stop it", without_rule("repeated_rejection"), the_venue_refuses_every_order),
    Mechanism("the kill switch holds", without_rule("killed"), somebody_resumes_while_the_kill_switch_is_on),
]
