"""A paper run recorded and replayed in the backtester decides the same: one law, two runtimes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.law_harness import BTCUSDT
from tests.parity.paper_run import FEE_PPM, FUNDS, LIMITS, Script, traded_on_paper
from tests.parity.recording import Decided, Recording, by_moment, first_difference, replayed, without_passing
from tests.parity.scripts import MINUTE, by_chance, recorded, traded

FillModel = Literal["touch", "through"]
#: Form -> kind and prices, as multiples of the first price.
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "grid": ("grid", {"lower_price": "0.98", "upper_price": "1.02"}),
    "grid that waits for its levels": ("grid", {"lower_price": "0.985", "upper_price": "1.015"}),
    "grid that trails": ("grid", {"lower_price": "0.99", "upper_price": "1.004", "trailing_up_limit": "1.05"}),
    "trailing_grid": ("trailing_grid", {}),
    "dca": ("dca", {}),
    "ma_cross": ("ma_cross", {}),
    "rsi": ("rsi", {}),
}
FIXED: dict[str, dict[str, Any]] = {
    "grid": {"levels": 30, "spacing": "arithmetic", "quantity_per_level": Decimal("0.01")},
    "trailing_grid": {"grid_levels": 6, "quantity": Decimal("0.01"), "offset_percent": Decimal("0.05"),
                      "sell_offset_percent": Decimal("0.06"), "reprice_percent": Decimal("0.1")},
    "dca": {"amount": Decimal(500), "interval_minutes": 3, "take_profit_percent": Decimal("0.1")},
    "ma_cross": {"fast": 3, "slow": 8, "size": Decimal("0.05")},
    "rsi": {"period": 5, "oversold": 40, "overbought": 60, "size": Decimal("0.05")},
}  # fmt: skip
#: For six minutes in which the price moves by half a percent.
NARROW: dict[str, tuple[str, dict[str, Any]]] = {
    "grid": ("grid", {"lower_price": Decimal(61_500), "upper_price": Decimal(62_100), "levels": 60,
                      "spacing": "arithmetic", "quantity_per_level": Decimal("0.02")}),
    "trailing_grid": ("trailing_grid", {"grid_levels": 6, "quantity": Decimal("0.05"),
                                        "offset_percent": Decimal("0.01"), "sell_offset_percent": Decimal("0.015"),
                                        "reprice_percent": Decimal("0.02")}),
}  # fmt: skip


def form_at(form: str, ticks: int) -> tuple[str, dict[str, Any]]:
    """A form's kind and parameters for a market that begins at a price."""
    kind, relative = FORMS[form]
    price = BTCUSDT.from_ticks(ticks)
    prices = {name: (price * Decimal(value)).quantize(Decimal(1)) for name, value in relative.items()}
    waits = {"split_at_start": False} if "waits" in form else {}
    return kind, {**FIXED[kind], **prices, **waits}


def both(
    kind: str, params: dict[str, Any], script: Script, live_model: str = "touch", fill_model: FillModel = "touch"
) -> tuple[Recording, list[Decided]]:
    """A paper run, and what the backtester decides on its recording."""
    recording = traded_on_paper(kind, params, script, live_model)
    return recording, replayed(kind, params, recording, FUNDS, LIMITS, MINUTE, FEE_PPM, fill_model)


def assert_identical(form: str, recording: Recording, again: list[Decided]) -> None:
    """The same orders at the same trades of the market; in the same order, where one stream tells the strategy all."""
    assert not first_difference(by_moment(recording.decisions, recording), by_moment(again, recording))
    if "waits" not in form:
        assert not first_difference(recording.decisions, again)


@pytest.mark.parametrize("form", FORMS)
def test_a_paper_run_replayed_gives_the_identical_orders(form: str) -> None:
    script = by_chance(seed=3, count=200, swing=1_500)
    recording, again = both(*form_at(form, script.first_ticks), script)
    assert len(recording.decisions) > 15
    assert_identical(form, recording, again)


@pytest.mark.recorded
@pytest.mark.parametrize("form", FORMS)
def test_so_does_one_on_a_recorded_market(form: str, recorded_data: Path) -> None:
    script = recorded(recorded_data / "klines/um/BTCUSDT-1m-2025.csv.gz", BTCUSDT, first=2_000, count=240)
    recording, again = both(*form_at(form, script.first_ticks), script)
    assert len(recording.decisions) > 15
    assert_identical(form, recording, again)


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("form", "fill_model"),
    [
        ("grid", "touch"),
        pytest.param("grid", "through", marks=pytest.mark.acceptance),
        pytest.param("trailing_grid", "touch", marks=pytest.mark.acceptance),
        pytest.param("trailing_grid", "through", marks=pytest.mark.acceptance),
    ],
)
def test_so_does_one_on_recorded_trades(form: str, fill_model: FillModel, recorded_data: Path) -> None:
    script = traded(recorded_data / "trades/spot_btcusdt_20240808-trades.csv.gz", BTCUSDT)
    recording, again = both(*NARROW[form], script, fill_model, fill_model)
    assert len(recording.decisions) > 30
    assert_identical(form, recording, again)


@pytest.mark.recorded
@pytest.mark.acceptance
def test_a_queue_leaves_out_some_of_what_a_touch_fills_and_adds_nothing(recorded_data: Path) -> None:
    script = traded(recorded_data / "trades/spot_btcusdt_20240808-trades.csv.gz", BTCUSDT, shown=100_000)
    recording, again = both(*NARROW["grid"], script, "queue")
    live, kind = {one.what for one in recording.decisions}, {one.what for one in again}
    print(f"queue {len(live)}, touch {len(kind)}")  # shown with -s
    assert live < kind


def test_a_market_that_differs_by_one_price_is_told_from_the_recorded_one() -> None:
    script = by_chance(seed=3, count=200, swing=1_500)
    kind, params = form_at("grid", script.first_ticks)
    recording = traded_on_paper(kind, params, script)
    middle = len(recording.rows) // 2
    recording.rows[middle] = recording.rows[middle]._replace(ticks=min(row.ticks for row in recording.rows) - 20_000)
    assert first_difference(recording.decisions, replayed(kind, params, recording, FUNDS, LIMITS, MINUTE))


def assert_the_same_is_left(recording: Recording, again: list[Decided], told: str) -> None:
    """Every moment of the market leaves the same orders: some are placed and withdrawn within one on one side only."""
    live, replay = by_moment(recording.decisions, recording), by_moment(again, recording)
    rest = without_passing(live)
    print(told, len(live), len(live) - len(rest), len(replay) - len(without_passing(replay)))  # shown with -s
    assert not first_difference(rest, without_passing(replay)), told


@pytest.mark.acceptance
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("form", FORMS)
def test_the_same_orders_are_left_on_markets_by_chance(form: str) -> None:
    for seed in range(100, 140):
        script = by_chance(seed, count=150, swing=(1_500, 6_000)[seed % 2])
        assert_the_same_is_left(*both(*form_at(form, script.first_ticks), script), f"{form} {seed}")


@pytest.mark.acceptance
@pytest.mark.recorded
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("form", FORMS)
def test_the_same_orders_are_left_through_five_recorded_days(form: str, recorded_data: Path) -> None:
    script = recorded(recorded_data / "klines/um/BTCUSDT-1m-2025.csv.gz", BTCUSDT, first=2_000, count=5 * 1_440)
    assert_the_same_is_left(*both(*form_at(form, script.first_ticks), script), form)
