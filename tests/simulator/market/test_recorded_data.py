from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator.market import MarketFileError, SymbolMarket, open_market
from simulator.market.files import read_bytes
from simulator.market.frames import load_frames
from simulator.market.intervals import MINUTE
from simulator.market.loaders import load_klines
from simulator.units import ONE, format_quanta
from tests.simulator.market.worlds import all_trades, bars_from, play

AUGUST_8TH_23_55 = 1_723_161_300_000
VENUE_VOLUMES = ["15.07702000", "15.49778000", "59.29235000", "77.14202000", "32.41946000"]
KLINES = [
    *(f"um/{base}USDT-1m-2025" for base in ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA")),
    *(f"um/{base}USDT-5m-2025" for base in ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "LTC", "LINK")),
    "spot/BTCUSDT-1h-2017-2022",
]
RECORDINGS = ["ws-raw/spot_btcusdt_20240808.gz", "ws-raw/usdm_ethusdt_20240808.gz"]


def opened(path: Path, kind: str = "spot") -> SymbolMarket:
    (listed,) = open_market(f"replay:{path}", gaps="outage").listings("spot" if kind == "spot" else "futures")
    return listed[1]


@pytest.mark.parametrize("name", ["trades/spot_btcusdt_20240808-trades.csv.gz", RECORDINGS[0]])
def test_klines_of_the_recorded_prints_have_the_venues_own_volumes(recorded_data: Path, name: str) -> None:
    market = opened(recorded_data / name)
    play(market, AUGUST_8TH_23_55 + 5 * MINUTE - 1)
    bars = market.bars("1m", AUGUST_8TH_23_55, None, 5)
    assert [format_quanta(bar.volume) for bar in bars] == VENUE_VOLUMES


@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_frames_replay_without_a_gap_and_without_a_crossed_book(recorded_data: Path, name: str) -> None:
    path = recorded_data / name
    recording = load_frames(path, read_bytes(path))
    market = opened(path, "futures")
    prices = []
    for p in market.due(recording.start_ms + 10 * MINUTE):
        market.record(p.time_ms, p.price, p.quantity, p.taker)
        market.settle_print(p)
        bid, ask = market.liquidity.best("BUY"), market.liquidity.best("SELL")
        assert bid is not None
        assert ask is not None
        assert bid < ask
        prices.append(p.price)
    assert prices == recording.trades.price.tolist()
    assert len(list(market.liquidity.walk("BUY"))) > 1000
    cold = opened(path, "futures")
    cold.skip_to(recording.start_ms + 10 * MINUTE)
    assert all_trades(cold) == all_trades(market)
    assert list(cold.liquidity.walk("SELL")) == list(market.liquidity.walk("SELL"))


@pytest.mark.parametrize("name", KLINES)
def test_every_recorded_series_replays_to_its_own_klines(recorded_data: Path, name: str) -> None:
    path = recorded_data / "klines" / f"{name}.csv.gz"
    series = load_klines(path)
    market = opened(path, "spot" if name.startswith("spot") else "futures")
    market.skip_to(int(series.open_ms[-1]) + series.interval_ms - 1)
    assert market.has_ended
    assert market.last_price == int(series.close[-1])
    interval = path.name.split("-")[1]
    for first in (0, len(series) // 3, len(series) - 700):
        rows = slice(first, first + 700)
        start, end = (int(series.open_ms[place]) for place in (first, first + 699))
        bars = market.bars(interval, start, end, 1500)
        times, volumes = series.open_ms[rows].tolist(), series.volume[rows].tolist()
        assert [bar.open_ms for bar in bars] == times
        assert [bar.volume for bar in bars] == volumes
        assert [bar.close for bar in bars] == series.close[rows].tolist()
        traded = [place for place, volume in enumerate(volumes) if volume]
        for column in ("open", "high", "low"):
            values = getattr(series, column)[rows].tolist()
            assert [getattr(bars[place], column) for place in traded] == [values[place] for place in traded]


def test_hours_of_a_real_series_played_print_by_print_are_its_klines(recorded_data: Path) -> None:
    path = recorded_data / "klines/um/ETHUSDT-5m-2025.csv.gz"
    series = load_klines(path)
    market = opened(path, "futures")
    until = int(series.open_ms[36]) - 1
    trades = play(market, until)
    made = bars_from(trades, "5m", int(series.open_ms[0]), until, 0)
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in made] == [
        (int(series.open[i]), int(series.high[i]), int(series.low[i]), int(series.close[i]), int(series.volume[i]))
        for i in range(36)
    ]
    assert market.bars("5m", None, None, 100) == made


def test_the_outages_of_spot_are_refused_unless_asked_for(recorded_data: Path) -> None:
    path = recorded_data / "klines/spot/BTCUSDT-1h-2017-2022.csv.gz"
    with pytest.raises(MarketFileError, match="rows are missing in 27 places"):
        open_market(f"replay:{path}")
    source = open_market(f"replay:{path}", gaps="outage")
    gaps = source.gaps["BTCUSDT"]
    assert len(gaps) == 27
    longest = max(gaps, key=lambda gap: gap.to_ms - gap.from_ms)
    assert longest.to_ms - longest.from_ms >= 33 * 3_600_000
    market = opened(path)
    market.skip_to(longest.from_ms + 3_600_000)
    assert market.is_outage(longest.from_ms + 3_600_000)
    assert market.next_print_ms() is not None
    assert (market.next_print_ms() or 0) >= longest.to_ms
    market.skip_to(longest.to_ms + 3_600_000)
    shown = market.bars("1h", longest.from_ms - 3_600_000, longest.to_ms, 100)
    assert [bar.open_ms for bar in shown] == [longest.from_ms - 3_600_000, longest.to_ms]


def test_decimals_of_a_real_file_are_read_exactly(recorded_data: Path) -> None:
    path = recorded_data / "klines/um/BTCUSDT-1m-2025.csv.gz"
    series = load_klines(path)
    lines = read_bytes(path).decode().splitlines()[1:]
    for place in np.linspace(0, len(lines) - 1, 500).astype(int).tolist():
        time, *prices, volume = lines[place].split(",")
        row = (series.open, series.high, series.low, series.close, series.volume)
        assert int(series.open_ms[place]) == int(time)
        assert [format_quanta(int(column[place])) for column in row] == [_padded(text) for text in (*prices, volume)]
    assert int(series.open[0]) == 95_505 * ONE + 4 * ONE // 10


def _padded(text: str) -> str:
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction:0<8}"
