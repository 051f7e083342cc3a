"""What one parameter set earns on a history: every figure, and the moments of its returns block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy
from numpy.typing import NDArray
from pydantic import ValidationError

from core.base_strategy import StrategyKind
from domain.errors import Refused
from domain.money import divmod_exact, to_wire
from engine.backtest.history import History
from engine.backtest.kernel import layout as lay
from engine.backtest.metrics import amounts, counts
from engine.backtest.optimiser.trial import DONE, REFUSED, Trial
from engine.backtest.result import Result
from engine.backtest.runtime import run
from engine.backtest.settings import Settings

DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS
#: Returns are of days, or of shorter periods where there would be fewer of them.
FEWEST_PERIODS: Final = 128
MOST_BLOCKS: Final = 16
#: Every figure that can be an objective or stand in a condition.
FIGURES: Final = (
    "net", "gross", "fees", "realised", "unrealised", "equity", "return_percent", "excess_percent", "cagr_percent",
    "sharpe", "sortino", "calmar", "max_drawdown_percent", "exposure_percent", "turnover", "fills", "sales",
    "win_rate_percent", "profit_factor", "expectancy", "refused_orders", "held_back",
)  # fmt: skip
#: Those of each instance that stand beside an account's, as `instance.net`.
SHARE_FIGURES: Final = ("net", "fees", "return_percent", "max_drawdown_percent", "fills", "sales")


@dataclass(frozen=True)
class Grid:
    """Where the periods and blocks of a history end; the same for every trial, so that they can be compared."""

    #: Length of a period in milliseconds.
    period_ms: int
    #: The last bar (of several histories: place on their timeline) of each period, and when the next one opens.
    last: NDArray[numpy.int64]
    until_ms: NDArray[numpy.int64]
    #: The first period of each block.
    blocks: NDArray[numpy.int64]

    @property
    def per_year(self) -> float:
        """Periods in a year."""
        return YEAR_MS / self.period_ms


def grid_of(*histories: History) -> Grid:
    """Periods of a day, or shorter ones in a short history; blocks of as equal length as can be. Of several
    histories it lies over all of them.
    """
    times = histories[0].open_ms
    if len(histories) > 1:
        times = numpy.unique(numpy.concatenate([history.open_ms for history in histories]))
    bar_ms = min(history.bar_ms for history in histories)
    end = max(int(history.open_ms[-1]) + history.bar_ms for history in histories)
    span = end - int(times[0])
    period = DAY_MS
    if span < FEWEST_PERIODS // 2 * DAY_MS:
        period = max(span // FEWEST_PERIODS // bar_ms, 1) * bar_ms
    anchor = 0 if period == DAY_MS else int(times[0])
    last = numpy.append(numpy.flatnonzero(numpy.diff((times - anchor) // period)), len(times) - 1)
    until = numpy.append(times[1:], end)[last]
    blocks = max(min(MOST_BLOCKS, len(last) // 4) // 2 * 2, 1)
    return Grid(period, last, until, numpy.arange(blocks) * len(last) // blocks)


def evaluate(
    kind: StrategyKind, number: int, params: dict[str, str], history: History, settings: Settings, grid: Grid
) -> Trial:
    """Replay one parameter set. What the strategy refuses is a refused trial with its reason, not an error."""
    try:
        result = replayed(kind, params, history, settings)
    except Refused as error:
        return Trial(number, params, REFUSED, words=str(error))
    returns = returns_of(period_equity(result, grid.until_ms, grid.last))
    return Trial(number, params, DONE, figures_of(result, returns, grid), moments_of(returns, grid), said_of(result))


def replayed(kind: StrategyKind, params: Mapping[str, Any], history: History, settings: Settings) -> Result:
    """The replay of a parameter set; `Refused` says what the strategy does not allow."""
    try:
        made = kind.params(**params)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise Refused(told) from error
    return run(kind, made, history, settings)


def said_of(result: Result) -> str:
    """What the replay warns of, beside what was found in its data."""
    return "; ".join(words for words in result.warnings if words not in result.history.warnings)


def period_equity(result: Result, until_ms: NDArray[numpy.int64], last: NDArray[numpy.int64]) -> NDArray[numpy.float64]:
    """Quote quanta that it is worth at the start and at the end of each period, which is the close of the bar `last`
    and before the moment `until_ms`: from the fills alone, so that it costs nothing per bar. Before the first bar
    (a place below zero) it is worth what it began with.
    """
    history, instrument = result.history, result.history.instrument
    quote = numpy.full(len(last), float(divmod_exact(result.settings.quote, instrument.quote_quantum)[0]))
    base = numpy.full(len(last), float(divmod_exact(result.settings.base, instrument.base_quantum)[0]))
    worth = instrument.tick_lot / instrument.base_per_lot
    start = quote[0] + base[0] * worth * float(history.close[0])
    if len(result.moves):
        fields = {name: result.moves[:, place] for place, name in enumerate(lay.FILL_FIELDS)}
        known = numpy.searchsorted(fields["time_ms"].astype(numpy.int64), until_ms, "left") - 1
        is_after = known >= 0
        quote[is_after] = fields["quote"][known[is_after]].astype(float)
        base[is_after] = fields["base"][known[is_after]].astype(float)
    return numpy.append(start, quote + base * worth * history.close[numpy.maximum(last, 0)])


def returns_of(equity: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """The return of each period, from the worth at its beginning and its end."""
    return numpy.diff(equity) / numpy.where(equity[:-1] == 0, 1, equity[:-1])


def moments_of(returns: NDArray[numpy.float64], grid: Grid) -> tuple[tuple[float, ...], ...]:
    """Of each block: the number of periods, and the sums of the first four powers of their returns."""
    counts = numpy.diff(numpy.append(grid.blocks, len(returns)))
    sums = [numpy.add.reduceat(returns**power, grid.blocks) for power in (1, 2, 3, 4)]
    return tuple(tuple(float(column[place]) for column in (counts, *sums)) for place in range(len(counts)))


def figures_of(result: Result, returns: NDArray[numpy.float64], grid: Grid) -> dict[str, Any]:
    """Every figure of `FIGURES`; None where it cannot be formed."""
    history, first = result.history, result.first_place
    span_ms = int(history.open_ms[-1] - history.open_ms[first - 1])
    start, end = float(result.amount(result.start_equity)), float(result.equity)
    earned = 100 * (end / start - 1) if start else None
    hold = 100 * (float(history.close[-1]) / float(history.close[first - 1]) - 1)
    fall = deepest_fall(result.curve[first - 1 :])
    return {
        **amounts(result),
        "equity": to_wire(result.equity),
        "return_percent": earned,
        "excess_percent": None if earned is None else earned - hold,
        **ratios(start, end, span_ms, returns, fall, grid),
        **counts(result, span_ms),
    }


def ratios(
    start: float, end: float, span_ms: int, returns: NDArray[numpy.float64], fall: float, grid: Grid
) -> dict[str, Any]:
    """Growth, what it cost in risk, and the deepest fall, a share of the high before it."""
    growth = _growth(start, end, span_ms)
    return {
        "cagr_percent": None if growth is None else 100 * growth,
        "sharpe": _ratio(returns, returns - returns.mean(), grid),
        "sortino": _ratio(returns, numpy.minimum(returns, 0), grid),
        "calmar": None if growth is None or fall == 0 else growth / fall,
        "max_drawdown_percent": 100 * fall,
    }


def deepest_fall(curve: NDArray[numpy.float64]) -> float:
    """The deepest fall as a share of the high before it."""
    highs = numpy.maximum.accumulate(curve)
    return float((1 - curve / highs).max()) if highs[0] > 0 else 0.0


def _growth(start: float, end: float, span_ms: int) -> float | None:
    """A year's growth; None where it is no number that means anything."""
    if start <= 0 or end <= 0 or span_ms <= 0:
        return None
    exponent = math.log(end / start) * (365.25 * DAY_MS) / span_ms
    return math.expm1(exponent) if exponent < 700 else None


def _ratio(returns: NDArray[numpy.float64], risky: NDArray[numpy.float64], grid: Grid) -> float | None:
    spread = math.sqrt(float(numpy.mean(risky**2)))
    return float(returns.mean()) / spread * math.sqrt(grid.per_year) if len(returns) > 1 and spread > 0 else None
