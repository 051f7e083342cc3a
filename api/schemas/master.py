"""Masters, what they hold, and how their followers have done."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.common import LARGEST_NUMBER, NAME_PATTERN, SYMBOL_PATTERN, Amount, Answer, Body, Moment, Page, Told

MasterKind = Literal["account", "strategy", "manual"]
MasterState = Literal["active", "paused", "ended"]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=NAME_PATTERN, examples=["My lead account"])]
#: The number of a row, in a body.
RowNumber = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
Symbol = Annotated[str, Field(max_length=40, pattern=SYMBOL_PATTERN, examples=["BTCUSDT"])]
Signed = Annotated[
    Decimal,
    Field(gt=-(10**15), lt=10**15, max_digits=36, decimal_places=18, allow_inf_nan=False, examples=["1.0"]),
]
Price = Annotated[Decimal, Field(gt=0, lt=10**15, max_digits=36, decimal_places=18, allow_inf_nan=False)]


class Master(Answer):
    """Somebody whose positions can be copied."""

    id: int
    name: str
    kind: MasterKind
    master_user_id: int
    mine: bool = Field(description="Whether it is yours; of another's only what followers need is told.")
    account_id: int | None = Field(description="Whose positions; null for another's master.")
    strategy_id: int | None
    venue: str = Field(description="The venue whose symbols its positions are in.", examples=["binance_spot"])
    state: MasterState
    shared: bool = Field(description="Whether others may see and follow it.")
    version: int = Field(description="The newest position that was published; 0 before the first.")
    revision: int
    quote_asset: str
    equity: Amount | None
    equity_at: Moment | None
    followers: int = Field(description="How many relationships follow it now.")
    last_error: str
    last_error_words: Told
    created_at: Moment
    updated_at: Moment


class MasterList(Page[Master]):
    """Masters that you may see, by number."""


class MasterCreate(Body):
    """A new master: an account, a strategy, or positions that you enter yourself."""

    name: Name
    kind: MasterKind
    account_id: RowNumber | None = Field(None, description="Of kind account; of kind manual if it has one.")
    strategy_id: RowNumber | None = Field(None, description="Of kind strategy.")
    venue: str | None = Field(None, max_length=40, description="Of kind manual without an account.")
    shared: bool = False


class MasterEdit(Body):
    """Changes of the revision that was looked at; what is left out stays. What has ended does not begin again."""

    name: Name | None = None
    state: MasterState | None = None
    shared: bool | None = None
    revision: int = Field(ge=0, le=LARGEST_NUMBER)


class MasterPositionSet(Body):
    """What a master of yours of kind manual holds of one symbol now. Without `master_id` it is found or made."""

    master_id: RowNumber | None = None
    master_user_id: RowNumber | None = Field(None, description="Your own number, or leave it out.")
    master_credential_id: RowNumber | None = Field(None, description="The account of yours whose position it is.")
    symbol: Symbol
    position_size: Signed = Field(description="Above zero is long, below zero short, 0 closes.")
    entry_price: Price | None = Field(None, description="What slippage and collars are measured from.")


class MasterPosition(Answer):
    """What a master holds of one symbol."""

    master_id: int
    master_name: str
    master_user_id: int
    master_credential_id: int | None
    symbol: str
    side: Literal["long", "short", "flat"]
    position_size: Amount
    entry_price: Amount | None
    price: Amount | None = Field(description="Of the newest change.")
    version: int
    source: str
    signal_at: Moment
    updated_at: Moment


class MasterPositionList(Page[MasterPosition]):
    """Positions by master and symbol; flat ones too."""


class MasterResult(Answer):
    """How everybody who ever followed a master has done together, those who left and masters that ended included."""

    master: Master
    rank: int = Field(description="Of those whose record is long enough; 0 for the others, which come last.")
    enough: bool = Field(description="Whether the record says anything: 30 days and 30 carried out signals.")
    removed: bool
    relationships_ever: int
    people_ever: int
    measured: int = Field(description="Relationships of which results are known.")
    days: int = Field(description="From the first result to the last.")
    trades: int = Field(description="Signals that were carried out at a follower.")
    net_result: Amount = Field(description="Of all followers together, after fees.")
    max_drawdown: Amount = Field(description="The deepest fall of that sum from its height.")
    most_held: Amount = Field(description="The most that all followers held at one moment.")
    return_on_most_held: Amount | None = Field(description="As a fraction; null while nothing was held.")
    winners: int = Field(description="Relationships above zero, of those measured.")
    median_result: Amount | None
    worst_result: Amount | None
    best_result: Amount | None


class Leaderboard(Answer):
    """Masters by what their followers have earned for what they held, best first."""

    items: list[MasterResult]
