"""The record of copying: pages of trade logs, counts of their outcomes, what their times and prices were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as choose
from sqlmodel import col, select

from db.models import TradeLog
from db.unit_of_work import UnitOfWork

SUCCESS: Final = "success"
FAILED: Final = "failed"
PENDING: Final = "pending"
SKIPPED: Final = "skipped"
COALESCED: Final = "coalesced"
STATUSES: Final = (SUCCESS, FAILED, PENDING, SKIPPED, COALESCED)

#: Distributions are of so many newest rows.
SAMPLE: Final = 20_000


class Wanted(NamedTuple):
    """Which rows of a follower; empty parts leave everything in."""

    owner: int
    relationship: int | None = None
    account: int | None = None
    master: int | None = None
    master_user: int | None = None
    symbol: str | None = None
    status: str | None = None


class Timing(NamedTuple):
    """When a signal got how far, and how much worse than the master's its price was."""

    signal_at: datetime
    received_at: datetime | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    slippage: Decimal | None


class Counts(NamedTuple):
    """How many rows there are by status and by reason, and how many of them took how long together."""

    by_status: dict[str, int]
    by_reason: dict[str, int]
    timed: int
    total_ms: int


def page(unit: UnitOfWork, wanted: Wanted, before: int | None, limit: int) -> Sequence[TradeLog]:
    """Rows, newest first."""
    chosen = select(TradeLog).where(*_matching(wanted))
    if before is not None:
        chosen = chosen.where(col(TradeLog.id) < before)
    return unit.session.exec(chosen.order_by(col(TradeLog.id).desc()).limit(limit)).all()


def counts(unit: UnitOfWork, wanted: Wanted) -> Counts:
    """How many there are."""
    row, matching = TradeLog, _matching(wanted)
    grouped = choose(col(row.status), col(row.reason), func.count()).where(*matching)
    by_status: dict[str, int] = {}
    by_reason: dict[str, int] = {}
    for status, reason, count in unit.connection.execute(grouped.group_by(col(row.status), col(row.reason))):
        by_status[status] = by_status.get(status, 0) + count
        if reason:
            by_reason[reason] = by_reason.get(reason, 0) + count
    times = choose(func.count(col(row.execution_time_ms)), func.sum(col(row.execution_time_ms))).where(*matching)
    timed, total = unit.connection.execute(times).one()
    return Counts(by_status, by_reason, timed, int(total or 0))


def timings(unit: UnitOfWork, wanted: Wanted) -> list[Timing]:
    """Times and slippage of the newest rows."""
    row = TradeLog
    chosen = choose(
        col(row.signal_at), col(row.received_at), col(row.sent_at), col(row.acknowledged_at), col(row.slippage)
    ).where(*_matching(wanted))
    found = unit.connection.execute(chosen.order_by(col(row.id).desc()).limit(SAMPLE))
    return [Timing(*values) for values in found]


def _matching(wanted: Wanted) -> list[ColumnElement[bool]]:
    row = TradeLog
    columns = {
        "relationship": col(row.relationship_id), "account": col(row.account_id), "master": col(row.master_id),
        "master_user": col(row.master_user_id), "symbol": col(row.master_symbol), "status": col(row.status),
    }  # fmt: skip
    asked = wanted._asdict()
    return [
        col(row.owner_id) == wanted.owner,
        *(column == asked[name] for name, column in columns.items() if asked[name] is not None),
    ]
