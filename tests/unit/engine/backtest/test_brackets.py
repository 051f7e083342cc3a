from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.errors import Refused
from engine.backtest.brackets import read_tiers
from engine.backtest.futures import Tier

BRACKETS: list[dict[str, Any]] = [
    {"bracket": 1, "initialLeverage": 125, "notionalCap": 300_000, "notionalFloor": 0, "maintMarginRatio": 0.004,
     "cum": 0},
    {"bracket": 2, "initialLeverage": 100, "notionalCap": 800_000, "notionalFloor": 300_000, "maintMarginRatio": 0.005,
     "cum": 300},
    {"bracket": 3, "initialLeverage": 75, "notionalCap": 3_000_000, "notionalFloor": 800_000,
     "maintMarginRatio": 0.0065, "cum": 1_500.0},
]  # fmt: skip


def write(folder: Path, brackets: list[dict[str, Any]], wrapped: bool = True) -> Path:
    entry = {"symbol": "BTCUSDT", "notionalCoef": 1.0, "brackets": brackets}
    path = folder / "brackets.json"
    path.write_bytes(orjson.dumps([{"symbol": "ETHUSDT", "brackets": []}, entry] if wrapped else entry))
    return path


@pytest.mark.parametrize("wrapped", [True, False])
def test_what_the_venue_answers_is_read_as_it_is(tmp_path: Path, wrapped: bool) -> None:
    assert read_tiers(write(tmp_path, BRACKETS, wrapped), "BTCUSDT") == (
        Tier(Decimal(300_000), Decimal("0.4"), 125),
        Tier(Decimal(800_000), Decimal("0.5"), 100),
        Tier(Decimal(3_000_000), Decimal("0.65"), 75),
    )


@pytest.mark.parametrize(
    ("place", "change", "words"),
    [
        (1, {"cum": 301}, "bracket 2: cum is 301; by the rates and floors up to it, it is 300"),
        (2, {"notionalFloor": 800_001}, "bracket 3: notionalFloor is 800001; the one before ends at 800000"),
        (0, {"maintMarginRatio": None}, "bracket 1: maintMarginRatio is None"),
        (0, {"notionalCap": "300000"}, "bracket 1: notionalCap is 300000; it must be a number"),
        (1, {"initialLeverage": 126}, "bracket 2: initialLeverage is 126"),
    ],
)
def test_a_bracket_that_cannot_be_is_refused_by_its_number_and_field(
    tmp_path: Path, place: int, change: dict[str, Any], words: str
) -> None:
    brackets = [dict(bracket) for bracket in BRACKETS]
    brackets[place] |= change
    with pytest.raises(Refused, match=words):
        read_tiers(write(tmp_path, brackets), "BTCUSDT")


def test_a_file_without_the_symbol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no brackets of SOLUSDT"):
        read_tiers(write(tmp_path, BRACKETS), "SOLUSDT")
    with pytest.raises(Refused, match="cannot be read"):
        read_tiers(tmp_path / "none.json", "BTCUSDT")
