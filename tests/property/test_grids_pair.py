"""Each grid level has at most one buy and one paired sell, however its orders are filled."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import strategies
from core.base_strategy import STRATEGIES
from domain import events
from domain.events import Event
from domain.instance import Action, Place
from domain.order import BUY, ENTRY, EXIT, Order, is_complete
from tests.law_harness import Bench

STRATEGIES.scan(strategies)
PRICE = 6_000_000
PARAMETERS: dict[str, dict[str, Any]] = {
    "grid": {"lower_price": "58000", "upper_price": "62000", "levels": 8, "quantity_per_level": "0.00123",
             "split_at_start": False},
    "trailing_grid": {"grid_levels": 6, "quantity": "0.00123"},
}  # fmt: skip


class PairedBench(Bench):
    """Takes down what every level buys and sells, and at which price."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.live: dict[int, str] = {}
        #: Lots bought less lots sold, over all levels; the highest price paid in a level's present pair.
        self.open_lots = 0
        self.paid: dict[int, int] = {}
        self.entries: Counter[tuple[int, int]] = Counter()

    def _carry_out(self, action: Action) -> list[Event]:
        if isinstance(action, Place):
            self._check(action.order)
        return super()._carry_out(action)

    def _check(self, order: Order) -> None:
        slot = order.key.slot
        other = self.live.get(slot)
        rest = [one for one in self.instance.orders.values() if one.client_order_id == other and not is_complete(one)]
        assert not rest or other == order.client_order_id, f"level {slot} has {other} and {order.client_order_id}"
        self.live[slot] = order.client_order_id
        if order.key.leg == ENTRY:
            self.entries[slot, order.key.cycle] += 1
            assert order.side == BUY
        elif order.key.leg == EXIT:
            offered = sum(one.lots - one.filled for one in self.instance.live_orders() if one.key.leg == EXIT)
            assert offered <= self.open_lots, f"{offered} lots are offered and {self.open_lots} were bought"
            assert order.ticks > self.paid.get(slot, 0), f"level {slot} sells at {order.ticks}, and paid more"

    def _fill(self, order: Order, lots: int, ticks: int) -> list[Event]:
        self.open_lots += order.side * lots
        if order.side == BUY:
            self.paid[order.key.slot] = ticks
        return super()._fill(order, lots, ticks)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
@settings(max_examples=30)
@given(moves=some.lists(some.integers(-90, 90), min_size=5, max_size=60), seed=some.integers(0, 99))
def test_a_level_buys_once_and_sells_what_it_bought_above_what_it_paid(name: str, moves: list[int], seed: int) -> None:
    kind = STRATEGIES.get(name)
    bench = PairedBench(kind, kind.params(**PARAMETERS[name]), PRICE, seed=seed, partial=True)
    bench.tell(events.START)
    for move in moves:
        bench.move_to(max(bench.price + move * 1_000, PRICE // 2))
        assert bench.open_lots >= 0
        assert bench.held() == bench.instance.position.lots
