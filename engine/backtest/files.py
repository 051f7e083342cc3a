"""History from files: what is in them is read as it stands, and everything wrong with it is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson

from domain.errors import Refused
from domain.instrument import Instrument
from domain.money import exact
from domain.sentences import say
from engine.backtest.history import BadHistory, Finding, History, bars_of
from engine.backtest.reading import TEXTS, texts, told

#: A row: open time, open, high, low, close, volume; amounts as the file writes them.
Row = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]

_UNITS = ((10**11, "seconds", 1_000, 1), (10**14, "milliseconds", 1, 1), (10**17, "microseconds", 1, 1_000))
_SHOWN = 20
#: Without a bound of somebody's own: far more than a machine's memory holds.
MOST_ROWS: Final = 10**9
TOO_MANY: Final = "{path}: it has more than {most} rows; take longer bars or a shorter time."


@dataclass(frozen=True)
class Table:
    """The rows of a file, times in milliseconds, and what was found in them."""

    rows: list[Row]
    bar_ms: int
    findings: list[Finding]

    @property
    def is_usable(self) -> bool:
        """Whether a replay may run on it."""
        return bool(self.rows) and all(finding.is_bearable for finding in self.findings)


def read(path: Path, most_rows: int = MOST_ROWS) -> Table:
    """Read a file of bars and examine every row; `BadHistory` when it is none, or has more than `most_rows`.

    Kinds, by the file's name: CSV with or without a header, also as .gz or .zip (the venue's archive), JSON arrays
    (ccxt, freqtrade), feather (freqtrade) and parquet with the columns of the CSV.
    """
    if not path.is_file():
        raise BadHistory(say("no_such_file", "{path}: there is no such file.", path=path))
    rows: list[Row] = []
    numbers: list[int] = []
    findings: list[Finding] = []
    with told(path):
        for number, line in enumerate(_raw_rows(path, most_rows), 1):
            if number > most_rows:
                raise BadHistory(TOO_MANY.format(path=path, most=most_rows))
            try:
                rows.append(_row(line))
                numbers.append(number)
            except (Refused, ValueError, ArithmeticError, IndexError, TypeError) as error:
                findings.append(Finding(number, say("row_unreadable", "cannot be read: {error}", error=error), False))
    if not rows and not findings:
        raise BadHistory(say("file_has_no_rows", "{path}: it holds no rows.", path=path))
    rows, unit = _in_milliseconds(rows, numbers, findings)
    if unit not in ("milliseconds", ""):
        findings.append(Finding(0, say("times_are_in", "times are in {unit} and were read as such", unit=unit), True))
    bar_ms = _bar_ms(rows)
    findings.extend(_examine(rows, numbers, bar_ms))
    return Table(rows, bar_ms, findings)


def require_usable(table: Table) -> None:
    """`BadHistory`, which names the rows, unless a replay may run on it."""
    wrong = [finding for finding in table.findings if not finding.is_bearable]
    if wrong:
        named = "; ".join(f"row {finding.row} {finding.words}" for finding in wrong[:_SHOWN])
        raise BadHistory(
            say(
                "bad_rows",
                "{count} rows cannot be used: {named}. Correct the file; nothing is repaired by itself.",
                count=len(wrong),
                named=named,
            ),
            wrong,
        )


def history_of(table: Table, instrument: Instrument) -> History:
    """The history of a table; `BadHistory` names the rows that stop it. Gaps become warnings of every result."""
    require_usable(table)
    made = bars_of(instrument, table.bar_ms, table.rows)
    warnings = tuple(
        say("of_row", "row {row} {words}", row=finding.row, words=finding.words) for finding in table.findings
    )
    return replace(made, warnings=warnings)


def instrument_of(table: Table, symbol: str, base: str, quote: str) -> Instrument:
    """An instrument whose tick and lot are the finest steps in the file: the venue's own rules are not in it."""
    prices, volumes = (price for row in table.rows for price in row[1:5]), (row[5] for row in table.rows)
    return instrument_of_steps(prices, volumes, max(row[2] for row in table.rows), symbol, base, quote)


def instrument_of_steps(
    prices: Iterable[Decimal], quantities: Iterable[Decimal], highest: Decimal, symbol: str, base: str, quote: str
) -> Instrument:
    """An instrument with the finest steps of some prices and quantities, and as much room as the law has."""
    tick, lot = _finest(prices), min(_finest(quantities), Decimal("0.001"))
    quantum = min(Decimal("0.00000001"), tick * lot)
    # As much as 60 bits carry at four times the highest price.
    room = Decimal(2**56) * tick * lot / (highest * 4)
    most = min(Decimal(10) ** (room.adjusted()), Decimal(10) ** 9)
    return Instrument(
        symbol, base, quote, tick, lot, (highest * 4).quantize(tick), most.quantize(lot) if most > lot else lot,
        base_quantum=min(Decimal("0.00000001"), lot), quote_quantum=quantum,
    )  # fmt: skip


def _finest(amounts: Iterable[Decimal]) -> Decimal:
    places = max((-int(amount.normalize().as_tuple().exponent) for amount in amounts), default=0)
    return Decimal(1).scaleb(-max(places, 0))


def _raw_rows(path: Path, most_rows: int) -> Iterator[list[Any]]:
    name = path.name.lower()
    if name.endswith(".json"):
        content = orjson.loads(path.read_bytes())
        if not isinstance(content, list):
            raise BadHistory(
                say(
                    "array_of_bars_wanted",
                    "{path}: an array of bars is wanted, each an array of its time, prices and volume.",
                    path=path,
                )
            )
        yield from content
    elif name.endswith((".feather", ".parquet", ".pq")):
        yield from _frame_rows(path, most_rows)
    elif name.endswith(TEXTS):
        for lines in texts(path):
            yield from _text_rows(lines)
    else:
        raise BadHistory(
            say(
                "bars_file_wanted",
                "{path}: a .csv, .csv.gz, .zip, .json, .feather or .parquet file is wanted.",
                path=path,
            )
        )


def _text_rows(lines: Iterator[str]) -> Iterator[list[Any]]:
    for number, line in enumerate(lines):
        cells = line.strip().split(",")
        is_header = number == 0 and not cells[0].strip('"').isdigit()
        if cells != [""] and not is_header:
            yield [cell.strip('"') for cell in cells]


def _frame_rows(path: Path, most_rows: int) -> Iterator[list[Any]]:
    import polars

    scanned = polars.scan_ipc(path) if path.suffix.lower() == ".feather" else polars.scan_parquet(path)
    # What is packed may be short however much it holds.
    if scanned.select(polars.len()).collect().item() > most_rows:
        raise BadHistory(TOO_MANY.format(path=path, most=most_rows))
    frame = scanned.select(polars.nth(range(6))).collect()
    first = frame.columns[0]
    if frame.schema[first].is_temporal():
        frame = frame.with_columns(frame[first].dt.epoch("ms"))
    for row in frame.iter_rows():
        yield list(row)


def _row(cells: list[Any]) -> Row:
    opened, high, low, close, volume = (_amount(cell) for cell in cells[1:6])
    return int(cells[0]), opened, high, low, close, volume


def _amount(cell: Any) -> Decimal:
    """Exact as written; a float as the shortest decimal that means it."""
    return exact(repr(cell) if isinstance(cell, float) else cell)


def _in_milliseconds(rows: list[Row], numbers: list[int], findings: list[Finding]) -> tuple[list[Row], str]:
    """Times by the unit of the first row; others stay as they are and are found."""
    if not rows:
        return rows, ""
    known = [unit for unit in _UNITS if 0 < rows[0][0] < unit[0]]
    if not known:
        findings.append(
            Finding(
                1,
                say("row_of_unknown_time", "has the time {time}, which is no unit known here", time=rows[0][0]),
                False,
            )
        )
        return rows, ""
    limit, unit, times, over = known[0]
    for number, row in zip(numbers, rows, strict=True):
        if not limit // 1_000 <= row[0] < limit:
            findings.append(
                Finding(
                    number,
                    say(
                        "row_of_other_unit",
                        "has the time {time}, which is not in {unit} as the first",
                        time=row[0],
                        unit=unit,
                    ),
                    False,
                )
            )
    return [(row[0] * times // over, *row[1:]) for row in rows], unit


def _bar_ms(rows: list[Row]) -> int:
    """The most frequent step between rows."""
    counts: dict[int, int] = {}
    for before, after in pairwise(rows):
        counts[after[0] - before[0]] = counts.get(after[0] - before[0], 0) + 1
    steps = {step: count for step, count in counts.items() if step > 0}
    return max(steps, key=lambda step: (steps[step], -step)) if steps else 60_000


def _examine(rows: list[Row], numbers: list[int], bar_ms: int) -> Iterator[Finding]:
    for number, row in zip(numbers, rows, strict=True):
        _, opened, high, low, close, volume = row
        if low <= 0 or volume < 0 or low > min(opened, close) or high < max(opened, close):
            yield Finding(
                number,
                say(
                    "row_is_absurd",
                    "is absurd: open {open}, high {high}, low {low}, close {close}",
                    open=opened,
                    high=high,
                    low=low,
                    close=close,
                ),
                False,
            )
    for number, (before, after) in zip(numbers[1:], pairwise(rows), strict=True):
        step = after[0] - before[0]
        if step == 0:
            yield Finding(number, say("row_is_double", "is double: time {time}", time=after[0]), False)
        elif step < 0:
            yield Finding(
                number,
                say("row_out_of_order", "is out of order: time {time} after {before}", time=after[0], before=before[0]),
                False,
            )
        elif step % bar_ms:
            yield Finding(
                number,
                say("row_between_bars", "does not begin with a bar: {step} ms after the one before", step=step),
                False,
            )
        elif step > bar_ms:
            yield Finding(number, say("row_after_a_gap", "follows a gap of {bars} bars", bars=step // bar_ms - 1), True)
        if before[4] > 4 * after[1] or after[1] > 4 * before[4]:
            yield Finding(
                number,
                say(
                    "row_jumps",
                    "jumps from {before} to {after}: another unit, or another symbol",
                    before=before[4],
                    after=after[1],
                ),
                False,
            )
