from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy
import pytest

import strategies
from core.base_strategy import STRATEGIES
from domain.errors import Refused
from domain.risk_manager import RiskLimits
from engine.backtest import History, Result, Settings, run
from engine.backtest.history import BadHistory
from engine.backtest.kernel.layout import FILL_FIELDS, ORDER_FIELDS
from engine.backtest.runtime import NotEnoughHistory
from tests.histories import BEGIN, MINUTE, bars, chance, flat_then
from tests.law_harness import BTCUSDT

STRATEGIES.scan(strategies)
#: Two levels: 59,000 to 60,000 to 61,000.
GRID = {
    "lower_price": Decimal(59_000), "upper_price": Decimal(61_000), "levels": 2, "spacing": "arithmetic",
    "quantity_per_level": Decimal("0.01"),
}  # fmt: skip


def replay(name: str, params: dict[str, Any], history: History, **assumed: Any) -> Result:
    kind = STRATEGIES.get(name)
    return run(kind, kind.params(**params), history, Settings(**assumed, runtime="interpreted"))


def column(result: Result, name: str) -> list[int]:
    found: list[int] = result.fills[:, FILL_FIELDS.index(name)].tolist()
    return found


def test_a_level_that_buys_and_sells_once_earns_its_step_less_two_fees() -> None:
    result = replay("grid", GRID, flat_then(5_950_000, 5_890_000, 6_010_000), fee_asset="quote", quote=Decimal(10_000))
    # Bought at the start for the level above: 0.01 at 59,500. Then bought at 59,000 and sold at 60,000.
    assert column(result, "ticks") == [5_950_000, 5_900_000, 6_000_000]
    assert column(result, "lots") == [1_000, 1_000, 1_000]
    fees = Decimal("0.595") + Decimal("0.59") + Decimal("0.6")
    assert result.amount(result.figures.fees) == fees
    assert result.equity == Decimal(10_000) - 595 - 590 + 600 + Decimal("0.01") * 60_100 - fees
    assert result.net == result.equity - 10_000


def test_a_fee_taken_in_base_leaves_dust_that_is_still_counted() -> None:
    result = replay("grid", GRID, flat_then(5_950_000, 5_890_000, 6_010_000), quote=Decimal(10_000))
    assert column(result, "fee_in_base") == [1, 1, 0]
    # 0.01 BTC less 0.1 %: 0.00999 each; 999 lots of each purchase can be offered.
    assert column(result, "lots") == [1_000, 1_000, 999]
    assert result.figures.base == 2 * 999_000 - 999_000
    assert result.figures.fee_base == 2_000


def test_an_order_placed_on_the_way_may_fill_on_the_rest_of_the_bar() -> None:
    start = (5_950_000, 5_950_000, 5_950_000, 5_950_000)
    history = bars([start, (5_950_000, 6_010_000, 5_890_000, 5_950_000)])
    # As far to the low as to the high: the low comes first, so what is bought there can be sold at the high.
    assert column(replay("grid", GRID, history, fee_asset="quote"), "side") == [1, 1, -1]
    # Where orders act from the next bar on, it cannot.
    assert column(replay("grid", GRID, history, fee_asset="quote", bar_model="next_bar"), "side") == [1, 1]


def test_a_gap_fills_a_resting_order_at_its_own_limit() -> None:
    start = (5_950_000, 5_950_000, 5_950_000, 5_950_000)
    history = bars([start, start, (5_850_000, 5_860_000, 5_840_000, 5_860_000)])
    result = replay("grid", GRID, history, fee_asset="quote")
    assert column(result, "ticks")[-1] == 5_900_000
    assert column(result, "time_ms")[-1] == BEGIN + 2 * MINUTE


def test_an_order_sent_at_a_close_is_executed_at_the_next_open_and_slips() -> None:
    prices = [100, 100, 100, 100, 100, 90, 110, 120]
    rows = [(100 * price * 100, 100 * price * 100, 100 * price * 100, 100 * price * 100) for price in prices]
    rows.append((1_300_000, 1_300_000, 1_300_000, 1_300_000))
    result = replay(
        "ma_cross", {"fast": 1, "slow": 5, "size": Decimal("0.01")}, bars(rows), fee_asset="quote", slippage_ticks=3
    )
    assert column(result, "ticks") == [1_200_003]
    assert column(result, "maker") == [0]


def test_latency_moves_an_order_to_the_first_point_at_which_it_has_arrived() -> None:
    prices = [100, 100, 100, 100, 100, 90, 110]
    rows = [(10_000 * price, 10_000 * price, 10_000 * price, 10_000 * price) for price in prices]
    rows.append((1_200_000, 1_240_000, 1_190_000, 1_230_000))
    law = {"fast": 1, "slow": 5, "size": Decimal("0.01")}
    for latency, ticks in ((0, 1_200_000), (1, 1_190_000), (20_001, 1_240_000)):
        assert column(replay("ma_cross", law, bars(rows), latency_ms=latency), "ticks") == [ticks]


def test_a_round_trip_at_market_loses_its_step_and_two_fees_to_the_last_unit() -> None:
    # The mean of five is 100 when 110 closes above it, and 100 again when 80 closes below: bought at 120, sold at 70.
    prices = [100, 100, 100, 100, 100, 90, 110, 120, 80, 70]
    rows = [(10_000 * price, 10_000 * price, 10_000 * price, 10_000 * price) for price in prices]
    law = {"fast": 1, "slow": 5, "size": Decimal("0.01")}
    result = replay("ma_cross", law, bars(rows), fee_asset="quote", quote=Decimal(10_000))
    assert column(result, "ticks") == [1_200_000, 700_000]
    assert column(result, "time_ms") == [BEGIN + 7 * MINUTE, BEGIN + 9 * MINUTE]
    assert result.amount(result.figures.realised) == Decimal(-50)
    assert result.amount(result.figures.fees) == Decimal("0.19")
    assert result.equity == Decimal("9949.81")
    assert (result.figures.wins, result.figures.losses, result.figures.held_ms) == (0, 1, 2 * MINUTE)


def test_a_touched_limit_waits_for_the_price_to_pass_it_where_that_is_assumed() -> None:
    for low, sides in ((5_900_000, [1]), (5_899_999, [1, 1])):
        history = flat_then(5_950_000, low, 5_950_000)
        assert column(replay("grid", GRID, history, fill_model="through", fee_asset="quote"), "side") == sides
    assert column(replay("grid", GRID, flat_then(5_950_000, 5_900_000), fee_asset="quote"), "side") == [1, 1]


def test_the_way_back_within_a_bar_is_walked_when_it_reaches_an_order() -> None:
    # Down to 58,900, up to 61,100, and back to 58,950: bought, sold both, and bought both again on the last leg.
    start = (5_950_000, 5_950_000, 5_950_000, 5_950_000)
    history = bars([start, (5_950_000, 6_110_000, 5_890_000, 5_895_000)])
    result = replay("grid", GRID, history, fee_asset="quote")
    assert column(result, "ticks") == [5_950_000, 5_900_000, 6_000_000, 6_100_000, 6_000_000, 5_900_000]
    assert column(result, "side") == [1, 1, -1, -1, 1, 1]


def test_orders_replaced_over_and_over_within_a_bar_keep_their_places() -> None:
    # Room for four orders: nearer levels drive farther ones out, again and again before the next bar lets any rest.
    law = {
        "lower_price": Decimal(59_500), "upper_price": Decimal(60_400), "levels": 18,
        "quantity_per_level": Decimal("0.0002"), "start_price": Decimal(59_900), "trailing_up_limit": Decimal(66_000),
        "reinvest": True,
    }  # fmt: skip
    limits = RiskLimits(max_open_orders=4, max_messages=50)
    result = replay(
        "grid", law, chance(11, 150), quote=Decimal(100_000), bar_model="next_bar", limits=limits, log_orders=True
    )
    sent = result.orders[:, ORDER_FIELDS.index("cancel")] == 0
    assert sent.sum() > 3 * result.figures.fills > 0
    assert set(result.ledger.proof().values()) <= {0}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((100, 90, 95, 100), "row 1 is absurd"),
        ((100, 110, 0, 100), "row 1 is absurd"),
        ((100, 99, 90, 95), "row 1 is absurd"),
    ],
)
def test_a_bar_that_cannot_be_is_refused_by_its_number(row: tuple[int, int, int, int], words: str) -> None:
    with pytest.raises(BadHistory, match=words):
        bars([(100, 100, 100, 100), row])


def test_bars_out_of_order_are_refused_by_their_number() -> None:
    good = flat_then(100, 100, 100)
    times = good.open_ms.copy()
    times[2] = times[1]
    with pytest.raises(BadHistory, match="row 2 is not later"):
        History(BTCUSDT, MINUTE, times, good.open, good.high, good.low, good.close, good.volume)


def test_too_short_a_history_and_wrong_assumptions_are_refused_by_name() -> None:
    with pytest.raises(NotEnoughHistory, match="needs 5"):
        replay("ma_cross", {"fast": 1, "slow": 5, "size": Decimal("0.01")}, flat_then(100, 100))
    with pytest.raises(Refused, match="maker_fee"):
        Settings(maker_fee=Decimal(-1))
    with pytest.raises(Refused, match="taker_fee"):
        Settings(taker_fee=Decimal("0.00001"))
    with pytest.raises(Refused, match="latency_ms"):
        Settings(latency_ms=-1)


def test_money_too_large_for_64_bits_is_counted_by_the_interpreter_and_told() -> None:
    kind, history = STRATEGIES.get("grid"), flat_then(5_950_000, 5_890_000, 6_010_000)
    result = run(kind, kind.params(**GRID), history, Settings(quote=Decimal(10**12)))
    assert result.stamp.runtime == "interpreted"
    assert "64 bits" in result.warnings[0]


def test_the_curve_ends_at_the_equity() -> None:
    result = replay("grid", GRID, flat_then(5_950_000, 5_890_000, 6_010_000, 5_900_000), quote=Decimal(10_000))
    assert result.curve[0] == 10_000
    assert numpy.isclose(result.curve[-1], float(result.equity), rtol=1e-12)
