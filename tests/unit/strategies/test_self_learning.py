from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import strategies
from core.base_strategy import STRATEGIES
from domain import events, slots
from domain.errors import Refused
from domain.learning import layout as lay
from domain.learning import paper
from domain.learning.terms import Terms
from domain.order import BUY, SELL, Order
from engine.backtest import Result, Settings, run
from engine.backtest.futures import Futures
from strategies import self_learning_strategy as law
from tests.contract.test_strategies import checked, play, restart
from tests.law_harness import BTCUSDT, Bench
from tests.learning_markets import EAGER, PRICE, surging

STRATEGIES.scan(strategies)
KIND = STRATEGIES.get("self_learning")
Params = law.Params
COSTS = Settings(taker_fee=Decimal("0.08"), runtime="interpreted")
ON_FUTURES = Settings(taker_fee=Decimal("0.08"), runtime="interpreted", futures=Futures(leverage=5))


def eager(is_margin: int = 0, **changes: Any) -> Bench:
    params = Params(**{**EAGER, "direction": "both" if is_margin else "long", **changes})
    bench = Bench(checked(KIND), params, PRICE, is_margin=is_margin)
    bench.tell(events.START)
    return bench


def show(bench: Bench, close: int, wick: int = 0, volume: int = 1_000) -> None:
    """A bar from the last price to this one."""
    before, high, low = bench.price, max(bench.price, close) + wick, min(bench.price, close) - wick
    bench.move_to(close)
    bench.tell(events.BAR, open=before, high=high, low=low, close=close, volume=volume)


def in_a_trade(side: int, is_margin: int, **changes: Any) -> Bench:
    """A bench that holds a position of this side: moves of the price have lured it into one."""
    bench = eager(is_margin, horizon_bars=50, **changes)
    for number in range(200):
        show(bench, bench.price + side * (3_000 if number % 5 else -9_000))
        if bench.instance.position.lots * side > 0:
            return bench
    raise AssertionError("it never entered")


def last_order(bench: Bench) -> Order:
    return bench.instance.orders[0]


def waits(bench: Bench) -> str:
    return KIND.reasons[bench.instance.state[law.WAITS]]


@pytest.mark.parametrize(("side", "is_margin"), [(1, 0), (1, 1), (-1, 1)])
def test_the_stop_closes_a_position_within_the_bar(side: int, is_margin: int) -> None:
    bench = in_a_trade(side, is_margin)
    entry = bench.instance.state[law.ENTRY_TICKS]
    bench.move_to(entry - side * (entry // 100) + side)
    assert bench.instance.position.lots * side > 0
    bench.move_to(entry - side * (entry // 100))
    assert last_order(bench).side == (SELL if side > 0 else BUY)
    assert abs(bench.instance.position.lots) < bench.instrument.base_per_lot
    assert (bench.instance.state[slots.WAKE_ABOVE], bench.instance.state[slots.WAKE_BELOW]) == (0, 0)


@pytest.mark.parametrize(("side", "is_margin"), [(1, 0), (-1, 1)])
def test_the_take_profit_closes_a_position_within_the_bar(side: int, is_margin: int) -> None:
    bench = in_a_trade(side, is_margin)
    entry = bench.instance.state[law.ENTRY_TICKS]
    bench.move_to(entry + side * (entry * 5 // 100))
    assert abs(bench.instance.position.lots) < bench.instrument.base_per_lot
    assert bench.instance.position.realised > 0


def test_the_loss_of_the_margin_that_is_allowed_closes_before_a_farther_stop() -> None:
    bench = in_a_trade(1, 1, stop_loss_percent="5", max_leverage=50, emergency_loss_percent="20")
    entry = bench.instance.state[law.ENTRY_TICKS]
    bench.move_to(entry - entry * 4 // 1_000 + 1)  # 20 % of a fiftieth is 0.4 %
    assert bench.instance.position.lots > 0
    bench.move_to(entry - entry * 4 // 1_000)
    assert bench.instance.position.lots == 0


def test_a_position_is_closed_when_its_trade_on_paper_ends() -> None:
    bench = in_a_trade(1, 1)
    for _ in range(60):
        show(bench, bench.price - 2_000)
        if bench.instance.position.lots == 0:
            break
    assert bench.instance.position.lots <= 0
    signal = bench.instance.state[law.SIGNAL] - 1
    ended_by = bench.instance.memory[lay.PAPER_AT + signal * lay.PAPER + lay.ENDED_BY]
    assert ended_by in (paper.PREMISE_GONE, paper.COUNTER_TREND, paper.STOP_LOSS)


def test_a_position_whose_trade_on_paper_ended_while_nobody_watched_is_closed_with_the_next_bar() -> None:
    bench = in_a_trade(1, 0)
    signal = bench.instance.state[law.SIGNAL] - 1
    bench.instance.memory[lay.PAPER_AT + signal * lay.PAPER + lay.SERIAL] += 1  # others came and went meanwhile
    show(bench, bench.price + 100)
    assert last_order(bench).side == SELL
    assert abs(bench.instance.position.lots) < bench.instrument.base_per_lot


def test_on_spot_it_neither_goes_short_nor_trades_more_than_is_there() -> None:
    bench = eager(0, direction="both", max_leverage=100, emergency_loss_percent="99")
    for number in range(150):
        show(bench, bench.price - (3_000 if number % 5 else -9_000))
        assert bench.instance.position.lots >= 0
        order = bench.instance.orders.get(0)
        if order is not None and order.side == BUY:
            assert order.lots * bench.price * BTCUSDT.tick_lot <= 200 * 10**8


def test_leverage_is_used_where_there_is_margin_up_to_its_cap() -> None:
    bench = in_a_trade(1, 1, max_leverage=3)
    for _ in range(400):
        show(bench, bench.price + 3_000 if bench.price % 5_000 else bench.price - 9_000)
        order = last_order(bench)
        if not order.reduce_only:
            assert order.lots * bench.price * BTCUSDT.tick_lot <= 3.05 * 200 * 10**8


def test_paused_it_learns_on_and_enters_nothing() -> None:
    bench = eager()
    bench.tell(events.PAUSE)
    for number in range(80):
        show(bench, bench.price + (3_000 if number % 5 else -9_000))
    assert bench.instance.memory[lay.LABELS] > 5
    assert not bench.instance.orders
    assert waits(bench) == KIND.reasons[law.PAUSED]


def test_it_says_why_it_waits() -> None:
    bench = eager(min_samples=10, proof="1.5")
    assert bench.instance.state[law.WAITS] == 0
    said = []
    for number in range(120):
        show(bench, bench.price + (3_000 if number % 5 else -9_000))
        if waits(bench) not in said:
            said.append(waits(bench))
    assert said[:3] == [KIND.reasons[code] for code in (law.WARMING_UP, law.FEW_SAMPLES, law.NO_EDGE)]


def test_a_bid_below_the_smallest_order_waits_and_says_so() -> None:
    bench, said = eager(stake="4"), set()
    for number in range(120):
        show(bench, bench.price + (3_000 if number % 5 else -9_000))
        said.add(bench.instance.state[law.WAITS])
    assert not bench.instance.orders
    assert law.TOO_SMALL in said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"take_profit_percent": "0.1"}, "take_profit_percent"),
        ({"max_leverage": 125}, "max_leverage"),
        ({"stake": "0.0001"}, "stake"),
        ({"stop_loss_percent": "1.00001"}, "stop_loss_percent"),
    ],
)
def test_parameters_that_leave_no_room_are_refused_by_name(changes: dict[str, Any], field: str) -> None:
    params = Params(**{"stake": "100", **changes})
    with pytest.raises(Refused, match=f"^{field}: "):
        KIND.prepare(params, BTCUSDT, PRICE)


def test_the_leverage_of_the_design_is_for_those_who_ask_for_its_emergency_exit_too() -> None:
    params = Params(stake=Decimal(100), max_leverage=125, emergency_loss_percent=Decimal(99))
    plan = law.prepare(params, BTCUSDT, PRICE)
    assert law.stop_distance(Terms(*plan.params)) == 990_000 // 125


SCRIPTS = some.lists(
    some.tuples(some.integers(-30, 30), some.sampled_from([events.PAUSE, events.RESUME, events.EDIT, *[-1] * 30])),
    min_size=40, max_size=70,
)  # fmt: skip


@pytest.mark.parametrize("is_margin", [0, 1])
@settings(max_examples=8)
@given(script=SCRIPTS, partial=some.booleans())
def test_trading_it_keeps_the_contract_and_a_restart_changes_nothing(
    is_margin: int, script: list[tuple[int, int]], partial: bool
) -> None:
    ends = []
    for between in (restart, lambda _: None):
        params = Params(**{**EAGER, "direction": "both"})
        bench = Bench(checked(KIND), params, PRICE, seed=1, partial=partial, is_margin=is_margin)
        ends.append(play(bench, script, between)[-1])
        assert bench.held() == bench.instance.position.lots
    assert ends[0] == ends[1]


def learned(seed: int, follows: float, assumed: Settings, direction: str = "long", **changes: Any) -> Result:
    """What it makes of a market of two weeks of minutes, with the parameters that it has by default."""
    params = Params(**{"stake": "5000", "direction": direction, **changes})
    return run(KIND, params, surging(seed, 12_000, follows, direction == "both"), assumed)


@pytest.mark.parametrize("seed", [1, 2])
def test_on_a_random_walk_it_does_not_trade(seed: int) -> None:
    assert learned(seed, 0.0, COSTS).figures.fills == 0


def test_where_something_follows_it_learns_to_trade_it_with_profit_after_fees() -> None:
    figures = learned(3, 0.0008, COSTS).figures
    assert figures.wins > figures.losses > 20
    assert figures.equity > 10_500 * 10**8
    assert figures.fees > 0


def test_on_futures_it_learns_both_sides() -> None:
    result = learned(4, 0.0008, ON_FUTURES, "both")
    assert result.figures.wins > result.figures.losses > 20
    assert result.figures.equity > 11_000 * 10**8
    assert result.figures.liquidated_ms == 0


def test_frozen_from_the_start_it_never_trades() -> None:
    assert learned(3, 0.0008, COSTS, is_frozen=True).figures.fills == 0
