"""Profit of an instance to the last quantum, told twice: by its fills, and by what the ledger says it owns."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from sqlmodel import col, select

from db.models import FillRow, LedgerEntry, PostingRow, StrategyInstance
from db.queries.results import NotStarted, quantum_of
from db.unit_of_work import UnitOfWork
from domain import funding
from domain.ledger import cash
from domain.money import add, from_units, multiply, to_units
from domain.position_tracker import Position
from domain.profit import Units, book

#: The kinds of entries that are results; every other kind moves what an instance owns in or out.
_TRADE, _FUNDING = "trade", funding.KIND
#: How references of what an instance is given at its start begin.
_CAPITAL = "capital:"


class Profit(NamedTuple):
    """Amounts in quote, where nothing else is said."""

    currency: str
    #: Base held by fills; below zero when short.
    position: Decimal
    #: What was paid for one of it; None without a position.
    average_price: Decimal | None
    #: What the instance was given to begin with, its base at the mark price.
    capital: Decimal
    #: What was moved in or out since.
    transfers: Decimal
    #: By what was closed, and by funding.
    realised: Decimal
    #: Futures funding received less paid, part of what is realised.
    funding: Decimal
    unrealised: Decimal
    #: Fees in quote and base, valued at their fill's price.
    fees: Decimal
    #: Fees in other assets, which the account's common pool has paid.
    other_fees: dict[str, Decimal]
    #: What the ledger says it owns, at the mark price.
    equity: Decimal
    trades: int

    @property
    def adds_up(self) -> bool:
        """Whether realised + unrealised - fees is what equity has gained, to the last digit."""
        return add(self.realised, self.unrealised, -self.fees) == add(self.equity, -self.capital, -self.transfers)


def of_instance(unit: UnitOfWork, instance: StrategyInstance, mark_price: Decimal) -> Profit:
    """Everything an instance has earned at a mark price; `NotStarted` while its units are not known."""
    units, base_quantum, quote_quantum = _units(instance)
    fills = unit.session.exec(select(FillRow).where(col(FillRow.strategy_instance_id) == instance.id)).all()
    position, fees, others = Position(), 0, dict[str, int]()
    for fill in sorted(fills, key=lambda one: (one.executed_at, len(one.trade_id), one.trade_id)):
        position, fee = book(position, fill, units)
        fees += fee
        if fill.fee_asset not in (units.base, units.quote):
            others[fill.fee_asset] = others.get(fill.fee_asset, 0) + fill.fee
    held = from_units(position.lots, base_quantum)
    cost = from_units(position.cost, quote_quantum)
    capital, transfers, results, funded = _owned(unit, instance)
    earned = from_units(funded.get(units.quote, 0), quote_quantum)

    def worth(assets: dict[str, int]) -> Decimal:
        base = multiply(from_units(assets.get(units.base, 0), base_quantum), mark_price)
        return add(base, from_units(assets.get(units.quote, 0), quote_quantum))

    return Profit(
        currency=units.quote,
        position=held,
        average_price=cost / held if held else None,
        capital=worth(capital),
        transfers=worth(transfers),
        realised=add(from_units(position.realised, quote_quantum), earned),
        funding=earned,
        unrealised=add(multiply(held, mark_price), -cost),
        fees=from_units(fees, quote_quantum),
        other_fees={asset: from_units(amount, quantum_of(instance, asset)) for asset, amount in others.items()},
        equity=add(worth(capital), worth(transfers), worth(results), worth(funded)),
        trades=len(fills),
    )


Amounts = dict[str, int]


def _owned(unit: UnitOfWork, instance: StrategyInstance) -> tuple[Amounts, Amounts, Amounts, Amounts]:
    """By asset: what the ledger gave it at its start, what was moved since, what its trades left, and its funding."""
    of_entry = (
        (col(PostingRow.account_id) == col(LedgerEntry.account_id))
        & (col(PostingRow.kind) == col(LedgerEntry.kind))
        & (col(PostingRow.reference) == col(LedgerEntry.reference))
    )
    chosen = (
        select(PostingRow.kind, PostingRow.reference, PostingRow.asset, PostingRow.amount)
        .join(LedgerEntry, of_entry)
        .where(
            col(LedgerEntry.strategy_instance_id) == instance.id,
            col(PostingRow.ledger_account) == cash(instance.id or 0),
        )
    )
    capital, transfers, results, funded = Amounts(), Amounts(), Amounts(), Amounts()
    by_kind = {_TRADE: results, _FUNDING: funded}
    for kind, reference, asset, amount in unit.session.exec(chosen):
        moved = capital if reference.startswith(_CAPITAL) else transfers
        into = by_kind.get(kind, moved)
        into[asset] = into.get(asset, 0) + amount
    return capital, transfers, results, funded


def _units(instance: StrategyInstance) -> tuple[Units, Decimal, Decimal]:
    tick, lot, base, quote = instance.tick_size, instance.lot_size, instance.base_quantum, instance.quote_quantum
    assets = instance.base_asset, instance.quote_asset
    if tick is None or lot is None or base is None or quote is None or assets[0] is None or assets[1] is None:
        raise NotStarted
    return Units(assets[0], assets[1], to_units(lot, base), to_units(multiply(tick, lot), quote)), base, quote
