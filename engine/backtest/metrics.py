"""Figures of merit, from the curve and the fills. Ratios are floating; amounts are decimal text."""

from __future__ import annotations

import math
from typing import Any

import numpy

from core.clock import utc_from_ms
from domain.money import to_wire
from engine.backtest.kernel import layout as lay
from engine.backtest.result import Result

_YEAR_MS = 365.25 * 86_400_000
_DAY_MS = 86_400_000


def metrics(result: Result) -> dict[str, Any]:
    """Every figure by its name; ratios that cannot be formed are None. Sharpe and Sortino are of days, for a year."""
    history, first = result.history, result.first_place
    curve = result.curve[first - 1 :]
    span_ms = int(history.open_ms[-1] - history.open_ms[first - 1])
    start, end = float(result.amount(result.start_equity)), float(result.equity)
    fall, length_ms = _deepest_fall(curve, history.open_ms[first - 1 :])
    growth = _growth(start, end, span_ms)
    days = _daily_returns(curve, history.open_ms[first - 1 :])
    hold = float(history.close[-1]) / float(history.close[first - 1]) - 1
    return {
        **amounts(result),
        "cycle_profit": to_wire(result.amount(cycle_profit(result))),
        "equity": to_wire(result.equity),
        "return_percent": 100 * (end / start - 1) if start else None,
        "buy_and_hold_percent": 100 * hold,
        "cagr_percent": None if growth is None else 100 * growth,
        "sharpe": _ratio(days, days),
        "sortino": _ratio(days, numpy.minimum(days, 0)),
        "calmar": None if growth is None or fall == 0 else growth / fall,
        "max_drawdown_percent": 100 * fall,
        "max_drawdown_days": length_ms / _DAY_MS,
        **counts(result, span_ms),
    }


def _growth(start: float, end: float, span_ms: int) -> float | None:
    """A year's growth; None where it is no number that means anything, as over less than a second."""
    if start <= 0 or end <= 0 or span_ms <= 0 or math.log(end / start) * _YEAR_MS / span_ms > 700:
        return None
    growth: float = (end / start) ** (_YEAR_MS / span_ms) - 1
    return growth


def amounts(result: Result) -> dict[str, Any]:
    """What was earned and paid, as decimal text."""
    figures = result.figures
    return {
        "net": to_wire(result.net),
        "gross": to_wire(result.amount(figures.equity - result.start_equity + figures.fees)),
        "fees": to_wire(result.amount(figures.fees)),
        "realised": to_wire(result.amount(figures.realised)),
        "unrealised": to_wire(result.amount(figures.unrealised)),
        **({} if result.settings.futures is None else futures_amounts(result)),
    }


def futures_amounts(result: Result) -> dict[str, Any]:
    """What a futures account has besides, as decimal text: funding received less paid, and a liquidation."""
    figures = result.figures
    moment = utc_from_ms(figures.liquidated_ms) if figures.liquidated_ms else None
    return {
        "funding": to_wire(result.amount(figures.funding)),
        "liquidation_fee": to_wire(result.amount(figures.liquidation_fee)),
        "liquidated_at": None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }


def counts(result: Result, span_ms: int) -> dict[str, Any]:
    """What was done over so many milliseconds, and how often it went well; None where a share cannot be formed."""
    figures = result.figures
    sales = figures.wins + figures.losses
    return {
        "exposure_percent": 100 * figures.held_ms / span_ms if span_ms else None,
        "turnover": to_wire(result.amount(figures.turnover)),
        "fills": figures.fills,
        "sales": sales,
        "win_rate_percent": 100 * figures.wins / sales if sales else None,
        "profit_factor": figures.gained / figures.lost if figures.lost else None,
        "expectancy": to_wire(result.amount((figures.gained - figures.lost) // sales)) if sales else None,
        "refused_orders": figures.refusals,
        "held_back": figures.holds,
    }


def cycle_profit(result: Result) -> int:
    """Quote quanta earned by cycles of slots that bought and sold it again: what a grid calls its profit.

    A cycle is over when it has sold what it bought but for less than two lots, which are dust, or dust taken along.
    What was bought at the start for several slots together belongs to none of their cycles and is not counted.
    """
    sums: dict[tuple[int, int], list[int]] = {}
    instrument = result.history.instrument
    per_lot, named = instrument.base_per_lot, {name: place for place, name in enumerate(lay.FILL_FIELDS)}
    for row in result.fills.tolist():
        side, lots, fee = row[named["side"]], row[named["lots"]], row[named["fee"]]
        in_base = row[named["fee_in_base"]]
        entry = sums.setdefault((row[named["slot"]], row[named["cycle"]]), [0, 0, 0, 0])
        entry[0] += side * lots * per_lot - (fee if in_base else 0)
        entry[1] -= side * lots * row[named["ticks"]] * instrument.tick_lot + (0 if in_base else fee)
        entry[2 if side > 0 else 3] += 1
    return sum(
        money for base, money, bought, sold in sums.values() if bought and sold and -per_lot <= base < 2 * per_lot
    )


def _deepest_fall(curve: Any, times: Any) -> tuple[float, int]:
    """The deepest fall as a share of the high before it, and the longest time below a high in milliseconds."""
    highs = numpy.maximum.accumulate(curve)
    falls = numpy.where(highs > 0, (highs - curve) / numpy.where(highs > 0, highs, 1), 0)
    at_high = curve >= highs
    since = numpy.maximum.accumulate(numpy.where(at_high, times, 0))
    return float(falls.max(initial=0.0)), int((times - since).max(initial=0))


def _daily_returns(curve: Any, times: Any) -> Any:
    days = times // _DAY_MS
    last = numpy.append(numpy.flatnonzero(numpy.diff(days)), len(days) - 1)
    closes = numpy.append(curve[0], curve[last])
    return numpy.diff(closes) / numpy.where(closes[:-1] == 0, 1, closes[:-1])


def _ratio(returns: Any, risky: Any) -> float | None:
    spread = math.sqrt(float(numpy.mean((risky - (risky.mean() if risky is returns else 0)) ** 2)))
    return float(returns.mean()) / spread * math.sqrt(365) if len(returns) > 1 and spread > 0 else None
