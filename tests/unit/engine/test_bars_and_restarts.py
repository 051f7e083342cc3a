from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.base_exchange import Bar
from core.base_strategy import STRATEGIES
from domain import slots
from engine.engine_manager import InstanceSpec
from tests.fakes.virtual_time import START_MS, in_virtual_time
from tests.learning_markets import EAGER
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, Node, node_on, open_floor

MINUTE = 60_000
SIZE = Decimal("0.001")
BOTS: dict[str, dict[str, Any]] = {
    "ma_cross": {"fast": 3, "slow": 9, "size": SIZE},
    "rsi": {"period": 5, "size": SIZE},
    "self_learning": EAGER,
}


def bar(number: int) -> Bar:
    close = PRICE + (number * 7919) % 1_000 - 500
    return Bar(SYMBOL, "1m", START_MS + number * MINUTE, close, close, close, close, 1)


def spec(floor: Floor, kind: str) -> InstanceSpec:
    found = STRATEGIES.get(kind)
    return replace(floor.spec(), kind=found, params=found.params(**BOTS[kind]))


async def show(node: Node, floor: Floor, numbers: range) -> None:
    for number in numbers:
        floor.market.bars.append(bar(number))
        node.engine.put_bar(bar(number))
        await node.quiet()


async def end_of(kind: str, restart_after: int | None) -> tuple[list[int], list[float]]:
    """State and memory after thirty bars, with or without a restart between two of them."""
    floor = open_floor()
    floor.market.bars = [bar(number) for number in range(-60, 0)]
    first = range(30 if restart_after is None else restart_after)
    async with node_on(floor, spec(floor, kind)) as node:
        await show(node, floor, first)
        end = node.engine.instance
    if restart_after is not None:
        async with node_on(floor, spec(floor, kind)) as node:
            await show(node, floor, range(restart_after, 30))
            end = node.engine.instance
    floor.check_books()
    end.state[slots.HEADER + slots.ENTRY_MS] = 0  # a restart takes time
    return end.state, end.memory


@pytest.mark.parametrize("kind", sorted(BOTS))
@pytest.mark.parametrize("restart_after", [1, 13, 29])
@in_virtual_time
async def test_a_restart_shows_no_bar_twice(kind: str, restart_after: int) -> None:
    assert await end_of(kind, restart_after) == await end_of(kind, None)


@in_virtual_time
async def test_bars_that_closed_while_nobody_was_there_are_shown_without_acting_on_them() -> None:
    floor = open_floor()
    floor.market.bars = [bar(number) for number in range(-60, 0)]
    async with node_on(floor, spec(floor, "rsi")) as node:
        await show(node, floor, range(5))
    sent = len(floor.our_orders())
    floor.market.bars += [bar(number) for number in range(5, 25)]
    async with node_on(floor, spec(floor, "rsi")) as node:
        memory = node.engine.instance.memory
        assert len(floor.our_orders()) == sent
    whole = open_floor()
    whole.market.bars = [bar(number) for number in range(-60, 0)]
    async with node_on(whole, spec(whole, "rsi")) as node:
        await show(node, whole, range(25))
        assert node.engine.instance.memory == memory
