"""Lists for people: a page at a time, newest first or by number, each page saying where the next one begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from db.models import Account, AuditRecord, Command, FillRow, OrderRow, StrategyInstance
from db.queries.instances import COPY, NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.sentences import say


class Listed(NamedTuple):
    """An instance with the account it trades on."""

    instance: StrategyInstance
    account: Account


class Wanted(NamedTuple):
    """Which instances of an owner; empty parts leave everything in."""

    states: tuple[str, ...] = ()
    text: str = ""
    account: int | None = None


class FillKey(NamedTuple):
    """Where a fill stands among others: by its time, then by its name."""

    executed_at: datetime
    account: int
    symbol: str
    trade_id: str


class OrderKey(NamedTuple):
    """Where an order stands among those of its instance."""

    state_version: int
    client_order_id: str


def instances(unit: UnitOfWork, owner: int, wanted: Wanted, after: int, limit: int) -> list[Listed]:
    """An owner's instances by number, without those that copying makes: they belong to relationships."""
    row = StrategyInstance
    chosen = select(row, Account).join(Account, col(Account.id) == col(row.account_id))
    chosen = chosen.where(col(row.owner_id) == owner, col(row.id) > after, col(row.removed_at).is_(None))
    chosen = chosen.where(col(row.strategy_type) != COPY)
    if wanted.states:
        chosen = chosen.where(col(row.desired_state).in_(wanted.states))
    if wanted.account is not None:
        chosen = chosen.where(col(row.account_id) == wanted.account)
    if wanted.text:
        text = wanted.text
        chosen = chosen.where(
            or_(col(row.name).icontains(text, autoescape=True), col(row.symbol).icontains(text, autoescape=True))
        )
    found = unit.session.exec(chosen.order_by(col(row.id)).limit(limit)).all()
    return [Listed(instance, account) for instance, account in found]


def instance(unit: UnitOfWork, number: int, owner: int) -> Listed:
    """One of them, or `NoSuchRow`."""
    row = StrategyInstance
    chosen = select(row, Account).join(Account, col(Account.id) == col(row.account_id))
    chosen = chosen.where(col(row.id) == number, col(row.owner_id) == owner, col(row.removed_at).is_(None))
    found = unit.session.exec(chosen).first()
    if found is None:
        raise NoSuchRow(say("no_strategy", "you have no strategy {number}.", number=number))
    return Listed(*found)


def owned_numbers(unit: UnitOfWork, owner: int, numbers: Sequence[int]) -> set[int]:
    """Those of some instances that are the owner's."""
    row = StrategyInstance
    chosen = select(row.id).where(col(row.owner_id) == owner, col(row.id).in_(numbers), col(row.removed_at).is_(None))
    return {number for number in unit.session.exec(chosen) if number is not None}


def orders(
    unit: UnitOfWork, number: int, *, only_open: bool, before: OrderKey | None, limit: int
) -> Sequence[OrderRow]:
    """Orders of an instance, those of its newest step first."""
    row = OrderRow
    # Each half is read along the index; together they would have to be sorted.
    halves: list[OrderRow] = []
    for complete in (False,) if only_open else (False, True):
        chosen = select(row).where(col(row.strategy_instance_id) == number, col(row.complete) == complete)
        if before is not None:
            earlier = col(row.state_version) < before.state_version
            same = and_(
                col(row.state_version) == before.state_version, col(row.client_order_id) < before.client_order_id
            )
            chosen = chosen.where(or_(earlier, same))
        order = chosen.order_by(col(row.state_version).desc(), col(row.client_order_id).desc())
        halves += unit.session.exec(order.limit(limit)).all()
    return sorted(halves, key=order_key, reverse=True)[:limit]


def order_key(order: OrderRow) -> OrderKey:
    """Where an order stands."""
    return OrderKey(order.state_version, order.client_order_id)


class Trades(NamedTuple):
    """Which fills of an owner; empty parts leave everything in."""

    owner: int
    instance: int | None = None
    account: int | None = None
    symbol: str | None = None


def fills(unit: UnitOfWork, wanted: Trades, before: FillKey | None, limit: int) -> Sequence[FillRow]:
    """Fills, newest first."""
    row = FillRow
    chosen = select(row).where(col(row.owner_id) == wanted.owner)
    if wanted.instance is not None:
        chosen = chosen.where(col(row.strategy_instance_id) == wanted.instance)
    if wanted.account is not None:
        chosen = chosen.where(col(row.account_id) == wanted.account)
    if wanted.symbol is not None:
        chosen = chosen.where(col(row.symbol) == wanted.symbol)
    if before is not None:
        chosen = chosen.where(_earlier(before))
    keys = (row.executed_at, row.account_id, row.symbol, row.trade_id)
    return unit.session.exec(chosen.order_by(*(col(key).desc() for key in keys)).limit(limit)).all()


def fill_key(fill: FillRow) -> FillKey:
    """Where a fill stands."""
    return FillKey(fill.executed_at, fill.account_id, fill.symbol, fill.trade_id)


def command(unit: UnitOfWork, number: int, owner: int) -> Command:
    """A command of an owner, or `NoSuchRow`."""
    found = unit.session.get(Command, number)
    if found is None or found.owner_id != owner:
        raise NoSuchRow(say("no_command", "you have no command {number}.", number=number))
    return found


def audit(unit: UnitOfWork, owner: int | None, before: int | None, limit: int) -> Sequence[AuditRecord]:
    """What was done, newest first: everything, or what concerns one owner."""
    row = AuditRecord
    chosen = select(row)
    if owner is not None:
        chosen = chosen.where(col(row.owner_id) == owner)
    if before is not None:
        chosen = chosen.where(col(row.sequence) < before)
    return unit.session.exec(chosen.order_by(col(row.sequence).desc()).limit(limit)).all()


def _earlier(key: FillKey) -> ColumnElement[bool]:
    row = FillRow
    columns = (col(row.executed_at), col(row.account_id), col(row.symbol), col(row.trade_id))
    earlier: list[ColumnElement[bool]] = []
    for place, (column, value) in enumerate(zip(columns, key, strict=True)):
        same = [one == other for one, other in zip(columns[:place], key[:place], strict=True)]
        earlier.append(and_(*same, column < value))
    return or_(*earlier)


def instances_numbered(unit: UnitOfWork, owner: int, numbers: Iterable[int]) -> dict[int, StrategyInstance]:
    """Instances of an owner by number, removed ones too: what they did is still shown."""
    row = StrategyInstance
    chosen = select(row).where(col(row.owner_id) == owner, col(row.id).in_(list(numbers)))
    return {one.id: one for one in unit.session.exec(chosen) if one.id is not None}


class Alive(NamedTuple):
    """An instance that should run or rest, and the money it is counted in."""

    number: int
    #: Empty until a worker has told it.
    quote_asset: str
    paper: bool


def wished_alive(unit: UnitOfWork, owner: int) -> list[Alive]:
    """The owner's instances that should run or rest, by number."""
    row = StrategyInstance
    chosen = select(row.id, row.quote_asset, row.paper).where(
        col(row.owner_id) == owner, col(row.desired_state).in_(("running", "paused")), col(row.removed_at).is_(None)
    )
    found = unit.session.exec(chosen.order_by(col(row.id)))
    return [Alive(number, quote or "", paper) for number, quote, paper in found if number is not None]
