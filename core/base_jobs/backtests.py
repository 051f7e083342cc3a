"""What a backtest is: of one strategy, or of several on one account; and where histories come from."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from core.base_jobs.assumptions import Assumptions, Period

#: What an instance is called in the names of its parameters; with a letter in front it is never a number.
InstanceName = Annotated[
    str,
    Field(
        pattern=r"^([A-Za-z][A-Za-z0-9_-]*)?$",
        max_length=40,
        title="Name",
        description="In front of its parameters (`trend.fast`); the strategy's where none is given.",
    ),
]


class BacktestJob(BaseModel):
    """One strategy with one set of parameters over a history."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: str = Field(title="Strategy", max_length=40)
    params: dict[str, Any] = Field(title="Parameters", description="As the strategy's schema describes them.")
    period: Period = Field(default_factory=Period)
    assumptions: Assumptions = Field(default_factory=Assumptions)


class SharedBacktest(BacktestJob):
    """One instance of several on an account."""

    history: str = Field(title="History", description="A file of bars, or the name of an imported one.", max_length=500)
    symbol: str = Field("BTC/USDT", title="Symbol", description="Base and quote, with a stroke between.", max_length=41)
    name: InstanceName = ""


class AccountBacktest(BaseModel):
    """Several strategies on one account: each owns `assumptions.quote` of the capital, or all an equal share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capital: Decimal = Field(title="Capital", description="In the quote asset.", gt=0)
    instances: tuple[SharedBacktest, ...] = Field(title="Instances", min_length=1, max_length=1_000)


class MemberJob(BacktestJob):
    """One instance of several on an account, over a history that the platform keeps."""

    history_id: int = Field(title="History", ge=1, le=2**63 - 1)


class AccountJob(BaseModel):
    """Several strategies on one account of the platform; `is_equal` gives all an equal share of the capital."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capital: Decimal = Field(title="Capital", description="In the quote asset.", gt=0)
    instances: tuple[MemberJob, ...] = Field(title="Instances", min_length=1, max_length=20)
    is_equal: bool = False


class FileImport(BaseModel):
    """A history made of a file that was sent in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["file"] = "file"
    #: Its ending says what it is.
    file_name: str
    symbol: str
    #: It holds trades instead of bars.
    prints: bool = False
    #: Longer bars to make of them.
    interval: str = ""


class VenueImport(BaseModel):
    """A history made of what a venue tells of its past."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["venue"] = "venue"
    venue: str
    symbol: str
    interval: str
    since_ms: int
    until_ms: int
    #: The venue stands in for a real one: the market is made up, and the history is everybody's.
    simulated: bool = False


class ImportJob(RootModel[Annotated[FileImport | VenueImport, Field(discriminator="kind")]]):
    """Where a history comes from."""
