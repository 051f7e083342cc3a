from __future__ import annotations

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import orjson
import polars
import pytest

from engine.backtest import files
from engine.backtest.history import BadHistory

START = 1_672_617_600_000
GOOD = [f"{START + 60_000 * place},100.1,101,99.5,100.{place},5.25" for place in range(6)]
HEADER = "open_time,open,high,low,close,volume"


def kept(tmp_path: Path, lines: list[str], name: str = "bars.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    plain = kept(tmp_path, GOOD)
    expected = files.read(plain).rows
    assert len(expected) == 6
    headed = kept(tmp_path, [HEADER, *GOOD], "headed.csv")
    packed = tmp_path / "bars.csv.gz"
    packed.write_bytes(gzip.compress(headed.read_bytes()))
    archive = tmp_path / "bars.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.write(plain, "bars.csv")
    rows = [[int(row[0]), *map(float, row[1:])] for row in expected]
    listed = tmp_path / "bars.json"
    listed.write_bytes(orjson.dumps(rows))
    frame = polars.DataFrame(rows, schema=["date", "open", "high", "low", "close", "volume"], orient="row")
    frame.write_parquet(tmp_path / "bars.parquet")
    dated = frame.with_columns(polars.from_epoch("date", "ms").dt.replace_time_zone("UTC"))
    dated.write_ipc(tmp_path / "bars.feather")
    for path in (headed, packed, archive, listed, tmp_path / "bars.parquet", tmp_path / "bars.feather"):
        table = files.read(path)
        assert table.rows == expected, path.name
        assert table.bar_ms == 60_000
        assert table.is_usable


@pytest.mark.parametrize(
    ("place", "line", "words"),
    [
        (3, GOOD[2], "row 4 is double"),
        (3, GOOD[1], "row 4 is out of order"),
        (3, f"{START + 180_000},100,99,98,97,1", "row 4 is absurd"),
        (3, f"{START + 180_000},100,101,0,100,1", "row 4 is absurd"),
        (3, f"{START + 180_000},100,101,99,100,-1", "row 4 is absurd"),
        (3, f"{START + 180_000},100,101,99,much,1", "row 4 cannot be read"),
        (3, f"{START + 180_000},NaN,101,99,100,1", "row 4 cannot be read"),
        (3, f"{START // 1000 + 180},100,101,99,100,1", "row 4 has the time"),
        (3, f"{START + 180_500},100,101,99,100,1", "row 4 does not begin with a bar"),
        (3, f"{START + 180_000},10000,10100,9950,10000,1", "row 4 jumps"),
    ],
)
def test_every_bad_row_is_named_and_nothing_is_repaired(tmp_path: Path, place: int, line: str, words: str) -> None:
    table = files.read(kept(tmp_path, [*GOOD[:place], line, *GOOD[place + 1 :]]))
    assert not table.is_usable
    with pytest.raises(BadHistory, match=words):
        files.history_of(table, files.instrument_of(table, "BTCUSDT", "BTC", "USDT"))


def test_a_gap_is_borne_and_told_with_the_history(tmp_path: Path) -> None:
    table = files.read(kept(tmp_path, [*GOOD[:2], *GOOD[4:]]))
    history = files.history_of(table, files.instrument_of(table, "BTCUSDT", "BTC", "USDT"))
    assert history.warnings == ("row 3 follows a gap of 2 bars",)


def test_microseconds_are_read_as_such_and_told(tmp_path: Path) -> None:
    lines = [line.replace(line[:13], line[:13] + "000", 1) for line in GOOD]
    table = files.read(kept(tmp_path, lines))
    assert table.rows[0][0] == START
    assert [finding.words for finding in table.findings] == ["times are in microseconds and were read as such"]


def test_ticks_and_lots_are_the_finest_steps_of_the_file(tmp_path: Path) -> None:
    instrument = files.instrument_of(files.read(kept(tmp_path, GOOD)), "BTCUSDT", "BTC", "USDT")
    assert instrument.tick_size == Decimal("0.1")
    assert instrument.lot_size == Decimal("0.001")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadHistory, match="no such file"):
        files.read(tmp_path / "nothing.csv")
    with pytest.raises(BadHistory, match="no rows"):
        files.read(kept(tmp_path, [HEADER]))
    with pytest.raises(BadHistory, match="is wanted"):
        files.read(kept(tmp_path, GOOD, "bars.txt"))
