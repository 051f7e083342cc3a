from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.market.ladder import SyntheticLadder
from simulator.market.types import Side
from tests.simulator.market.worlds import LOT, START, TICK

SIDES: tuple[Side, Side] = ("BUY", "SELL")


def ladder(price: int = 100_000, taker: Side = "BUY", key: int = 5, time_ms: int = START) -> SyntheticLadder:
    made = SyntheticLadder(key, TICK, LOT, 40 * LOT)
    made.anchor(price * TICK, taker, time_ms)
    return made


@given(st.integers(1, 10**8), st.sampled_from(SIDES), st.integers(0, 2**63), st.integers(0, 10**13))
def test_a_ladder_is_ordered_on_tick_and_lot_and_stands_around_the_print(
    price: int, taker: Side, key: int, time_ms: int
) -> None:
    made = ladder(price, taker, key, time_ms)
    bids, asks = list(made.walk("BUY")), list(made.walk("SELL"))
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert all(level % TICK == 0 and quantity % LOT == 0 and quantity > 0 for level, quantity in bids + asks)
    assert not bids or asks[0][0] - bids[0][0] >= TICK
    assert (asks[0][0] if taker == "BUY" else bids[0][0]) == price * TICK
    assert len(asks) >= 100
    assert price < 1000 or len(bids) >= 100


@given(st.integers(1, 10**8), st.sampled_from(SIDES), st.integers(0, 10**13))
def test_a_quantity_is_the_same_asked_alone_or_with_its_side(price: int, taker: Side, time_ms: int) -> None:
    whole, single = ladder(price, taker, 3, time_ms), ladder(price, taker, 3, time_ms)
    for side in SIDES:
        levels = dict(whole.walk(side))
        near = range(max(price - 600, 0), price + 600)
        assert {tick * TICK: q for tick in near if (q := single.quantity(side, tick * TICK))} == {
            level: quantity for level, quantity in levels.items() if near[0] * TICK <= level <= near[-1] * TICK
        }
        assert single.best(side) == next(iter(levels), None)
        assert single.quantity(side, price * TICK + 1) == 0


def test_depth_grows_with_distance() -> None:
    asks = [quantity for _, quantity in ladder().walk("SELL")]
    assert sum(asks[:50]) / 50 < sum(asks[200:250]) / 50 < sum(asks[-50:]) / 50


def test_a_consumed_level_is_gone_until_the_next_print() -> None:
    made = ladder()
    offered = made.quantity("SELL", 100_000 * TICK)
    made.consume("SELL", 100_000 * TICK, offered - LOT)
    assert made.quantity("SELL", 100_000 * TICK) == LOT
    made.consume("SELL", 100_000 * TICK, LOT)
    assert made.best("SELL") == 100_001 * TICK
    with pytest.raises(ValueError, match="cannot consume"):
        made.consume("SELL", 100_000 * TICK, LOT)
    made.anchor(100_000 * TICK, "BUY", START)
    assert made.quantity("SELL", 100_000 * TICK) == offered


def test_most_levels_keep_their_quantity_from_one_minute_to_the_next() -> None:
    now, later = dict(ladder().walk("BUY")), dict(ladder(time_ms=START + 60_000).walk("BUY"))
    kept = sum(1 for level, quantity in now.items() if later.get(level) == quantity)
    assert 0.8 * len(now) < kept < len(now)
