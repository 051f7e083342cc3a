from __future__ import annotations

from pathlib import Path

import orjson
import polars
import pytest
from typer.testing import CliRunner

from cli.app import program
from tests.markets import trending

ARES = program()

SEARCH = ["-p", "fast=2:8:2", "-p", "slow=12:30:9", "-p", "size=0.01", "--runtime", "interpreted", "--processes", "1"]


@pytest.fixture
def hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARES_HOME", str(tmp_path / "home"))
    history = trending(4, 500)
    columns = (column.tolist() for column in history.columns[:5])
    lines = [f"{at},{o / 100},{h / 100},{low / 100},{c / 100},1.5" for at, o, h, low, c in zip(*columns, strict=True)]
    path = tmp_path / "hours.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_search_is_shown_with_its_luck_and_written_three_ways(hours: Path, tmp_path: Path) -> None:
    page, rows = tmp_path / "report.html", tmp_path / "trials.parquet"
    command = ["optimise", "ma_cross", str(hours), *SEARCH, "--validation", "walk_forward", "--folds", "2"]
    done = CliRunner().invoke(ARES, [*command, "--html", str(page), "--parquet", str(rows)])
    assert done.exit_code == 0, done.output
    assert "12 sets tried, 0 refused" in done.stdout
    assert "deflated Sharpe ratio" in done.stdout
    assert "folds earned" in done.stdout
    assert polars.read_parquet(rows).shape[0] == 12
    text = page.read_text()
    assert "sharpe by slow (down) and fast (across)" in text
    assert "http" not in text
    again = CliRunner().invoke(ARES, [*command, "--json"])
    told = orjson.loads(again.stdout)
    assert told["counts"] == {"tried": 12, "refused": 0, "allowed": 12}
    assert told["best"][0]["luck"]["verdict"] in {"edge", "unclear", "luck"}
    assert set(told["stamp"]) == {"strategy", "job", "data", "code", "seed"}


def test_the_same_command_goes_on_where_it_was(hours: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    command = ["optimise", "ma_cross", str(hours), *SEARCH, "--json", "--folder", str(kept)]
    first = CliRunner().invoke(ARES, command)
    chunks = sorted(kept.glob("*.chunk"))
    chunks[0].unlink()
    written = chunks[1].stat().st_mtime_ns
    assert CliRunner().invoke(ARES, command).stdout == first.stdout
    assert chunks[0].exists()
    assert chunks[1].stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--objective", "beauty"], "no such objective"),
        (["--method", "guess"], "method"),
        (["-c", "fast ? slow"], "write it as"),
        (["-p", "speed=1,2"], "no such parameter"),
        (["-p", "speed"], "name=value"),
        (["--trials", "0", "--method", "random"], "trials"),
    ],
)
def test_what_cannot_be_searched_is_named(hours: Path, words: list[str], told: str) -> None:
    done = CliRunner().invoke(ARES, ["optimise", "ma_cross", str(hours), *SEARCH, *words])
    assert done.exit_code == 1
    assert told in str(done.exception)


def test_a_backtest_is_shown_beside_an_earlier_one(hours: Path, tmp_path: Path) -> None:
    command = ["backtest", "ma_cross", str(hours), "-p", "slow=20", "-p", "size=0.01", "--runtime", "interpreted"]
    before = tmp_path / "slower.json"
    before.write_text(CliRunner().invoke(ARES, [*command, "-p", "fast=9", "--json"]).stdout)
    done = CliRunner().invoke(ARES, [*command, "-p", "fast=5", "--compare", str(before)])
    assert done.exit_code == 0, done.output
    assert "slower" in done.stdout
    assert "params differs" in done.stdout
    wrong = CliRunner().invoke(ARES, [*command, "-p", "fast=5", "--compare", str(hours)])
    assert "cannot be read as a result" in str(wrong.exception)


def test_a_search_on_futures_pays_recorded_fundings_and_names_terms_that_cannot_be(hours: Path, tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    begin = int(hours.read_text().split(",", 1)[0])
    lines = [f"BTCUSDT,{begin + 28_800_000 * at},0.001" for at in range(1, 60)]
    rates.write_text("\n".join(["symbol,time,value", *lines]))
    command = ["optimise", "ma_cross", str(hours), *SEARCH, "--json"]
    spot = orjson.loads(CliRunner().invoke(ARES, command).stdout)
    done = CliRunner().invoke(ARES, [*command, "--leverage", "5", "--funding", str(rates)])
    assert done.exit_code == 0, done.output
    told = orjson.loads(done.stdout)
    job = orjson.loads(told["stamp"]["job"])["assumptions"]["futures"]
    assert (job["leverage"], len(job["funding_rates"])) == (5, 59)
    nets = [{one["number"]: float(one["values"]["net"]) for one in found["ranking"]} for found in (spot, told)]
    assert any(nets[1][number] != nets[0][number] for number in nets[1])
    for wrong, words in (
        (["--leverage", "126"], "leverage"),
        (["--funding", str(rates)], "give --leverage"),
        (["--leverage", "5", "--marks", str(rates)], "give --funding"),
    ):
        refused = CliRunner().invoke(ARES, [*command, *wrong])
        assert refused.exit_code == 1
        assert words in str(refused.exception)


def account(hours: Path, tmp_path: Path, **changed: object) -> str:
    """A file of an account with two crosses on the same bars."""
    fast = {"runtime": "interpreted", "quote": "4000"}
    one = {"strategy": "ma_cross", "params": {"slow": 20, "size": "0.01"}, "history": str(hours), "assumptions": fast}
    other = {**one, "name": "swing", "symbol": "ETH/USDT", "params": {"fast": 5, "slow": 20, "size": "0.01"}}
    path = tmp_path / "account.json"
    path.write_bytes(orjson.dumps({"capital": "9000", "instances": [one, {**other, **changed}]}))
    return str(path)


def test_several_on_one_account_are_searched_together(hours: Path, tmp_path: Path) -> None:
    page, rows = tmp_path / "report.html", tmp_path / "trials.parquet"
    space = ["-p", "ma_cross.fast=2:8:2", "-p", "swing.slow=15,25", "-p", "swing.quote=2000,5000", "--processes", "1"]
    command = ["optimise-together", account(hours, tmp_path), *space, "-c", "swing.fills >= 2"]
    done = CliRunner().invoke(ARES, [*command, "--html", str(page), "--parquet", str(rows)])
    assert done.exit_code == 0, done.output
    assert "16 sets tried, 0 refused" in done.stdout
    assert "part %" in done.stdout
    assert polars.read_parquet(rows).shape[0] == 16
    assert "What each instance had of the best" in page.read_text()
    told = orjson.loads(CliRunner().invoke(ARES, [*command, "--json"]).stdout)
    assert [share["name"] for share in told["best"][0]["shares"]] == ["ma_cross", "swing"]
    # What the search leaves as it is stands in the file, and in every set.
    assert told["best"][0]["params"].items() >= {"ma_cross.slow": "20", "swing.fast": "5"}.items()


@pytest.mark.parametrize(
    ("words", "changed", "told"),
    [
        (["-p", "fast=2,4"], {}, "the instances are ma_cross, swing"),
        (["-p", "swing.speed=2,4"], {}, "swing.speed: ma_cross has no such parameter"),
        (["-p", "swing.fast=2,4"], {"name": "a.b"}, "instances.1.name"),
        (["-p", "swing.fast=2,4"], {"strategy": "none"}, "there is no such strategy"),
        (["-p", "swing.fast=2,4"], {"assumptions": {}}, "every instance its share"),
        (["-p", "swing.fast=2,4", "--method", "guess"], {}, "method"),
        (["-p", "swing.quote=9000,9001", "-c", "swing.beauty > 1"], {}, "swing.beauty is neither"),
    ],
)
def test_what_cannot_be_searched_on_an_account_is_named(
    hours: Path, tmp_path: Path, words: list[str], changed: dict[str, object], told: str
) -> None:
    done = CliRunner().invoke(ARES, ["optimise-together", account(hours, tmp_path, **changed), *words])
    assert done.exit_code == 1
    assert told in str(done.exception)
