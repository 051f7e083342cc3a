from __future__ import annotations

from decimal import Decimal

import strategies
from core.base_strategy import STRATEGIES
from domain import events, slots
from domain.order import BUY, FLATTEN
from tests.law_harness import Bench

STRATEGIES.scan(strategies)
START = 6_000_000


def bench(**params: object) -> Bench:
    kind = STRATEGIES.get("trailing_grid")
    wanted = {"quantity": Decimal("0.01"), "grid_levels": 3, "stop_loss_percent": Decimal(2), **params}
    made = Bench(kind, kind.params(**wanted), START)
    made.tell(events.START)
    return made


def bids(made: Bench) -> list[int]:
    return [order.ticks for order in made.instance.live_orders() if order.side == BUY]


def test_a_level_that_was_stopped_out_bids_below_the_price_and_is_not_bought_back_at_once() -> None:
    made = bench()
    made.move_to(START * 96 // 100)  # through every bid, and through every stop
    before = made.trade_id
    assert made.trade_id == 6, "three purchases and three stops"
    assert made.held() < made.instrument.base_per_lot
    assert len(bids(made)) == 3
    assert all(ticks < made.price for ticks in bids(made))
    made.move_to(made.price - 1)
    assert made.trade_id == before


def test_a_level_that_sold_at_its_profit_bids_again_where_it_did() -> None:
    made = bench()
    first = sorted(bids(made))
    made.move_to(first[-1] - 1)
    made.move_to(START)
    assert made.trade_id == 2
    assert sorted(bids(made)) == first


def test_a_time_stop_above_the_bid_leaves_the_bid_where_it_was() -> None:
    made = bench(stop_loss_percent=Decimal(0), time_stop_minutes=1)
    first = sorted(bids(made))
    made.move_to(first[-1] - 1)
    made.now_ms += 60_000
    made.move_to(first[-1] + 10)
    sold = [order for order in made.instance.orders.values() if order.key.leg == FLATTEN]
    assert made.trade_id == 2
    assert not sold, "its slot holds the next bid already"
    assert sorted(bids(made)) == first
    assert made.instance.state[slots.PHASE] == slots.ACTIVE
