"""What the journal writes, in ticks, lots and quanta: orders from their intents on, fills, the double-entry ledger."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class OrderRow(Row, table=True):
    """An order from its intent to its end, in one row: half the writing of two.

    What was decided is committed before a byte is sent and never changed; what became of it is.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint(
            "strategy_instance_id", "generation", "slot", "cycle", "leg", "attempt", name="uq_orders_order_key"
        ),
        # One order lives in a slot, from its intent until it is complete: a second one cannot be journaled.
        UniqueConstraint("strategy_instance_id", "live_slot"),
        Index(None, "strategy_instance_id", "complete", "state_version"),
        OPTIONS,
    )

    account_id: int = column.key()
    client_order_id: str = column.name_key(36)
    strategy_instance_id: int = column.link("strategy_instances.id")
    owner_id: int = column.link()
    deployment: int = column.integer(big=False)
    generation: int = column.integer(big=False)
    slot: int = column.integer(big=False)
    cycle: int = column.integer()
    leg: int = column.integer(big=False)
    attempt: int = column.integer(big=False)
    symbol: str = column.venue_text(40)
    side: int = column.integer(big=False)
    type: int = column.integer(big=False)
    ticks: int = column.integer()
    lots: int = column.integer()
    reduce_only: bool = column.flag()
    reason: int = column.integer(big=False)
    #: The fencing epoch under which it was journaled.
    epoch: int = column.integer()
    #: The step it came with: see `StrategyState.version`.
    state_version: int = column.integer()
    #: Machine time; the order is signed with it.
    committed_at: datetime = column.moment()
    # From here on: what became of it.
    status: int = column.integer(big=False)
    filled: int = column.integer()
    booked: int = column.integer()
    venue_order_id: str = column.name(64)
    #: Terminal, and every executed lot is booked.
    complete: bool = column.flag()
    #: The slot while the order lives there; once NULL it stays so.
    live_slot: int | None = column.integer(big=False, optional=True)
    #: When the venue last said something of it.
    updated_at: datetime = column.moment()
    cancel_requested_at: datetime | None = column.moment(optional=True)


class FillRow(Row, table=True):
    """One execution, named by the venue, booked once."""

    __tablename__ = "fills"
    __table_args__ = (
        Index(None, "account_id", "symbol", "executed_at"),
        Index(None, "strategy_instance_id", "executed_at"),
        Index(None, "owner_id", "executed_at"),
        OPTIONS,
    )

    account_id: int = column.key()
    symbol: str = column.name_key(40, of_venue=True)
    trade_id: str = column.name_key(64)
    strategy_instance_id: int = column.link("strategy_instances.id")
    owner_id: int = column.link()
    client_order_id: str = column.name(36)
    side: int = column.integer(big=False)
    ticks: int = column.integer()
    lots: int = column.integer()
    fee: int = column.quanta()
    fee_asset: str = column.venue_text(20)
    maker: bool = column.flag()
    #: The venue's time.
    executed_at: datetime = column.moment()


class LedgerEntry(Row, table=True):
    """Postings that belong together."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index(None, "strategy_instance_id", "booked_at"), OPTIONS)

    account_id: int = column.key()
    kind: str = column.name_key(20)
    reference: str = column.name_key(120, of_venue=True)
    strategy_instance_id: int = column.link("strategy_instances.id")
    owner_id: int = column.link()
    booked_at: datetime = column.moment()


class PostingRow(Row, table=True):
    """One line of an entry: quanta of an asset into or out of a ledger account."""

    __tablename__ = "postings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "kind", "reference"],
            ["ledger_entries.account_id", "ledger_entries.kind", "ledger_entries.reference"],
        ),
        OPTIONS,
    )

    account_id: int = column.key()
    kind: str = column.name_key(20)
    reference: str = column.name_key(120, of_venue=True)
    line: int = column.key()
    strategy_instance_id: int = column.link()
    owner_id: int = column.link()
    ledger_account: str = column.name(60)
    asset: str = column.venue_text(20)
    amount: int = column.quanta()
