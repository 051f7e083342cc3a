"""Who follows whom on which terms, what each relationship holds, and what each follower account is to hold."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class FollowerAccount(Row, table=True):
    """An account that follows: made with its first relationship. One worker runs it, under one lease and epoch."""

    __tablename__ = "follower_accounts"
    __table_args__ = (
        CheckConstraint("epoch >= 0 AND revision >= 0", name="counters"),
        Index(None, "owner_id"),
        OPTIONS,
    )

    account_id: int = column.key("accounts.id")
    owner_id: int = column.link("users.id")
    #: The most the account may hold for all its masters, in quote; NULL is no limit.
    max_notional: Decimal | None = column.amount(optional=True)
    #: The most that may be held for all masters over the account's equity; NULL is no limit.
    max_leverage: Decimal | None = column.amount(optional=True)
    #: Rises with every edit of these caps.
    revision: int = column.integer(default=0)
    #: The fencing epoch, and the worker that raised it last.
    epoch: int = column.integer(default=0)
    runner: str = column.name(120, default="")
    #: What the account was worth when that was read last, in quote.
    equity: Decimal | None = column.amount(optional=True)
    equity_at: datetime | None = column.moment(optional=True)
    last_error: str = column.sentence(500, default="")
    created_at: datetime = column.moment()
    updated_at: datetime = column.moment()


class FollowRelationship(Row, table=True):
    """One account following one master. Fractions are plain numbers (0.005 is half a percent); NULL is no limit."""

    __tablename__ = "follow_relationships"
    __table_args__ = (
        # One living relationship of an account with a master; ended and removed ones do not count.
        UniqueConstraint("account_id", "live_master_id"),
        CheckConstraint("revision >= 0 AND resync >= 0", name="counters"),
        Index(None, "owner_id"),
        Index(None, "master_id"),
        Index(None, "updated_at"),
        OPTIONS,
    )

    id: int | None = column.key(counts_up=True)
    #: The follower.
    owner_id: int = column.link("users.id")
    account_id: int = column.link("accounts.id")
    master_id: int = column.link("masters.id")
    #: The master until the relationship is removed, then NULL.
    live_master_id: int | None = column.link(optional=True)
    #: "fixed_ratio", "equity_proportional", "fixed_notional" or "fractional_kelly".
    mode: str = column.name(20)
    #: The share of the master's position; under "equity_proportional" a factor on top of the proportion.
    ratio: Decimal = column.amount()
    #: The follower's explicit limit for ratios outside 0.01 to 1.0.
    max_ratio: Decimal | None = column.amount(optional=True)
    #: Quote value of the master's largest position here, under "fixed_notional".
    notional: Decimal | None = column.amount(optional=True)
    #: Which part of the full Kelly stake is taken, under "fractional_kelly".
    kelly_fraction: Decimal | None = column.amount(optional=True)
    #: JSON lists of symbols. An empty allow list allows everything that is not denied.
    allow_symbols: str = column.document(default="[]")
    deny_symbols: str = column.document(default="[]")
    #: In quote.
    max_symbol_notional: Decimal | None = column.amount(optional=True)
    max_notional: Decimal | None = column.amount(optional=True)
    #: Notional over equity.
    max_leverage: Decimal | None = column.amount(optional=True)
    #: How far from the master's price an entry may trade, as a fraction; exits are never held back.
    slippage_collar: Decimal | None = column.amount(optional=True)
    #: How old an entry of the master may be when it is copied; exits always follow.
    max_entry_delay_ms: int | None = column.integer(optional=True)
    #: How long everything waits on purpose.
    delay_ms: int = column.integer(default=0)
    #: Of one copied position against its cost, as fractions.
    stop_loss: Decimal | None = column.amount(optional=True)
    take_profit: Decimal | None = column.amount(optional=True)
    #: Of the relationship as a whole, in quote.
    total_stop_loss: Decimal | None = column.amount(optional=True)
    total_take_profit: Decimal | None = column.amount(optional=True)
    #: Whether positions that the master held before are copied too.
    copy_existing: bool = column.flag(default=False)
    #: What becomes of the positions when following stops: "keep", "close" or "hand_over".
    on_stop: str = column.name(12, default="keep")
    #: Short where the master is long.
    reverse: bool = column.flag(default=False)
    #: "following", "paused" (no new entries, exits go on) or "stopped" (`on_stop` is carried out).
    desired_state: str = column.name(12)
    #: Rises with every edit and every change of `desired_state`.
    revision: int = column.integer(default=0)
    #: Counts the resyncs that were asked for: whatever was skipped before is copied again.
    resync: int = column.integer(default=0)
    #: `Master.version` when following began: what is older was there before.
    since_version: int = column.integer(default=0)
    # From here on what the worker says of it.
    #: "waiting" until a worker has it, then "following", "paused", "stopping", "stopped" or "error".
    state: str = column.name(12, default="waiting")
    #: The revision and resync that the worker has taken in.
    applied_revision: int = column.integer(default=-1)
    applied_resync: int = column.integer(default=0)
    last_error: str = column.sentence(500, default="")
    created_at: datetime = column.moment()
    updated_at: datetime = column.moment()
    stopped_at: datetime | None = column.moment(optional=True)
    #: When its follower removed it; its history stays, and statistics count it.
    removed_at: datetime | None = column.moment(optional=True)
    #: One of the terms: what must have been traded of a symbol in a day for copies of it to be entered, in quote; NULL
    #: is what the node asks for.
    least_volume: Decimal | None = column.amount(optional=True)


class VirtualPosition(Row, table=True):
    """What one relationship holds of one symbol. Those of an account add up to what it holds for all its masters.

    Lots and quanta are those of the instance that trades the symbol (`strategy_instances`, type "copy").
    """

    __tablename__ = "virtual_positions"
    __table_args__ = (Index(None, "account_id", "symbol"), Index(None, "owner_id"), OPTIONS)

    relationship_id: int = column.key("follow_relationships.id")
    symbol: str = column.name_key(40, of_venue=True)
    owner_id: int = column.link()
    account_id: int = column.link()
    strategy_instance_id: int = column.link("strategy_instances.id")
    #: Below zero when short.
    lots: int = column.integer()
    #: Paid for `lots`, signed like them; and earned by what was closed and by funding, before fees; and fees. In quote
    #: quanta.
    cost: int = column.quanta()
    realised: int = column.quanta()
    fees: int = column.quanta()
    #: The version of the master's position that the target is made of.
    master_version: int = column.integer()
    #: What it is to hold, and why that is not the whole copy: a name of `domain.copying.terms.REASON_NAMES`.
    target_lots: int = column.integer()
    reason: str = column.name(40)
    #: Whole lots missing (below zero: too many) that cannot be traded now, and why; they are when they can be.
    residual_lots: int = column.integer(default=0)
    residual_reason: str = column.name(40, default="")
    #: JSON of what the law remembers of the master's position: `domain.copying.target.Track`.
    track: str = column.document(default="{}")
    #: JSON of the running tracking error: `domain.copying.tracking.Tracking`.
    tracking: str = column.document(default="{}")
    updated_at: datetime = column.moment()


class FollowTarget(Row, table=True):
    """What an account is to hold of one symbol for all its masters together. A version is carried out once."""

    __tablename__ = "follow_targets"
    __table_args__ = (Index(None, "owner_id"), Index(None, "strategy_instance_id"), OPTIONS)

    account_id: int = column.key("accounts.id")
    symbol: str = column.name_key(40, of_venue=True)
    owner_id: int = column.link()
    #: The instance that trades it.
    strategy_instance_id: int = column.link("strategy_instances.id")
    #: Rises with every change of the target, and names its orders.
    version: int = column.integer()
    #: In lots of the instance, below zero when short.
    lots: int = column.integer()
    #: The price at which it was decided, the worst prices an entry may have, in ticks; 0 is any.
    reference_ticks: int = column.integer(default=0)
    ceiling_ticks: int = column.integer(default=0)
    floor_ticks: int = column.integer(default=0)
    #: After which entries are too late; NULL is never.
    enter_until: datetime | None = column.moment(optional=True)
    #: The fencing epoch of the follower account under which it was decided.
    epoch: int = column.integer(default=0)
    decided_at: datetime = column.moment()
    #: JSON list of the newest trades of the instance that the virtual positions have taken in, oldest first.
    folded: str = column.document(default="[]")
