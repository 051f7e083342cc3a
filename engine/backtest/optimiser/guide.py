"""Proposals that follow from results: TPE and NSGA-II by optuna, made repeatable.

Proposals are made a generation at a time from a sampler whose seed is the generation's own, so a search that is taken
up again asks the same questions in the same order and gets the same proposals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import DONE, Trial

if TYPE_CHECKING:
    import optuna

Places = tuple[int, ...]


class Guide:
    """Asks for one generation after another in one stage."""

    def __init__(self, search: Search, stage: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._search = search
        self._stage = stage
        self._study = optuna.create_study(directions=["maximize"] * len(search.objectives))
        self._asked: list[tuple[optuna.Trial, Places]] = []
        #: Generations that were asked for, and what each newly proposed.
        self.generations: list[list[Places]] = []
        self._seen: set[Places] = set()

    def propose(self, known: Mapping[Places, Trial]) -> list[Places]:
        """The next generation's sets that were not proposed before; `known` must hold those that were."""
        self._tell(known)
        search, number = self._search, len(self.generations)
        self._study.sampler = _sampler(search, self._stage, number)
        new: list[Places] = []
        room = min(search.job.population, search.trials - number * search.job.population)
        for _ in range(room):
            asked = self._study.ask(_distributions(search))
            places = tuple(int(asked.params[one.name]) for one in search.space.dimensions)
            self._asked.append((asked, places))
            if places not in self._seen:
                self._seen.add(places)
                new.append(places)
        self.generations.append(new)
        return new

    def _tell(self, known: Mapping[Places, Trial]) -> None:
        from optuna.trial import TrialState

        for asked, places in self._asked:
            trial = known[places]
            goodness = [objective.goodness(trial.values) for objective in self._search.objectives]
            if trial.status != DONE or None in goodness:
                self._study.tell(asked, state=TrialState.FAIL)
                continue
            for name, excess in _excesses(self._search, trial):
                asked.set_constraint(name, excess)
            self._study.tell(asked, [value for value in goodness if value is not None])
        self._asked = []


def generations_of(search: Search) -> int:
    """How many generations a guided search has."""
    return -(-search.trials // search.job.population)


def _excesses(search: Search, trial: Trial) -> Iterable[tuple[str, float]]:
    values = {**trial.params, **trial.values}
    for condition in search.conditions:
        excess = condition.excess(values)
        yield f"{condition.left}{condition.sign}{condition.right}", 1e9 if excess is None else excess


def _distributions(search: Search) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    return {
        one.name: IntDistribution(0, len(one.values) - 1)
        if one.is_ordered
        else CategoricalDistribution(tuple(range(len(one.values))))
        for one in search.space.dimensions
    }


def _sampler(search: Search, stage: int, generation: int) -> Any:
    import numpy
    from optuna.samplers import NSGAIISampler, TPESampler

    seed = int(numpy.random.SeedSequence([search.job.seed, stage, generation]).generate_state(1)[0])
    if search.job.method == "nsga":
        return NSGAIISampler(population_size=search.job.population, seed=seed)
    return TPESampler(seed=seed, n_startup_trials=min(search.job.population, 20))
