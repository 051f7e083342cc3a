"""Reading of kline and trade-print files, with every rule of their format checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from simulator.market.files import Gap, MarketFileError, moment, read_bytes
from simulator.market.intervals import FIXED, MINUTE
from simulator.market.tables import CsvTable, Integers

KLINE_COLUMNS = ("open_time", "open", "high", "low", "close", "volume")
TRADE_COLUMNS = ("trade_id", "time", "price", "qty", "is_buyer_maker")
FileKind = Literal["klines", "trades", "frames"]
_KLINE_LENGTHS = tuple(length for name, length in FIXED.items() if name != "1s")


@dataclass(frozen=True, slots=True)
class KlineSeries:
    """Rows of one kline file; amounts in quanta. Rows follow each other at `interval_ms`, except at `gaps`."""

    path: Path
    interval_ms: int
    open_ms: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers
    gaps: tuple[Gap, ...]

    def __len__(self) -> int:
        return len(self.open_ms)


@dataclass(frozen=True, slots=True)
class TradeSeries:
    """Trade prints in time order; amounts in quanta."""

    path: Path
    time_ms: Integers
    price: Integers
    quantity: Integers
    is_buy: np.typing.NDArray[np.bool_]
    """Whether the taker bought."""

    def __len__(self) -> int:
        return len(self.time_ms)


def kind_of(path: Path, content: bytes) -> FileKind:
    """What a market file holds, told by its first line."""
    first = content[:200].split(b"\n", 1)[0].rstrip(b"\r")
    if first.startswith(b"trade_id"):
        return "trades"
    if re.match(rb"\d{16,20} \{", first):
        return "frames"
    return "klines"


def symbol_of(path: Path) -> str:
    """The symbol a file name tells: `BTCUSDT-1m-2025.csv.gz` and `spot_btcusdt_20240808.gz` both give BTCUSDT."""
    name = path.name.split(".")[0]
    for part in re.split(r"[-_]", name):
        if re.fullmatch(r"[A-Za-z0-9]{5,20}", part) and not part.isdigit():
            return part.upper()
    raise MarketFileError(path, None, "the file name tells no symbol", "name it after a path as in replay:PATH@BTCUSDT")


def load_klines(path: Path, content: bytes | None = None) -> KlineSeries:
    """Klines of a csv or csv.gz file with the columns open_time (ms UTC), open, high, low, close, volume.

    Raises `MarketFileError`. Gaps are found, not refused: that is the caller's choice.
    """
    table = CsvTable(path, read_bytes(path) if content is None else content, KLINE_COLUMNS)
    times = table.integers(0)
    interval = _check_times(path, times)
    steps = np.diff(times)
    gaps = tuple(Gap(int(times[row]) + interval, int(times[row + 1])) for row in np.flatnonzero(steps != interval))
    opens, high, low, close, volume = (table.quanta(column) for column in range(1, 6))
    _check_prices(path, opens, high, low, close, volume)
    return KlineSeries(path, interval, times, opens, high, low, close, volume, gaps)


def _check_times(path: Path, times: Integers) -> int:
    """Interval of the rows; refuses disorder and times off the grid."""
    steps = np.diff(times)
    wrong = np.flatnonzero(steps <= 0)
    if len(wrong):
        row = int(wrong[0]) + 1
        what = "repeats the open_time of the row before" if steps[row - 1] == 0 else "is older than the row before"
        raise MarketFileError(path, row + 2, f"this row {what}", "sort the rows by open_time and drop duplicates")
    interval = int(steps.min()) if len(steps) else MINUTE
    if interval not in _KLINE_LENGTHS:
        row = int(np.argmin(steps)) + 1
        raise MarketFileError(
            path, row + 2, f"the rows are {interval} ms apart", "use klines of one of the intervals 1m to 1w"
        )
    off = np.flatnonzero((times - times[0]) % interval)
    if len(off) or int(times[0]) % MINUTE:
        row = int(off[0]) if len(off) else 0
        raise MarketFileError(
            path,
            row + 2,
            f"open_time {int(times[row])} is off the grid of {interval // MINUTE} minutes",
            "open times must stand on whole minutes, all a multiple of the interval apart",
        )
    return interval


def _check_prices(
    path: Path, opens: Integers, high: Integers, low: Integers, close: Integers, volume: Integers
) -> None:
    rules = (
        (low <= 0, "a price is zero", "every price must be above zero"),
        (high < low, "high is below low", "correct the row"),
        (high < np.maximum(opens, close), "high is below open or close", "correct the row"),
        (low > np.minimum(opens, close), "low is above open or close", "correct the row"),
        (
            (volume == 0) & (high != low),
            "volume is 0 but the price moved",
            "give the volume, or one price for all four",
        ),
    )
    failures = [(int(np.argmax(bad)), problem, advice) for bad, problem, advice in rules if bad.any()]
    if failures:
        row, problem, advice = min(failures)
        raise MarketFileError(path, row + 2, problem, advice)


def load_trades(path: Path, content: bytes | None = None) -> TradeSeries:
    """Trade prints of a csv or csv.gz file with the columns trade_id, time (ms UTC), price, qty, is_buyer_maker.

    Raises `MarketFileError`; trade ids must grow and times must not fall.
    """
    table = CsvTable(path, read_bytes(path) if content is None else content, TRADE_COLUMNS)
    ids, times = table.integers(0), table.integers(1)
    price, quantity, maker = table.quanta(2), table.quanta(3), table.integers(4)
    rules = (
        (np.diff(ids, prepend=ids[:1] - 1) <= 0, "trade_id does not grow", "sort by trade_id and drop duplicates"),
        (np.diff(times, prepend=times[:1]) < 0, "time is older than in the row before", "sort the rows by time"),
        (times % DAYS_LIMIT != times, "time is not in milliseconds", "give milliseconds since the epoch"),
        ((price <= 0) | (quantity <= 0), "price or qty is zero", "drop rows that are no trades"),
        ((maker != 0) & (maker != 1), "is_buyer_maker is neither 0 nor 1", "write 1 when the buyer was the maker"),
    )
    failures = [(int(np.argmax(bad)), problem, advice) for bad, problem, advice in rules if bad.any()]
    if failures:
        row, problem, advice = min(failures)
        raise MarketFileError(path, row + 2, problem, advice)
    return TradeSeries(path, times, price, quantity, maker == 0)


DAYS_LIMIT = 10**13
"""Times at or above it (the year 2286 in milliseconds) are taken for microseconds."""


def refuse_gaps(series: KlineSeries) -> None:
    """Raise `MarketFileError` with the list of gaps when there are any."""
    if not series.gaps:
        return
    shown = ", ".join(str(gap) for gap in series.gaps[:5])
    more = f" and {len(series.gaps) - 5} more" if len(series.gaps) > 5 else ""
    row = int(np.searchsorted(series.open_ms, series.gaps[0].to_ms))
    raise MarketFileError(
        series.path,
        row + 2,
        f"rows are missing in {len(series.gaps)} places: {shown}{more}",
        f"fill them, or replay them as outages with --gaps outage (first gap from {moment(series.gaps[0].from_ms)})",
    )
