"""A safety mechanism, how it is switched off, and the scenario that does harm without it.

Nothing in the product can switch a mechanism off: a switch replaces one function or one collaborator for one test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from domain.order import OPEN
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager, InstanceSpec
from engine.order_gateway import ResolveSettings
from tests.fakes.virtual_time import virtual_clock
from tests.simulator_process import SimulatorProcess
from tests.unit.engine.floor import SYMBOL, Floor, Node

#: Unknown orders are given up after two seconds and a window, not after a minute.
FAST = HubSettings(resolve=ResolveSettings(dead_margin_ms=2_000))

Switch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scenario plays."""

    folder: Path
    #: Gives the simulated venue, started when it is first asked for.
    venue: Callable[[], SimulatorProcess]
    #: Gives the address of an empty Redis, started when it is first asked for.
    redis: Callable[[], str]


Scenario = Callable[[Stage], None]


def replace(patch: pytest.MonkeyPatch, owner: object, name: str, instead: Any) -> None:
    """Put a function in another's place; it has to take what that one takes, or it fails for a reason of its own."""
    taken, given = (signature(one).parameters.values() for one in (getattr(owner, name), instead))
    takes_anything = any(one.kind is one.VAR_POSITIONAL for one in given)
    if len(taken) != len(given) and not takes_anything:
        words = f"{name} takes {len(taken)} arguments, what is put in its place {len(given)}"
        raise TypeError(f"{words}: bring the switch up to date.")
    patch.setattr(owner, name, instead)


class Harm(AssertionError):
    """What the mechanism keeps from happening has happened."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One row of the table."""

    name: str
    switch_off: Switch
    scenario: Scenario


def require(holds: bool, harm: str) -> None:
    """`Harm` unless it holds."""
    if not holds:
        raise Harm(harm)


def bids(floor: Floor) -> list[str]:
    """Names of the resting bids, highest first."""
    resting = sorted(floor.exchange.orders.resting(SYMBOL), key=lambda order: -order.ticks)
    return [order.client_order_id for order in resting]


def require_one_order_per_slot(floor: Floor) -> None:
    """No slot may have two orders that the venue could execute."""
    taken: dict[int, str] = {}
    for order in floor.our_orders():
        found = floor.exchange.orders.report(order.client_order_id)
        if found is not None and found.status == OPEN:
            other = taken.setdefault(order.key.slot, order.client_order_id)
            require(other == order.client_order_id, f"two orders rest for slot {order.key.slot}")


def require_fills_booked_once(floor: Floor, held: int) -> None:
    """Every trade of the venue is in the journal, and the position is their sum."""
    trades = {fill.trade_id for fill in floor.exchange.orders.trades}
    booked = {fill.trade_id for fill in floor.journal.book(7).fills.values()}
    require(trades == booked, f"the venue has trades {sorted(trades)}, the books {sorted(booked)}")
    truth = sum(fill.side * fill.lots * 1_000 for fill in floor.exchange.orders.trades)
    require(held == truth, f"{held} quanta are believed held; {truth} were traded")


async def pass_time(seconds: float) -> None:
    """Let virtual time pass; unlike waiting for quiet this ends whatever has gone wrong."""
    await asyncio.sleep(seconds)


@asynccontextmanager
async def process_on(
    floor: Floor, spec: InstanceSpec | None = None, settings: HubSettings | None = None
) -> AsyncIterator[Node]:
    """Take the instance up in a new process, a moment ago; leaving it is a death."""
    clock = virtual_clock()
    hub = AccountHub(1, 1, floor.exchange, floor.journal, clock, settings or HubSettings())
    manager = EngineManager(1, "node", floor.journal, floor.market, clock)
    await hub.start()
    try:
        await manager.start(spec or floor.spec(), hub)
        await pass_time(0.1)
        yield Node(manager, hub)
    finally:
        for number in list(manager.engines):
            await manager.release(number)
        await hub.stop()
