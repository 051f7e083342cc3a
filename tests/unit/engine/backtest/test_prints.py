from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pytest

import strategies
from core.base_strategy import STRATEGIES
from domain.errors import Refused
from engine.backtest import Prints, Settings, run, store
from engine.backtest.history import BadHistory
from engine.backtest.kernel.layout import FILL_FIELDS
from engine.backtest.metrics import metrics
from engine.backtest.prints import read_prints

STRATEGIES.scan(strategies)
START = 1_672_617_600_000
#: Number, price, quantity, first and last trade, time, whether the buyer made it, best.
TRADES = [(1, "59500.00", 0), (2, "59000.00", 100), (3, "58999.99", 100), (4, "59500.00", 150), (5, "60000.00", 400)]
AGGREGATED = [f"{n},{price},0.002,{n},{n},{START + at},True,True" for n, price, at in TRADES]
PLAIN = [f"{n},{price},0.002,118,{START + at},True,True" for n, price, at in TRADES]
NAMED = ["trade_id,time,price,qty", *(f"{n},{START * 1000 + at * 1000},{price},0.002" for n, price, at in TRADES)]
GRID: dict[str, Any] = {
    "lower_price": Decimal(59_000), "upper_price": Decimal(61_000), "levels": 2, "spacing": "arithmetic",
    "quantity_per_level": Decimal("0.01"),
}  # fmt: skip


def kept(tmp_path: Path, lines: list[str], name: str = "trades.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path) -> Prints:
    return read_prints(path, "BTCUSDT", "BTC", "USDT")


def test_the_archive_s_trades_and_aggregated_trades_and_named_columns_are_the_same(tmp_path: Path) -> None:
    archive = tmp_path / "BTCUSDT-aggTrades.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.write(kept(tmp_path, AGGREGATED), "BTCUSDT-aggTrades.csv")
    found = [read(archive), read(kept(tmp_path, PLAIN, "plain.csv")), read(kept(tmp_path, NAMED, "named.csv"))]
    assert len({one.digest for one in found}) == 1
    assert found[0].open_ms.tolist() == [START + at for _, _, at in TRADES]
    assert found[0].warnings == ()


def test_trades_come_back_from_the_store_to_the_last_bit_and_may_share_a_moment(tmp_path: Path) -> None:
    prints = read(kept(tmp_path, AGGREGATED))
    found = store.unpack(store.pack(prints))
    assert isinstance(found, Prints)
    assert found.digest == prints.digest
    assert store.gaps(found) == []
    assert found.part(1, 4).open_ms.tolist() == [START + 100, START + 100, START + 150]


def test_limits_fill_at_prints_and_latency_is_counted_between_them(tmp_path: Path) -> None:
    kind, prints = STRATEGIES.get("grid"), read(kept(tmp_path, AGGREGATED))

    def fills(**assumed: Any) -> list[tuple[int, ...]]:
        settings = Settings(fee_asset="quote", runtime="interpreted", **assumed)
        rows = run(kind, kind.params(**GRID), prints, settings).fills
        return [tuple(row) for row in rows[:, [FILL_FIELDS.index("time_ms"), FILL_FIELDS.index("ticks")]].tolist()]

    # The purchase of the start takes the next print; the level bought at 59,000 sells at 60,000.
    assert fills()[1:] == [(START + 100, 5_900_000), (START + 400, 6_000_000)]
    # Where the price has to pass the level, it is the third print that does.
    assert fills(fill_model="through")[1:] == [(START + 100, 5_900_000)]
    # What is sent at the first print is at the venue after the fall.
    assert [at for at, _ in fills(latency_ms=120)] == [START + 150]


def test_a_replay_of_less_than_a_second_has_no_growth_of_a_year(tmp_path: Path) -> None:
    kind, prints = STRATEGIES.get("grid"), read(kept(tmp_path, AGGREGATED))
    found = metrics(run(kind, kind.params(**GRID), prints, Settings(runtime="interpreted")))
    assert float(found["net"]) > 0
    assert found["cagr_percent"] is None


def test_a_strategy_of_bars_is_refused_on_trades(tmp_path: Path) -> None:
    kind = STRATEGIES.get("ma_cross")
    averages: dict[str, Any] = {"fast": 1, "slow": 2, "size": Decimal("0.01")}
    with pytest.raises(Refused, match="--interval"):
        run(kind, kind.params(**averages), read(kept(tmp_path, AGGREGATED)))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"6,0,0.002,1,1,{START + 500},True,True", "row 6 cannot be read"),
        (f"6,1,-1,1,1,{START + 500},True,True", "is no trade"),
        (f"5,60000,1,1,1,{START + 500},True,True", "double"),
        (f"6,60000,1,1,1,{START},True,True", "earlier"),
        ("6,x,1,1,1", "row 6 cannot be read"),
    ],
)
def test_every_bad_trade_is_named_and_none_is_repaired(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(BadHistory, match=words):
        read(kept(tmp_path, [*AGGREGATED, line]))


def test_missing_numbers_are_told_and_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    assert read(kept(tmp_path, [*AGGREGATED[:2], *AGGREGATED[4:]])).warnings == (
        "2 trades are missing by their numbers",
    )
    for lines, words in ((["a,b"], "header"), (["1,2,3"], "neither the fifth"), ([""], "no trades")):
        with pytest.raises(BadHistory, match=words):
            read(kept(tmp_path, lines))


def test_recorded_trades_make_the_venue_s_own_bars(recorded_data: Path) -> None:
    prints = read(recorded_data / "trades" / "spot_btcusdt_20240808-trades.csv.gz")
    assert len(prints) == 9_757
    minutes = store.resampled(prints, 60_000)
    volumes = [minutes.instrument.from_lots(int(lots)) for lots in minutes.volume]
    assert volumes == [Decimal(lots) for lots in ("15.07702", "15.49778", "59.29235", "77.14202", "32.41946")]
    assert (numpy.diff(minutes.open_ms) == 60_000).all()
