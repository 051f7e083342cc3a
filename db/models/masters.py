"""Whom others copy: masters, what each holds in versions, and every change of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class Master(Row, table=True):
    """Something whose positions can be copied: a live account, a strategy instance, or what a person enters.

    Whoever publishes a position locks this row, raises `version` by one, and writes position and signal with it.
    """

    __tablename__ = "masters"
    __table_args__ = (
        UniqueConstraint("owner_id", "name"),
        CheckConstraint("version >= 0 AND epoch >= 0 AND revision >= 0", name="counters"),
        Index(None, "account_id"),
        Index(None, "strategy_instance_id"),
        Index(None, "updated_at"),
        OPTIONS,
    )

    id: int | None = column.key(counts_up=True)
    owner_id: int = column.link("users.id")
    name: str = column.words(100)
    #: "account", "strategy" or "manual".
    kind: str = column.name(12)
    #: Whose positions: the account itself, or the one the strategy trades on. A manual master need not have one.
    account_id: int | None = column.link("accounts.id", optional=True)
    #: Of a master of kind "strategy".
    strategy_instance_id: int | None = column.link("strategy_instances.id", optional=True)
    #: The venue whose symbols its positions are in; for paper accounts the one whose market it is.
    venue: str = column.name(40)
    #: "active": it is watched and copied; "paused": it is watched, and followers enter nothing new; "ended": all
    #: relationships are to stop as each of them says.
    state: str = column.name(12, default="active")
    #: Whether people other than its owner may see and follow it.
    shared: bool = column.flag(default=False)
    #: The newest version that was published, counted over all symbols; 0 before the first.
    version: int = column.integer(default=0)
    #: The fencing epoch of who watches it, and the worker that raised it last; a manual master needs neither.
    epoch: int = column.integer(default=0)
    watcher: str = column.name(120, default="")
    #: Rises with every edit.
    revision: int = column.integer(default=0)
    #: What it is worth in its quote asset, and when that was read; NULL while nobody knows.
    equity: Decimal | None = column.amount(optional=True)
    equity_at: datetime | None = column.moment(optional=True)
    quote_asset: str = column.venue_text(20, default="USDT")
    #: Its closed round trips after fees: how many were won and lost, and how much, in quote.
    wins: int = column.integer(default=0)
    losses: int = column.integer(default=0)
    won: Decimal = column.amount(default=Decimal(0))
    lost: Decimal = column.amount(default=Decimal(0))
    #: Why it cannot be watched now; empty when it can.
    last_error: str = column.sentence(500, default="")
    created_at: datetime = column.moment()
    updated_at: datetime = column.moment()
    #: When its owner removed it; its history stays, and statistics count it.
    removed_at: datetime | None = column.moment(optional=True)


class MasterPosition(Row, table=True):
    """What a master holds of one symbol now: the newest signal of it. Flat positions stay, with quantity 0."""

    __tablename__ = "master_positions"
    __table_args__ = (OPTIONS,)

    master_id: int = column.key("masters.id")
    symbol: str = column.name_key(40, of_venue=True)
    owner_id: int = column.link()
    #: `Master.version` at the newest change of this symbol: never falls, and older ones are ignored by followers.
    version: int = column.integer()
    #: In the base asset (futures too), exact; below zero when short.
    quantity: Decimal = column.amount()
    #: Average price of the position; NULL when flat or unknown.
    entry_price: Decimal | None = column.amount(optional=True)
    #: Price of the newest change; NULL when unknown.
    price: Decimal | None = column.amount(optional=True)
    #: When the master traded, by its venue's clock.
    signal_at: datetime = column.moment()
    #: When the version was committed.
    published_at: datetime = column.moment()
    #: Where it was learnt: "stream", "audit" (a poll that found a difference), "strategy" or "manual".
    source: str = column.name(12)


class MasterSignal(Row, table=True):
    """One change of a master's position, kept for ever: `trade_logs` has a row for each of them and each follower."""

    __tablename__ = "master_signals"
    __table_args__ = (
        UniqueConstraint("master_id", "event_key"),
        Index(None, "master_id", "symbol", "version"),
        Index(None, "owner_id"),
        OPTIONS,
    )

    master_id: int = column.key("masters.id")
    version: int = column.key()
    owner_id: int = column.link()
    symbol: str = column.venue_text(40)
    #: "open_long", "open_short", "increase", "reduce", "reverse" or "close_position".
    action: str = column.name(16)
    #: The position before and after, as in `MasterPosition.quantity`.
    quantity_before: Decimal = column.amount()
    quantity: Decimal = column.amount()
    entry_price: Decimal | None = column.amount(optional=True)
    price: Decimal | None = column.amount(optional=True)
    #: What the master was worth then, in quote; NULL when unknown.
    equity: Decimal | None = column.amount(optional=True)
    signal_at: datetime = column.moment()
    published_at: datetime = column.moment()
    source: str = column.name(12)
    #: Names the venue's event (a trade id), so that the same event told twice is one signal; NULL when it has no name.
    event_key: str | None = column.venue_text(120, optional=True)
