from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fills import MODELS, QUEUE, THROUGH, TOUCH, fee, is_marketable, on_bar, on_trade, queue_ahead
from domain.order import BUY, SELL

SIDES = st.sampled_from([BUY, SELL])
LOTS = st.integers(0, 10**12)
TICKS = st.integers(1, 10**9)


@given(st.sampled_from(sorted(MODELS.values())), SIDES, TICKS, st.integers(1, 10**12), LOTS, TICKS, LOTS)
def test_no_model_fills_more_than_the_order_or_before_its_price(
    model: int, side: int, limit: int, remaining: int, ahead: int, ticks: int, lots: int
) -> None:
    step = on_trade(model, side, limit, remaining, ahead, ticks, lots)
    assert 0 <= step.filled <= remaining
    assert 0 <= step.ahead <= ahead
    if side * (ticks - limit) > 0:
        assert step == (0, ahead)


@given(SIDES, TICKS, st.integers(1, 10**12), LOTS, TICKS, LOTS)
def test_a_kinder_model_never_fills_less(
    side: int, limit: int, remaining: int, ahead: int, ticks: int, lots: int
) -> None:
    touch, queue, through = (
        on_trade(model, side, limit, remaining, ahead, ticks, lots).filled for model in (TOUCH, QUEUE, THROUGH)
    )
    assert touch >= queue >= through


@given(SIDES, TICKS, st.integers(1, 10**6), st.integers(0, 10**6), st.lists(st.integers(1, 10**5), max_size=30))
def test_in_a_queue_everything_that_trades_is_either_in_front_or_ours(
    side: int, limit: int, size: int, ahead: int, trades: list[int]
) -> None:
    remaining, left = size, ahead
    for lots in trades:
        step = on_trade(QUEUE, side, limit, remaining, left, limit, lots)
        remaining, left = remaining - step.filled, step.ahead
    assert size - remaining == max(0, min(size, sum(trades) - ahead))


@pytest.mark.parametrize(
    ("side", "limit", "taken"), [(BUY, 101, True), (BUY, 100, False), (SELL, 100, True), (SELL, 101, False)]
)
def test_an_order_over_the_spread_would_take(side: int, limit: int, taken: bool) -> None:
    assert is_marketable(side, limit, 100, 101) is taken
    assert not is_marketable(side, limit, 0, 0)


def test_a_bar_fills_what_it_went_through() -> None:
    assert on_bar(QUEUE, BUY, 100, 99, 120)
    assert not on_bar(QUEUE, BUY, 100, 100, 120)
    assert on_bar(TOUCH, BUY, 100, 100, 120)
    assert on_bar(THROUGH, SELL, 100, 90, 101)
    assert not on_bar(THROUGH, SELL, 100, 90, 100)


def test_a_new_order_stands_behind_what_is_shown_unless_it_improves_the_price() -> None:
    assert queue_ahead(BUY, 100, 100, 103, 7, 9) == 7
    assert queue_ahead(BUY, 101, 100, 103, 7, 9) == 0
    assert queue_ahead(BUY, 95, 100, 103, 7, 9) == 7
    assert queue_ahead(SELL, 103, 100, 103, 7, 9) == 9
    assert queue_ahead(SELL, 102, 100, 103, 7, 9) == 0


@given(st.integers(0, 10**18), st.integers(0, 100_000))
def test_a_fee_is_exact_and_rounded_up(received: int, rate: int) -> None:
    charged = fee(received, rate)
    assert (charged - 1) * 1_000_000 < received * rate <= charged * 1_000_000
