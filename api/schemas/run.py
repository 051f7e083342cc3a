"""Backtests, optimisations, and the histories they run on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from api.schemas.common import LARGEST_NUMBER, Answer, Body, Moment, Page, Told
from api.schemas.strategy import Parameters
from core.base_jobs import (
    ACCOUNT_SPACE,
    MOST_SEARCHED,
    Assumptions,
    InstanceName,
    OptimisationJob,
    Period,
    SearchTerms,
    Words,
)

RunState = Literal["queued", "running", "done", "failed", "cancelled"]


class History(Answer):
    """Bars of one symbol that runs may use."""

    id: int
    name: str = Field(examples=["btc-1h"])
    mine: bool = Field(description="You have sent it in, and may remove it; others are everybody's.")
    source: Literal["shared", "uploaded", "simulated"] = Field(
        description="Where it comes from: the command line, a file that was sent in, a market that is made up."
    )
    symbol: str = Field(examples=["BTC/USDT"])
    bar_ms: int
    bars: int
    gaps: int = Field(description="Places where bars are missing.")
    first_at: Moment
    last_at: Moment
    digest: str


HistoryList = Page[History]


class BacktestCreate(Body):
    """A backtest to be run by a compute worker."""

    history_id: int = Field(ge=1, le=LARGEST_NUMBER)
    strategy: str = Field(max_length=40, examples=["grid"])
    params: Parameters
    period: Period = Field(default_factory=Period)
    assumptions: Assumptions = Field(default_factory=Assumptions)


class MemberCreate(Body):
    """One strategy of several on an account."""

    history_id: int = Field(ge=1, le=LARGEST_NUMBER)
    strategy: str = Field(max_length=40, examples=["grid"])
    params: Parameters
    period: Period = Field(default_factory=Period)
    assumptions: Assumptions = Field(
        default_factory=Assumptions, description="`quote` is its share of the capital; given for all, or for none."
    )


class AccountBacktestCreate(Body):
    """A backtest of several strategies on one account and one capital, to be run by a compute worker."""

    capital: Decimal = Field(gt=0, description="In the quote asset; shared equally where no shares are given.")
    instances: list[MemberCreate] = Field(min_length=1, max_length=20)


class OptimisationCreate(OptimisationJob):
    """A search among parameter sets to be done by compute workers."""

    history_id: int = Field(ge=1, le=LARGEST_NUMBER)


class SearchedMember(MemberCreate):
    """One strategy of several whose parameters are searched together."""

    name: InstanceName = Field("", examples=["trend"])
    params: Parameters = Field(default_factory=dict, description="What the search space leaves as it is.")


class AccountOptimisationCreate(SearchTerms):
    """A search among the parameters of several strategies on one account and one capital."""

    capital: Decimal = Field(gt=0, description="In the quote asset; shared equally where no shares are given.")
    instances: list[SearchedMember] = Field(min_length=1, max_length=MOST_SEARCHED)
    space: dict[str, Words] = Field(
        max_length=200, description=ACCOUNT_SPACE, examples=[{"trend.fast": "5:20:5", "range.levels": "10,20,40"}]
    )


class Headline(Answer):
    """What a run has found, in a line."""

    net: str = Field(description="Earned after fees, in the quote asset; of an optimisation, by its best set.")
    currency: str = Field(description="Empty where it was not kept.")
    return_percent: float | None
    max_drawdown_percent: float | None
    sharpe: float | None
    fills: int | None
    verdict: Literal["edge", "unclear", "luck", "unknown", ""] = Field(
        description="Of an optimisation: whether the best is more than the luck of many."
    )


class RunInstance(Answer):
    """One strategy of several that share an account."""

    name: str = Field(description="Of an optimisation: what stands in front of its parameters; else empty.")
    strategy: str
    symbol: str
    history_id: int
    history: str = Field(description="Its name.")


class Run(Answer):
    """A backtest or an optimisation, and how far it is. The event stream tells every step, as topic `run`."""

    id: int
    history_id: int
    history: str = Field(description="Its name.")
    symbol: str
    strategy: str = Field(description="`together` for several on one account.")
    state: RunState
    done: int = Field(description="Parameter sets that have been tried.")
    total: int = Field(description="And in all; 0 until a worker has begun.")
    error: str
    error_words: Told
    created_at: Moment
    updated_at: Moment
    finished_at: Moment | None
    headline: Headline | None = Field(description="Null until something was found.")
    instances: list[RunInstance] = Field(description="Of several on one account, in their order; else none.")


RunList = Page[Run]


class RunStage(Answer):
    """A part of the history on which an optimisation tries its sets."""

    name: str = Field(description="`all`, `train-1` before the first unseen part, `fold-1`, and so on.")
    done: int
    total: int


class RunDetail(Run):
    """The same with what was asked and what was found."""

    job: dict[str, Any]
    stamp: dict[str, Any] | None = Field(description="What has to be the same for the same result.")
    result: dict[str, Any] | None = Field(description="Null until it is done.")
    stages: list[RunStage] = Field(description="Of a validated optimisation that is worked on; else none.")


class RunFill(Answer):
    """One execution of a backtest."""

    at: Moment
    side: Literal["buy", "sell"]
    price: str
    quantity: str
    fee: str
    fee_asset: str
    is_maker: bool
    realised: str = Field(description="What it has earned before its fee, in the quote asset.")
    reason: str
    reason_words: Told = None
    instance: int | None = Field(None, description="Of several on one account, whose it is; the first is 1.")


RunFillList = Page[RunFill]
