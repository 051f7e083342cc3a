from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import strategies
from core.base_strategy import STRATEGIES, StrategyKind
from domain import ledger
from domain.proportion import scaled
from domain.risk_manager import RiskLimits
from engine.backtest import History, Result, Settings, run, wide
from engine.backtest.futures import FundingRate, Futures, Tier
from engine.backtest.history import Column, Prices
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import FILL_FIELDS, OF_LIQUIDATION
from engine.backtest.result import INSTANCE
from tests.histories import BEGIN, chance
from tests.law_harness import BTCUSDT
from tests.learning_markets import EAGER
from tests.two_sided import TWO_SIDED, Params

STRATEGIES.scan(strategies)

QUANTITY = some.sampled_from([Decimal("0.00123"), Decimal("0.5"), Decimal("0.0002")])
PERCENT = some.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(2)])
PARAMETERS: dict[str, some.SearchStrategy[dict[str, Any]]] = {
    "grid": some.fixed_dictionaries(
        {
            "lower_price": some.sampled_from([Decimal(55_000), Decimal(59_500)]),
            "upper_price": some.sampled_from([Decimal(60_400), Decimal(63_000)]),
            "levels": some.integers(1, 25),
            "spacing": some.sampled_from(["arithmetic", "geometric"]),
            "quantity_per_level": QUANTITY,
            "split_at_start": some.booleans(),
            "reinvest": some.booleans(),
            "start_price": some.sampled_from([None, Decimal(59_900)]),
            "stop_loss_price": some.sampled_from([None, Decimal(54_000)]),
            "take_profit_price": some.sampled_from([None, Decimal(64_000)]),
            "trailing_up_limit": some.sampled_from([None, Decimal(66_000)]),
            "trailing_down_limit": some.sampled_from([None, Decimal(50_000)]),
        }
    ),
    "trailing_grid": some.fixed_dictionaries(
        {
            "grid_levels": some.integers(1, 9),
            "quantity": QUANTITY,
            "offset_percent": PERCENT,
            "sell_offset_percent": PERCENT,
            "reprice_percent": PERCENT,
            "stop_loss_percent": some.sampled_from([Decimal(0), Decimal(1)]),
            "time_stop_minutes": some.sampled_from([0, 7]),
        }
    ),
    "dca": some.fixed_dictionaries(
        {
            "amount": some.sampled_from([Decimal(50), Decimal("7777.77")]),
            "interval_minutes": some.integers(1, 20),
            "max_purchases": some.integers(0, 4),
            "take_profit_percent": some.sampled_from([Decimal(0), Decimal("0.2")]),
        }
    ),
    "ma_cross": some.fixed_dictionaries(
        {"fast": some.integers(1, 4), "slow": some.integers(5, 9), "size": QUANTITY}
    ),
    "rsi": some.fixed_dictionaries(
        {"period": some.integers(2, 5), "oversold": some.just(40), "overbought": some.just(60), "size": QUANTITY}
    ),
    "self_learning": some.fixed_dictionaries(
        {
            "take_profit_percent": some.sampled_from([Decimal("0.5"), Decimal(5)]),
            "stop_loss_percent": some.sampled_from([Decimal("0.3"), Decimal(1)]),
            "horizon_bars": some.integers(1, 9),
            "direction": some.sampled_from(["long", "both"]),
            "is_frozen": some.sampled_from([False, False, False, True]),
        }
    ).map(lambda drawn: {**EAGER, **drawn}),
}  # fmt: skip
SETTINGS = some.fixed_dictionaries(
    {
        "quote": some.sampled_from([Decimal(100_000), Decimal(900)]),
        "fee_asset": some.sampled_from(["received", "quote"]),
        "fill_model": some.sampled_from(["touch", "through"]),
        "bar_model": some.sampled_from(["path", "next_bar"]),
        "latency_ms": some.sampled_from([0, 0, 25_000, 130_000]),
        "slippage_ticks": some.sampled_from([0, 7]),
        "limits": some.fixed_dictionaries(
            {
                "max_messages": some.sampled_from([3, 50]),
                "max_open_orders": some.sampled_from([0, 4]),
                "max_positions": some.sampled_from([0, 2]),
                "max_daily_loss": some.sampled_from([0, 10**9]),
                "cool_down_losses": some.sampled_from([0, 1]),
                "cool_down_ms": some.just(600_000),
                "capital": some.sampled_from([0, 500 * 10**8]),
            }
        ).map(lambda limits: RiskLimits(**limits)),
    }
)


TIERS = (
    Tier(Decimal(500), Decimal("0.5"), 50),
    Tier(Decimal(20_000), Decimal(1), 20),
    Tier(Decimal(90_000), Decimal(3), 5),
)
RATES = some.lists(
    some.tuples(some.integers(0, 300 * 60_000), some.sampled_from([Decimal("0.0001"), Decimal("-0.00271828")])),
    max_size=20, unique_by=lambda row: row[0],
)  # fmt: skip
FUTURES = some.builds(
    Futures,
    leverage=some.sampled_from([1, 5, 20, 50]),
    tiers=some.sampled_from([(), TIERS]),
    funding_percent=some.sampled_from([Decimal("0.01"), Decimal("-0.3"), Decimal(0)]),
    funding_hours=some.just(1),
    funding_rates=RATES.map(
        lambda rows: tuple(FundingRate(BEGIN + time_ms, rate, Decimal("60000.123")) for time_ms, rate in sorted(rows))
    ),
)


def check_identities(result: Result) -> None:
    """What holds in every backtest, to the last unit."""
    figures, books = result.figures, result.ledger
    earned = figures.realised + figures.unrealised + figures.funding - figures.fees
    assert earned == figures.equity - result.start_equity
    assert books.balance(ledger.FUNDING, BTCUSDT.quote) == -figures.funding
    assert books.balance(ledger.cash(INSTANCE), BTCUSDT.quote) == figures.quote
    assert books.balance(ledger.cash(INSTANCE), BTCUSDT.base) == figures.base == figures.position
    assert books.balance(ledger.FEES, BTCUSDT.quote) == figures.fee_quote
    assert books.balance(ledger.FEES, BTCUSDT.base) == figures.fee_base
    assert set(books.proof().values()) <= {0}


def test_every_strategy_is_tried_here() -> None:
    assert set(PARAMETERS) == set(STRATEGIES)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(PARAMETERS))
@settings(max_examples=60, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=SETTINGS)
def test_interpreted_and_compiled_give_the_same_to_the_last_bit(
    name: str, data: some.DataObject, seed: int, assumed: dict[str, Any]
) -> None:
    kind = STRATEGIES.get(name)
    params = kind.params(**data.draw(PARAMETERS[name]))
    history = chance(seed, count=data.draw(some.integers(60, 300)))
    both_ways(kind, params, history, assumed)


def both_ways(kind: StrategyKind, params: Any, history: History, assumed: dict[str, Any]) -> Result:
    """Replay compiled and interpreted, and see that they give the same to the last bit."""
    compiled = run(kind, params, history, Settings(**assumed, log_orders=True, runtime="compiled"))
    interpreted = run(kind, params, history, Settings(**assumed, log_orders=True, runtime="interpreted"))
    assert compiled.figures == interpreted.figures
    assert (compiled.moves == interpreted.moves).all()
    assert (compiled.orders == interpreted.orders).all()
    check_identities(compiled)
    return compiled


SHORT_AND_LONG = some.fixed_dictionaries(
    {
        "size": QUANTITY,
        "hold": some.integers(1, 30),
        "stop_ticks": some.sampled_from([0, 40_000]),
        "limit_ticks": some.sampled_from([0, 5_000]),
    }
)


@pytest.mark.acceptance  # a minute of compiling
@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=200, deadline=None)
@given(
    law=SHORT_AND_LONG, futures=FUTURES, assumed=SETTINGS, count=some.integers(60, 300), seed=some.integers(0, 10_000)
)
def test_futures_give_the_same_interpreted_and_compiled_long_and_short(
    law: dict[str, Any], futures: Futures, assumed: dict[str, Any], count: int, seed: int
) -> None:
    both_ways(TWO_SIDED, Params(**law), chance(seed, count=count), {**assumed, "futures": futures})


@pytest.mark.acceptance  # a minute of compiling
@pytest.mark.slow
@pytest.mark.timeout(1200)
@settings(max_examples=60, deadline=None)
@given(data=some.data(), futures=FUTURES, assumed=SETTINGS, seed=some.integers(0, 10_000))
def test_what_is_learned_on_futures_is_the_same_interpreted_and_compiled(
    data: some.DataObject, futures: Futures, assumed: dict[str, Any], seed: int
) -> None:
    kind = STRATEGIES.get("self_learning")
    params = kind.params(**{**data.draw(PARAMETERS["self_learning"]), "direction": "both"})
    both_ways(kind, params, chance(seed, count=200), {**assumed, "futures": futures})


@settings(max_examples=25, deadline=None)
@given(
    law=SHORT_AND_LONG, futures=FUTURES, assumed=SETTINGS, count=some.integers(60, 200), seed=some.integers(0, 10_000)
)
def test_the_books_of_futures_balance_and_nobody_owes_after_a_liquidation(
    law: dict[str, Any], futures: Futures, assumed: dict[str, Any], count: int, seed: int
) -> None:
    settings = Settings(**assumed, futures=futures, runtime="interpreted")
    result = run(TWO_SIDED, Params(**law), chance(seed, count=count), settings)
    check_identities(result)
    if result.figures.liquidated_ms:
        assert result.figures.position == 0
        assert result.fills[-1][FILL_FIELDS.index("slot")] == OF_LIQUIDATION


@pytest.mark.parametrize("name", sorted(name for name in PARAMETERS if STRATEGIES.get(name).pass_bars))
@settings(max_examples=8, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=SETTINGS)
def test_bars_that_a_strategy_passes_are_bars_it_would_have_decided_nothing_on(
    name: str, data: some.DataObject, seed: int, assumed: dict[str, Any]
) -> None:
    kind = STRATEGIES.get(name)
    params, history = kind.params(**data.draw(PARAMETERS[name])), chance(seed, count=400)
    assumptions = Settings(**assumed, log_orders=True, runtime="interpreted")
    passing = run(kind, params, history, assumptions)
    one_by_one = run(replace(kind, pass_bars=None), params, history, assumptions)
    assert passing.figures == one_by_one.figures
    assert (passing.fills == one_by_one.fills).all()
    assert (passing.orders == one_by_one.orders).all()


class Unmarked(History):
    """A history of whose blocks nothing is known: each might reach every level."""

    @cached_property
    def marks(self) -> Column:
        return numpy.tile(numpy.array([0, lay.FAR, 0, lay.FAR]), len(self) // lay.BLOCK + 1)

    def _of_blocks(self, places: Column) -> tuple[Column, Column]:
        return numpy.zeros_like(places), numpy.full_like(places, 2**31 - 1)


@pytest.mark.parametrize("name", ["grid", "trailing_grid", "dca"])
@settings(max_examples=8, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=SETTINGS)
def test_passing_over_a_block_of_bars_gives_what_passing_over_each_gives(
    name: str, data: some.DataObject, seed: int, assumed: dict[str, Any]
) -> None:
    kind = STRATEGIES.get(name)
    params, history = kind.params(**data.draw(PARAMETERS[name])), chance(seed, count=400)
    assumptions = Settings(**assumed, runtime="interpreted")
    by_blocks = run(kind, params, history, assumptions)
    times, opens, highs, lows, closes, volumes = history.columns
    unmarked = Unmarked(history.instrument, history.bar_ms, times, opens, highs, lows, closes, volumes)
    by_bars = run(kind, params, unmarked, assumptions)
    assert by_blocks.figures == by_bars.figures
    assert (by_blocks.fills == by_bars.fills).all()


class Wide(History):
    """A history whose prices are kept as those are that need more than 32 bits."""

    @cached_property
    def closes(self) -> Prices:
        return self.close


@pytest.mark.acceptance
@pytest.mark.parametrize("name", ["grid", "ma_cross"])
def test_prices_in_64_bits_are_replayed_as_those_in_32(name: str) -> None:
    kind, history = STRATEGIES.get(name), chance(7, count=400)
    times, opens, highs, lows, closes, volumes = history.columns
    doubled = Wide(history.instrument, history.bar_ms, times, opens, highs, lows, closes, volumes)
    assert [one.bars.dtype.itemsize for one in (history, doubled)] == [4, 8]
    params = kind.example()
    narrow = run(kind, params, history, Settings(runtime="interpreted"))
    assert run(kind, params, doubled, Settings(runtime="compiled")).figures == narrow.figures


@given(amount=some.integers(-(2**61), 2**61), times=some.integers(0, 2**61), over=some.integers(1, 2**61))
def test_a_share_is_exact_also_where_the_product_needs_128_bits(amount: int, times: int, over: int) -> None:
    expected = scaled(amount, times, over)
    if abs(expected) < 2**62:
        assert wide.by_bits(amount, times, over) == expected
