"""What a search is: among the parameters of one strategy, or of several that share an account."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from core.base_jobs.assumptions import Assumptions, Period
from core.base_jobs.backtests import BacktestJob, InstanceName
from domain.sentences import say

#: The most parameter sets that one optimisation may try.
MOST_TRIALS: Final = 200_000

#: The stage that is the whole history.
WHOLE: Final = "all"

#: The most instances of an account whose parameters are searched together.
MOST_SEARCHED: Final = 20
#: Words that describe a search; long enough for lists of values.
Words = Annotated[str, Field(max_length=2_000)]
ACCOUNT_SPACE: Final = (
    "`instance.parameter` -> one value, several with commas between, or from:to:step (both ends included); "
    "`instance.quote` is its share of the capital."
)
Method = Literal["exhaustive", "random", "tpe", "nsga"]
Validation = Literal["none", "walk_forward", "purged"]


class SearchTerms(BaseModel):
    """How parameter sets are chosen, tried and compared, whoever they are for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    objectives: tuple[Words, ...] = Field(
        ("sharpe",),
        max_length=5,
        title="Objectives",
        description="Figures of merit; `min:` or `max:` in front says which way.",
    )
    conditions: tuple[Words, ...] = Field(
        (),
        max_length=20,
        title="Conditions",
        description="Such as `fast < slow`, `fills >= 30` or `max_drawdown_percent <= 20`.",
    )
    method: Method = Field("exhaustive", title="Method")
    trials: int = Field(200, title="Trials", description="Of every method but the exhaustive.", ge=1, le=MOST_TRIALS)
    population: int = Field(
        50, title="Population", description="Trials that tpe and nsga propose at once.", ge=2, le=10_000
    )
    seed: int = Field(1, title="Seed", ge=0, lt=2**32)
    validation: Validation = Field("none", title="Validation", description="How the choice itself is tried.")
    folds: int = Field(5, title="Folds", ge=2, le=50)
    embargo_bars: int = Field(0, title="Embargo", description="Bars left out around the tested ones.", ge=0, le=10**6)

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Parts of the history on which sets are tried: the whole of it first, then what the validation needs."""
        part = {"none": "", "walk_forward": "train", "purged": "fold"}[self.validation]
        return (WHOLE, *(f"{part}-{number}" for number in range(1, self.folds + 1) if part))


class OptimisationJob(SearchTerms):
    """A search among parameter sets. The same job on the same data with the same code has the same result."""

    strategy: str = Field(title="Strategy", max_length=40)
    space: dict[str, Words] = Field(
        max_length=50,
        title="Search space",
        description="Parameter -> one value, several with commas between, or from:to:step (both ends included).",
    )
    period: Period = Field(default_factory=Period)
    assumptions: Assumptions = Field(default_factory=Assumptions)


class SearchedInstance(BacktestJob):
    """One instance of an account that is searched; what the space does not name stays as `params` say."""

    name: InstanceName = ""
    params: dict[str, Any] = Field(
        default_factory=dict, title="Parameters", description="What the search space leaves as it is."
    )


class AccountOptimisationJob(SearchTerms):
    """A search among the parameters of several instances that share an account and its capital.

    As in a backtest of an account each owns `assumptions.quote` of the capital, or, with `is_equal`, all an equal
    share; a share that the space names (`trend.quote`) is searched for like a parameter.
    """

    capital: Decimal = Field(title="Capital", description="In the quote asset.", gt=0)
    instances: tuple[SearchedInstance, ...] = Field(title="Instances", min_length=1, max_length=MOST_SEARCHED)
    is_equal: bool = False
    space: dict[str, Words] = Field(max_length=200, title="Search space", description=ACCOUNT_SPACE)

    @field_validator("instances")
    @classmethod
    def _check_names(cls, instances: tuple[SearchedInstance, ...]) -> tuple[SearchedInstance, ...]:
        given = [one.name for one in instances if one.name]
        for name in given:
            if given.count(name) > 1:
                raise ValueError(
                    say("two_of_one_name", "two are called {name}; give each a name of its own", name=name)
                )
        return instances

    @property
    def names(self) -> tuple[str, ...]:
        """What the instances are called, in their order."""
        return names_of([(one.name, one.strategy) for one in self.instances])


def names_of(instances: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What instances are called, from (name or nothing, strategy): a nameless one is called as its strategy, with
    a number behind it where others have that name.
    """
    taken, found = {name for name, _ in instances if name}, list[str]()
    for name, strategy in instances:
        called, number = name or strategy, 1
        while not name and called in taken:
            number += 1
            called = f"{strategy}-{number}"
        taken.add(called)
        found.append(called)
    return tuple(found)


class StoredInstance(SearchedInstance):
    """The same over a history that the platform keeps."""

    history_id: int = Field(title="History", ge=1, le=2**63 - 1)


class StoredAccountOptimisation(AccountOptimisationJob):
    """The same search, over histories that the platform keeps."""

    instances: tuple[StoredInstance, ...] = Field(title="Instances", min_length=1, max_length=MOST_SEARCHED)


#: A search as a run keeps it: of one strategy, or of several on an account.
STORED_SEARCH: Final = TypeAdapter[OptimisationJob | StoredAccountOptimisation](
    OptimisationJob | StoredAccountOptimisation
)
