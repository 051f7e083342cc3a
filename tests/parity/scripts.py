"""Markets for runs that are recorded: by chance with a seed, and recorded bars walked as the backtester walks them."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from core.base_exchange import Bar
from domain.instrument import Instrument
from domain.order import BUY, SELL
from tests.fakes.virtual_time import START_MS
from tests.law_harness import BTCUSDT
from tests.parity.paper_run import Print, Script

MINUTE = 60_000
#: Prints of a bar, in milliseconds after its open: it is being taken up at the very first moment.
_MOMENTS = (1_000, 20_000, 40_000, MINUTE - 1)
_PLENTY = 10**9


def by_chance(seed: int, count: int, swing: int, past: int = 60, price: int = 6_000_000) -> Script:
    """Bars of a random walk, each up to four times `swing` ticks high."""
    dice, rows = random.Random(seed), []
    for _ in range(past + count):
        points = [price := price + dice.randint(-swing, swing) for _ in range(4)]
        rows.append((points[0], max(points), min(points), points[3], 10**6))
    return walked(BTCUSDT, rows, past)


def recorded(file: Path, instrument: Instrument, first: int, count: int, past: int = 60) -> Script:
    """Bars of a recorded month, from the bar `first` on."""
    with gzip.open(file, "rt") as lines:
        rows = list(csv.reader(lines))[first - past : first + count]
    bars = [
        (*(instrument.to_ticks(Decimal(price)) for price in row[1:5]), int(Decimal(row[5]) / instrument.lot_size))
        for row in rows
    ]
    return walked(instrument, bars, past)


def traded(file: Path, instrument: Instrument, shown: int = 0) -> Script:
    """Trades of a recorded market, at their own distance in time, each with who came to it."""
    with gzip.open(file, "rt") as lines:
        rows = list(csv.DictReader(lines))
    first_ms = int(rows[0]["time"]) - _MOMENTS[0]
    events: list[tuple[int, Print | Bar]] = [
        (
            START_MS + int(row["time"]) - first_ms,
            Print(
                instrument.to_ticks(Decimal(row["price"])), instrument.to_lots(Decimal(row["qty"])),
                SELL if row["is_buyer_maker"] == "1" else BUY,
            ),
        )
        for row in rows
    ]  # fmt: skip
    return Script(instrument, instrument.to_ticks(Decimal(rows[0]["price"])), (), events, shown=shown)


def walked(instrument: Instrument, rows: Sequence[tuple[int, ...]], past: int) -> Script:
    """Open, nearer extreme, other extreme and close of every bar after the first `past` as prints, and its end."""
    bars = [Bar(instrument.symbol, "1m", START_MS + (place - past) * MINUTE, *row) for place, row in enumerate(rows)]
    return Script(instrument, bars[past].open, bars[:past], list(_events(bars[past:])))


def _events(bars: Sequence[Bar]) -> Iterator[tuple[int, Print | Bar]]:
    for bar in bars:
        is_low_first = bar.open - bar.low <= bar.high - bar.open
        near, far = (bar.low, bar.high) if is_low_first else (bar.high, bar.low)
        for moment, ticks in zip(_MOMENTS, (bar.open, near, far, bar.close), strict=True):
            yield bar.open_ms + moment, Print(ticks, _PLENTY)
        yield bar.open_ms + MINUTE, bar
