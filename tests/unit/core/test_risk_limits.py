from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from core.risk_limits import ForeignCapital, Limits
from domain.instrument import Instrument
from domain.risk_manager import RiskLimits

BITCOIN = Instrument(
    "BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), max_price=Decimal(10**6), max_position=Decimal(1000)
)


def test_without_a_word_the_limits_are_those_of_the_law() -> None:
    assert Limits().to_law(BITCOIN) == RiskLimits()


def test_amounts_become_integers_rounded_down() -> None:
    law = Limits(
        max_position_quantity=Decimal("0.000019"),
        max_order_notional=Decimal("100.123456789"),
        collar_percent=Decimal("0.5"),
        capital={"USDT": Decimal("1000")},
    ).to_law(BITCOIN)
    assert (law.max_position_lots, law.max_order_notional) == (1, 10_012_345_678)
    assert (law.collar_ppm, law.capital) == (5_000, 100_000_000_000)


def test_a_limit_below_one_unit_is_one_unit_and_not_off() -> None:
    assert Limits(max_order_quantity=Decimal("0.000001")).to_law(BITCOIN).max_order_lots == 1


def test_capital_is_counted_in_the_quanta_of_its_assets() -> None:
    limits = Limits(capital={"USDT": Decimal("1.5"), "BTC": Decimal("0.1")})
    assert dict(limits.allotment(BITCOIN)) == {"USDT": 150_000_000, "BTC": 10_000_000}


def test_capital_in_a_third_asset_is_refused_by_name() -> None:
    with pytest.raises(ForeignCapital, match="BTCUSDT trades BTC and USDT, not ETH"):
        Limits(capital={"ETH": Decimal(1)}).allotment(BITCOIN)


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_daily_loss", "NaN"), ("max_daily_loss", "-1"), ("max_daily_loss", "1e400"), ("max_price_age_seconds", 0),
     ("capital", {"USDT": "0"}), ("colour", "red")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Limits.model_validate({field: value})
    assert refused.value.errors()[0]["loc"][0] == field


def test_every_field_has_a_title_and_a_description() -> None:
    for name, field in Limits.model_json_schema()["properties"].items():
        assert field.get("title"), name
        assert field.get("description"), name
