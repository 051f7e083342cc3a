"""What copying has done: a row for every signal and follower, what tracking cost, results over time, commands."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class TradeLog(Row, table=True):
    """One signal of a master and what became of it at one follower, skipped ones included.

    The row is made when the signal is taken in, and filled in while its order lives. `owner_id` is the design's
    follower_user_id; the API calls it so.
    """

    __tablename__ = "trade_logs"
    __table_args__ = (
        UniqueConstraint("relationship_id", "master_version"),
        Index(None, "owner_id"),
        Index(None, "master_id"),
        Index(None, "account_id", "client_order_id"),
        OPTIONS,
    )

    id: int | None = column.key(counts_up=True)
    #: When it was made.
    timestamp: datetime = column.moment()
    relationship_id: int = column.link("follow_relationships.id")
    owner_id: int = column.link("users.id")
    account_id: int = column.link("accounts.id")
    #: The instance that trades the symbol; NULL when the signal was skipped before there was one.
    strategy_instance_id: int | None = column.link(optional=True)
    # The master's side: `master_signals` has the same.
    master_id: int = column.link("masters.id")
    master_user_id: int = column.link("users.id")
    master_version: int = column.integer()
    #: "open_long", "open_short", "increase", "reduce", "reverse" or "close_position".
    master_action: str = column.name(16)
    master_symbol: str = column.venue_text(40)
    master_position_size: Decimal = column.amount()
    master_entry_price: Decimal | None = column.amount(optional=True)
    # The follower's side.
    #: "follow_long", "follow_short", "follow_close" or "skip".
    follower_action: str = column.name(16)
    #: The ratio that was applied: under other modes than "fixed_ratio" the target over the master's position.
    follower_ratio: Decimal = column.amount()
    #: What was executed of it, in the base asset, not signed.
    follower_amount: Decimal = column.amount(default=Decimal(0))
    #: What the relationship held before and was to hold after, in the base asset, signed.
    position_before: Decimal = column.amount(default=Decimal(0))
    target: Decimal = column.amount(default=Decimal(0))
    #: The venue's id of the order, and ours.
    order_id: str | None = column.name(64, optional=True)
    client_order_id: str | None = column.name(36, optional=True)
    #: "market" or "limit".
    order_type: str | None = column.name(10, optional=True)
    #: "buy" or "sell".
    side: str | None = column.name(4, optional=True)
    #: "pending", "success", "failed" or "skipped"; also "coalesced" when a newer signal took its place.
    status: str = column.name(12)
    is_success: bool = column.flag(default=False)
    #: Why: a name of `domain.copying.terms.REASON_NAMES`, of the law's reasons or of the venue's refusal.
    reason: str = column.name(60, default="")
    error_message: str | None = column.sentence(500, optional=True)
    #: What the order came to: "accepted", "rejected", "unknown"; empty when there was none.
    outcome: str = column.name(10, default="")
    # When: the master traded; it was taken in here; the order was sent; its venue has acknowledged; its venue's time.
    signal_at: datetime = column.moment()
    received_at: datetime | None = column.moment(optional=True)
    sent_at: datetime | None = column.moment(optional=True)
    acknowledged_at: datetime | None = column.moment(optional=True)
    venue_at: datetime | None = column.moment(optional=True)
    #: Price of the master's trade, and average price of the follower's executions.
    master_price: Decimal | None = column.amount(optional=True)
    average_price: Decimal | None = column.amount(optional=True)
    #: How much worse than the master's price, as a fraction of it; below zero when better.
    slippage: Decimal | None = column.amount(optional=True)
    #: In quote.
    fee: Decimal | None = column.amount(optional=True)
    #: From `received_at` to `acknowledged_at`.
    execution_time_ms: int | None = column.integer(optional=True)


class TrackingError(Row, table=True):
    """The tracking-error ledger of a relationship on one symbol: ideal less actual copy after each step, by cause.

    ideal - actual = latency + slippage + rounding + caps + skipped + fees + funding, in every row. All of them count
    from the beginning (`domain.copying.tracking.Tracking`), so the newest row tells everything, a step is the
    difference of two rows, and old rows may be thinned. `units_per_quantum` of them are one quote quantum of the
    instance.
    """

    __tablename__ = "tracking_errors"
    __table_args__ = (Index(None, "owner_id"), OPTIONS)

    relationship_id: int = column.key("follow_relationships.id")
    symbol: str = column.name_key(40, of_venue=True)
    #: 1, 2, 3, ... of this relationship and symbol.
    sequence: int = column.key()
    owner_id: int = column.link()
    strategy_instance_id: int = column.link("strategy_instances.id")
    at: datetime = column.moment()
    #: "signal", "execution", "mark", "funding" or "transfer" (lots that changed hands among relationships).
    kind: str = column.name(12)
    #: The version of the master's position at the time.
    master_version: int = column.integer()
    units_per_quantum: int = column.quanta()
    #: What the ideal and the actual copy have come to.
    ideal: int = column.quanta()
    actual: int = column.quanta()
    latency: int = column.quanta()
    slippage: int = column.quanta()
    rounding: int = column.quanta()
    caps: int = column.quanta()
    skipped: int = column.quanta()
    fees: int = column.quanta()
    #: NULL in rows from before it was followed.
    funding: int | None = column.quanta(optional=True, default=0)


class FollowResult(Row, table=True):
    """What a relationship has come to at a moment, all symbols together, in its quote asset. Kept when it has ended."""

    __tablename__ = "follow_results"
    __table_args__ = (
        Index(None, "owner_id"),
        # Leaderboards go on from the moment up to which they have added everything up.
        Index(None, "at"),
        OPTIONS,
    )

    relationship_id: int = column.key("follow_relationships.id")
    at: datetime = column.moment_key()
    owner_id: int = column.link()
    master_id: int = column.link()
    quote_asset: str = column.venue_text(20)
    realised: Decimal = column.amount()
    unrealised: Decimal = column.amount()
    fees: Decimal = column.amount()
    #: What is held, at the price of the moment.
    notional: Decimal = column.amount()


class FollowCommand(Row, table=True):
    """Something a person asked of a relationship; it has exactly one outcome. What is wished is in the relationship."""

    __tablename__ = "follow_commands"
    __table_args__ = (
        UniqueConstraint("relationship_id", "sequence"),
        UniqueConstraint("owner_id", "request_key"),
        # Those that wait are asked for every second.
        Index(None, "outcome"),
        OPTIONS,
    )

    id: int | None = column.key(counts_up=True)
    relationship_id: int = column.link("follow_relationships.id")
    owner_id: int = column.link("users.id")
    #: Chosen by whoever asks; asking again with the same key is the same command.
    request_key: str = column.name(64)
    #: "start", "pause", "resume", "stop", "edit" or "resync".
    kind: str = column.name(20)
    payload: str = column.document(default="{}")
    #: Counts the commands of the relationship; they are carried out in this order.
    sequence: int = column.integer()
    created_at: datetime = column.moment()
    expires_at: datetime = column.moment()
    #: "done", "rejected", "expired" or "superseded"; empty while it waits.
    outcome: str | None = column.name(12, optional=True)
    detail: str = column.sentence(500, default="")
    finished_at: datetime | None = column.moment(optional=True)
