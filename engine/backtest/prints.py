"""Trade prints from files: the venue's archive of trades and of aggregated trades, or a CSV that names its columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import chain, pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy

from domain.errors import Refused
from domain.instrument import Instrument
from domain.money import exact
from domain.sentences import say
from engine.backtest.files import MOST_ROWS, TOO_MANY, instrument_of_steps
from engine.backtest.history import BadHistory, Finding, Prints, prints_of
from engine.backtest.reading import TEXTS, texts, told

_NAMES: Final = {
    "id": ("agg_trade_id", "trade_id", "id"),
    "time": ("transact_time", "time"),
    "price": ("price",),
    "quantity": ("quantity", "qty"),
}
#: Without a header the columns are those of the archive: aggregated trades have their time in the sixth column, trades
#: in the fifth.
_AGGREGATED: Final = (0, 5, 1, 2)
_TRADES: Final = (0, 4, 1, 2)
_EARLIEST: Final = 10**12
_SHOWN: Final = 20


class Print(NamedTuple):
    """One trade of the market."""

    number: int
    time_ms: int
    price: Decimal
    quantity: Decimal


def read_prints(path: Path, symbol: str, base: str, quote: str, most_rows: int = MOST_ROWS) -> Prints:
    """The trades of a file (.csv, .csv.gz or .zip); `BadHistory` names the rows that stop it.

    Ticks and lots are the finest steps there. Numbers that are missing become a warning of every result: nobody can
    say which trades were there.
    """
    with told(path):
        found, rows, wrong = _rows(path, most_rows)
    if not found and not wrong:
        raise BadHistory(say("file_has_no_trades", "{path}: it holds no trades.", path=path))
    missing = 0
    for row, (before, after) in zip(rows[1:], pairwise(found), strict=False):
        missing += max(after.number - before.number - 1, 0)
        if after.number <= before.number:
            wrong.append(
                Finding(
                    row,
                    say("trade_out_of_order", "is double or out of order: trade {trade}", trade=after.number),
                    False,
                )
            )
        elif after.time_ms < before.time_ms:
            wrong.append(
                Finding(
                    row,
                    say("trade_too_early", "is earlier than the one before it: trade {trade}", trade=after.number),
                    False,
                )
            )
    if wrong:
        named = "; ".join(f"row {finding.row} {finding.words}" for finding in wrong[:_SHOWN])
        raise BadHistory(
            say(
                "bad_trade_rows",
                "{path}: {count} rows cannot be used: {named}. Correct the file.",
                path=path,
                count=len(wrong),
                named=named,
            ),
            wrong,
        )
    instrument = _instrument(found, symbol, base, quote)
    made = prints_of(
        instrument,
        numpy.array([one.time_ms for one in found], numpy.int64),
        numpy.array([instrument.to_ticks(one.price) for one in found], numpy.int64),
        numpy.array([int(one.quantity / instrument.lot_size) for one in found], numpy.int64),
    )
    if not missing:
        return made
    warning = say("trades_missing", "{trades} trades are missing by their numbers", trades=missing)
    return replace(made, warnings=(warning,))


def _rows(path: Path, most_rows: int) -> tuple[list[Print], list[int], list[Finding]]:
    """Trades, the row of each, and what cannot be read."""
    found: list[Print] = []
    rows: list[int] = []
    wrong: list[Finding] = []
    places: tuple[int, ...] = ()
    for number, line in enumerate(_lines(path), 1):
        cells = [cell.strip().strip('"') for cell in line.split(",")]
        if cells == [""]:
            continue
        if not cells[0].isdigit():
            places = _named_places(path, cells)
            continue
        places = places or _archive_places(path, cells)
        try:
            found.append(_print([cells[place] for place in places]))
            rows.append(number)
        except (Refused, ValueError, ArithmeticError, IndexError) as error:
            wrong.append(Finding(number, say("row_unreadable", "cannot be read: {error}", error=error), False))
        if len(found) + len(wrong) > most_rows:
            raise BadHistory(TOO_MANY.format(path=path, most=most_rows))
    return found, rows, wrong


def _print(cells: list[str]) -> Print:
    number, time, price, quantity = int(cells[0]), int(cells[1]), exact(cells[2]), exact(cells[3])
    if price <= 0 or quantity <= 0:
        raise BadHistory(say("no_trade", "{quantity} at {price} is no trade", quantity=quantity, price=price))
    # The archive writes microseconds since 2025.
    time_ms = time // 1_000 if time >= _EARLIEST * 100 else time
    if time_ms < _EARLIEST:
        raise BadHistory(say("unknown_unit_of_time", "the time {time} is in no unit known here", time=time))
    return Print(number, time_ms, price, quantity)


def _named_places(path: Path, header: list[str]) -> tuple[int, ...]:
    names = [name.lower() for name in header]
    places = []
    for what, known in _NAMES.items():
        at = next((names.index(name) for name in known if name in names), -1)
        if at < 0:
            raise BadHistory(
                say(
                    "no_column_of_trade",
                    "{path}: no column of its header is the {what} of a trade; call one {names}.",
                    path=path,
                    what=what,
                    names=" or ".join(known),
                )
            )
        places.append(at)
    return tuple(places)


def _archive_places(path: Path, cells: list[str]) -> tuple[int, ...]:
    for places in (_AGGREGATED, _TRADES):
        time = cells[places[1]] if len(cells) > places[1] else ""
        if time.isdigit() and int(time) >= _EARLIEST:
            return places
    raise BadHistory(
        say(
            "no_time_column",
            "{path}: neither the fifth nor the sixth column is a time in milliseconds; give it a header.",
            path=path,
        )
    )


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise BadHistory(say("no_such_file", "{path}: there is no such file.", path=path))
    if not path.name.lower().endswith(TEXTS):
        raise BadHistory(
            say("trades_file_wanted", "{path}: a .csv, .csv.gz or .zip file of trades is wanted.", path=path)
        )
    return chain.from_iterable(texts(path))


def _instrument(found: list[Print], symbol: str, base: str, quote: str) -> Instrument:
    prices: Iterable[Decimal] = (one.price for one in found)
    quantities: Iterable[Decimal] = (one.quantity for one in found)
    return instrument_of_steps(prices, quantities, max(one.price for one in found), symbol, base, quote)
