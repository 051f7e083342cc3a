"""Restarts and the order of private events change nothing: metamorphic runs of every strategy, in virtual time.

A course is a list of price moves. It is run plainly, and once more with deaths at drawn places (I-20) or with the
private events of every step shuffled and repeated (I-21); state, orders, fills and balances must be the same, times
aside.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.base_exchange import Bar
from core.base_strategy import STRATEGIES
from domain import events, ledger, slots
from domain.events import Event
from tests.fakes.virtual_time import START_MS, VirtualLoop
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, Node, node_on, open_floor

STEP_SECONDS = 90
BAR_MS = 60_000
PARAMETERS: dict[str, dict[str, Any]] = {
    "grid": {"lower_price": "58000", "upper_price": "62000", "levels": 6, "spacing": "arithmetic",
             "quantity_per_level": "0.001", "split_at_start": False, "trailing_up_limit": "64000"},
    "trailing_grid": {"grid_levels": 4, "quantity": "0.001", "stop_loss_percent": "4"},
    "dca": {"amount": "50", "interval_minutes": 1, "take_profit_percent": "1"},
    "ma_cross": {"fast": 2, "slow": 4, "size": "0.001"},
    "rsi": {"period": 3, "oversold": 40, "overbought": 60, "size": "0.001"},
}  # fmt: skip
MOVES = some.lists(some.integers(-90, 90), min_size=4, max_size=9)
#: Step -> whether the process dies in its middle, with its events undelivered, or in the quiet after it.
DEATHS = some.dictionaries(some.integers(0, 8), some.booleans(), max_size=4)
each = pytest.mark.parametrize("name", list(STRATEGIES))


class Course:
    """One run."""

    def __init__(self, name: str, fee_ppm: int, deaths: dict[int, bool], seed: int | None) -> None:
        kind = STRATEGIES.get(name)
        self.params = kind.params(**PARAMETERS[name]) if name in PARAMETERS else kind.example()
        self.kind, self.fee_ppm, self.deaths = kind, fee_ppm, deaths
        self.chance = None if seed is None else random.Random(seed)
        self.price = PRICE
        self.floor: Floor

    async def run(self, moves: list[int]) -> dict[str, Any]:
        """Play the moves; gives everything that must not depend on how it was played."""
        self.floor = open_floor()
        self.floor.exchange.orders.fee_ppm = self.fee_ppm
        async with AsyncExitStack() as stack:
            node = await stack.enter_async_context(self._node())
            for number, move in enumerate(moves):
                await self._until(number + 1)
                node = await self._step(number, move, node, stack)
                if self.deaths.get(number) is False:
                    node = await self._again(stack)
            return self._end(node)

    def _node(self) -> Any:
        spec = self.floor.spec()
        other = type(spec)(7, 0, SYMBOL, "1m", self.kind, self.params, self.floor.limits, spec.capital)
        return node_on(self.floor, other)

    async def _again(self, stack: AsyncExitStack) -> Node:
        await stack.aclose()
        node: Node = await stack.enter_async_context(self._node())
        return node

    @staticmethod
    async def _until(step: int) -> None:
        await asyncio.sleep(max(step * STEP_SECONDS - asyncio.get_running_loop().time(), 0))

    async def _step(self, number: int, move: int, node: Node, stack: AsyncExitStack) -> Node:
        before, self.price = self.price, max(self.price + move * 1_000, PRICE // 2)
        self._hold()
        self.floor.exchange.orders.reach(SYMBOL, self.price)
        await self._release(node)
        if self.deaths.get(number):
            node = await self._again(stack)
        now_ms = START_MS + (number + 1) * STEP_SECONDS * 1_000
        self._hold()
        self.floor.market.move(SYMBOL, self.price, now_ms)
        await self._release(node)
        self._hold()
        self._wake(node, number, before, now_ms)
        await self._release(node)
        return node

    def _wake(self, node: Node, number: int, before: int, now_ms: int) -> None:
        high, low = max(before, self.price), min(before, self.price)
        open_ms = START_MS + number * BAR_MS
        bar = Bar(SYMBOL, "1m", open_ms, before, high, low, self.price, 1)
        self.floor.market.bars.append(bar)
        if node.engine.wants_bars:
            node.engine.put_bar(bar)
        if 0 < node.engine.instance.state[slots.WAKE_MS] <= now_ms:
            node.engine.put(Event(events.TIMER, now_ms))

    def _hold(self) -> None:
        if self.chance is not None:
            self.floor.exchange.users.hold()

    async def _release(self, node: Node) -> None:
        if self.chance is not None:
            await asyncio.sleep(0.05)
            self.floor.exchange.users.release(self._mixed)
        await node.quiet()

    def _mixed(self, held: list[Any]) -> list[Any]:
        assert self.chance is not None
        mixed = held + [event for event in held if self.chance.random() < 0.5]
        self.chance.shuffle(mixed)
        return mixed

    def _end(self, node: Node) -> dict[str, Any]:
        self.floor.check_books()
        book = self.floor.journal.book(7)
        books = ledger.Ledger()
        for entry in book.entries.values():
            books.post(entry)
        instance = node.engine.instance
        return {
            "state": _timeless(instance.state),
            "memory": [repr(value) for value in instance.memory],
            "position": instance.position,
            "orders": {
                name: (one.status, one.side, one.ticks, one.lots, one.filled, one.booked)
                for name, one in book.orders.items()
            },
            "fills": sorted((one.client_order_id, one.ticks, one.lots, one.fee) for one in book.fills.values()),
            "balances": dict(books.balances()),
            "resting": self.floor.open_prices(),
        }


def _timeless(state: list[int]) -> list[int]:
    kept = list(state)
    kept[slots.WAKE_MS] = 0
    for slot in range(slots.count_of(state)):
        kept[slots.HEADER + slot * slots.WIDTH + slots.ENTRY_MS] = 0
    return kept


def played(
    name: str, moves: list[int], fee_ppm: int, deaths: dict[int, bool] | None = None, seed: int | None = None
) -> dict[str, Any]:
    """The end of a course."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(Course(name, fee_ppm, deaths or {}, seed).run(moves))


@each
@settings(max_examples=8)
@given(moves=MOVES, deaths=DEATHS)
def test_a_restarted_run_ends_as_an_uninterrupted_one(name: str, moves: list[int], deaths: dict[int, bool]) -> None:
    assert played(name, moves, 1_000, deaths) == played(name, moves, 1_000)


@each
@settings(max_examples=8)
@given(moves=MOVES, seed=some.integers(0, 10**6))
def test_private_events_in_any_order_and_number_end_in_the_same_state(name: str, moves: list[int], seed: int) -> None:
    assert played(name, moves, 0, seed=seed) == played(name, moves, 0)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_course_trades(name: str) -> None:
    swing = [-90, -80, 70, 90, -60, -90, 90, 90, -80, 60]
    assert played(name, swing, 1_000)["fills"]
