"""What copying has done: the trade log, its statistics, and how far followers are from their masters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.common import Amount, Answer, Moment, Page, Told

LogStatus = Literal["success", "failed", "pending", "skipped", "coalesced"]


class TradeLog(Answer):
    """One signal of a master, and what became of it at one follower."""

    id: int
    timestamp: Moment
    relationship_id: int
    account_id: int
    strategy_id: int | None = Field(description="The instance that traded it.")
    master_id: int
    master_user_id: int
    master_version: int
    master_action: str
    master_symbol: str
    master_position_size: Amount
    master_entry_price: Amount | None
    follower_user_id: int
    follower_action: str
    follower_ratio: Amount
    follower_amount: Amount = Field(description="Executed, in the base asset.")
    position_before: Amount
    target: Amount = Field(description="What the relationship was to hold after it.")
    order_id: str | None
    client_order_id: str | None
    order_type: str | None
    side: str | None
    status: LogStatus
    is_success: bool
    outcome: str = Field(description="Of the order: accepted, rejected or unknown; empty when there was none.")
    reason: str
    reason_text: str
    reason_words: Told
    error_message: str | None
    error_words: Told
    signal_at: Moment
    received_at: Moment | None
    sent_at: Moment | None
    acknowledged_at: Moment | None
    venue_at: Moment | None
    master_price: Amount | None
    average_price: Amount | None
    slippage: Amount | None = Field(description="How much worse than the master's price, as a fraction.")
    fee: Amount | None
    execution_time_ms: int | None


class TradeLogList(Page[TradeLog]):
    """Rows, newest first."""


class LatencyDistribution(Answer):
    """Milliseconds of the newest rows that have both moments."""

    count: int
    p50: float | None
    p90: float | None
    p99: float | None
    largest: float | None


class SlippageDistribution(Answer):
    """Fractions of the master's price, of the newest rows that were executed; below zero is better than the master."""

    count: int
    mean: Amount | None
    p50: Amount | None
    p90: Amount | None
    p99: Amount | None
    largest: Amount | None


class TradeLogStats(Answer):
    """How copying has gone."""

    total_trades: int = Field(description="Signals that led to an order: carried out, failed or under way.")
    successful_trades: int
    failed_trades: int
    pending_trades: int
    skipped_signals: int
    coalesced_signals: int = Field(description="Whose place a newer signal took.")
    success_rate: float = Field(description="Percent of those carried out or failed.")
    average_execution_time_ms: float | None
    reasons: dict[str, int]
    sample: int = Field(description="How many newest rows the distributions are of, at most.")
    signal_to_received: LatencyDistribution
    received_to_sent: LatencyDistribution
    sent_to_acknowledged: LatencyDistribution
    signal_to_acknowledged: LatencyDistribution
    slippage: SlippageDistribution


class Causes(Answer):
    """The ideal copy less the actual one, in quote, by cause; they add up to `difference`, to the last digit."""

    ideal: Amount
    actual: Amount
    difference: Amount
    latency: Amount
    slippage: Amount
    rounding: Amount
    caps: Amount
    skipped: Amount
    fees: Amount
    funding: Amount = Field(description="Of the ideal copy less of the actual one; both may pay it or be paid.")
    adds_up: bool
    at: Moment


class TrackingStep(Causes):
    """The tracking-error ledger after one step."""

    symbol: str
    sequence: int
    kind: str
    master_version: int


class TrackingList(Page[TrackingStep]):
    """Steps, newest first."""


class Drift(Answer):
    """How far one relationship is from its master on one symbol, and why."""

    relationship_id: int
    account_id: int
    master_id: int
    symbol: str
    master_position: Amount
    master_version: int
    followed_version: int = Field(description="The version that the follower has taken in; 0 before the first.")
    is_behind: bool
    ratio: Amount
    ideal: Amount | None = Field(description="Ratio x master's position; null where sizing is not a plain ratio.")
    target: Amount | None
    held: Amount
    drift: Amount | None = Field(description="Held less target; zero when the follower is where it should be.")
    residual: Amount
    residual_reason: str
    reason: str
    reason_text: str
    reason_words: Told
    realised: Amount | None
    fees: Amount | None
    causes: Causes | None
    updated_at: Moment | None


class DriftList(Answer):
    """Of every relationship and symbol."""

    items: list[Drift]


class ResyncStep(Answer):
    """What a resync would lead to on one symbol, at the prices and equity known now."""

    symbol: str
    master_position: Amount
    held: Amount
    target: Amount
    change: Amount
    reason: str
    reason_text: str
    reason_words: Told


class ResyncPreview(Answer):
    """What a resync would change. Caps of the account are applied by the worker, with prices of that moment."""

    relationship_id: int
    steps: list[ResyncStep]
    unknown: list[str] = Field(description="Symbols of which the venue's rules are not known to this node.")
