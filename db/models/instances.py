"""Strategy instances: what is wished, who owns it, what it remembers, how each day went."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class StrategyInstance(Row, table=True):
    """One strategy on one symbol of one account. Its number is part of the names of its orders."""

    __tablename__ = "strategy_instances"
    __table_args__ = (
        UniqueConstraint("owner_id", "name"),
        CheckConstraint("epoch >= 0 AND generation >= 0 AND revision >= 0", name="counters"),
        Index(None, "account_id"),
        Index(None, "desired_state"),
        Index(None, "updated_at"),
        OPTIONS,
    )

    id: int | None = column.key(counts_up=True)
    owner_id: int = column.link("users.id")
    account_id: int = column.link("accounts.id")
    name: str = column.words(100)
    strategy_type: str = column.name(40)
    symbol: str = column.venue_text(40)
    kline_interval: str = column.name(8)
    #: The strategy's parameters, and the risk limits, as JSON; amounts are decimal strings.
    parameters: str = column.document()
    limits: str = column.document(default="{}")
    #: "running", "paused", "stopped" or "flat".
    desired_state: str = column.name(12)
    #: Rises only when the instance is reset from scratch.
    generation: int = column.integer(default=0)
    #: The fencing epoch: whoever journals must know the newest one.
    epoch: int = column.integer(default=0)
    #: The worker that raised the epoch last.
    owner: str = column.name(120, default="")
    #: Rises with every edit.
    revision: int = column.integer(default=0)
    paper: bool = column.flag()
    # The units its ticks, lots and quanta are counted in; empty until it is started for the first time.
    base_asset: str | None = column.venue_text(20, optional=True)
    quote_asset: str | None = column.venue_text(20, optional=True)
    tick_size: Decimal | None = column.amount(optional=True)
    lot_size: Decimal | None = column.amount(optional=True)
    base_quantum: Decimal | None = column.amount(optional=True)
    quote_quantum: Decimal | None = column.amount(optional=True)
    created_at: datetime = column.moment()
    updated_at: datetime = column.moment()
    #: When its owner removed it; its history stays.
    removed_at: datetime | None = column.moment(optional=True)


class StrategyState(Row, table=True):
    """What the strategy remembers: written with every step, in the same transaction as the step's orders."""

    __tablename__ = "strategy_states"
    __table_args__ = (OPTIONS,)

    strategy_instance_id: int = column.key("strategy_instances.id")
    owner_id: int = column.link()
    #: Counts the steps of the instance; every intent says which step it came with.
    version: int = column.integer()
    #: JSON: `[integers, floats]`, each float written so that it reads back the same.
    state_data: str | None = column.document(optional=True)
    updated_at: datetime = column.moment()


class DayMetrics(Row, table=True):
    """Results of one trading day of one instance, after fees, in quote quanta."""

    __tablename__ = "risk_metrics"
    __table_args__ = (OPTIONS,)

    strategy_instance_id: int = column.key("strategy_instances.id")
    #: Days since 1970 in the instance's own day boundary.
    day: int = column.key()
    owner_id: int = column.link()
    realised: int = column.quanta()
    fees: int = column.quanta()
    trades: int = column.integer()
    losses_in_a_row: int = column.integer()
    last_loss_at: datetime | None = column.moment(optional=True)
    updated_at: datetime = column.moment()


class EquityPoint(Row, table=True):
    """What an instance was worth at a moment, in quote quanta: equity = capital + realised + unrealised - fees."""

    __tablename__ = "equity_points"
    __table_args__ = (OPTIONS,)

    strategy_instance_id: int = column.key("strategy_instances.id")
    at: datetime = column.moment_key()
    owner_id: int = column.link()
    equity: int = column.quanta()
    realised: int = column.quanta()
    unrealised: int = column.quanta()
    fees: int = column.quanta()
