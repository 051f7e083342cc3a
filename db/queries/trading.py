"""What an instance did: orders, fills, ledger entries. Newest first, a page at a time, in its own integers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from db.models import FillRow, LedgerEntry, OrderRow, PostingRow
from db.unit_of_work import UnitOfWork

PAGE = 200


def open_orders(unit: UnitOfWork, instance: int) -> Sequence[OrderRow]:
    """Orders that are not complete."""
    return _orders(unit, instance, complete=False, before=None, limit=None)


def orders(unit: UnitOfWork, instance: int, before: int | None = None, limit: int = PAGE) -> list[OrderRow]:
    """Orders of steps before `before` (a `state_version`), complete or not."""
    # Each half is read along the index; together they would have to be sorted.
    halves = [_orders(unit, instance, complete=complete, before=before, limit=limit) for complete in (False, True)]
    found = sorted((*halves[0], *halves[1]), key=lambda order: (order.state_version, order.slot), reverse=True)
    return found[:limit]


def fills(unit: UnitOfWork, instance: int, before: datetime | None = None, limit: int = PAGE) -> Sequence[FillRow]:
    """Fills executed before a moment."""
    chosen = select(FillRow).where(col(FillRow.strategy_instance_id) == instance)
    if before is not None:
        chosen = chosen.where(col(FillRow.executed_at) < before)
    return unit.session.exec(chosen.order_by(col(FillRow.executed_at).desc()).limit(limit)).all()


def entries(
    unit: UnitOfWork, instance: int, before: datetime | None = None, limit: int = PAGE
) -> list[tuple[LedgerEntry, list[PostingRow]]]:
    """Ledger entries booked before a moment, each with its postings."""
    chosen = select(LedgerEntry).where(col(LedgerEntry.strategy_instance_id) == instance)
    if before is not None:
        chosen = chosen.where(col(LedgerEntry.booked_at) < before)
    found = unit.session.exec(chosen.order_by(col(LedgerEntry.booked_at).desc()).limit(limit)).all()
    return [(entry, _postings(unit, entry)) for entry in found]


def _orders(
    unit: UnitOfWork, instance: int, *, complete: bool, before: int | None, limit: int | None
) -> Sequence[OrderRow]:
    chosen = select(OrderRow).where(col(OrderRow.strategy_instance_id) == instance, col(OrderRow.complete) == complete)
    if before is not None:
        chosen = chosen.where(col(OrderRow.state_version) < before)
    return unit.session.exec(chosen.order_by(col(OrderRow.state_version).desc()).limit(limit)).all()


def _postings(unit: UnitOfWork, entry: LedgerEntry) -> list[PostingRow]:
    chosen = select(PostingRow).where(
        col(PostingRow.account_id) == entry.account_id,
        col(PostingRow.kind) == entry.kind,
        col(PostingRow.reference) == entry.reference,
    )
    return list(unit.session.exec(chosen.order_by(col(PostingRow.line))).all())
