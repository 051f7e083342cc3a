"""The measures against the figures of their papers, against counting by hand, and against markets that are known."""

from __future__ import annotations

import math
from itertools import combinations
from statistics import fmean, pstdev

import numpy
import pytest

from engine.backtest.optimiser import conclude, work
from engine.backtest.optimiser.luck import (
    EDGE,
    LUCK,
    expected_best,
    luck_of,
    overfitting_of,
    probabilistic_sharpe,
    sharpe_of,
)
from engine.backtest.optimiser.trial import DONE, Trial
from tests.markets import random_walk, trending
from tests.optimising import cross, find


def test_the_example_of_the_paper_on_the_deflated_sharpe_ratio() -> None:
    # 100 trials whose yearly Sharpe ratios have the variance 1/2; the best has 2.5 a year over 1,250 days of 250 a
    # year, with skewness -3 and kurtosis 10.
    by_luck = expected_best(0.5 / 250, 100)
    assert by_luck == pytest.approx(0.1132, abs=5e-5)
    assert probabilistic_sharpe(2.5 / math.sqrt(250), by_luck, 1250, -3, 10) == pytest.approx(0.9004, abs=5e-5)


def _trials(returns: numpy.typing.NDArray[numpy.float64], blocks: int) -> list[Trial]:
    """Rows of returns as trials."""
    made = []
    for number, row in enumerate(returns):
        parts = numpy.split(row, blocks)
        moments = tuple((float(len(part)), *(float((part**power).sum()) for power in (1, 2, 3, 4))) for part in parts)
        made.append(Trial(number, {}, DONE, {}, moments))
    return made


def test_overfitting_is_what_counting_every_half_gives() -> None:
    blocks, length = 6, 10
    returns = numpy.random.default_rng(4).normal(0.0003, 0.01, (9, blocks * length))
    parts = numpy.split(returns, blocks, axis=1)

    def sharpes(chosen: tuple[int, ...]) -> list[float]:
        rows = numpy.concatenate([parts[block] for block in chosen], axis=1).tolist()
        return [fmean(row) / pstdev(row) for row in rows]

    counted = []
    for inside in combinations(range(blocks), blocks // 2):
        seen, unseen = sharpes(inside), sharpes(tuple(set(range(blocks)) - set(inside)))
        theirs = unseen[seen.index(max(seen))]
        share = (sum(value < theirs for value in unseen) + 1) / (len(unseen) + 1)
        counted.append(1.0 if share < 0.5 else 0.5 if share == 0.5 else 0.0)
    assert overfitting_of(_trials(returns, blocks)) == pytest.approx(fmean(counted))


def test_skewness_and_kurtosis_come_out_of_the_sums() -> None:
    row = numpy.random.default_rng(1).exponential(0.01, 400) - 0.009
    (trial,) = _trials(row[None], 4)
    mean, spread = row.mean(), row.std()
    assert sharpe_of(trial.moments) == pytest.approx(mean / spread)
    skew, tail = ((row - mean) ** 3).mean() / spread**3, ((row - mean) ** 4).mean() / spread**4
    found = luck_of(trial, [trial, *_trials(row[None] * 0.5 + 0.001, 4)], None)
    assert found.probabilistic_sharpe == pytest.approx(probabilistic_sharpe(mean / spread, 0, 400, skew, tail))


def test_one_very_good_set_among_chance_is_no_luck_and_the_best_of_chance_is() -> None:
    returns = numpy.random.default_rng(7).normal(0, 0.01, (200, 640))
    trials = _trials(returns, 16)
    best = max(trials, key=lambda trial: sharpe_of(trial.moments) or 0)
    assert luck_of(best, trials, overfitting_of(trials)).verdict == LUCK
    returns[0] += 0.004
    trials = _trials(returns, 16)
    found = luck_of(trials[0], trials, overfitting_of(trials))
    assert found.verdict == EDGE
    assert "More than luck" in found.words


def test_without_an_edge_in_the_market_the_optimiser_does_not_find_one() -> None:
    told = []
    for seed in (1, 2, 3):
        search = cross(random_walk(seed, 1_600))
        outcome = conclude(search, work(search, find, processes=1))
        luck = outcome.best[0].luck
        assert luck.verdict != EDGE, luck.words
        assert luck.deflated_sharpe is not None
        assert luck.deflated_sharpe < 0.95
        told.append(luck.verdict)
    assert told.count(LUCK) >= 2, told


def test_with_a_planted_edge_the_optimiser_says_that_it_is_more_than_luck() -> None:
    search = cross(trending(3, 2_400), validation="walk_forward", folds=3)
    outcome = conclude(search, work(search, find, processes=1))
    luck = outcome.best[0].luck
    assert luck.verdict == EDGE, luck.words
    assert outcome.validated is not None
    assert outcome.validated.share_positive == 1.0
    assert (outcome.validated.sharpe_unseen or 0) > 1
    assert outcome.best[0].plateau is not None
    assert outcome.best[0].plateau > 0.3
