"""A search, made ready: what was asked for is checked against the strategy and the history, and cut into stages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy

from core.base_jobs import MOST_TRIALS, AccountOptimisationJob, Assumptions, OptimisationJob, SearchTerms
from core.base_strategy import StrategyKind
from domain.errors import Refused
from domain.money import add
from domain.sentences import say
from engine.backtest.futures import FundingRate, Futures, Tier
from engine.backtest.history import Column, History
from engine.backtest.optimiser.conditions import Condition, Objective, conditions_of, objectives_of
from engine.backtest.optimiser.instance import SHARE, Instance
from engine.backtest.optimiser.scores import FIGURES, SHARE_FIGURES
from engine.backtest.optimiser.space import BadSpace, Space, account_space_of, space_of
from engine.backtest.queueing import Queue
from engine.backtest.runtime import code_version
from engine.backtest.settings import Settings
from engine.backtest.together import Member, check_members, shared

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

    job: SearchTerms
    #: One without a name, or those that share an account.
    instances: tuple[Instance, ...]
    #: Of the account that they share; None where one is searched alone.
    capital: Decimal | None
    space: Space
    objectives: tuple[Objective, ...]
    conditions: tuple[Condition, ...]

    @property
    def kind(self) -> StrategyKind:
        """The law; of several that of the first."""
        return self.instances[0].kind

    @property
    def history(self) -> History:
        """What is replayed; of several that of the first."""
        return self.instances[0].history

    @property
    def settings(self) -> Settings:
        """What is assumed; of several for the first."""
        return self.instances[0].settings

    @property
    def title(self) -> str:
        """What is searched, for people."""
        return ", ".join(f"{one.kind.title} on {one.history.instrument.symbol}" for one in self.instances)

    @property
    def figures(self) -> tuple[str, ...]:
        """Every figure of a trial: the account's, and of several instances each one's own behind them."""
        named = [one.name for one in self.instances if one.name]
        return (*FIGURES, *(f"{name}.{figure}" for name in named for figure in SHARE_FIGURES))

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

    @cached_property
    def timeline(self) -> Column:
        """When bars open, of any instance, in milliseconds: places on it are what stages begin and end at."""
        if len(self.instances) == 1:
            return self.history.open_ms
        return numpy.unique(numpy.concatenate([one.history.open_ms for one in self.instances]))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The whole history first; then what the validation needs."""
        count, folds = len(self.timeline), self.job.folds
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

    def unseen(self, stage: int) -> Stage:
        """What follows a stage of `walk_forward` and is not seen in it: up to the next one's end."""
        stages = self.stages
        end = stages[stage + 1].end if stage + 1 < len(stages) else len(self.timeline)
        return Stage(stages[stage].name, stages[stage].end, end)

    def edges(self, part: Stage) -> list[tuple[int, int]]:
        """Where a part of the timeline begins and ends in each instance's history."""
        if len(self.instances) == 1:
            return [(part.begin, part.end)]
        return [(self._place(one.history, part.begin), self._place(one.history, part.end)) for one in self.instances]

    def parts(self, part: Stage) -> list[History]:
        """What each instance's history has of a part of the timeline."""
        return [one.history.part(*edges) for one, edges in zip(self.instances, self.edges(part), strict=True)]

    def _place(self, history: History, place: int) -> int:
        if place >= len(self.timeline):
            return len(history)
        return int(numpy.searchsorted(history.open_ms, self.timeline[place]))

    @property
    def digest(self) -> str:
        """The same digest is the same result: of the job, the data and the code."""
        data = "|".join(one.history.digest for one in self.instances)
        return hashlib.sha256(f"{self.job.model_dump_json()}|{data}|{code_version()}".encode()).hexdigest()

    def stamp(self) -> dict[str, str]:
        """What has to be the same for the same result."""
        return {
            "strategy": self._each(lambda one: one.kind.name),
            "job": self.job.model_dump_json(),
            "data": self._each(lambda one: one.history.digest),
            "code": code_version(),
            "seed": str(self.job.seed),
        }

    def _each(self, what: Callable[[Instance], str]) -> str:
        return ", ".join(f"{one.name}={what(one)}" if one.name else what(one) for one in self.instances)


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
    instance = Instance("", kind, history, settings_of(job.assumptions))
    return _checked(_search(job, (instance,), None, space, known))


def account_search_of(
    job: AccountOptimisationJob, find: Callable[[str], StrategyKind], histories: Sequence[History]
) -> Search:
    """The search of a job among several instances, whose histories are in the order of the instances.

    `find` gives a strategy by its name. `Refused` names the field that cannot be.
    """
    instances = _instances(job, find, histories)
    space = account_space_of(instances, job.space)
    figures = {*FIGURES, *(f"{one.name}.{figure}" for one in instances for figure in SHARE_FIGURES)}
    parameters = {f"{one.name}.{name}" for one in instances for name in (*one.kind.params.model_fields, SHARE)}
    return _checked(_search(job, instances, job.capital, space, figures | parameters, figures))


def search_again(job: SearchTerms, find: Callable[[str], StrategyKind], histories: Sequence[History]) -> Search:
    """The search of a job of either kind, as another process makes it."""
    if isinstance(job, OptimisationJob):
        return search_of(job, find(job.strategy), histories[0])
    assert isinstance(job, AccountOptimisationJob)  # noqa: S101 - there are two kinds
    return account_search_of(job, find, histories)


def _instances(
    job: AccountOptimisationJob, find: Callable[[str], StrategyKind], histories: Sequence[History]
) -> tuple[Instance, ...]:
    """The instances with their shares, which an account has to be able to hold together."""
    if len(histories) != len(job.instances):
        raise Refused(
            say(
                "histories_do_not_match",
                "{instances} are searched, and {histories} histories were given.",
                instances=len(job.instances),
                histories=len(histories),
                field="instances",
            )
        )
    members = []
    for name, one, history in zip(job.names, job.instances, histories, strict=True):
        kind = find(one.strategy)
        if unknown := sorted(set(one.params) - set(kind.params.model_fields)):
            raise Refused(
                say(
                    "no_parameters_of_kind",
                    "{kind} has no parameter {names}.",
                    kind=kind.name,
                    names=", ".join(unknown),
                    field=name,
                )
            )
        members.append(Member(kind, one.params, history, settings_of(one.assumptions)))
    if len(set(job.names)) != len(job.names):
        raise Refused(say("names_not_unique", "two have one name; give each a name of its own.", field="instances"))
    check_members(members)
    searched = {name for name in job.names if f"{name}.{SHARE}" in job.space}
    if job.is_equal and searched:
        raise Refused(
            say(
                "equal_shares_searched",
                "shares of the capital are searched for ({names}), and all are to be equal; "
                "give the others their shares (assumptions.quote).",
                names=", ".join(sorted(searched)),
                field="space",
            )
        )
    if job.is_equal:
        members = shared(members, job.capital)
    fixed = [one.settings.quote for name, one in zip(job.names, members, strict=True) if name not in searched]
    if add(*fixed) > job.capital:
        raise Refused(
            say(
                "shares_above_capital",
                "the instances own {owned} together, and {capital} is all there is.",
                owned=add(*fixed),
                capital=job.capital,
                field="capital",
            )
        )
    return tuple(
        Instance(name, one.kind, one.history, one.settings, one.params)
        for name, one in zip(job.names, members, strict=True)
    )


def _search(
    job: SearchTerms, instances: tuple[Instance, ...], capital: Decimal | None, space: Space, known: set[str],
    figures: Collection[str] = FIGURES,
) -> Search:  # fmt: skip
    return Search(
        job, instances, capital, space, objectives_of(job.objectives, figures), conditions_of(job.conditions, known)
    )


def _checked(search: Search) -> Search:
    """The search, if it can be done."""
    space, job = search.space, search.job
    if space.size >= 2**62:
        raise BadSpace(
            say(
                "sets_not_countable",
                "{size} parameter sets cannot be counted; take fewer values.",
                size=space.size,
                field="space",
            )
        )
    # A set of several keeps figures of each, so fewer are held at once.
    most = MOST_TRIALS // len(search.instances)
    if search.trials > most:
        raise BadSpace(
            say(
                "too_many_sets",
                "{trials} parameter sets are more than {most}; take larger steps, or method random.",
                trials=search.trials,
                most=most,
                field="space",
            )
        )
    if job.method == "tpe" and len(search.objectives) > 1:
        raise Refused(
            say("tpe_has_one_objective", "tpe follows one; take method nsga for several.", field="objectives")
        )
    if job.validation == "purged" and search.is_guided:
        raise Refused(
            say(
                "purged_needs_fixed_sets",
                "purged needs sets that are chosen in advance; take exhaustive or random.",
                field="validation",
            )
        )
    for part in search.stages:
        _check_length(search, part)
    if job.validation == "walk_forward":
        for stage in range(1, len(search.stages)):
            _check_length(search, search.unseen(stage))
    return search


def _check_length(search: Search, part: Stage) -> None:
    for one, (begin, end) in zip(search.instances, search.edges(part), strict=True):
        if end - begin < FEWEST_BARS:
            whose = f" of {one.name}" if one.name else ""
            raise Refused(
                say(
                    "fold_too_short",
                    "{name} would have {bars} bars{whose}, fewer than {least}; take fewer folds, a smaller "
                    "embargo or a longer history.",
                    name=part.name,
                    bars=max(end - begin, 0),
                    whose=whose,
                    least=FEWEST_BARS,
                    field="folds",
                )
            )
