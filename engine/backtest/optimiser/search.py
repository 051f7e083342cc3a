"""A search, made ready: what was asked for is checked against the strategy and the history, and cut into stages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from core.base_jobs import MOST_TRIALS, Assumptions, OptimisationJob
from core.base_strategy import StrategyKind
from domain.errors import Refused
from engine.backtest.futures import FundingRate, Futures, Tier
from engine.backtest.history import History
from engine.backtest.optimiser.conditions import Condition, Objective, conditions_of, objectives_of
from engine.backtest.optimiser.scores import FIGURES
from engine.backtest.optimiser.space import BadSpace, Space, space_of
from engine.backtest.queueing import Queue
from engine.backtest.runtime import code_version
from engine.backtest.settings import Settings

#: A stage shorter than this tells nothing.
FEWEST_BARS: Final = 20
#: Chunks hold so many trials that there are not too many files, nor one that takes long.
_CHUNKS, _SMALLEST, _LARGEST = 200, 4, 400


class Stage(NamedTuple):
    """A part of the history on which parameter sets are tried: bars from `begin` to before `end`."""

    name: str
    begin: int
    end: int


@dataclass(frozen=True)
class Search:
    """Everything that the result depends on."""

    job: OptimisationJob
    kind: StrategyKind
    history: History
    space: Space
    objectives: tuple[Objective, ...]
    conditions: tuple[Condition, ...]
    settings: Settings

    @property
    def is_guided(self) -> bool:
        """Whether later proposals depend on earlier results."""
        return self.job.method in ("tpe", "nsga")

    @property
    def trials(self) -> int:
        """How many sets are tried in each stage, at most."""
        return self.space.size if self.job.method == "exhaustive" else min(self.job.trials, self.space.size)

    @property
    def chunk_size(self) -> int:
        """Trials in a chunk."""
        return min(max(self.trials // _CHUNKS, _SMALLEST), _LARGEST)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The whole history first; then what the validation needs."""
        count, folds = len(self.history), self.job.folds
        names = self.job.stage_names
        whole = Stage(names[0], 0, count)
        if self.job.validation == "walk_forward":
            edges = [count * part // (folds + 1) for part in range(folds + 2)]
            return whole, *(Stage(names[fold], 0, edges[fold]) for fold in range(1, folds + 1))
        if self.job.validation == "purged":
            edges = [count * part // folds for part in range(folds + 1)]
            skip = self.job.embargo_bars
            folded = (Stage(names[f + 1], edges[f] + (skip if f else 0), edges[f + 1]) for f in range(folds))
            return whole, *folded
        return (whole,)

    @property
    def digest(self) -> str:
        """The same digest is the same result: of the job, the data and the code."""
        return hashlib.sha256(
            f"{self.job.model_dump_json()}|{self.history.digest}|{code_version()}".encode()
        ).hexdigest()

    def stamp(self) -> dict[str, str]:
        """What has to be the same for the same result."""
        return {
            "strategy": self.kind.name,
            "job": self.job.model_dump_json(),
            "data": self.history.digest,
            "code": code_version(),
            "seed": str(self.job.seed),
        }


def settings_of(assumptions: Assumptions) -> Settings:
    """Settings from what a job assumes; `Refused` names what does not fit together."""
    assumed: dict[str, Any] = dict(assumptions)
    if assumptions.futures is not None:
        terms = dict(assumptions.futures)
        terms["tiers"] = tuple(Tier(**dict(tier)) for tier in assumptions.futures.tiers)
        terms["funding_rates"] = tuple(FundingRate(**dict(rate)) for rate in assumptions.futures.funding_rates)
        assumed["futures"] = Futures(**terms)
    if assumptions.queue is not None:
        assumed["queue"] = Queue(**dict(assumptions.queue))
    return Settings(**assumed)


def search_of(job: OptimisationJob, kind: StrategyKind, history: History) -> Search:
    """The search a job describes; `Refused` names the field that cannot be."""
    space = space_of(kind, job.space)
    known = {*FIGURES, *kind.params.model_fields}
    search = Search(
        job, kind, history, space, objectives_of(job.objectives, FIGURES), conditions_of(job.conditions, known),
        settings_of(job.assumptions),
    )  # fmt: skip
    if space.size >= 2**62:
        raise BadSpace(f"space: {space.size} parameter sets cannot be counted; take fewer values.")
    if search.trials > MOST_TRIALS:
        raise BadSpace(
            f"space: {space.size} parameter sets are more than {MOST_TRIALS}; take larger steps, or method random."
        )
    if job.method == "tpe" and len(search.objectives) > 1:
        raise Refused("objectives: tpe follows one; take method nsga for several.")
    if job.validation == "purged" and search.is_guided:
        raise Refused("validation: purged needs sets that are chosen in advance; take exhaustive or random.")
    for stage in search.stages:
        if stage.end - stage.begin < FEWEST_BARS:
            raise Refused(
                f"folds: {stage.name} would have {max(stage.end - stage.begin, 0)} bars, fewer than {FEWEST_BARS}; "
                "take fewer folds, a smaller embargo or a longer history."
            )
    return search
