"""Which trials are best, and which are allowed to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy

from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import DONE, Trial

#: Of a front so many are shown, spread by the first objective.
MOST_SHOWN: Final = 50


def allowed(search: Search, trials: Sequence[Trial]) -> list[Trial]:
    """Trials whose objectives could be formed and that meet every condition."""
    return [trial for trial in trials if trial.status == DONE and _goodness(search, trial) and _meets(search, trial)]


def ranked(search: Search, trials: Sequence[Trial]) -> list[Trial]:
    """The allowed ones, best first by the first objective; of equals the one with the smaller number."""
    return sorted(allowed(search, trials), key=lambda trial: (-_first(search, trial), trial.number))


def best_of(search: Search, trials: Sequence[Trial]) -> Trial | None:
    """The best by the first objective."""
    return next(iter(ranked(search, trials)), None)


def front(search: Search, trials: Sequence[Trial]) -> list[Trial]:
    """Those that no other beats in every objective, best first by the first one."""
    order = ranked(search, trials)
    if len(search.objectives) == 1:
        return order[:1]
    scores = numpy.array([_goodness(search, trial) for trial in order])
    left, kept = numpy.arange(len(order)), list[int]()
    while len(left):
        leader = left[0]
        kept.append(int(leader))
        better = (scores[left] > scores[leader]).any(axis=1)
        left = left[better]
    # A later leader may have been passed over by an equal in the first objective that is better in the others.
    held = [at for at in kept if not any(_beats(scores[other], scores[at]) for other in kept if other != at)]
    step = max(len(held) / MOST_SHOWN, 1.0)
    return [order[held[int(place * step)]] for place in range(min(len(held), MOST_SHOWN))]


def _beats(one: numpy.typing.NDArray[numpy.float64], other: numpy.typing.NDArray[numpy.float64]) -> bool:
    return bool((one >= other).all() and (one > other).any())


def _goodness(search: Search, trial: Trial) -> list[float]:
    """Empty when an objective could not be formed."""
    values = [objective.goodness(trial.values) for objective in search.objectives]
    return [] if None in values else [value for value in values if value is not None]


def _first(search: Search, trial: Trial) -> float:
    return search.objectives[0].goodness(trial.values) or 0.0


def _meets(search: Search, trial: Trial) -> bool:
    values = {**trial.params, **trial.values}
    return all((excess := condition.excess(values)) is not None and excess <= 0 for condition in search.conditions)
