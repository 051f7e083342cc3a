"""How much of the best result is luck: the more sets are tried, the better the best of them looks by chance alone.

*Deflated Sharpe ratio*: D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio: Correcting for Selection Bias,
Backtest Overfitting, and Non-Normality", Journal of Portfolio Management 40 (5), 2014.

*Probability of backtest overfitting* by combinatorially symmetric cross-validation: D. H. Bailey, J. M. Borwein,
M. Lopez de Prado and Q. J. Zhu, "The Probability of Backtest Overfitting", Journal of Computational Finance 20 (4),
2017.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from engine.backtest.optimiser.trial import DONE, Trial

EULER: Final = 0.5772156649015329
#: The best is called an edge from this probability on that its Sharpe ratio is more than the luck of the many ...
SURE: Final = 0.95
#: ... and only when choosing the best in one half of the time puts it below the middle in the other no more often.
OFTEN: Final = 0.5
#: Below this a choice is called sound.
SELDOM: Final = 0.2
EDGE, UNCLEAR, LUCK, UNKNOWN = "edge", "unclear", "luck", "unknown"
_NORMAL: Final = NormalDist()
_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True)
class Luck:
    """The measures beside a best result. Sharpe ratios are of one period, not of a year."""

    trials: int
    periods: int
    sharpe: float | None
    #: The Sharpe ratio that the best of as many trials without any edge is expected to show.
    expected_by_luck: float | None
    #: Probability that the true Sharpe ratio is above zero, were it the only trial; and after the many were tried.
    probabilistic_sharpe: float | None
    deflated_sharpe: float | None
    #: Probability that the best of one half of the time is below the middle in the other half.
    overfitting: float | None
    verdict: str
    words: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def luck_of(best: Trial, trials: Sequence[Trial], overfitting: float | None) -> Luck:
    """The measures of one trial among those that were tried with it. `overfitting` is of the whole search."""
    done = [trial for trial in trials if trial.status == DONE and trial.moments]
    count, sharpe, skew, tail = _shape(best.moments)
    sharpes = [value for trial in done if (value := _shape(trial.moments)[1]) is not None]
    if sharpe is None or count < 8 or len(sharpes) < 2:
        why = "there are too few trials or too short a history, or the best never traded."
        return Luck(len(done), count, sharpe, None, None, None, overfitting, UNKNOWN, f"Nothing can be said: {why}")
    by_luck = expected_best(float(numpy.var(sharpes, ddof=1)), len(sharpes))
    alone = probabilistic_sharpe(sharpe, 0.0, count, skew, tail)
    deflated = probabilistic_sharpe(sharpe, by_luck, count, skew, tail)
    verdict, words = _verdict(sharpe, deflated, overfitting)
    return Luck(len(sharpes), count, sharpe, by_luck, alone, deflated, overfitting, verdict, words)


def expected_best(variance: float, trials: int) -> float:
    """The largest of `trials` independent Sharpe ratios of this variance around zero, by expectation."""
    if trials < 2 or variance <= 0:
        return 0.0
    rare, rarer = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER) * rare + EULER * rarer)


def probabilistic_sharpe(sharpe: float, beyond: float, count: int, skew: float, tail: float) -> float:
    """Probability that the true Sharpe ratio is above `beyond`; `tail` is the kurtosis, 3 for a normal distribution."""
    spread = 1 - skew * sharpe + (tail - 1) / 4 * sharpe**2
    return _NORMAL.cdf((sharpe - beyond) * math.sqrt(count - 1) / math.sqrt(max(spread, 1e-12)))


def overfitting_of(trials: Sequence[Trial]) -> float | None:
    """Probability of backtest overfitting; None for fewer than two trials that traded, or fewer than four blocks.

    The blocks of the history are split into halves in every way; the best by the Sharpe ratio of one half is looked
    up in the other. Counted is how often it is in the lower half there. A tie counts half.
    """
    used = [trial for trial in trials if trial.status == DONE and any(block[2] > 0 for block in trial.moments)]
    if len(used) < 2 or len(used[0].moments) < 4:
        return None
    moments = numpy.array([trial.moments for trial in used])[:, :, :3]
    blocks = moments.shape[1]
    halves = numpy.zeros((math.comb(blocks, blocks // 2), blocks))
    for row, chosen in enumerate(combinations(range(blocks), blocks // 2)):
        halves[row, list(chosen)] = 1.0
    step = max(_AT_ONCE // len(used), 1)
    # The complement of every half is a half, too, so one pass over all of them sees both directions.
    ranks = [_ranks(halves[at : at + step], moments) for at in range(0, len(halves), step)]
    return float(numpy.mean(numpy.concatenate(ranks)))


def _ranks(halves: NDArray[numpy.float64], moments: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """For each half: 1 when its best is below the middle of the other half, 0.5 when it is the middle, else 0."""
    inside, outside = _sharpes(halves, moments), _sharpes(1 - halves, moments)
    best = inside.argmax(axis=1)
    theirs = outside[numpy.arange(len(best)), best][:, None]
    below = (outside < theirs).sum(axis=1) + ((outside == theirs).sum(axis=1) - 1) / 2
    share = (below + 1) / (outside.shape[1] + 1)
    return numpy.where(share < 0.5, 1.0, numpy.where(share == 0.5, 0.5, 0.0))


def _sharpes(halves: NDArray[numpy.float64], moments: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Rows are halves, columns trials."""
    count, total, squares = (halves @ moments[:, :, power].T for power in range(3))
    mean = total / count
    spread = numpy.sqrt(numpy.maximum(squares / count - mean**2, 0))
    return numpy.divide(mean, spread, out=numpy.zeros_like(mean), where=spread > 0)


def sharpe_of(moments: Sequence[Sequence[float]]) -> float | None:
    """The Sharpe ratio, of one period, of blocks put together; None when nothing moved."""
    return _shape(moments)[1]


def _shape(moments: Sequence[Sequence[float]]) -> tuple[int, float | None, float, float]:
    """Number of periods, Sharpe ratio, skewness and kurtosis of the returns."""
    if not moments:
        return 0, None, 0.0, 3.0
    count, one, two, three, four = (math.fsum(column) for column in zip(*moments, strict=True))
    mean = one / count
    variance = two / count - mean**2
    if variance <= 1e-30:
        return int(count), None, 0.0, 3.0
    skew = (three / count - 3 * mean * two / count + 2 * mean**3) / variance**1.5
    tail = (four / count - 4 * mean * three / count + 6 * mean**2 * two / count - 3 * mean**4) / variance**2
    return int(count), mean / math.sqrt(variance), skew, tail


def _verdict(sharpe: float, deflated: float, overfitting: float | None) -> tuple[str, str]:
    if sharpe <= 0:
        return LUCK, "The best of them loses: there is no edge here."
    told = f"the deflated Sharpe ratio is {deflated:.2f}"
    if overfitting is not None:
        told += f" and the probability of overfitting {overfitting:.2f}"
    if overfitting is not None and overfitting >= OFTEN:
        return LUCK, f"Luck: {told}; what is best in one half of the time is no better than chance in the other."
    if deflated < SURE:
        weak = LUCK if deflated < 0.5 else UNCLEAR
        start = "Luck" if weak == LUCK else "Not clear"
        return weak, f"{start}: {told}; the best of that many without any edge may look like this."
    if overfitting is None or overfitting > SELDOM:
        return UNCLEAR, f"Not clear: {told}."
    return EDGE, f"More than luck, as far as this history tells: {told}."
