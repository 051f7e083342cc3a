"""The platform: who is signed in, kinds of strategies, nodes, the kill switch, trades, what was done, health."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.common import Amount, Answer, Body, Moment, Page, Told


class User(Answer):
    """A person."""

    id: int
    login: str
    display_name: str
    role: Literal["viewer", "trader", "admin"]


class Kill(Answer):
    """The kill switch as it holds for whoever asks: everybody's, or their own."""

    on: bool
    by: str | None = None
    at: Moment | None = None
    scope: Literal["all", "mine"] | None = Field(None, description="Whose switch is on.")


class KillBody(Body):
    """A wish to turn the switch."""

    on: bool
    scope: Literal["all", "mine"] | None = Field(
        None, description="Everybody's (administrators only), or one's own; by default as wide as the role allows."
    )


class KillAnswer(Kill):
    """The switch after it was turned, and whom that has reached."""

    database: bool = Field(description="Whether it is kept.")
    redis: bool = Field(description="Whether a worker has heard of it through Redis.")
    workers: dict[str, bool] = Field(description="Worker -> whether it has confirmed.")


class Session(Answer):
    """Who is signed in, and what they should know at once."""

    user: User
    mode: Literal["local", "proxy"]
    version: str
    time_zone: str = Field(description="What to show times in; they are in UTC everywhere else.")
    kill: Kill


class Kind(Answer):
    """A kind of strategy."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    name: str
    title: str
    summary: str
    parameters_schema: dict[str, Any] = Field(
        alias="schema", description="JSON Schema of the parameters, from which a form can be drawn."
    )
    learns: bool = Field(False, description="Whether it has a model card.")
    reasons: dict[str, str] = Field(description="Reason code -> words.")


class Node(Answer):
    """A worker."""

    worker_id: str
    hostname: str
    ip: str
    version: str
    edition: str = Field(description="Versions of the law, of the fleet's protocol and of the schema.")
    gate: str = Field(description="Why it takes no strategies up; empty when it does.")
    gate_words: Told
    status: Literal["alive", "silent"]
    running: int
    capacity: int
    tags: list[str]
    started_at: Moment | None
    heartbeat_age_ms: int
    loop_lag_ms: float


class Trade(Answer):
    """One execution, with the strategy that made it."""

    trade_id: str
    strategy_id: int
    account_id: int
    symbol: str
    client_order_id: str
    side: Literal["buy", "sell"]
    price: Amount
    quantity: Amount
    fee: Amount
    fee_asset: str
    is_maker: bool
    executed_at: Moment


class TradeList(Page[Trade]):
    """Executions of every strategy, newest first."""


class CurrencyStats(Answer):
    """Results in one currency."""

    currency: str
    trades: int
    realised: Amount = Field(description="After fees.")
    fees: Amount
    winning_days: int
    losing_days: int


class TradeStats(Answer):
    """Results by the currency they are counted in."""

    strategies: int
    trades: int
    by_currency: list[CurrencyStats]


class Audit(Answer):
    """One thing that was done."""

    id: int = Field(description="Counts without a gap.")
    at: Moment
    actor: str
    action: str
    target: str = Field(description="What it was done to.", examples=["strategy 12"])
    detail: dict[str, Any]


class AuditList(Page[Audit]):
    """What was done, newest first."""


class Health(Answer):
    """Whether something works."""

    status: Literal["ok", "failed"]
    version: str | None = None
    milliseconds: float | None = Field(None, description="How long it took to answer.")
