"""Strategies, what is asked of them, and what they did."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.common import (
    INTERVAL_PATTERN,
    LARGEST_NUMBER,
    NAME_PATTERN,
    SYMBOL_PATTERN,
    Amount,
    Answer,
    Body,
    Moment,
    Page,
    Told,
)
from api.schemas.live import LiveStatus

State = Literal["running", "paused", "stopped", "flat"]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=NAME_PATTERN, examples=["BTCUSDT grid"])]
Parameters = Annotated[
    dict[str, Any],
    Field(
        description="As the schema of the kind says; amounts are decimal strings or numbers.",
        examples=[{"lower_price": "30000", "upper_price": "120000", "levels": 20, "total_investment": "1000"}],
    ),
]
Limits = Annotated[
    dict[str, Any],
    Field(
        description="As /api/risk-limits/schema says.",
        examples=[{"capital": {"USDT": "1000"}, "max_daily_loss": "50"}],
    ),
]


class Strategy(Answer):
    """A strategy: what is wished of it, and what it does now."""

    id: int
    name: str
    strategy_type: str = Field(examples=["grid"])
    symbol: str
    interval: str
    account_id: int
    account_name: str
    exchange: str
    feed: str = Field(description="The venue whose market it follows.", examples=["binance_spot"])
    paper: bool
    parameters: dict[str, Any]
    limits: dict[str, Any]
    desired_state: State
    revision: int
    generation: int
    base_asset: str | None
    quote_asset: str | None
    created_at: Moment
    updated_at: Moment
    live: LiveStatus | None = Field(description="Null while no worker runs it.")


class StrategyList(Page[Strategy]):
    """Strategies, and whether what they do now is known: it is not while Redis cannot be reached."""

    live_known: bool = True


class StrategyCreate(Body):
    """A new strategy. It is stopped until it is started."""

    name: Name
    strategy_type: str = Field(max_length=40, examples=["grid"])
    symbol: str = Field(max_length=40, pattern=SYMBOL_PATTERN, examples=["BTCUSDT"])
    interval: str = Field("1m", pattern=INTERVAL_PATTERN)
    account_id: int = Field(ge=1, le=LARGEST_NUMBER)
    parameters: Parameters
    limits: Limits = Field(default_factory=dict)


class StrategyEdit(Body):
    """Changes of the revision that was looked at; what is left out stays."""

    name: Name | None = None
    parameters: Parameters | None = None
    limits: Limits | None = None
    revision: int = Field(ge=0, le=LARGEST_NUMBER)


class CommandAnswer(Answer):
    """A command that was taken down. Its outcome follows; `/api/commands/{id}` and the events tell it."""

    command_id: int
    outcome: str | None = Field(description="done, rejected, expired or superseded; null while it waits.")
    strategy: Strategy


class CommandStatus(Answer):
    """What became of a command."""

    id: int
    strategy_id: int
    kind: str
    sequence: int
    created_at: Moment
    expires_at: Moment
    outcome: str | None
    detail: str
    detail_words: Told
    finished_at: Moment | None


class PreviewOrder(Answer):
    """An order that is there or would be."""

    slot: int
    side: Literal["buy", "sell"]
    price: Amount
    quantity: Amount


class Preview(Answer):
    """What an edit would do to the orders."""

    kept: list[PreviewOrder]
    cancelled: list[PreviewOrder]
    placed: list[PreviewOrder]


class Order(Answer):
    """An order, from its intent on."""

    client_order_id: str
    venue_order_id: str | None
    side: Literal["buy", "sell"]
    type: str = Field(examples=["limit"])
    leg: str = Field(examples=["entry"])
    slot: int
    price: Amount | None = Field(description="Null for a market order.")
    quantity: Amount
    filled: Amount
    status: str = Field(examples=["open"])
    reason: str
    reason_words: Told
    created_at: Moment
    updated_at: Moment


class OrderList(Page[Order]):
    """Orders, newest first."""


class Fill(Answer):
    """One execution."""

    trade_id: str
    client_order_id: str
    side: Literal["buy", "sell"]
    price: Amount
    quantity: Amount
    fee: Amount
    fee_asset: str
    is_maker: bool
    executed_at: Moment


class FillList(Page[Fill]):
    """Executions, newest first."""


class Day(Answer):
    """Results of one day, after fees."""

    day: str = Field(examples=["2026-11-28"])
    realised: Amount
    fees: Amount
    trades: int


class Pnl(Answer):
    """Profit to the last digit: realised + unrealised - fees = equity - capital - transfers."""

    currency: str = Field(examples=["USDT"])
    capital: Amount
    realised: Amount = Field(description="By what was closed, and by funding.")
    funding: Amount = Field(description="Futures funding received less paid; part of what is realised.")
    unrealised: Amount
    fees: Amount
    other_fees: dict[str, Amount] = Field(description="Fees in other assets, paid by the account's common pool.")
    equity: Amount = Field(description="What the ledger says it owns, at the mark price.")
    transfers: Amount
    position: Amount
    average_price: Amount | None
    mark_price: Amount | None = Field(description="Null while there is neither a live price nor a trade.")
    trades: int
    adds_up: bool = Field(description="Whether fills and ledger say the same, to the last digit.")
    days: list[Day]


class EquityPoint(Answer):
    """What a strategy was worth at a moment."""

    at: Moment
    equity: Amount
    realised: Amount
    unrealised: Amount
    fees: Amount


class Equity(Answer):
    """Equity over time, oldest first."""

    items: list[EquityPoint]


class Bar(Answer):
    """One closed bar."""

    open_time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount


class Bars(Answer):
    """Closed bars, oldest first; empty where no worker follows the symbol."""

    items: list[Bar]
