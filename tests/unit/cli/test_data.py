from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import program
from db import migrate
from db.database import open_database
from db.queries import histories
from db.unit_of_work import reading
from engine.backtest import store
from tests.markets import trending

ARES = program()


@pytest.fixture
def hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARES_DATABASE__URL", f"sqlite:///{tmp_path / 'ares.sqlite3'}")
    columns = (column.tolist() for column in trending(4, 240).columns[:5])
    rows = [f"{at},{o / 100},{h / 100},{low / 100},{c / 100},1.5" for at, o, h, low, c in zip(*columns, strict=True)]
    path = tmp_path / "hours.csv"
    path.write_text("\n".join(rows[:50] + rows[53:]))
    return path


def test_a_file_is_imported_checked_listed_and_run_on_by_its_name(hours: Path) -> None:
    done = CliRunner().invoke(ARES, ["data", "import", str(hours), "--name", "btc-1h", "--symbol", "BTC/USDT"])
    assert done.exit_code == 0, done.output
    assert "gap: 3 bars from" in done.stdout
    checked = CliRunner().invoke(ARES, ["data", "check", "btc-1h"])
    assert "237 bars of 1h, 1 gaps" in checked.stdout
    assert "btc-1h" in CliRunner().invoke(ARES, ["data", "list"]).stdout
    ran = CliRunner().invoke(
        ARES,
        [
            "backtest",
            "ma_cross",
            "btc-1h",
            "-p",
            "fast=3",
            "-p",
            "slow=9",
            "-p",
            "size=0.01",
            "--runtime",
            "interpreted",
        ],
    )
    assert ran.exit_code == 0, ran.output
    assert "follows a gap of 3 bars" in ran.stdout


def test_bars_are_made_longer_while_they_are_imported(hours: Path) -> None:
    done = CliRunner().invoke(ARES, ["data", "import", str(hours), "--name", "days", "--interval", "1d"])
    assert done.exit_code == 0, done.output
    assert "10 bars of 1d" in done.stdout
    wrong = CliRunner().invoke(ARES, ["data", "import", str(hours), "--interval", "7d"])
    assert "no such interval" in str(wrong.exception)


def test_a_history_is_shared_with_the_platform_once(hours: Path, tmp_path: Path) -> None:
    CliRunner().invoke(ARES, ["data", "import", str(hours), "--name", "btc-1h"])
    early = CliRunner().invoke(ARES, ["data", "share", "btc-1h"])
    assert early.exit_code == 1
    engine = open_database(f"sqlite:///{tmp_path / 'ares.sqlite3'}")
    migrate.upgrade(engine)
    for _ in range(2):
        done = CliRunner().invoke(ARES, ["data", "share", "btc-1h"])
        assert done.stdout.startswith("Shared as history 1;"), done.output
    with reading(engine) as unit:
        found, kept = histories.get(unit, 1), histories.content(unit, 1)
    engine.dispose()
    assert (found.bars, found.gaps, found.symbol) == (237, 1, "BTC/USDT")
    assert len(store.unpack(kept)) == 237


def test_a_damaged_history_is_not_used(hours: Path, tmp_path: Path) -> None:
    CliRunner().invoke(ARES, ["data", "import", str(hours), "--name", "btc-1h"])
    kept = tmp_path / "home" / "histories" / "btc-1h.parquet"
    kept.write_bytes(kept.read_bytes()[:-200])
    done = CliRunner().invoke(ARES, ["data", "check", "btc-1h"])
    assert done.exit_code == 1
    assert "import it again" in str(done.exception)
