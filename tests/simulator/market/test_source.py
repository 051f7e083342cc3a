from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from simulator.market import BadMarket, MarketFileError, open_market
from simulator.market.intervals import FIXED, INTERVALS, bar_open, next_open, previous_open
from simulator.market.tickers import TickerStats
from simulator.units import ONE
from tests.simulator.market.worlds import play

HEADER = "open_time,open,high,low,close,volume\n"


def write(folder: Path, name: str, rows: list[str]) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress((HEADER + "\n".join(rows) + "\n").encode()))
    return path


def rows(first: int, count: int, step: int = 60_000) -> list[str]:
    return [f"{first + i * step},100.5,101,100,100.5,12.5" for i in range(count)]


def test_a_series_is_replayed_under_any_symbol_on_both_markets(tmp_path: Path) -> None:
    path = write(tmp_path, "BTCUSDT-1m.csv.gz", rows(1_746_372_780_000, 5))
    source = open_market(f"replay:{path}@ETHUSDT")
    assert source.symbols == ("ETHUSDT",)
    assert source.start_ms == 1_746_372_780_000
    for kind in ("spot", "futures"):
        (listed,) = source.listings(kind)
        instrument, market = listed
        assert (instrument.market, instrument.symbol, market.symbol) == (kind, "ETHUSDT", "ETHUSDT")
        play(market, source.start_ms + 299_999)
        assert market.has_ended
        assert [bar.volume for bar in market.bars("1m", None, None, 5)] == [12 * ONE + ONE // 2] * 5


def test_an_instrument_gets_the_finer_tick_and_lot_its_data_needs(tmp_path: Path) -> None:
    path = write(tmp_path, "BTCUSDT-1m.csv.gz", ["1746372780000,100.123,101,100,100.5,0.00123"])
    (listed,) = open_market(f"replay:{path}").listings("futures")
    assert listed[0].filters.tick == 100_000
    assert listed[0].filters.lot == 1_000
    assert (listed[0].price_decimals, listed[0].quantity_decimals) == (3, 5)


def test_data_too_fine_for_exact_notionals_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "ADAUSDT-1m.csv.gz", ["1746372780000,0.12345,0.2,0.1,0.15,1.1234567"])
    with pytest.raises(MarketFileError, match="round the volumes to fewer decimals"):
        list(open_market(f"replay:{path}").listings("spot"))


def test_a_symbol_whose_data_begins_later_is_out_until_then(tmp_path: Path) -> None:
    early = write(tmp_path, "BTCUSDT-1m.csv.gz", rows(1_746_372_780_000, 10))
    late = write(tmp_path, "ETHUSDT-1m.csv.gz", rows(1_746_373_080_000, 10))
    source = open_market(f"replay:{early},{late}")
    markets = {instrument.symbol: market for instrument, market in source.listings("spot")}
    assert source.start_ms == 1_746_372_780_000
    assert markets["ETHUSDT"].is_outage(source.start_ms)
    assert not markets["ETHUSDT"].is_outage(1_746_373_080_000)
    assert not markets["BTCUSDT"].is_outage(source.start_ms)
    assert open_market(f"replay:{early},{late}", symbols=("ETHUSDT",)).start_ms == 1_746_373_080_000


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    path = write(tmp_path, "BTCUSDT-1m.csv.gz", rows(1_746_372_780_000, 5))
    with pytest.raises(BadMarket, match="no data for XRPUSDT; the files hold BTCUSDT"):
        open_market(f"replay:{path}", symbols=("XRPUSDT",))
    with pytest.raises(BadMarket, match="BTCUSDT is replayed from two files"):
        open_market(f"replay:{path},{path}")
    with pytest.raises(BadMarket, match="after the end of all data"):
        open_market(f"replay:{path}", start_ms=1_746_372_780_000 + 300_000)
    with pytest.raises(BadMarket, match="3 prints a minute is outside 4 to 1000"):
        open_market(f"replay:{path}", prints_per_minute=3)


def test_the_seed_changes_the_way_but_not_the_bars(tmp_path: Path) -> None:
    path = write(tmp_path, "BTCUSDT-5m.csv.gz", rows(1_746_372_600_000, 5, 300_000))
    found = []
    for seed in (1, 1, 2):
        (listed,) = open_market(f"replay:{path}", seed=seed).listings("spot")
        found.append((play(listed[1], 1_746_374_100_000), listed[1].bars("5m", None, None, 5)))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]
    assert [bar.volume for bar in found[0][1]] == [bar.volume for bar in found[2][1]]


def test_bars_begin_where_the_venues_do() -> None:
    moment = 1_746_372_780_123  # Sunday 2025-05-04 15:33:00.123 UTC
    assert INTERVALS == (
        "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"
    )  # fmt: skip
    assert bar_open("1w", moment) == 1_745_798_400_000  # Monday 2025-04-28
    assert bar_open("1M", moment) == 1_746_057_600_000  # 2025-05-01
    assert next_open("1M", 1_746_057_600_000) == 1_748_736_000_000
    assert next_open("1M", 1_733_011_200_000) == 1_735_689_600_000  # December to January
    assert previous_open("1M", 1_735_689_600_000) == 1_733_011_200_000
    assert bar_open("3d", moment) % (3 * 86_400_000) == 0
    for interval in FIXED:
        opened = bar_open(interval, moment)
        assert opened <= moment < next_open(interval, opened)
        assert previous_open(interval, next_open(interval, opened)) == opened
    with pytest.raises(KeyError):
        bar_open("7m", moment)


@pytest.mark.parametrize(
    ("opened", "last", "percent"),
    [(100, 101, 100_000_000), (3, 4, 3_333_300_000), (3, 2, -3_333_300_000), (200_000, 200_001, 100_000), (0, 5, 0)],
)
def test_a_change_in_percent_is_rounded_to_three_decimals(opened: int, last: int, percent: int) -> None:
    stats = TickerStats(0, 1, opened, 9, 1, last, 1, 1, 0, 0, 0, -1, -1)
    assert stats.change == last - opened
    assert stats.change_percent == percent
    assert stats.weighted_average == 0
