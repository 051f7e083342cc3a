"""What a search found: the best sets, how much of them is luck, the landscape around them, and how the choice held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.errors import Refused
from domain.money import to_wire
from domain.sentences import say, words_of
from engine.backtest.optimiser.chunks import Course
from engine.backtest.optimiser.instance import Instance
from engine.backtest.optimiser.look_ahead import look_ahead
from engine.backtest.optimiser.luck import Luck, luck_of, overfitting_of
from engine.backtest.optimiser.plateau import Heatmap, Landscape
from engine.backtest.optimiser.ranking import allowed, best_of, front, ranked
from engine.backtest.optimiser.scores import SHARE_FIGURES, grid_of
from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import REFUSED, Trial
from engine.backtest.optimiser.validation import Validated, as_dict, validate

#: Rows of the ranking that are kept with a result; the others are in the table of all trials.
SHOWN: Final = 20


@dataclass(frozen=True)
class Best:
    """A trial worth looking at, with what stands beside it."""

    trial: Trial
    luck: Luck
    #: See `plateau.Landscape.plateau`.
    plateau: float | None


@dataclass(frozen=True)
class Outcome:
    """The end of a search. The same search has the same outcome, however often it was interrupted."""

    search: Search
    trials: tuple[Trial, ...]
    #: Best first. With several objectives: those that no other beats in all of them.
    best: tuple[Best, ...]
    ranking: tuple[Trial, ...]
    #: The set that is best together with its neighbours.
    robust: Best | None
    heatmaps: tuple[Heatmap, ...]
    validated: Validated | None
    warnings: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many were tried, refused, and allowed by every condition."""
        return {
            "tried": len(self.trials),
            "refused": sum(trial.status == REFUSED for trial in self.trials),
            "allowed": len(allowed(self.search, self.trials)),
        }

    def as_dict(self) -> dict[str, Any]:
        """For JSON: everything but the table of all trials."""
        return {
            **_market(self.search),
            "objectives": [f"{'max' if one.is_max else 'min'}:{one.name}" for one in self.search.objectives],
            "counts": self.counts,
            "best": [_best(one, self.search) for one in self.best],
            "robust": None if self.robust is None else _best(self.robust, self.search),
            "ranking": [_row(trial) for trial in self.ranking],
            "heatmaps": [vars(heatmap) for heatmap in self.heatmaps],
            "validation": None if self.validated is None else as_dict(self.validated),
            "warnings": list(self.warnings),
            "warning_words": [words_of(words) for words in self.warnings],
            "stamp": self.search.stamp(),
        }


def conclude(search: Search, done: Mapping[str, list[Trial]]) -> Outcome:
    """The outcome of a search whose chunks are all there."""
    course = Course(search)
    trials = course.trials(0, done)
    landscape = Landscape(search.space, search.objectives[0], trials)
    overfitting = overfitting_of(trials)

    def beside(trial: Trial) -> Best:
        return Best(trial, luck_of(trial, trials, overfitting), landscape.plateau(trial))

    steady = [(score, -trial.number, trial) for trial in allowed(search, trials)
              if (score := landscape.steadiness(trial)) is not None]  # fmt: skip
    best = best_of(search, trials)
    return Outcome(
        search=search,
        trials=tuple(trials),
        best=tuple(beside(trial) for trial in front(search, trials)),
        ranking=tuple(ranked(search, trials)[:SHOWN]),
        robust=beside(max(steady, key=lambda one: one[:2])[2]) if steady else None,
        heatmaps=tuple(landscape.heatmaps()),
        validated=validate(search, course, done),
        warnings=(*_of_data(search), *_warnings(search, trials, best)),
    )


def _warnings(search: Search, trials: list[Trial], best: Trial | None) -> list[str]:
    told: list[str] = [
        say("in_trials", "{words} ({count} of {all} trials)", words=words, count=count, all=len(trials))
        for words, count in Counter(trial.words for trial in trials if trial.words).most_common(5)
    ]
    if best is None:
        return [*told, say("no_set_meets", "no parameter set meets every condition")]
    values = best.values
    if best.value("held_back"):
        told.append(
            say(
                "best_held_back",
                "in the best set {count} wishes were held back by a risk rule, or for want of capital",
                count=values["held_back"],
            )
        )
    if best.value("refused_orders"):
        told.append(
            say(
                "best_refused",
                "in the best set {count} orders were refused by the venue's rules",
                count=values["refused_orders"],
            )
        )
    if (best.value("sales") or 0) < 30:
        told.append(
            say(
                "best_sold_little",
                "the best set sold only {count} times: too few to tell luck from skill",
                count=values["sales"],
            )
        )
    return [*told, *(words for one in search.instances for words in _looks_ahead(one, best))]


def _looks_ahead(one: Instance, best: Trial) -> list[str]:
    """Of each instance by itself: what one does leaves the others alone."""
    try:
        found = look_ahead(one.kind, one.kind.params(**one.own(best.params)), one.history, one.settings_in(best.params))
    except Refused as refused:
        untried = say("look_ahead_untried", "whether the strategy looks ahead could not be tried: {why}", why=refused)
        return [_of(one, untried)]
    return [_of(one, say("looks_ahead", "the strategy looks ahead: {words}", words=words)) for words in found]


def _of(one: Instance, words: str) -> str:
    return say("of_instance", "{name}: {words}", name=one.name, words=words) if one.name else words


def _of_data(search: Search) -> list[str]:
    """What was found in the histories and not repaired."""
    return [_of(one, words) for one in search.instances for words in one.history.warnings]


def _market(search: Search) -> dict[str, Any]:
    """What was searched, and on what."""
    instrument = search.history.instrument
    told: dict[str, Any] = {
        "quote": instrument.quote,
        "bars": len(search.timeline),
        "bar_ms": min(one.history.bar_ms for one in search.instances),
        "period_ms": grid_of(*(one.history for one in search.instances)).period_ms,
    }
    if search.capital is None:
        return {
            "strategy": search.kind.name, "symbol": instrument.symbol, "base": instrument.base, **told
        }  # fmt: skip
    return {**told, "capital": to_wire(search.capital), "instances": [_instance(one) for one in search.instances]}


def _instance(one: Instance) -> dict[str, Any]:
    instrument = one.history.instrument
    return {
        "name": one.name, "strategy": one.kind.name, "symbol": instrument.symbol, "base": instrument.base,
        "bars": len(one.history), "bar_ms": one.history.bar_ms,
    }  # fmt: skip


def shares_of(trial: Trial, search: Search) -> list[dict[str, Any]]:
    """What each instance owned and made in a trial of several: `part_percent` is its part of the account's net, None
    where that is nothing.
    """
    if search.capital is None or not trial.values:
        return []
    net = float(trial.values["net"])
    shares = []
    for one in search.instances:
        figures = {figure: trial.values[f"{one.name}.{figure}"] for figure in SHARE_FIGURES}
        part = 100 * float(figures["net"]) / net if net else None
        owned = to_wire(one.settings_in(trial.params).quote)
        shares.append({"name": one.name, "capital": owned, **figures, "part_percent": part})
    return shares


def _best(best: Best, search: Search) -> dict[str, Any]:
    found = {**_row(best.trial), "luck": best.luck.as_dict(), "plateau": best.plateau}
    return found if search.capital is None else {**found, "shares": shares_of(best.trial, search)}


def _row(trial: Trial) -> dict[str, Any]:
    return {"number": trial.number, "params": trial.params, "values": trial.values}
