"""Histories kept as parquet: in ticks, lots and milliseconds, with their instrument and a checksum over everything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy
import orjson

from domain.errors import AresError, Refused, sentence_of
from domain.instrument import Instrument
from domain.sentences import packed, say, unpacked
from engine.backtest.depth import from_rows, to_rows
from engine.backtest.history import BadHistory, History, Prints

#: Of a warning with its code and values.
_LONGEST: Final = 10_000
_COLUMNS: Final = ("open_ms", "open", "high", "low", "close", "volume")
#: A trade has one price.
_PRINT_COLUMNS: Final = ("open_ms", "close", "volume")
_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
_ABOUT: Final = b"ares"
#: Lengths of bars by their names.
INTERVALS: Final = {
    "1s": 1_000, "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000,
    "2h": 7_200_000, "4h": 14_400_000, "6h": 21_600_000, "8h": 28_800_000, "12h": 43_200_000, "1d": 86_400_000,
    "3d": 259_200_000, "1w": 604_800_000,
}  # fmt: skip


class Damaged(Refused):
    """The content is not what was kept; import it again."""


class Gap(NamedTuple):
    """Bars that are missing, from the first of them to before the one that is there again."""

    begin_ms: int
    end_ms: int
    bars: int


@dataclass(frozen=True)
class Kept:
    """A history in a store."""

    name: str
    path: Path
    history: History


def pack(history: History) -> bytes:
    """A history as the content of a parquet file."""
    import pyarrow
    from pyarrow import parquet

    about = {
        "instrument": {name: str(value) for name, value in asdict(history.instrument).items()},
        "bar_ms": history.bar_ms,
        "warnings": [packed(words, _LONGEST) for words in history.warnings],
        "digest": history.digest,
        "prints": isinstance(history, Prints),
    }
    columns = dict(zip(_COLUMNS, history.columns, strict=True))
    kept = {name: columns[name] for name in (_PRINT_COLUMNS if about["prints"] else _COLUMNS)}
    if isinstance(history, Prints) and (depth := history.depth):
        about["book"] = [depth.book.first_id, depth.book.last_id]
        kept = to_rows(history, depth)
    table = pyarrow.table(kept)
    table = table.replace_schema_metadata({_ABOUT: orjson.dumps(about)})
    content = BytesIO()
    parquet.write_table(table, content, compression="zstd")
    return content.getvalue()


def unpack(content: bytes) -> History:
    """The history in a content of `pack`; `Damaged` when a bit of it has changed."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(BytesIO(content))
        about = orjson.loads((table.schema.metadata or {})[_ABOUT])
        is_prints, columns = about.get("prints", False), {n: table.column(n).to_numpy() for n in table.column_names}
        instrument, told = _instrument(about["instrument"]), tuple(map(unpacked, about["warnings"]))
        history: History
        if "book" in about:
            history = from_rows(instrument, told, columns, about["book"])
        else:
            made = Prints if is_prints else History
            columns |= {name: columns["close"] for name in _COLUMNS[1:4] if is_prints}
            history = made(instrument=instrument, bar_ms=about["bar_ms"], warnings=told, **columns)
    except (pyarrow.ArrowException, OSError, KeyError, ValueError, TypeError, AresError) as error:
        raise Damaged(
            say("damaged_by", "{what} ({kind})", what=sentence_of(Damaged), kind=type(error).__name__)
        ) from error
    if history.digest != about["digest"]:
        raise Damaged
    return history


def _instrument(values: dict[str, str]) -> Instrument:
    exact: dict[str, Any] = dict(values)
    for one in fields(Instrument):
        if one.name in values and one.type in ("Decimal", Decimal):
            exact[one.name] = Decimal(values[one.name])
    return Instrument(**{one.name: exact[one.name] for one in fields(Instrument) if one.init and one.name in exact})


class Store:
    """A folder of histories, one file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, history: History) -> Path:
        """Keep a history under a name; the one of that name before is replaced. It is on disk, or nothing changed."""
        path = self._path(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(pack(history))
        part.replace(path)
        return path

    def part(self, name: str) -> Path:
        """Where a download of that name gathers what has come."""
        return self._path(name).with_suffix(".download")

    def content(self, name: str) -> bytes:
        """The file of a history, its checksum tried."""
        path = self._path(name)
        if not path.is_file():
            known = ", ".join(path.stem for path in self._paths()) or "none yet"
            raise BadHistory(
                say(
                    "no_history_named",
                    "there is no such history; there is {known}. `ares data import` adds one.",
                    known=known,
                    field=name,
                )
            )
        content = path.read_bytes()
        unpack(content)
        return content

    def get(self, name: str) -> History:
        """A history by its name."""
        return unpack(self.content(name))

    def has(self, name: str) -> bool:
        """Whether a history of that name is kept."""
        return bool(_NAME.match(name)) and self._path(name).is_file()

    def all(self) -> Iterator[Kept]:
        """Every history by name; a damaged one raises `Damaged`."""
        for path in self._paths():
            yield Kept(path.stem, path, unpack(path.read_bytes()))

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise BadHistory(
                say(
                    "no_name_for_history",
                    "{name!r} is no name for a history; take letters, digits, dots, strokes and underscores.",
                    name=name,
                )
            )
        return self._folder / f"{name}.parquet"


def gaps(history: History) -> list[Gap]:
    """Every place where bars are missing. Trades come when they come."""
    if isinstance(history, Prints):
        return []
    steps = numpy.diff(history.open_ms)
    wide = numpy.flatnonzero(steps > history.bar_ms)
    return [
        Gap(
            int(history.open_ms[at]) + history.bar_ms,
            int(history.open_ms[at + 1]),
            int(steps[at]) // history.bar_ms - 1,
        )
        for at in wide
    ]


def resampled(history: History, bar_ms: int) -> History:
    """The same in longer bars, which begin at whole multiples of their length (weeks on Mondays).

    A bar in which some are missing is made of those that are there. The first and the last are left out when
    they do not reach over their whole length. Both are told as warnings.
    """
    if bar_ms % history.bar_ms or bar_ms <= history.bar_ms:
        raise BadHistory(
            say(
                "bars_not_a_multiple",
                "bars of {bar_ms} ms cannot become bars of {wanted} ms; take a multiple.",
                bar_ms=history.bar_ms,
                wanted=bar_ms,
            )
        )
    # 1970 began on a Thursday.
    shift = 259_200_000 if bar_ms == INTERVALS["1w"] else 0
    group = (history.open_ms + shift) // bar_ms
    begins = numpy.flatnonzero(numpy.diff(group, prepend=group[0] - 1))
    counts, whole = numpy.diff(begins, append=len(history)), bar_ms // history.bar_ms
    opens = group[begins] * bar_ms - shift
    ends = numpy.append(begins[1:], len(history)) - 1
    first = 0 if history.open_ms[0] == opens[0] else 1
    last = len(begins) if history.open_ms[-1] + history.bar_ms == opens[-1] + bar_ms else len(begins) - 1
    kept = slice(first, max(last, first))
    told = list(history.warnings)
    is_prints = isinstance(history, Prints)
    if not is_prints and (poor := int((counts[kept] < whole).sum())):
        told.append(
            say(
                "bars_of_parts",
                "{bars} bars of {bar_ms} ms were made although some of their parts are missing",
                bars=poor,
                bar_ms=bar_ms,
            )
        )
    if left := len(begins) - len(begins[kept]):
        told.append(
            say(
                "bars_left_out",
                "{bars} bars at the ends do not reach over {bar_ms} ms and were left out",
                bars=left,
                bar_ms=bar_ms,
            )
        )
    made = (
        opens, history.open[begins], numpy.maximum.reduceat(history.high, begins),
        numpy.minimum.reduceat(history.low, begins), history.close[ends], numpy.add.reduceat(history.volume, begins),
    )  # fmt: skip
    times, first_prices, highs, lows, closes, volumes = (numpy.ascontiguousarray(column[kept]) for column in made)
    return History(history.instrument, bar_ms, times, first_prices, highs, lows, closes, volumes, warnings=tuple(told))


def checksum(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
