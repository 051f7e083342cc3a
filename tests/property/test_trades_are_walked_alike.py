from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as some

import strategies
from core.base_strategy import STRATEGIES
from engine.backtest import Settings, run
from engine.backtest.futures import Futures
from engine.backtest.kernel.layout import FILL_FIELDS
from engine.backtest.queueing import CANCELLATIONS, Queue
from engine.backtest.runtime import NotEnoughHistory
from engine.backtest.taped import taped
from tests.histories import chance_depth, chance_trades
from tests.property.test_backtest_is_the_law import (
    FUTURES,
    PARAMETERS,
    SETTINGS,
    SHORT_AND_LONG,
    both_ways,
    check_identities,
)  # fmt: skip
from tests.two_sided import TWO_SIDED, Params

STRATEGIES.scan(strategies)

#: The strategies that decide on bars cannot do so on single trades.
OF_LEVELS = ("grid", "trailing_grid", "dca")
QUEUES = some.builds(
    Queue,
    ahead=some.sampled_from([Decimal(0), Decimal("0.7"), Decimal("0.000011")]),
    share_percent=some.sampled_from([Decimal(0), Decimal("12.5")]),
    share_ms=some.sampled_from([1, 20_000]),
    cancelled_percent=some.sampled_from([Decimal(0), Decimal(30)]),
    whole_beyond=some.booleans(),
)
#: How trades are walked: with a queue, or as bars are; the kernel of each form is compiled once.
RECORDED = some.builds(Queue, cancellations=some.sampled_from(sorted(CANCELLATIONS)), whole_beyond=some.booleans()).map(
    lambda queue: {"fill_model": "queue", "queue": queue, "slippage_ticks": 0}
)
WALKED = some.one_of(
    QUEUES.map(lambda queue: {"fill_model": "queue", "queue": queue}),
    some.sampled_from(["touch", "through"]).map(lambda model: {"fill_model": model}),
)
ASSUMED = some.tuples(SETTINGS, WALKED, some.sampled_from([0, 0, 1, 900])).map(
    lambda drawn: {**drawn[0], "bar_model": "path", **drawn[1], "latency_ms": drawn[2]}
)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name",
    ["grid", *(pytest.param(name, marks=pytest.mark.acceptance) for name in sorted(PARAMETERS) if name != "grid")],
)
@settings(max_examples=40, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=ASSUMED)
def test_trades_give_the_same_interpreted_and_compiled(
    name: str, data: some.DataObject, seed: int, assumed: dict[str, Any]
) -> None:
    kind = STRATEGIES.get(name)
    trades = chance_trades(seed, count=data.draw(some.integers(200, 600)))
    is_single = name in OF_LEVELS and assumed["fill_model"] == "queue" and data.draw(some.booleans())
    history = trades if is_single else taped(trades, 10_000)
    try:
        both_ways(kind, kind.params(**data.draw(PARAMETERS[name])), history, assumed)
    except NotEnoughHistory:
        reject()  # the bars made of so few trades are too few for the strategy's averages


@pytest.mark.acceptance  # a minute of compiling
@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=120, deadline=None)
@given(law=SHORT_AND_LONG, futures=FUTURES, assumed=ASSUMED, seed=some.integers(0, 10_000))
def test_trades_of_futures_give_the_same_interpreted_and_compiled(
    law: dict[str, Any], futures: Futures, assumed: dict[str, Any], seed: int
) -> None:
    both_ways(TWO_SIDED, Params(**law), taped(chance_trades(seed, 600), 10_000), {**assumed, "futures": futures})


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name",
    ["grid", *(pytest.param(name, marks=pytest.mark.acceptance) for name in sorted(PARAMETERS) if name != "grid")],
)
@settings(max_examples=20, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=ASSUMED, queued=RECORDED)
def test_recorded_depth_gives_the_same_interpreted_and_compiled(
    name: str, data: some.DataObject, seed: int, assumed: dict[str, Any], queued: dict[str, Any]
) -> None:
    kind, depth = STRATEGIES.get(name), chance_depth(seed, count=data.draw(some.integers(200, 600)))
    history = depth if name in OF_LEVELS and data.draw(some.booleans()) else taped(depth, 10_000)
    try:
        both_ways(kind, kind.params(**data.draw(PARAMETERS[name])), history, {**assumed, **queued})
    except NotEnoughHistory:
        reject()  # as above


@pytest.mark.acceptance  # the kernel of the test above
@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=120, deadline=None)
@given(law=SHORT_AND_LONG, futures=FUTURES, assumed=ASSUMED, queued=RECORDED, seed=some.integers(0, 10_000))
def test_recorded_depth_of_futures_gives_the_same_interpreted_and_compiled(
    law: dict[str, Any], futures: Futures, assumed: dict[str, Any], queued: dict[str, Any], seed: int
) -> None:
    terms = {**assumed, **queued, "futures": futures}
    both_ways(TWO_SIDED, Params(**law), taped(chance_depth(seed, 600), 10_000), terms)


@settings(max_examples=25, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=ASSUMED, name=some.sampled_from(OF_LEVELS))
def test_no_trade_executes_more_than_its_quantity_and_the_books_balance(
    data: some.DataObject, seed: int, assumed: dict[str, Any], name: str
) -> None:
    kind, trades = STRATEGIES.get(name), chance_trades(seed, 400)
    queue = replace(data.draw(QUEUES), whole_beyond=False)
    assumed = {**assumed, "fill_model": "queue", "queue": queue, "runtime": "interpreted"}
    result = run(kind, kind.params(**data.draw(PARAMETERS[name])), trades, Settings(**assumed))
    check_identities(result)
    traded: dict[int, int] = {}
    for time_ms, lots in zip(trades.open_ms.tolist(), trades.volume.tolist(), strict=True):
        traded[time_ms] = traded.get(time_ms, 0) + lots
    for row in result.fills.tolist():
        filled = dict(zip(FILL_FIELDS, row, strict=True))
        if filled["maker"]:
            traded[filled["time_ms"]] -= filled["lots"]
    assert min(traded.values()) >= 0


@settings(max_examples=25, deadline=None)
@given(
    data=some.data(), seed=some.integers(0, 10_000), assumed=ASSUMED, queued=RECORDED, name=some.sampled_from(OF_LEVELS)
)
def test_the_books_balance_on_recorded_depth_and_no_moment_gives_more_than_came(
    data: some.DataObject, seed: int, assumed: dict[str, Any], queued: dict[str, Any], name: str
) -> None:
    kind, depth = STRATEGIES.get(name), chance_depth(seed, 400)
    queue = replace(queued["queue"], whole_beyond=False)
    assumed = {**assumed, **queued, "queue": queue, "runtime": "interpreted"}
    result = run(kind, kind.params(**data.draw(PARAMETERS[name])), depth, Settings(**assumed))
    check_identities(result)
    assert depth.depth is not None
    book = depth.depth.book
    came = book.best.came
    times = depth.open_ms.tolist() + book.times[came.states].tolist()
    left: dict[int, int] = {}
    for time_ms, lots in zip(times, depth.volume.tolist() + came.lots.tolist(), strict=True):
        left[time_ms] = left.get(time_ms, 0) + lots
    for row in result.fills.tolist():
        filled = dict(zip(FILL_FIELDS, row, strict=True))
        if filled["maker"]:
            left[filled["time_ms"]] -= filled["lots"]
    assert min(left.values()) >= 0


@settings(max_examples=10, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000))
def test_what_takes_is_executed_where_bars_of_the_same_trades_execute_it(data: some.DataObject, seed: int) -> None:
    kind = STRATEGIES.get("ma_cross")
    walked = taped(chance_trades(seed, 800), 10_000)
    params = kind.params(**data.draw(PARAMETERS["ma_cross"]))
    bars = walked.untaped()
    settings = Settings(runtime="interpreted", slippage_ticks=3)
    by_trades, by_bars = run(kind, params, walked, settings), run(kind, params, bars, settings)
    # At the next open, which is the next trade: but for the moment it is the same.
    assert (by_trades.fills[:, 1:] == by_bars.fills[:, 1:]).all()
    assert by_trades.figures._replace(held_ms=0) == by_bars.figures._replace(held_ms=0)
