"""What copying has come to: the newest tracking error of each symbol, and what all followers of a master have earned.

Nobody is left out: relationships that have ended, and masters that were removed, count as long as their rows are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Final

from sqlalchemy import func
from sqlalchemy import select as choose
from sqlmodel import col, select

from db.models import FollowRelationship, FollowResult, StrategyInstance, TrackingError, TradeLog
from db.queries.copy_log import SUCCESS
from db.unit_of_work import UnitOfWork
from domain.money import add

_NOTHING = Decimal(0)
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: A row may be kept so long after its moment, and by a clock that is behind.
_STILL_COMES: Final = timedelta(minutes=10)


@dataclass(slots=True)
class MasterResults:
    """What the followers of one master have come to together, in its quote asset, after fees."""

    relationships: int = 0
    people: set[int] = field(default_factory=set)
    first_at: datetime | None = None
    last_at: datetime | None = None
    #: Relationship -> what it has come to.
    net: dict[int, Decimal] = field(default_factory=dict)
    total: Decimal = _NOTHING
    high: Decimal = _NOTHING
    drawdown: Decimal = _NOTHING
    #: The most that was held at one moment.
    notional: dict[int, Decimal] = field(default_factory=dict)
    held: Decimal = _NOTHING
    most_held: Decimal = _NOTHING
    #: Signals that were carried out.
    trades: int = 0

    def copy(self) -> MasterResults:
        """One that goes on by itself."""
        return replace(self, people=set(self.people), net=dict(self.net), notional=dict(self.notional))

    def take(self, result: FollowResult) -> None:
        """Take in the next moment of one of its relationships."""
        number = result.relationship_id
        net = add(result.realised, result.unrealised, -result.fees)
        self.total = add(self.total, net, -self.net.get(number, _NOTHING))
        self.net[number] = net
        self.high = max(self.high, self.total)
        self.drawdown = max(self.drawdown, add(self.high, -self.total))
        self.held = add(self.held, result.notional, -self.notional.get(number, _NOTHING))
        self.notional[number] = result.notional
        self.most_held = max(self.most_held, self.held)
        self.first_at, self.last_at = self.first_at or result.at, result.at


class Standings:
    """Results of masters, gone on with from question to question: what was added up once is not read again.

    Rows of the last while may still be joined by older ones, of nodes whose clocks are behind; only what is older than
    that is taken for good.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = _BEGINNING
        self._settled: dict[int, MasterResults] = {}

    def of_masters(self, unit: UnitOfWork, numbers: Sequence[int], now: datetime) -> dict[int, MasterResults]:
        """Master -> results of everybody who ever followed it; `unit` sees everything that was kept before `now`."""
        with self._lock:
            newest = self._read(unit, now - _STILL_COMES)
            found = {
                number: (newest.get(number) or self._settled.get(number) or MasterResults()).copy()
                for number in numbers
            }  # fmt: skip
        return _with_counts(unit, found)

    def _read(self, unit: UnitOfWork, edge: datetime) -> dict[int, MasterResults]:
        """Take in what is older than the edge for good; gives the masters of which there is newer."""
        newest: dict[int, MasterResults] = {}
        moments = select(FollowResult).where(col(FollowResult.at) > self._until)
        ordered = moments.order_by(col(FollowResult.at), col(FollowResult.relationship_id))
        for result in unit.session.exec(ordered.execution_options(yield_per=1_000)):
            settled = self._settled.setdefault(result.master_id, MasterResults())
            if result.at <= edge:
                settled.take(result)
            else:
                newest.setdefault(result.master_id, settled.copy()).take(result)
        self._until = max(self._until, edge)
        return newest


def _with_counts(unit: UnitOfWork, found: dict[int, MasterResults]) -> dict[int, MasterResults]:
    """With who ever followed, and what was carried out."""
    numbers = list(found)
    row = FollowRelationship
    ever = choose(col(row.master_id), col(row.owner_id)).where(col(row.master_id).in_(numbers))
    for master, owner in unit.connection.execute(ever):
        found[master].relationships += 1
        found[master].people.add(owner)
    done = choose(col(TradeLog.master_id), func.count()).where(
        col(TradeLog.master_id).in_(numbers), col(TradeLog.status) == SUCCESS
    )
    for master, count in unit.connection.execute(done.group_by(col(TradeLog.master_id))):
        found[master].trades = count
    return found


def results(unit: UnitOfWork, relationship: int, limit: int) -> Sequence[FollowResult]:
    """The newest moments of a relationship, oldest first."""
    chosen = select(FollowResult).where(col(FollowResult.relationship_id) == relationship)
    return unit.session.exec(chosen.order_by(col(FollowResult.at).desc()).limit(limit)).all()[::-1]


def newest_errors(unit: UnitOfWork, relationships: Sequence[int]) -> dict[tuple[int, str], TrackingError]:
    """(relationship, symbol) -> the end of its tracking-error ledger."""
    row = TrackingError
    ends = (
        choose(col(row.relationship_id), col(row.symbol), func.max(col(row.sequence)).label("newest"))
        .where(col(row.relationship_id).in_(relationships))
        .group_by(col(row.relationship_id), col(row.symbol))
        .subquery()
    )
    chosen = select(row).join(
        ends,
        (col(row.relationship_id) == ends.c.relationship_id)
        & (col(row.symbol) == ends.c.symbol)
        & (col(row.sequence) == ends.c.newest),
    )
    return {(one.relationship_id, one.symbol): one for one in unit.session.exec(chosen)}


def errors(
    unit: UnitOfWork, relationship: int, symbol: str | None, before: tuple[datetime, str, int] | None, limit: int
) -> Sequence[TrackingError]:
    """Steps of the tracking-error ledger, newest first."""
    row = TrackingError
    chosen = select(row).where(col(row.relationship_id) == relationship)
    if symbol is not None:
        chosen = chosen.where(col(row.symbol) == symbol)
    if before is not None:
        at, name, sequence = before
        chosen = chosen.where(
            (col(row.at) < at)
            | (
                (col(row.at) == at)
                & ((col(row.symbol) < name) | ((col(row.symbol) == name) & (col(row.sequence) < sequence)))
            )
        )
    order = (col(row.at).desc(), col(row.symbol).desc(), col(row.sequence).desc())
    return unit.session.exec(chosen.order_by(*order).limit(limit)).all()


def instances_of(unit: UnitOfWork, numbers: Sequence[int]) -> dict[int, StrategyInstance]:
    """Instances by number: the units in which positions, targets and ledgers are counted."""
    chosen = select(StrategyInstance).where(col(StrategyInstance.id).in_(numbers))
    return {one.id or 0: one for one in unit.session.exec(chosen)}
