"""What is kept of a backtest that was asked for on the platform: a result for a page, and files to take away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import numpy
import orjson
from numpy.typing import NDArray

from core.clock import utc_from_ms
from domain.money import from_units, to_wire
from domain.sentences import Sentence
from engine.backtest import report
from engine.backtest.kernel import layout as lay
from engine.backtest.result import Result
from engine.backtest.together import Together

#: Points of a curve that are kept.
POINTS: Final = 500
#: Executions that are kept; of more, the first.
MOST_FILLS: Final = 50_000
COLUMNS: Final = (
    "at", "side", "price", "quantity", "fee", "fee_asset", "is_maker", "realised", "reason", "slot", "cycle",
    "reason_code",
)  # fmt: skip


def result_of(result: Result) -> dict[str, Any]:
    """`report.to_json` with the curve in `POINTS` points, the units, and the time that was traded."""
    history, instrument = result.history, result.history.instrument
    found: dict[str, Any] = orjson.loads(report.to_json(result))
    return {
        **found,
        "base": instrument.base,
        "quote": instrument.quote,
        "bar_ms": history.bar_ms,
        "first_at": utc_from_ms(int(history.open_ms[result.first_place - 1])).isoformat(),
        "last_at": utc_from_ms(int(history.open_ms[-1]) + history.bar_ms).isoformat(),
        "equity": points_of(result),
        "fills_kept": min(len(result.fills), MOST_FILLS),
    }


def files_of(result: Result) -> dict[str, bytes]:
    """The report as a page of its own, and every execution as text with commas between."""
    return {"report.html": report.to_html(result).encode(), "fills.csv": table(COLUMNS, fills_of(result)).encode()}


def points_of(result: Result) -> list[list[Any]]:
    """[milliseconds, equity, buying and holding, percent below the high], at closes of bars from the first traded on.

    Of the bars between two points the one is told whose equity is lowest, so that no fall is missing.
    """
    history, first = result.history, result.first_place - 1
    curve, closes = result.curve[first:], history.close[first:]
    hold = curve[0] * closes / closes[0]
    falls = _falls(curve)
    return [
        [int(history.open_ms[first + at]) + history.bar_ms, f"{curve[at]:.8f}", f"{hold[at]:.8f}", f"{falls[at]:.4f}"]
        for at in _chosen(falls)
    ]


def account_of(found: Together) -> dict[str, Any]:
    """An account's figures and curve, and of every instance what is kept of a backtest, but for its curve."""
    told, capital = found.sum, found.capital
    amounts = {name: to_wire(value) for name, value in told._asdict().items() if isinstance(value, Decimal)}
    instances = []
    for result in found.results:
        one = result_of(result)
        one["strategy"] = result.kind.name
        one["capital"] = to_wire(result.amount(result.start_equity))
        del one["equity"]
        instances.append(one)
    return {
        "quote": found.results[0].history.instrument.quote,
        "metrics": {
            **amounts,
            "fills": told.fills,
            "return_percent": float(100 * told.net / capital),
            "max_drawdown_percent": 100 * told.max_drawdown,
        },
        "adds_up": found.adds_up,
        "first_at": utc_from_ms(int(found.times[0])).isoformat(),
        "last_at": utc_from_ms(int(found.times[-1])).isoformat(),
        "equity": _account_points(found),
        "fills_kept": sum(one["fills_kept"] for one in instances),
        "instances": instances,
    }


def account_files(found: Together) -> dict[str, bytes]:
    """The report, and every execution of every instance, numbered from 1 as they were given."""
    rows = ((str(number), *row) for number, result in enumerate(found.results, 1) for row in fills_of(result))
    return {
        "report.html": report.account_to_html(found).encode(),
        "fills.csv": table(("instance", *COLUMNS), rows).encode(),
    }


def _account_points(found: Together) -> list[list[Any]]:
    """As `points_of`, at every close of a bar of any instance."""
    falls, hold = _falls(found.curve), found.hold
    return [
        [int(found.times[at]), f"{found.curve[at]:.8f}", f"{hold[at]:.8f}", f"{falls[at]:.4f}"] for at in _chosen(falls)
    ]


def _falls(curve: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Percent below the high of before."""
    falls: NDArray[numpy.float64] = 100 * (curve / numpy.maximum.accumulate(numpy.maximum(curve, 1e-12)) - 1)
    return falls


def _chosen(falls: NDArray[numpy.float64]) -> list[int]:
    """Places of some `POINTS`: the first, the last, and of the others between two the lowest."""
    edges = numpy.unique(numpy.linspace(0, len(falls), min(POINTS, len(falls)) + 1).astype(int))
    inner = [int(begin + numpy.argmin(falls[begin:end])) for begin, end in pairwise(edges)]
    return sorted({0, *inner, len(falls) - 1})


def fills_of(result: Result) -> Iterator[tuple[str, ...]]:
    """A row of `COLUMNS` for each execution, in their order; amounts as decimal text."""
    instrument, named = result.history.instrument, {name: at for at, name in enumerate(lay.FILL_FIELDS)}
    for row in result.fills[:MOST_FILLS].tolist():
        in_base = bool(row[named["fee_in_base"]])
        reason = result.kind.reasons.get(row[named["reason"]], "")
        fee = from_units(row[named["fee"]], instrument.base_quantum if in_base else instrument.quote_quantum)
        yield (
            utc_from_ms(row[named["time_ms"]]).isoformat(),
            "buy" if row[named["side"]] > 0 else "sell",
            to_wire(instrument.from_ticks(row[named["ticks"]])),
            to_wire(instrument.from_lots(row[named["lots"]])),
            to_wire(fee),
            instrument.base if in_base else instrument.quote,
            "yes" if row[named["maker"]] else "no",
            to_wire(result.amount(row[named["realised"]])),
            reason,
            str(row[named["slot"]]),
            str(row[named["cycle"]]),
            reason.code if isinstance(reason, Sentence) else "",
        )


def table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    """Text with commas between."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
