"""Results of an instance as decimals, added up in Python: no database adds them exactly on SQLite."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from sqlmodel import col, select

from db.models import DayMetrics, FillRow, PostingRow, StrategyInstance
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.money import from_units, multiply, to_units
from domain.position_tracker import Position, lose_lots, trade

#: What a quantum of a fee asset is that is neither base nor quote.
OTHER_QUANTUM = Decimal("0.00000001")


class NotStarted(Refused):
    """The instance was never started, so the units of its numbers are not known."""


class Results(NamedTuple):
    """Money by fills alone; amounts in quote where nothing else is said."""

    #: Base held; below zero when short.
    position: Decimal
    #: What was paid for it.
    cost: Decimal
    #: Earned by what was closed, before fees.
    realised: Decimal
    #: Fee asset -> amount.
    fees: dict[str, Decimal]
    trades: int


class Day(NamedTuple):
    """One trading day."""

    day: int
    realised: Decimal
    fees: Decimal
    trades: int


def of_instance(unit: UnitOfWork, instance: StrategyInstance) -> Results:
    """All fills of an instance, folded as the law folds them: exact, average cost."""
    base, quote = _quanta(instance)
    lot, tick = _size(instance.lot_size), _size(instance.tick_size)
    base_per_lot = to_units(lot, base)
    tick_lot = to_units(multiply(tick, lot), quote)
    chosen = select(FillRow).where(col(FillRow.strategy_instance_id) == instance.id)
    fills = unit.session.exec(chosen.order_by(col(FillRow.executed_at))).all()
    position, fees = Position(), defaultdict[str, int](int)
    for fill in sorted(fills, key=lambda one: (one.executed_at, len(one.trade_id), one.trade_id)):
        position = trade(position, fill.side * fill.lots * base_per_lot, fill.lots * fill.ticks * tick_lot)
        if fill.fee_asset == instance.base_asset:
            position = lose_lots(position, fill.fee)
        fees[fill.fee_asset] += fill.fee
    return Results(
        from_units(position.lots, base),
        from_units(position.cost, quote),
        from_units(position.realised, quote),
        {asset: from_units(amount, quantum_of(instance, asset)) for asset, amount in fees.items()},
        len(fills),
    )


def days(unit: UnitOfWork, instance: StrategyInstance, limit: int = 400) -> list[Day]:
    """Results by trading day, newest first."""
    _, quote = _quanta(instance)
    chosen = select(DayMetrics).where(col(DayMetrics.strategy_instance_id) == instance.id)
    found = unit.session.exec(chosen.order_by(col(DayMetrics.day).desc()).limit(limit)).all()
    return [Day(one.day, from_units(one.realised, quote), from_units(one.fees, quote), one.trades) for one in found]


def balances(unit: UnitOfWork, account: int, ledger_account: str) -> dict[str, int]:
    """Asset -> quanta that the postings of a venue account leave in one ledger account."""
    chosen = select(PostingRow.asset, PostingRow.amount).where(
        col(PostingRow.account_id) == account, col(PostingRow.ledger_account) == ledger_account
    )
    sums: dict[str, int] = defaultdict(int)
    for asset, amount in unit.session.exec(chosen):
        sums[asset] += amount
    return dict(sums)


def quantum_of(instance: StrategyInstance, asset: str) -> Decimal:
    """The finest unit of an asset, as the instance counts it."""
    base, quote = _quanta(instance)
    return {instance.base_asset: base, instance.quote_asset: quote}.get(asset, OTHER_QUANTUM)


def _quanta(instance: StrategyInstance) -> tuple[Decimal, Decimal]:
    return _size(instance.base_quantum), _size(instance.quote_quantum)


def _size(value: Decimal | None) -> Decimal:
    if value is None:
        raise NotStarted
    return value


def days_of_owner(unit: UnitOfWork, owner: int) -> list[tuple[int, str, Day]]:
    """(instance, currency, day) of everything an owner's instances have done."""
    chosen = (
        select(DayMetrics, StrategyInstance)
        .join(StrategyInstance, col(StrategyInstance.id) == col(DayMetrics.strategy_instance_id))
        .where(col(StrategyInstance.owner_id) == owner)
    )
    found = []
    for one, instance in unit.session.exec(chosen):
        quote = _size(instance.quote_quantum)
        day = Day(one.day, from_units(one.realised, quote), from_units(one.fees, quote), one.trades)
        found.append((one.strategy_instance_id, instance.quote_asset or "", day))
    return found
