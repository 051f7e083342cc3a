from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.market import MarketFileError, open_market
from simulator.market.files import Gap
from simulator.market.loaders import load_klines, load_trades, symbol_of
from simulator.market.tables import CsvTable
from simulator.units import parse_quanta

HEADER = "open_time,open,high,low,close,volume\n"
GOOD = "1746372780000,100,101.5,99.25,100.5,12.345\n1746372840000,100.5,100.5,100.5,100.5,0\n"
TRADES = "trade_id,time,price,qty,is_buyer_maker\n"


def klines(tmp_path: Path, body: str, header: str = HEADER) -> Path:
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text(header + body)
    return path


def test_klines_are_read_exactly(tmp_path: Path) -> None:
    series = load_klines(klines(tmp_path, GOOD))
    assert series.interval_ms == 60_000
    assert series.high.tolist() == [10_150_000_000, 10_050_000_000]
    assert series.volume.tolist() == [1_234_500_000, 0]


@given(st.lists(st.from_regex(r"[0-9]{1,10}(\.[0-9]{1,8}0{0,3})?", fullmatch=True), min_size=1, max_size=30))
def test_every_plain_decimal_reads_as_the_venue_reads_it(texts: list[str]) -> None:
    table = CsvTable(Path("x.csv"), ("value\n" + "\n".join(texts)).encode(), ("value",))
    assert table.quanta(0).tolist() == [parse_quanta(text) for text in texts]


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("1746372780000,100,101,99,100\n", 2, "there are 5 fields"),
        ("\n", 2, "there are 1 fields"),
        (GOOD + "1746372900000,1e2,101,99,100,1\n", 4, "open is '1e2'"),
        (GOOD + "1746372900000,-100,101,99,100,1\n", 4, "open is '-100'"),
        (GOOD + "1746372900000,NaN,101,99,100,1\n", 4, "open is 'NaN'"),
        (GOOD + "1746372900000,100,101,99,100,\n", 4, "volume is ''"),
        (GOOD + "1746372900000,100,101,99,100,.5\n", 4, r"volume is '\.5'"),
        (GOOD + "1746372900000,100,101,99,100,1.2.3\n", 4, r"volume is '1\.2\.3'"),
        (GOOD + "1746372900000,100,101,99,100,1.123456789\n", 4, r"volume is '1\.123456789'"),
        (GOOD + "1746372900000,100,101,99,100,99999999999\n", 4, "volume is '99999999999'"),
        (GOOD + "1746372840000,100,101,99,100,1\n", 4, "repeats the open_time"),
        (GOOD + "1746372780000,100,101,99,100,1\n", 4, "is older than the row before"),
        (GOOD + "1746372900000,100,98,99,98,1\n", 4, "high is below low"),
        (GOOD + "1746372900000,100,99,98,99,1\n", 4, "high is below open or close"),
        (GOOD + "1746372900000,100,101,100,99,1\n", 4, "low is above open or close"),
        (GOOD + "1746372900000,0,101,0,100,1\n", 4, "a price is zero"),
        (GOOD + "1746372900000,100,101,99,100,0\n", 4, "volume is 0 but the price moved"),
        (GOOD + "1746372870000,100,101,99,100,1\n", 4, "30000 ms apart"),
        (GOOD + "1746372930000,100,101,99,100,1\n", 4, "off the grid"),
        ("", 2, "there are no rows"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, body: str, line: int, message: str) -> None:
    path = klines(tmp_path, body)
    with pytest.raises(MarketFileError, match=message) as caught:
        load_klines(path)
    assert caught.value.line == line
    assert f"{path}, line {line}: " in str(caught.value)


@pytest.mark.parametrize(
    "header", ["open_time,open,high,low,close\n", "time,open,high,low,close,volume\n", "open_time;open;high\n"]
)
def test_a_wrong_column_is_refused_on_the_first_line(tmp_path: Path, header: str) -> None:
    with pytest.raises(MarketFileError, match="they must be exactly 'open_time,open,high,low,close,volume'") as caught:
        load_klines(klines(tmp_path, GOOD, header))
    assert caught.value.line == 1


def test_a_row_with_too_few_lots_for_its_prices_is_refused(tmp_path: Path) -> None:
    path = klines(tmp_path, GOOD + "1746372900000,100,101,99,100.5,0.002\n")
    with pytest.raises(MarketFileError, match="line 4: a volume of 2 lots cannot visit"):
        list(open_market(f"replay:{path}").listings("futures"))


def test_a_gap_is_refused_with_from_and_to_and_listed_when_asked_for(tmp_path: Path) -> None:
    path = klines(tmp_path, GOOD + "1746373020000,100,101,99,100.5,1\n")
    with pytest.raises(MarketFileError, match=r"2025-05-04T15:35:00Z to 2025-05-04T15:37:00Z \(2 minutes\)") as caught:
        open_market(f"replay:{path}")
    assert caught.value.line == 4
    assert "--gaps outage" in str(caught.value)
    source = open_market(f"replay:{path}", gaps="outage")
    assert source.gaps == {"BTCUSDT": (Gap(1746372900000, 1746373020000),)}


def test_a_gzip_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m.csv.gz"
    path.write_bytes(gzip.compress((HEADER + GOOD).encode())[:-9])
    with pytest.raises(MarketFileError, match="is not a whole gzip file"):
        open_market(f"replay:{path}")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketFileError, match="cannot be read"):
        open_market(f"replay:{tmp_path / 'BTCUSDT-1m.csv'}")


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("7,1746372780000,100,1,2\n", 2, "neither 0 nor 1"),
        ("7,1746372780000,100,1,0\n7,1746372780000,100,1,0\n", 3, "trade_id does not grow"),
        ("7,1746372780000,100,1,0\n8,1746372779999,100,1,0\n", 3, "time is older"),
        ("7,1746372780000,100,0,0\n", 2, "price or qty is zero"),
        ("7,1746372780000000,100,1,0\n", 2, "time is not in milliseconds"),
    ],
)
def test_a_bad_trade_is_refused_with_its_line(tmp_path: Path, body: str, line: int, message: str) -> None:
    path = tmp_path / "BTCUSDT-trades.csv"
    path.write_text(TRADES + body)
    with pytest.raises(MarketFileError, match=message) as caught:
        load_trades(path)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2025.csv.gz", "BTCUSDT"),
        ("spot_btcusdt_20240808.gz", "BTCUSDT"),
        ("usdm_ethusdt_20240808.gz", "ETHUSDT"),
        ("1000SHIBUSDT-5m.csv", "1000SHIBUSDT"),
    ],
)
def test_the_symbol_is_told_by_the_file_name(name: str, symbol: str) -> None:
    assert symbol_of(Path(name)) == symbol


def test_windows_line_ends_are_read_too() -> None:
    table = CsvTable(Path("x.csv"), b"a,b\r\n1,2\r\n3,4\r\n", ("a", "b"))
    assert np.array_equal(table.integers(1), [2, 4])
