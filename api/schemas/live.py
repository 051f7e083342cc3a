"""The live status of a strategy."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, field_validator

from api.schemas.common import Amount, Answer, Moment, Told
from domain.sentences import read_words


class LiveStatus(Answer):
    """What the worker that runs a strategy says of it. It is told again every ten seconds, and ends with the worker."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: str = Field(description="`<strategy>-<epoch>`.", examples=["12-3"])
    worker_id: str
    worker_ip: str
    worker_hostname: str
    status: Literal["claiming", "loading", "running", "suspended", "paused", "stopping", "error"]
    started_at: Moment | None = Field(None, description="Null before it trades.")
    current_price: Amount | None = None
    pending_buys: int
    pending_sells: int
    position_count: int
    last_error: str = ""
    last_error_words: Told = None
    held_back: str = Field("", description="Why orders are not working, joined by commas.")
    updated_at: Moment
    lease_age_ms: int = Field(description="How long ago the lease was renewed.")
    epoch: int
    realised: Amount = "0"
    unrealised: Amount = "0"
    fees: Amount = "0"
    equity: Amount = Field("0", description="Capital + realised + unrealised - fees.")
    position: Amount = "0"
    owner_id: int

    @field_validator("current_price", "started_at", mode="before")
    @classmethod
    def _none_when_empty(cls, value: object) -> object:
        return value or None

    @field_validator("last_error_words", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        return read_words(value) if isinstance(value, str) else value

    @field_validator("realised", "unrealised", "fees", "equity", "position", mode="before")
    @classmethod
    def _nothing_before_the_first_price(cls, value: object) -> object:
        return value or "0"


class StatusAnswer(Answer):
    """Whether a strategy runs, and what its worker says."""

    id: int
    running: bool
    live: LiveStatus | None


class StatusLine(Answer):
    """A strategy in the list of what runs."""

    id: int
    status: str = Field(examples=["running"])
    worker_id: str
    current_price: Amount | None
    equity: Amount
    lease_age_ms: int
    updated_at: Moment
    last_error: str
    last_error_words: Told


class StatusList(Answer):
    """Every strategy that runs, as it was told a moment ago."""

    as_of: Moment = Field(description="When it was read; a second or a few ago.")
    wanted: int = Field(description="How many should run or rest.")
    items: list[StatusLine] = Field(description="Those that a worker runs.")


class Total(Answer):
    """What strategies of one currency come to together; paper and real money never mix."""

    currency: str = Field(examples=["USDT"])
    paper: bool
    wanted: int = Field(description="How many of them should run or rest.")
    told: int = Field(description="Of how many the worker tells its result: the sums are of these alone.")
    equity: Amount
    realised: Amount
    unrealised: Amount
    fees: Amount


class TotalList(Answer):
    """What is running, added up to the last digit."""

    as_of: Moment = Field(description="When it was read; a second or a few ago.")
    items: list[Total]
