"""Recorded and generated markets replay to their end on spot and USD-M, in a process at `--speed max`."""

from __future__ import annotations

import gzip
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson
import pytest

from tests.simulator_process import SimulatorProcess, simulator_process

pytestmark = [pytest.mark.recorded, pytest.mark.slow, pytest.mark.timeout(600)]

PATIENCE = 300
ROOTS = ("/api/v3", "/fapi/v1")
MINUTE_MS = 60_000
YEAR_MINUTES = 365 * 1440


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a file, or of an answer: time, then prices and volume."""

    open_ms: int
    amounts: tuple[Decimal, ...]


def _rows(path: Path) -> list[Bar]:
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()[1:]
    return [Bar(int(cells[0]), tuple(map(Decimal, cells[1:6]))) for cells in (line.split(",") for line in lines)]


def _ask(venue: SimulatorProcess, path: str) -> Any:
    with urlopen(venue.rest + path) as answer:  # noqa: S310
        return orjson.loads(answer.read())


def _bars(venue: SimulatorProcess, root: str, symbol: str, interval: str, start_ms: int) -> list[Bar]:
    query = f"symbol={symbol}&interval={interval}&startTime={start_ms}&limit=500"
    return [Bar(row[0], tuple(map(Decimal, row[1:6]))) for row in _ask(venue, f"{root}/klines?{query}")]


def _run_to_the_end(venue: SimulatorProcess) -> None:
    deadline = time.monotonic() + PATIENCE
    while not venue.get("time")["ended"]:
        assert time.monotonic() < deadline, venue.get("time")
        time.sleep(0.1)


def _traded(bars: list[Bar]) -> list[Bar]:
    """Rows with trades: a bar without one shows the previous close, whatever the file says."""
    return [bar for bar in bars if bar.amounts[-1]]


SETS = {
    "1m": [f"um/{base}USDT-1m-2025" for base in ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA")],
    "5m": [f"um/{base}USDT-5m-2025" for base in ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "LTC", "LINK")],
    "1h": ["spot/BTCUSDT-1h-2017-2022"],
}


@pytest.mark.parametrize("interval", SETS)
def test_every_recorded_series_replays_to_its_end_on_both_markets(
    tmp_path: Path, recorded_data: Path, interval: str
) -> None:
    files = {name.split("/")[1].split("-")[0]: recorded_data / "klines" / f"{name}.csv.gz" for name in SETS[interval]}
    market = "replay:" + ",".join(map(str, files.values()))
    with simulator_process(
        tmp_path, "--speed", "max", "--market", market, "--gaps", "outage", "--lift-limits"
    ) as venue:
        _run_to_the_end(venue)
        for symbol, path in files.items():
            rows = _rows(path)
            for root in ROOTS:
                for first in (0, len(rows) // 2, len(rows) - 500):
                    wanted = rows[first : first + 500]
                    assert _traded(_bars(venue, root, symbol, interval, wanted[0].open_ms)) == _traded(wanted)
                last = _ask(venue, f"{root}/ticker/price?symbol={symbol}")
                assert Decimal(last["price"]) == rows[-1].amounts[3]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("trades/spot_btcusdt_20240808-trades.csv.gz", "BTCUSDT"),
        ("ws-raw/spot_btcusdt_20240808.gz", "BTCUSDT"),
        ("ws-raw/usdm_ethusdt_20240808.gz", "ETHUSDT"),
    ],
)
def test_prints_and_raw_frames_replay_to_their_end_on_both_markets(
    tmp_path: Path, recorded_data: Path, name: str, symbol: str
) -> None:
    with simulator_process(tmp_path, "--speed", "max", "--market", f"replay:{recorded_data / name}") as venue:
        _run_to_the_end(venue)
        shown = [_bars(venue, root, symbol, "1m", 1_723_161_300_000) for root in ROOTS]
        assert len(shown[0]) >= 5
        assert shown[0][:5] == shown[1][:5]
        if symbol == "BTCUSDT":
            volumes = [str(bar.amounts[-1].normalize()) for bar in shown[0][:5]]
            assert volumes == ["15.07702", "15.49778", "59.29235", "77.14202", "32.41946"]


def test_recorded_hours_with_outages_are_refused_with_file_and_line(tmp_path: Path, recorded_data: Path) -> None:
    path = recorded_data / "klines/spot/BTCUSDT-1h-2017-2022.csv.gz"
    with pytest.raises(RuntimeError) as caught, simulator_process(tmp_path, "--market", f"replay:{path}"):
        pass
    text = str(caught.value)
    assert str(path) in text
    assert ", line " in text
    assert "27 places" in text
    assert "--gaps outage" in text


def test_a_generated_year_of_minutes_replays(tmp_path: Path) -> None:
    options = ("--speed", "0", "--market", "generated:11", "--symbols", "BTCUSDT", "--lift-limits")
    with simulator_process(tmp_path, *options) as venue:
        start = venue.get("time")["market_ms"]
        venue.post("advance", {"ms": YEAR_MINUTES * MINUTE_MS})
        assert venue.get("time")["market_ms"] == start + YEAR_MINUTES * MINUTE_MS
        for root in ROOTS:
            minutes = _bars(venue, root, "BTCUSDT", "1m", start + (YEAR_MINUTES - 500) * MINUTE_MS)
            assert [bar.open_ms for bar in minutes] == [
                start + number * MINUTE_MS for number in range(YEAR_MINUTES - 500, YEAR_MINUTES)
            ]
            days = _bars(venue, root, "BTCUSDT", "1d", start)
            assert len(days) >= 365
            assert all(day.amounts[2] <= min(day.amounts[0], day.amounts[3]) for day in days)
            hour = _bars(venue, root, "BTCUSDT", "1h", start + (YEAR_MINUTES - 60) * MINUTE_MS)[0]
            assert hour.amounts[-1] == sum(bar.amounts[-1] for bar in minutes[-60:])
            assert hour.amounts[1] == max(bar.amounts[1] for bar in minutes[-60:])
