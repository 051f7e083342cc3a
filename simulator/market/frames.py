"""Reading of raw stream frames: one `<receive time in ns> <frame>` a line, with trades, depth and best prices.

Frames are those of `@trade`, `@depth...` and `@bookTicker` streams (wrapped in `stream` and `data`), and answers of the
REST depth request. Spot's depth continues when `U` is the last `u` + 1, USD-M's when `pu` is the last `u`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from simulator.market.files import MarketFileError
from simulator.market.loaders import TradeSeries
from simulator.market.tables import CsvTable, Integers

EventKind = Literal["depth", "best", "snapshot"]
_ADVICE = "record the streams again, or cut the file at the last good line"


@dataclass(frozen=True, slots=True)
class BookEvent:
    """A change of the recorded book; its levels are rows of `Recording.price` and `quantity`, bids first."""

    time_ms: int
    kind: EventKind
    update_id: int
    first: int
    asks: int
    end: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded market: trades, and every change of the book in order. Amounts in quanta."""

    symbol: str
    trades: TradeSeries
    events: list[BookEvent]
    price: Integers
    quantity: Integers

    @property
    def start_ms(self) -> int:
        """Time of the first event or trade."""
        first = int(self.trades.time_ms[0])
        return min(first, self.events[0].time_ms) if self.events else first


def load_frames(path: Path, content: bytes) -> Recording:
    """Read a recording; raises `MarketFileError` for a broken line, a gap in the sequence, or times that go back."""
    reader = _Reader(path)
    for number, line in enumerate(content.splitlines(), 1):
        reader.read(number, line)
    return reader.recording()


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._now = 0
        self._symbol = ""
        self._last_update = 0
        self._last_trade: tuple[int, int] = (0, 0)
        self._events: list[BookEvent] = []
        self._levels: list[str] = []
        self._level_lines: list[int] = []
        self._trades: list[str] = []
        self._trade_lines: list[int] = []
        self._line = 0

    def read(self, number: int, line: bytes) -> None:
        """Take in one line."""
        self._line = number
        _, _, frame = line.partition(b" ")
        try:
            message = orjson.loads(frame)
            self._take(message.get("stream", ""), message.get("data", message))
        except MarketFileError:
            raise
        except (orjson.JSONDecodeError, AttributeError):
            raise self._error("is not `<receive time> <JSON object>`") from None
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._error(f"lacks a usable field ({type(error).__name__} {error})") from None

    def _take(self, stream: str, data: dict[str, Any]) -> None:
        channel = stream.partition("@")[2]
        if "lastUpdateId" in data:
            self._now = max(self._now, int(data.get("E", self._now)))
            self._add("snapshot", int(data["lastUpdateId"]), data["bids"], data["asks"])
            return
        self._check_symbol(data["s"])
        if channel.startswith("depth"):
            self._depth(data)
        elif channel == "bookTicker":
            self._now = max(self._now, int(data.get("E", self._now)))
            self._add("best", int(data["u"]), [(data["b"], data["B"])], [(data["a"], data["A"])])
        elif channel == "trade":
            self._trade(data)
        else:
            raise self._error(f"holds the stream '{stream}'", "keep only trade, depth and bookTicker streams")

    def _check_symbol(self, symbol: str) -> None:
        if self._symbol and symbol != self._symbol:
            raise self._error(f"is of {symbol}, the lines before of {self._symbol}", "record one symbol a file")
        self._symbol = symbol

    def _depth(self, data: dict[str, Any]) -> None:
        first, last, before = int(data["U"]), int(data["u"]), self._last_update
        continues = int(data["pu"]) == before if "pu" in data else first == before + 1
        if before and not continues:
            raise self._error(f"depth updates are missing: after update {before} comes {data.get('pu', first)}")
        self._last_update = last
        self._now = max(self._now, int(data["E"]))
        self._add("depth", last, data["b"], data["a"])

    def _trade(self, data: dict[str, Any]) -> None:
        number, time_ms = int(data["t"]), int(data["T"])
        if number <= self._last_trade[0] or time_ms < self._last_trade[1]:
            raise self._error(f"trade {number} is not after trade {self._last_trade[0]}", "keep the order of receipt")
        self._last_trade = (number, time_ms)
        self._now = max(self._now, time_ms)
        self._trades.append(f"{number},{time_ms},{data['p']},{data['q']},{int(data['m'])}\n")
        self._trade_lines.append(self._line)

    def _add(self, kind: EventKind, update_id: int, bids: list[Any], asks: list[Any]) -> None:
        first = len(self._levels)
        self._levels += [f"{price},{quantity}\n" for price, quantity in bids]
        middle = len(self._levels)
        self._levels += [f"{price},{quantity}\n" for price, quantity in asks]
        self._level_lines += [self._line] * (len(self._levels) - first)
        self._events.append(BookEvent(self._now, kind, update_id, first, middle, len(self._levels)))

    def recording(self) -> Recording:
        """What was read."""
        if not self._trades:
            raise MarketFileError(self._path, None, "holds no trades", "record the trade stream as well")
        table = _table(self._path, "id,time,price,qty,maker", self._trades)
        levels = _table(self._path, "price,quantity", self._levels or ["1,0\n"])
        times = _column(table, 1, self._trade_lines, whole=True)
        price, quantity = _column(table, 2, self._trade_lines), _column(table, 3, self._trade_lines)
        bad = np.flatnonzero((price == 0) | (quantity == 0))
        if len(bad):
            self._line = self._trade_lines[int(bad[0])]
            raise self._error("is a trade with price or quantity zero", "leave it out")
        buys = table.integers(4) == 0
        trades = TradeSeries(self._path, times, price, quantity, buys)
        return Recording(
            self._symbol,
            trades,
            self._events,
            _column(levels, 0, self._level_lines),
            _column(levels, 1, self._level_lines),
        )

    def _error(self, problem: str, advice: str = _ADVICE) -> MarketFileError:
        return MarketFileError(self._path, self._line, problem, advice)


def _table(path: Path, header: str, rows: list[str]) -> CsvTable:
    return CsvTable(path, f"{header}\n{''.join(rows)}".encode(), tuple(header.split(",")))


def _column(table: CsvTable, column: int, lines: list[int], whole: bool = False) -> Integers:
    """A column, with errors that name the line of the recording and not the row of the table."""
    try:
        return table.integers(column) if whole else table.quanta(column)
    except MarketFileError as error:
        line = lines[(error.line or 2) - 2]
        raise MarketFileError(error.path, line, "an amount is not a plain decimal number", _ADVICE) from None
