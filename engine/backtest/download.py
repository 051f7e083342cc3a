"""Histories from a venue, page after page onto disk, so that a broken download goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy
import orjson

from core.base_exchange import Bar, BaseExchange
from domain.errors import Refused, Transient
from domain.instrument import Instrument
from engine.backtest.history import BadHistory, History
from engine.backtest.store import INTERVALS

#: Bars asked for at a time.
PAGE: Final = 1_000
#: Seconds between two requests: most of the weight of this address is left to whoever trades from it.
PACE_SECONDS: Final = 0.25
#: Seconds to wait after a page that did not come, one after another; then the download stops.
PATIENCE_SECONDS: Final = (1.0, 5.0, 20.0, 60.0)
Told = Callable[[int, int], None]


class NotDownloaded(Refused):
    """The venue did not give the rest. What has come is kept: the same command goes on from there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars of a symbol that open at or after `since_ms` and before `until_ms`."""

    venue: str
    symbol: str
    interval: str
    since_ms: int
    until_ms: int

    def __post_init__(self) -> None:
        if self.interval not in INTERVALS:
            raise BadHistory(f"{self.interval}: there is no such interval; choose from {', '.join(INTERVALS)}.")
        if self.since_ms >= self.until_ms:
            raise BadHistory("the end is not later than the beginning; give --since a day before --until.")

    @property
    def bar_ms(self) -> int:
        """Length of a bar in milliseconds."""
        return INTERVALS[self.interval]


class Part:
    """What has come so far: a line that says what it is, then a line for every bar, in ticks and lots."""

    def __init__(self, path: Path, wanted: Wanted, instrument: Instrument) -> None:
        self.path = path
        # The end may move between two attempts; where it begins and in which units may not.
        about = asdict(wanted) | {"tick_size": str(instrument.tick_size), "lot_size": str(instrument.lot_size)}
        del about["until_ms"]
        self._head = orjson.dumps(about, option=orjson.OPT_SORT_KEYS) + b"\n"
        self.rows: list[tuple[int, ...]] = []
        if path.is_file():
            self._take_up()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._head)

    def _take_up(self) -> None:
        content = self.path.read_bytes()
        if not content.startswith(self._head):
            raise BadHistory(
                f"{self.path}: this is the beginning of another download; remove it, or take another --name."
            )
        # A line that was cut short by a death is asked for again.
        content = content[: content.rfind(b"\n") + 1]
        self.rows = [tuple(orjson.loads(line)) for line in content[len(self._head) :].splitlines()]
        self.path.write_bytes(content)

    @property
    def last_ms(self) -> int:
        """When the newest bar opened; -1 before the first has come."""
        return self.rows[-1][0] if self.rows else -1

    def add(self, bars: list[Bar]) -> None:
        """Append; on disk when this returns."""
        rows = [(bar.open_ms, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars]
        with self.path.open("ab") as file:
            file.write(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        self.rows += rows


async def download(exchange: BaseExchange, wanted: Wanted, part: Part, tell: Told) -> None:
    """Ask for what `part` still lacks of `wanted`. `NotDownloaded` where the venue stops answering."""
    while True:
        since_ms = part.last_ms + wanted.bar_ms if part.rows else wanted.since_ms
        tell(since_ms - wanted.since_ms, wanted.until_ms - wanted.since_ms)
        if since_ms >= wanted.until_ms:
            return
        page = await _page(exchange, wanted, since_ms)
        fresh = [bar for bar in page if bar.open_ms < wanted.until_ms]
        _check(fresh, since_ms)
        part.add(fresh)
        if not page or len(fresh) < len(page):
            tell(wanted.until_ms - wanted.since_ms, wanted.until_ms - wanted.since_ms)
            return
        await asyncio.sleep(PACE_SECONDS)


def history_of(part: Part, wanted: Wanted, instrument: Instrument) -> History:
    """The downloaded bars before the wanted end, in the venue's own ticks and lots."""
    rows = [row for row in part.rows if row[0] < wanted.until_ms]
    if len(rows) < 2:
        raise BadHistory(
            f"{wanted.venue} has {len(rows)} closed {wanted.interval} bars of {wanted.symbol} in that time; a history "
            "needs 2. Take an earlier --since, or a shorter interval."
        )
    times, opens, highs, lows, closes, volumes = (
        numpy.array(column, numpy.int64) for column in zip(*rows, strict=True)
    )
    return History(instrument, wanted.bar_ms, times, opens, highs, lows, closes, volumes)


async def _page(exchange: BaseExchange, wanted: Wanted, since_ms: int) -> list[Bar]:
    for pause in _pauses():
        try:
            return await exchange.bars(wanted.symbol, wanted.interval, since_ms, PAGE)
        except Transient as error:
            if pause is None:
                raise NotDownloaded(f"{NotDownloaded.__doc__} ({error})") from error
            await asyncio.sleep(pause)
    return []


def _pauses() -> Iterator[float | None]:
    yield from PATIENCE_SECONDS
    yield None


def _check(bars: list[Bar], since_ms: int) -> None:
    """Refuse a page out of order: what follows it would be asked for from the wrong place."""
    newest = since_ms - 1
    for bar in bars:
        if bar.open_ms <= newest:
            raise BadHistory(
                f"the venue's page from {since_ms} names a bar at {bar.open_ms} after one at {newest}; "
                "nothing of this page was kept."
            )
        newest = bar.open_ms
