"""Trying the choice itself: what was best on one part of the history is replayed on a part that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import Refused
from engine.backtest.optimiser.bench import ground_of
from engine.backtest.optimiser.chunks import Course
from engine.backtest.optimiser.instance import Instance
from engine.backtest.optimiser.luck import sharpe_of
from engine.backtest.optimiser.ranking import best_of
from engine.backtest.optimiser.scores import grid_of
from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import DONE, Trial


@dataclass(frozen=True)
class Fold:
    """One choice and how it went on where it was not made. Sharpe ratios are of a year."""

    name: str
    #: Bars of the part that was not seen; of several instances, places on their timeline.
    begin: int
    end: int
    params: dict[str, str]
    sharpe_seen: float | None
    sharpe_unseen: float | None
    return_percent_unseen: float | None


@dataclass(frozen=True)
class Validated:
    """Every fold, and all unseen parts together."""

    method: str
    folds: tuple[Fold, ...]
    #: The Sharpe ratio of all unseen parts put together, for a year.
    sharpe_unseen: float | None
    #: The share of folds that earned something where they were not chosen.
    share_positive: float | None
    words: str


def validate(search: Search, course: Course, done: Mapping[str, list[Trial]]) -> Validated | None:
    """The validation that was asked for; None when none was."""
    if search.job.validation == "walk_forward":
        return _summed("walk_forward", _walk_forward(search, course, done))
    if search.job.validation == "purged":
        return _summed("purged", _purged(search, course, done))
    return None


Made = tuple[Fold, Trial, float]


def _walk_forward(search: Search, course: Course, done: Mapping[str, list[Trial]]) -> list[Made]:
    """Chosen on everything before, replayed on what follows. The warm-up is taken from before the part."""
    made = list[Made]()
    for number in range(1, len(search.stages)):
        chosen, part = best_of(search, course.trials(number, done)), search.unseen(number)
        if chosen is None:
            continue
        histories = [
            one.history.part(max(begin - _warm_up(one, chosen, begin), 0), end)
            for one, (begin, end) in zip(search.instances, search.edges(part), strict=True)
        ]
        ground = ground_of(search, histories)
        seen = ground.trial(chosen.number, chosen.params)
        fold = Fold(
            part.name, part.begin, part.end, chosen.params, chosen.value("sharpe"), seen.value("sharpe"),
            seen.value("return_percent"),
        )  # fmt: skip
        made.append((fold, seen, ground.grid.per_year))
    return made


def _warm_up(one: Instance, chosen: Trial, bar: int) -> int:
    """Bars that the strategy is fed before its first decision; the one before it tells the price."""
    history = one.history
    try:
        params = one.kind.params(**one.own(chosen.params))
        plan = one.kind.prepare(params, history.instrument, int(history.close[bar - 1]))
    except Refused:
        return 1
    return max(plan.warm_up_bars, 1)


def _purged(search: Search, course: Course, done: Mapping[str, list[Trial]]) -> list[Made]:
    """Chosen by the Sharpe ratio on all other folds, each replayed by itself, so that nothing leaks between them."""
    stages = search.stages
    trials = [course.trials(number, done) for number in range(1, len(stages))]
    years = [grid_of(*search.parts(stage)).per_year for stage in stages[1:]]
    made = []
    for fold, stage in enumerate(stages[1:]):
        scored = []
        for place, unseen in enumerate(trials[fold]):
            others = [each[place] for at, each in enumerate(trials) if at != fold]
            if unseen.status == DONE and all(other.status == DONE for other in others):
                sharpe = sharpe_of([block for other in others for block in other.moments])
                scored.append((-1e300 if sharpe is None else sharpe, -place))
        if not scored:
            continue
        sharpe, place = max(scored)
        chosen = trials[fold][-place]
        seen = sharpe * years[fold] ** 0.5 if sharpe > -1e300 else None
        found = Fold(
            stage.name, stage.begin, stage.end, chosen.params, seen, chosen.value("sharpe"),
            chosen.value("return_percent"),
        )  # fmt: skip
        made.append((found, chosen, years[fold]))
    return made


def _summed(method: str, made: Sequence[Made]) -> Validated:
    folds = tuple(fold for fold, _, _ in made)
    earned = [fold.return_percent_unseen for fold in folds if fold.return_percent_unseen is not None]
    if not earned:
        return Validated(method, folds, None, None, "No fold allows a choice.")
    share = sum(value > 0 for value in earned) / len(earned)
    sharpe = sharpe_of([block for _, trial, _ in made for block in trial.moments])
    yearly = None if sharpe is None else sharpe * made[0][2] ** 0.5
    told = "earned nothing" if yearly is None or yearly <= 0 else f"had a Sharpe ratio of {yearly:.2f}"
    return Validated(
        method, folds, yearly, share, f"What was chosen {told} where it was not chosen; {share:.0%} of folds earned."
    )


def as_dict(found: Validated) -> dict[str, Any]:
    """For JSON."""
    return {**vars(found), "folds": [vars(fold) for fold in found.folds]}
