"""Looking at eight bars together finds what looking at each finds."""

from __future__ import annotations

from typing import Any

import numba
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.backtest import History, Prints, intrinsics
from engine.backtest.kernel import equity, lanes
from engine.backtest.kernel import layout as lay
from tests.histories import chance, chance_trades

HISTORIES: dict[str, History] = {
    **{f"{count} bars": chance(count, count) for count in (2, 7, 8, 9, 63, 64, 65, 700)},
    **{f"{count} trades": chance_trades(count, count) for count in (2, 8, 64, 129, 900)},
}


def cells_of(history: History) -> list[int]:
    cells = [0] * lay.ORDERS_AT
    cells[lay.FOUR_WIDTH], cells[lay.BLOCKS_AT] = lay.FOUR * history.width, history.blocks_at
    cells[lay.COLUMN] = lay.FOUR if history.width > 1 else 0
    return cells


@pytest.mark.parametrize("name", HISTORIES)
def test_every_price_is_where_it_is_looked_for(name: str) -> None:
    history = HISTORIES[name]
    cells, bars = cells_of(history), history.bars.tolist()
    column = cells[lay.COLUMN]
    for place in range(len(history)):
        at = lanes.bar_at(cells, place)
        found = [bars[at + number * column] for number in range(4)]
        columns = (history.low, history.high, history.close, history.open)
        assert found == [int(each[place]) for each in columns]


@pytest.mark.parametrize("name", HISTORIES)
@given(data=some.data())
def test_the_first_bar_that_reaches_a_price_is_found(name: str, data: some.DataObject) -> None:
    history = HISTORIES[name]
    lowest, highest = int(history.low.min()), int(history.high.max())
    down = data.draw(some.sampled_from([0, lay.FAR]) | some.integers(lowest - 1, highest + 1))
    up = data.draw(some.sampled_from([lay.FAR, 0]) | some.integers(lowest - 1, highest + 1))
    place = data.draw(some.integers(0, len(history) - 1))
    until = data.draw(some.integers(place, len(history)))
    meets = (history.low <= down) | (history.high >= up)
    expected = next((each for each in range(place, until) if meets[each]), until)
    cells, bars = cells_of(history), history.bars
    assert lanes.first_reached(cells, bars.tolist(), place, until, down, up) == expected


@pytest.fixture(scope="module", params=[numpy.int32, numpy.int64])
def compiled(request: pytest.FixtureRequest) -> Any:
    """`reached` as it is compiled for prices of so many bits, to be called with an array."""
    address, reached = intrinsics.address(), intrinsics.reached()

    @numba.njit
    def call(prices: Any, at: int, column: int, width: int, lane: int, down: int, up: int) -> int:
        found: int = reached(address(prices), at, column, width, lane, down, up)
        return found

    return lambda prices, *others: call(numpy.array(prices, request.param), *others)


PRICES = some.integers(1, lay.NARROW - 1) | some.integers(100, 103)


@given(
    prices=some.lists(PRICES, min_size=32, max_size=32), lane=some.integers(0, 7), is_one=some.booleans(),
    down=some.sampled_from([0, lay.FAR]) | PRICES, up=some.sampled_from([0, lay.FAR]) | PRICES,
)  # fmt: skip
def test_eight_lanes_at_once_are_one_after_the_other(
    compiled: Any, prices: list[int], lane: int, is_one: bool, down: int, up: int
) -> None:
    column, width = (0, 4) if is_one else (4, 16)
    assert compiled(prices, 4, column, width, lane, down, up) == lanes.reached(
        prices, 4, column, width, lane, down, up
    )  # fmt: skip


AMOUNTS = some.floats(-1e15, 1e15) | some.sampled_from([0.0, 1e10])


@given(
    quote=AMOUNTS, unit=some.floats(-1e9, 1e9) | some.sampled_from([0.0, 1e-6, -1e-6]), peak=some.floats(0, 1e15),
    fall=some.floats(0, 1e12), data=some.data(),
)  # fmt: skip
def test_between_two_prices_the_equity_makes_no_new_high_and_no_deeper_fall(
    quote: float, unit: float, peak: float, fall: float, data: some.DataObject
) -> None:
    below = equity.turns_below(quote, unit, peak, fall)
    above = equity.turns_above(quote, unit, peak, fall)
    if below + 1 >= above:
        return
    least, most = below + 1, min(above - 1, 2**40)
    if least > most:
        return
    close = data.draw(some.sampled_from([least, most]) | some.integers(least, most))
    worth = quote + unit * close
    assert worth <= peak
    assert peak - worth <= fall


def test_trades_and_bars_say_how_many_prices_they_have() -> None:
    assert {kind.width for kind in (History, Prints)} == {4, 1}
