from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import strategies
from core.base_strategy import STRATEGIES
from domain import events, slots
from domain.order import is_complete
from tests.law_harness import Bench
from tests.learning_markets import EAGER

STRATEGIES.scan(strategies)
START_PRICE = 6_000_000

PARAMETERS: dict[str, dict[str, Any]] = {
    "grid": {"lower_price": Decimal(57_000), "upper_price": Decimal(63_000), "levels": 12,
             "quantity_per_level": Decimal("0.00123"), "trailing_up_limit": Decimal(66_000),
             "stop_loss_price": Decimal(54_000)},
    "trailing_grid": {"grid_levels": 8, "quantity": Decimal("0.00123"), "stop_loss_percent": Decimal(3)},
    "dca": {"amount": Decimal(50), "interval_minutes": 1, "take_profit_percent": Decimal(1)},
    "ma_cross": {"fast": 2, "slow": 4, "size": Decimal("0.00123")},
    "rsi": {"period": 3, "oversold": 40, "overbought": 60, "size": Decimal("0.00123")},
    "self_learning": EAGER,
}  # fmt: skip

MOVES = some.lists(some.integers(-120, 120), min_size=5, max_size=60)
VERBS = some.sampled_from([events.PAUSE, events.RESUME, events.RESUME, -1, -1, -1, -1, -1])


def params_of(name: str) -> Any:
    """Those above; a strategy that is not there trades its example."""
    kind = STRATEGIES.get(name)
    return kind.params(**PARAMETERS[name]) if name in PARAMETERS else kind.example()


@pytest.mark.parametrize("name", list(STRATEGIES))
@settings(max_examples=40)
@given(
    moves=MOVES, verbs=some.lists(VERBS, min_size=60, max_size=60), partial=some.booleans(), seed=some.integers(0, 99)
)
def test_what_a_strategy_believes_it_holds_is_what_its_fills_add_up_to(
    name: str, moves: list[int], verbs: list[int], partial: bool, seed: int
) -> None:
    kind = STRATEGIES.get(name)
    bench = Bench(kind, params_of(name), START_PRICE, seed=seed, partial=partial)
    bench.tell(events.START)
    for move, verb in zip(moves, verbs, strict=False):
        before = bench.price
        bench.move_to(max(bench.price + move * 1_000, 100_000))
        if bench.plan.wants_bars:
            bar = {"open": before, "high": max(before, bench.price), "low": min(before, bench.price)}
            bench.tell(events.BAR, close=bench.price, volume=1, **bar)
        if verb >= 0:
            bench.tell(verb)
        assert bench.held() == bench.instance.position.lots
        assert bench.instance.position.lots >= 0
        assert len({order.key.slot for order in bench.instance.live_orders()}) == len(bench.instance.live_orders())


@pytest.mark.parametrize("name", list(STRATEGIES))
@settings(max_examples=25)
@given(moves=MOVES, partial=some.booleans(), seed=some.integers(0, 99))
def test_flattening_sells_all_but_dust_and_leaves_no_order(
    name: str, moves: list[int], partial: bool, seed: int
) -> None:
    kind = STRATEGIES.get(name)
    bench = Bench(kind, params_of(name), START_PRICE, seed=seed, partial=partial)
    bench.tell(events.START)
    for move in moves:
        bench.move_to(max(bench.price + move * 1_000, 100_000))
        if bench.plan.wants_bars:
            bench.tell(events.BAR, open=bench.price, high=bench.price, low=bench.price, close=bench.price, volume=1)
    bench.tell(events.FLATTEN)
    assert all(is_complete(order) for order in bench.instance.orders.values())
    left = bench.instance.position.lots * bench.price * bench.instrument.tick_lot // bench.instrument.base_per_lot
    assert left < bench.view().min_notional
    assert bench.held() == bench.instance.position.lots
    assert all(
        slots.wish_of(bench.instance.state, slot).side == 0 for slot in range(slots.count_of(bench.instance.state))
    )
