from __future__ import annotations

import pytest

from core.base_exchange import PriceUpdate
from engine.market_data.prices import (
    ACCEPTED,
    CROSSED,
    IMPOSSIBLE,
    JUMPED,
    LATE,
    REPEATED,
    SymbolPrices,
)
from engine.market_data.settings import MarketSettings


def update(last: int, time_ms: int = 10, bid: int = 0, ask: int = 0) -> PriceUpdate:
    return PriceUpdate("BTCUSDT", last, bid, ask, time_ms)


def at(last: PriceUpdate) -> SymbolPrices:
    prices = SymbolPrices("BTCUSDT", 1_000_000, MarketSettings(), 0)
    prices.last = last
    return prices


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        (update(101, 11), ACCEPTED),
        (update(100, 11), ACCEPTED),
        (update(100, 10), REPEATED),
        (update(101, 9), LATE),
        (update(100, 9), REPEATED),
        (update(100, 9, bid=99, ask=101), ACCEPTED),
        (update(100, 11, bid=102, ask=101), CROSSED),
        (update(0, 11), IMPOSSIBLE),
        (update(-5, 11), IMPOSSIBLE),
        (update(1_000_001, 11), IMPOSSIBLE),
        (update(100, 0), IMPOSSIBLE),
        (update(100, 11, bid=-1), IMPOSSIBLE),
        (update(121, 11), JUMPED),
        (update(79, 11), JUMPED),
    ],
)
def test_every_update_gets_its_verdict(told: PriceUpdate, verdict: str) -> None:
    assert at(update(100, 10)).judge(told) == verdict


def test_a_jump_is_believed_when_it_is_told_a_second_time_by_another_update() -> None:
    prices = at(update(100))
    assert prices.judge(update(150, 11)) == JUMPED
    assert prices.judge(update(150, 11)) == JUMPED, "the same update again proves nothing"
    assert prices.judge(update(151, 12)) == ACCEPTED


def test_a_single_spike_is_forgotten_by_the_next_sane_price() -> None:
    prices = at(update(100))
    assert prices.judge(update(150, 11)) == JUMPED
    assert prices.judge(update(100, 12)) == ACCEPTED
    assert prices.judge(update(150, 13)) == JUMPED


def test_rest_is_a_second_source_so_its_jump_is_believed() -> None:
    assert at(update(100)).judge_answer(update(150, 11)) == ACCEPTED


def test_a_book_without_a_time_of_its_own_does_not_turn_time_back() -> None:
    prices = at(update(100, 10))
    assert prices.believed(update(100, 9, bid=99, ask=101)) == update(100, 10, bid=99, ask=101)


def test_the_strictest_bound_counts_until_its_owner_leaves() -> None:
    prices = at(update(100))
    prices.join(0)
    prices.join(1_000)
    assert prices.max_age_ms == 1_000
    prices.leave(1_000)
    assert prices.max_age_ms == 30_000
