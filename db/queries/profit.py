"""Profit of an instance to the last quantum, told twice: by its fills, and by what the ledger says it owns."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from db.models import StrategyInstance
from db.queries.results import NotStarted, quantum_of
from db.queries.sums import Amounts, SumKeeper
from db.unit_of_work import UnitOfWork
from domain.money import add, from_units, multiply, to_units
from domain.profit import Units


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


def of_instance(unit: UnitOfWork, instance: StrategyInstance, mark_price: Decimal, keeper: SumKeeper) -> Profit:
    """Everything an instance has earned at a mark price; `NotStarted` while its units are not known."""
    units, base_quantum, quote_quantum = _units(instance)
    _, traded, owned, _ = keeper.look(unit, instance.id or 0, units)
    position = traded.position
    held = from_units(position.lots, base_quantum)
    cost = from_units(position.cost, quote_quantum)
    earned = from_units(owned.funded.get(units.quote, 0), quote_quantum)

    def worth(assets: Amounts) -> Decimal:
        base = multiply(from_units(assets.get(units.base, 0), base_quantum), mark_price)
        return add(base, from_units(assets.get(units.quote, 0), quote_quantum))

    return Profit(
        currency=units.quote,
        position=held,
        average_price=cost / held if held else None,
        capital=worth(owned.capital),
        transfers=worth(owned.transfers),
        realised=add(from_units(position.realised, quote_quantum), earned),
        funding=earned,
        unrealised=add(multiply(held, mark_price), -cost),
        fees=from_units(traded.fees, quote_quantum),
        other_fees={asset: from_units(amount, quantum_of(instance, asset)) for asset, amount in traded.others.items()},
        equity=add(*(worth(part) for part in (owned.capital, owned.transfers, owned.results, owned.funded))),
        trades=traded.trades,
    )


def _units(instance: StrategyInstance) -> tuple[Units, Decimal, Decimal]:
    tick, lot, base, quote = instance.tick_size, instance.lot_size, instance.base_quantum, instance.quote_quantum
    assets = instance.base_asset, instance.quote_asset
    if tick is None or lot is None or base is None or quote is None or assets[0] is None or assets[1] is None:
        raise NotStarted
    return Units(assets[0], assets[1], to_units(lot, base), to_units(multiply(tick, lot), quote)), base, quote
