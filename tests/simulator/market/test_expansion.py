from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.market.expansion import Columns, expand, short_path
from simulator.market.normalise import print_counts, to_minutes
from tests.simulator.market.worlds import Row, bars, columns, minute_pieces


@given(st.lists(bars(), min_size=1, max_size=12), st.integers(4, 60), st.integers(0, 2**63))
def test_a_minute_becomes_prints_that_visit_open_extremes_and_close_and_sum_to_its_volume(
    rows: list[Row], count: int, key: int
) -> None:
    minutes = columns(rows)
    prints = expand(key, 29_000_000, minutes, np.minimum(minutes.volume, count))
    for number, (row, piece) in enumerate(zip(rows, minute_pieces(prints), strict=True)):
        opened, high, low, close, volume = row
        prices, sizes = prints.price[piece].tolist(), prints.quantity[piece].tolist()
        assert len(prices) == min(count, volume)
        if prices:
            assert (prices[0], max(prices), min(prices), prices[-1]) == (opened, high, low, close)
            assert sum(sizes) == volume
            assert min(sizes) >= 1
            times = prints.time_ms[piece].tolist()
            assert times == sorted(set(times))
            assert (29_000_000 + number) * 60_000 <= times[0]
            assert times[-1] < (29_000_001 + number) * 60_000


@given(st.lists(bars(), min_size=3, max_size=10), st.integers(4, 30))
def test_a_minute_gives_the_same_prints_whatever_is_asked_together_with_it(rows: list[Row], count: int) -> None:
    minutes = columns(rows)
    counts = np.minimum(minutes.volume, count)
    together = expand(5, 1000, minutes, counts)
    alone = expand(5, 1001, minutes.slice(1, 2), counts[1:2])
    piece = minute_pieces(together)[1]
    for name in ("time_ms", "price", "quantity", "is_buy"):
        assert getattr(together, name)[piece].tolist() == getattr(alone, name).tolist()


def test_a_thousand_prints_a_minute_still_have_times_of_their_own() -> None:
    minutes = columns([(100, 900, 50, 400, 10**6)] * 5)
    prints = expand(1, 0, minutes, np.full(5, 1000))
    assert np.diff(prints.time_ms).min() >= 1
    assert int(prints.time_ms[-1]) < 5 * 60_000


@pytest.mark.parametrize(
    ("bar", "count", "path"),
    [
        ((5, 5, 5, 5), 1, [5]),
        ((5, 9, 5, 9), 2, [5, 9]),
        ((5, 9, 5, 9), 3, [5, 9, 9]),
        ((9, 9, 5, 5), 2, [9, 5]),
        ((6, 9, 5, 9), 3, [6, 5, 9]),
        ((6, 9, 5, 5), 3, [6, 9, 5]),
    ],
)
def test_fewer_than_four_prints_still_visit_every_price(
    bar: tuple[int, int, int, int], count: int, path: list[int]
) -> None:
    assert short_path(*bar, count) == path


def test_prices_that_so_few_lots_cannot_visit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 lots cannot visit open 6, high 9, low 5"):
        short_path(6, 9, 5, 7, 2)


@given(
    st.lists(bars(), min_size=1, max_size=6),
    st.sampled_from([2, 3, 5, 15, 60, 240, 1440]),
    st.integers(4, 40),
    st.integers(0, 2**63),
)
def test_minutes_made_of_longer_bars_aggregate_to_them_exactly(
    rows: list[Row], minutes: int, count: int, key: int
) -> None:
    made = to_minutes(key, 7, columns(rows), minutes, count)
    for number, (opened, high, low, close, volume) in enumerate(rows):
        part = made.slice(number * minutes, (number + 1) * minutes)
        _assert_possible(part)
        trading = np.flatnonzero(part.volume)
        assert int(part.volume.sum()) == volume
        assert int(part.close[-1]) == close
        counts = np.minimum(part.volume, count)
        assert int(counts.sum()) == int(print_counts(np.array([volume]), minutes, count)[0])
        if volume:
            assert int(part.open[trading[0]]) == opened
            assert int(part.high[trading].max()) == high
            assert int(part.low[trading].min()) == low


def _assert_possible(part: Columns) -> None:
    assert (part.high >= np.maximum(part.open, part.close)).all()
    assert (part.low <= np.minimum(part.open, part.close)).all()
    assert (part.volume >= 0).all()
