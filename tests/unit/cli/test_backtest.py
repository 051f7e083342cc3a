from __future__ import annotations

import math
from pathlib import Path

import orjson
import polars
import pytest
from typer.testing import CliRunner

from cli.app import program

ARES = program()

START = 1_672_617_600_000
GRID = ["-p", "lower_price=90", "-p", "upper_price=110", "-p", "levels=10", "-p", "quantity_per_level=1"]


@pytest.fixture
def waves(tmp_path: Path) -> Path:
    closes = [round(100 + 8 * math.sin(place / 9), 2) for place in range(400)]
    lines = []
    for place, close in enumerate(closes):
        opened = closes[max(place - 1, 0)]
        lines.append(f"{START + 60_000 * place},{opened},{max(opened, close)},{min(opened, close)},{close},5.125")
    path = tmp_path / "waves.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_strategy_is_run_over_a_file_and_its_result_written_three_ways(waves: Path, tmp_path: Path) -> None:
    page, rows = tmp_path / "report.html", tmp_path / "fills.parquet"
    command = ["backtest", "grid", str(waves), *GRID, "--runtime", "interpreted", "--json"]
    done = CliRunner().invoke(ARES, [*command, "--html", str(page), "--fills", str(rows)])
    assert done.exit_code == 0, done.output
    told = orjson.loads(done.stdout)
    assert told["metrics"]["fills"] == len(polars.read_parquet(rows)) > 20
    assert float(told["metrics"]["cycle_profit"]) > 0
    assert told["stamp"]["runtime"] == "interpreted"
    text = page.read_text()
    assert "<svg" in text
    assert "http" not in text


def test_a_table_is_shown_to_a_person(waves: Path) -> None:
    done = CliRunner().invoke(ARES, ["backtest", "grid", str(waves), *GRID, "--runtime", "interpreted"])
    assert done.exit_code == 0, done.output
    assert "max_drawdown_percent" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing"], "no such strategy"),
        (["grid", "-p", "levels=0"], "levels"),
        (["grid", "-p", "colour=red"], "colour"),
    ],
)
def test_what_is_wrong_is_named(waves: Path, words: list[str], told: str) -> None:
    done = CliRunner().invoke(ARES, ["backtest", words[0], str(waves), *words[1:]])
    assert done.exit_code == 1
    assert told in str(done.exception)


def test_data_check_names_rows_and_says_so_in_its_status(waves: Path) -> None:
    assert CliRunner().invoke(ARES, ["data", "check", str(waves)]).exit_code == 0
    lines = waves.read_text().splitlines()
    waves.write_text("\n".join([*lines[:5], lines[4], *lines[5:]]))
    done = CliRunner().invoke(ARES, ["data", "check", str(waves)])
    assert done.exit_code == 1
    assert "is double" in done.stdout


def test_futures_are_run_with_recorded_rates_and_marks(waves: Path, tmp_path: Path) -> None:
    rates, marks = tmp_path / "rates.csv", tmp_path / "marks.csv"
    # An hour after the start, some milliseconds late as on the wire.
    rates.write_text(f"symbol,time,value\nETHUSDT,{START},0.5\nBTCUSDT,{START + 3_600_007},0.001\n")
    marks.write_text(f"symbol,time,value\nBTCUSDT,{START + 3_600_007},100\n")
    command = ["backtest", "grid", str(waves), *GRID, "--runtime", "interpreted", "--json", "--leverage", "3"]
    done = CliRunner().invoke(ARES, [*command, "--funding", str(rates), "--marks", str(marks)])
    assert done.exit_code == 0, done.output
    told = orjson.loads(done.stdout)
    # The grid holds a whole number, and a tenth of a percent of a hundred is paid on each.
    assert -1 <= float(told["metrics"]["funding"]) < 0
    assert float(told["metrics"]["funding"]) * 10 % 1 == 0
    assert told["assumptions"]["futures"].startswith("leverage 3, maintenance 0.4 %, ")
    tiers = tmp_path / "tiers.json"
    bracket = {"initialLeverage": 20, "notionalCap": 9_000, "notionalFloor": 0, "maintMarginRatio": 0.01, "cum": 0}
    tiers.write_bytes(orjson.dumps([{"symbol": "BTCUSDT", "brackets": [bracket]}]))
    tiered = CliRunner().invoke(ARES, [*command, "--tiers", str(tiers)])
    assert orjson.loads(tiered.stdout)["assumptions"]["futures"].startswith("leverage 3, 1 tiers ")
    plain = CliRunner().invoke(ARES, ["backtest", "grid", str(waves), *GRID, "--funding", str(rates)])
    assert "give --leverage" in str(plain.exception)


def test_several_strategies_share_an_account_and_their_figures_add_up(waves: Path, tmp_path: Path) -> None:
    law = {"lower_price": 90, "upper_price": 110, "levels": 10, "quantity_per_level": 1}
    fast = {"runtime": "interpreted"}
    one = {"strategy": "grid", "params": law, "history": str(waves), "assumptions": fast}
    cross = {"strategy": "ma_cross", "params": {"fast": 3, "slow": 9, "size": 1}, "history": str(waves),
             "symbol": "ETH/USDT", "assumptions": fast}  # fmt: skip
    account = tmp_path / "account.json"
    account.write_bytes(orjson.dumps({"capital": "5000", "instances": [one, cross]}))
    done = CliRunner().invoke(ARES, ["backtest-together", str(account), "--json"])
    assert done.exit_code == 0, done.output
    told = orjson.loads(done.stdout)
    parts = [float(part["metrics"]["net"]) for part in told["instances"]]
    assert abs(sum(parts) - float(told["account"]["net"])) < 1e-6
    assert told["instances"][0]["assumptions"]["quote"] == "2500.00000000"
    shown = CliRunner().invoke(ARES, ["backtest-together", str(account)])
    assert shown.exit_code == 0, shown.output
    assert "deepest fall" in shown.stdout
    cross["assumptions"] = {**fast, "quote": "5001"}
    account.write_bytes(orjson.dumps({"capital": "5000", "instances": [cross]}))
    assert "5000 is all there is" in str(CliRunner().invoke(ARES, ["backtest-together", str(account)]).exception)
    account.write_bytes(orjson.dumps({"capital": "5000", "instances": [one, cross]}))
    assert "every instance its share" in str(CliRunner().invoke(ARES, ["backtest-together", str(account)]).exception)
