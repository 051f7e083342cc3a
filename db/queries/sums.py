"""What fills and postings of instances add up to, kept between looks: a look reads what has come since the last one.

Fills and entries are only ever added. Those that come late, before the newest one counted, change how many there are
up to there, and then everything is read again; so it is with every hundredth look, whatever the counts say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock
from types import MappingProxyType
from typing import Final, NamedTuple

from sqlmodel import col, func, select

from db.models import FillRow, LedgerEntry, PostingRow
from db.unit_of_work import UnitOfWork
from domain import funding
from domain.ledger import cash
from domain.position_tracker import Position
from domain.profit import Units, book

#: The kinds of entries that are results; every other kind moves what an instance owns in or out.
_TRADE, _FUNDING = "trade", funding.KIND
#: How references of what an instance is given at its start begin.
_CAPITAL = "capital:"
_BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Looks after which everything is read again.
_LOOKS: Final = 100
#: Instances whose sums are kept.
_KEPT: Final = 4_096

Amounts = Mapping[str, int]
_NONE: Final[Amounts] = MappingProxyType({})


class Traded(NamedTuple):
    """All fills up to a moment, folded in the order of their execution; fees are valued at their fill's price."""

    until: datetime = _BEFORE_ALL
    trades: int = 0
    position: Position = Position()
    #: Fees in base and quote, in quote quanta.
    fees: int = 0
    #: Other asset -> fees.
    others: Amounts = _NONE


class Owned(NamedTuple):
    """Everything the ledger gave to or took from an instance up to a moment, by asset."""

    until: datetime = _BEFORE_ALL
    entries: int = 0
    #: Given at its start.
    capital: Amounts = _NONE
    #: Moved since.
    transfers: Amounts = _NONE
    #: What its trades left.
    results: Amounts = _NONE
    funded: Amounts = _NONE


class Sums(NamedTuple):
    """One instance, as far as it has been read."""

    units: Units
    traded: Traded = Traded()
    owned: Owned = Owned()
    looks: int = 0


class SumKeeper:
    """Remembers sums between looks; may be asked by many threads."""

    def __init__(self) -> None:
        self._sums: dict[int, Sums] = {}
        self._lock = Lock()

    def look(self, unit: UnitOfWork, instance: int, units: Units) -> Sums:
        """The sums of an instance that counts in these units, as the database has it now."""
        with self._lock:
            known = self._sums.get(instance)
        if known is None or known.units != units or known.looks >= _LOOKS:
            known = Sums(units)
        found = Sums(
            units, _traded(unit, instance, units, known.traded), _owned(unit, instance, known.owned), known.looks + 1
        )
        with self._lock:
            self._sums.pop(instance, None)
            self._sums[instance] = found
            while len(self._sums) > _KEPT:
                del self._sums[next(iter(self._sums))]
        return found


def _traded(unit: UnitOfWork, instance: int, units: Units, known: Traded) -> Traded:
    of_instance = col(FillRow.strategy_instance_id) == instance
    up_to_there = select(func.count()).select_from(FillRow).where(of_instance, col(FillRow.executed_at) <= known.until)
    if unit.session.exec(up_to_there).one() != known.trades:
        known = Traded()
    chosen = select(*(col(getattr(FillRow, name)) for name in _Fill._fields)).where(
        of_instance, col(FillRow.executed_at) > known.until
    )
    fills = [_Fill(*row) for row in unit.session.exec(chosen)]
    fills.sort(key=lambda one: (one.executed_at, len(one.trade_id), one.trade_id))
    position, fees, others = known.position, known.fees, dict(known.others)
    for fill in fills:
        position, fee = book(position, fill, units)
        fees += fee
        if fill.fee_asset not in (units.base, units.quote):
            others[fill.fee_asset] = others.get(fill.fee_asset, 0) + fill.fee
    until = fills[-1].executed_at if fills else known.until
    return Traded(until, known.trades + len(fills), position, fees, others)


class _Fill(NamedTuple):
    """What is needed of a row of fills."""

    trade_id: str
    side: int
    ticks: int
    lots: int
    fee: int
    fee_asset: str
    executed_at: datetime


def _owned(unit: UnitOfWork, instance: int, known: Owned) -> Owned:
    of_instance = col(LedgerEntry.strategy_instance_id) == instance
    up_to_there = (
        select(func.count()).select_from(LedgerEntry).where(of_instance, col(LedgerEntry.booked_at) <= known.until)
    )
    if unit.session.exec(up_to_there).one() != known.entries:
        known = Owned()
    since = of_instance, col(LedgerEntry.booked_at) > known.until
    latest = select(func.count(), func.max(col(LedgerEntry.booked_at))).where(*since)
    entries, until = unit.session.exec(latest).one()
    if not entries:
        return known
    of_entry = (
        (col(PostingRow.account_id) == col(LedgerEntry.account_id))
        & (col(PostingRow.kind) == col(LedgerEntry.kind))
        & (col(PostingRow.reference) == col(LedgerEntry.reference))
    )
    chosen = (
        select(PostingRow.kind, PostingRow.reference, PostingRow.asset, PostingRow.amount)
        .join(LedgerEntry, of_entry)
        # What has been committed between the two questions is read with the next look.
        .where(*since, col(LedgerEntry.booked_at) <= until, col(PostingRow.ledger_account) == cash(instance))
    )
    capital, transfers, results, funded = (
        dict(amounts) for amounts in (known.capital, known.transfers, known.results, known.funded)
    )
    by_kind = {_TRADE: results, _FUNDING: funded}
    for kind, reference, asset, amount in unit.session.exec(chosen):
        moved = capital if reference.startswith(_CAPITAL) else transfers
        into = by_kind.get(kind, moved)
        into[asset] = into.get(asset, 0) + amount
    return Owned(until, known.entries + entries, capital, transfers, results, funded)
