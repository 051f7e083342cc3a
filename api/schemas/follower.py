"""Relationships: on which terms an account follows a master, and what becomes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import LARGEST_NUMBER, Amount, Answer, Body, Moment, Page, Told
from api.schemas.master import RowNumber, Symbol

Mode = Literal["fixed_ratio", "equity_proportional", "fixed_notional", "fractional_kelly"]
OnStop = Literal["keep", "close", "hand_over"]
FollowState = Literal["following", "paused", "stopped"]
Ratio = Annotated[Decimal, Field(gt=0, le=100, max_digits=9, decimal_places=6, allow_inf_nan=False, examples=["0.1"])]
Fraction = Annotated[Decimal, Field(gt=0, le=1, max_digits=7, decimal_places=6, allow_inf_nan=False)]
Money = Annotated[Decimal, Field(gt=0, lt=10**15, max_digits=36, decimal_places=18, allow_inf_nan=False)]
Symbols = Annotated[list[Symbol], Field(max_length=500)]
_DAY_MS = 86_400_000


class Terms(Body):
    """What a follower agrees to. Null is no limit; fractions are plain numbers, 0.005 is half a percent."""

    mode: Mode = "fixed_ratio"
    follow_ratio: Ratio = Field(
        Decimal(1), description="0.01 to 1.0; beyond that `max_ratio` must allow it. Proportional to what, `mode` says."
    )
    max_ratio: Ratio | None = Field(None, description="Your own limit for ratios outside 0.01 to 1.0.")
    notional: Money | None = Field(None, description="Quote value of the master's largest position, in fixed_notional.")
    kelly_fraction: Fraction | None = Field(None, description="Part of the full Kelly stake, in fractional_kelly.")
    allow_symbols: Symbols = Field(default_factory=list, description="Empty allows all that are not denied.")
    deny_symbols: Symbols = Field(default_factory=list)
    max_symbol_notional: Money | None = None
    max_notional: Money | None = None
    max_leverage: Annotated[Decimal, Field(gt=0, le=125, decimal_places=6, allow_inf_nan=False)] | None = None
    least_volume: Money | None = Field(
        None,
        description="What must have been traded of a symbol within a day for it to be entered, in quote. Counts where "
        "it is more than what the node asks of everybody.",
    )
    slippage_collar: Fraction | None = Field(None, description="How far from the master's price an entry may trade.")
    max_entry_delay_ms: Annotated[int, Field(ge=1, le=_DAY_MS)] | None = Field(
        None, description="How old an entry of the master may be; exits always follow."
    )
    delay_ms: int = Field(0, ge=0, le=_DAY_MS, description="How long everything waits on purpose.")
    stop_loss: Fraction | None = Field(None, description="Of one copied position, against its cost.")
    take_profit: Annotated[Decimal, Field(gt=0, le=100, decimal_places=6, allow_inf_nan=False)] | None = None
    total_stop_loss: Money | None = Field(None, description="Of the relationship as a whole, in quote.")
    total_take_profit: Money | None = None
    copy_existing: bool = Field(False, description="Whether what the master holds already is copied too.")
    on_stop: OnStop = "keep"
    reverse: bool = False


class RelationshipCreate(Terms):
    """A new relationship. Names of the design are taken too: credentials are accounts."""

    account_id: RowNumber | None = Field(None, description="The account that follows.")
    follower_credential_id: RowNumber | None = Field(None, description="The same by its other name.")
    follower_user_id: RowNumber | None = Field(None, description="Your own number, or leave it out.")
    master_id: RowNumber | None = None
    master_user_id: RowNumber | None = Field(None, description="Instead of `master_id`: whose manual master.")
    master_credential_id: RowNumber | None = Field(None, description="Instead of `master_id`: of which account.")
    is_active: bool = Field(True, description="False begins paused.")


class RelationshipEdit(Terms):
    """Changes of the revision that was looked at; what is left out stays, and null takes a limit away."""

    revision: int = Field(ge=0, le=LARGEST_NUMBER)


class Relationship(Answer):
    """An account that follows a master: its terms, what is wished, and what its worker says."""

    id: int
    follower_user_id: int
    account_id: int
    account_name: str
    exchange: str
    feed: str
    paper: bool
    master_id: int
    master_name: str
    master_user_id: int
    mode: Mode
    follow_ratio: Amount
    max_ratio: Amount | None
    notional: Amount | None
    kelly_fraction: Amount | None
    allow_symbols: list[str]
    deny_symbols: list[str]
    max_symbol_notional: Amount | None
    max_notional: Amount | None
    max_leverage: Amount | None
    least_volume: Amount | None
    slippage_collar: Amount | None
    max_entry_delay_ms: int | None
    delay_ms: int
    stop_loss: Amount | None
    take_profit: Amount | None
    total_stop_loss: Amount | None
    total_take_profit: Amount | None
    copy_existing: bool
    on_stop: OnStop
    reverse: bool
    is_active: bool
    desired_state: FollowState
    state: str = Field(description="What the worker says: waiting, following, paused, stopping, stopped or error.")
    applied: bool = Field(description="Whether the worker has taken in the newest revision.")
    last_error: str
    last_error_words: Told
    revision: int
    created_at: Moment
    updated_at: Moment
    stopped_at: Moment | None


class RelationshipList(Page[Relationship]):
    """Your relationships by number."""


class FollowCommandAnswer(Answer):
    """A command that was taken down. `/api/v1/follower/commands/{id}` tells its outcome."""

    command_id: int
    outcome: str | None = Field(description="done, rejected, expired or superseded; null while it waits.")
    relationship: Relationship


class FollowCommandStatus(Answer):
    """What became of a command of a relationship."""

    id: int
    relationship_id: int
    kind: str
    sequence: int
    created_at: Moment
    expires_at: Moment
    outcome: str | None
    detail: str
    detail_words: Told
    finished_at: Moment | None


class FollowerAccount(Answer):
    """What one account may hold for all its masters together."""

    account_id: int
    account_name: str
    max_notional: Amount | None
    max_leverage: Amount | None
    revision: int
    equity: Amount | None
    equity_at: Moment | None
    runner: str = Field(description="The worker that ran it last; empty before the first.")
    last_error: str
    last_error_words: Told


class FollowerAccountList(Page[FollowerAccount]):
    """Your accounts that follow."""


class FollowerAccountEdit(Body):
    """New caps of the revision that was looked at; what is left out stays, null takes a cap away."""

    max_notional: Money | None = None
    max_leverage: Annotated[Decimal, Field(gt=0, le=125, decimal_places=6, allow_inf_nan=False)] | None = None
    revision: int = Field(ge=0, le=LARGEST_NUMBER)


class HeldBy(Answer):
    """Who holds a lease now; empty when nobody does, null while Redis cannot be asked."""

    kind: Literal["master", "account"]
    id: int
    worker: str | None


class EngineStatus(Answer):
    """Copying of everything that is yours: what is wished, what runs, and where."""

    is_running: bool = Field(description="Whether any of your relationships is wished to follow.")
    relationships: int
    following: int
    paused: int
    stopped: int
    waiting: int = Field(description="Wished to follow or paused, and not taken in by a worker yet.")
    in_error: int
    changed: int = Field(0, description="Relationships that this request has changed.")
    held_by: list[HeldBy]
