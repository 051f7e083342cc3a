"""What worker nodes ask: which instances want somebody to run them, as what, and what waits for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from sys import intern
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Executable, exists, insert, or_
from sqlalchemy import select as choose
from sqlmodel import col, select

from db.models import Account, Command, EquityPoint, OrderRow, StrategyInstance
from db.queries.instances import PAUSED, RUNNING
from db.unit_of_work import UnitOfWork

#: Most values in one `IN (...)`.
MANY = 500


class Want(NamedTuple):
    """An instance as placement sees it; the changing numbers tell when it must be looked at again."""

    instance: int
    account: int
    owner: int
    desired: str
    revision: int
    generation: int
    #: The newest fencing epoch, and the worker that raised it; 0 when nobody ever ran it.
    epoch: int
    epoch_owner: str


class Waiting(NamedTuple):
    """A command without an outcome."""

    id: int
    instance: int
    owner: int
    kind: str
    sequence: int
    expires_at: datetime


_WANT = (
    col(StrategyInstance.id), col(StrategyInstance.account_id), col(StrategyInstance.owner_id),
    col(StrategyInstance.desired_state), col(StrategyInstance.revision), col(StrategyInstance.generation),
    col(StrategyInstance.epoch), col(StrategyInstance.owner),
)  # fmt: skip


def everything_wanted(unit: UnitOfWork) -> list[Want]:
    """Every instance that somebody has to run: wished to trade, asked for something, or with orders still working."""
    return _wants(unit, choose(*_WANT).where(_is_wanted()))


def wanted_after(unit: UnitOfWork, instance: int, most: int) -> list[Want]:
    """Of everything that is wanted the next by number, at most so many; fewer are the last."""
    number = col(StrategyInstance.id)
    return _wants(unit, choose(*_WANT).where(number > instance, _is_wanted()).order_by(number).limit(most))


def _is_wanted() -> ColumnElement[bool]:
    asked = exists().where(
        col(Command.strategy_instance_id) == col(StrategyInstance.id), col(Command.outcome).is_(None)
    )
    working = exists().where(
        col(OrderRow.strategy_instance_id) == col(StrategyInstance.id), col(OrderRow.complete).is_(False)
    )
    alive = col(StrategyInstance.desired_state).in_((RUNNING, PAUSED))
    return or_(alive, asked, working)


def changed_since(unit: UnitOfWork, moment: datetime) -> list[Want]:
    """Instances whose row was changed since a moment, whatever is wished of them."""
    return _wants(unit, choose(*_WANT).where(col(StrategyInstance.updated_at) >= moment))


def some(unit: UnitOfWork, instances: Sequence[int]) -> list[Want]:
    """These instances, whatever is wished of them."""
    found: list[Want] = []
    for start in range(0, len(instances), MANY):
        chosen = choose(*_WANT).where(col(StrategyInstance.id).in_(instances[start : start + MANY]))
        found += _wants(unit, chosen)
    return found


def epochs(unit: UnitOfWork, instances: Sequence[int]) -> dict[int, int]:
    """Instance -> its newest fencing epoch."""
    found: dict[int, int] = {}
    for start in range(0, len(instances), MANY):
        chosen = select(StrategyInstance.id, StrategyInstance.epoch).where(
            col(StrategyInstance.id).in_(instances[start : start + MANY])
        )
        found.update({number: epoch for number, epoch in unit.session.exec(chosen) if number is not None})
    return found


def rows(unit: UnitOfWork, instances: Sequence[int]) -> list[StrategyInstance]:
    """Whole rows, by number."""
    found: list[StrategyInstance] = []
    for start in range(0, len(instances), MANY):
        chosen = select(StrategyInstance).where(col(StrategyInstance.id).in_(instances[start : start + MANY]))
        found += unit.session.exec(chosen.order_by(col(StrategyInstance.id))).all()
    return found


def accounts(unit: UnitOfWork, numbers: Sequence[int]) -> list[Account]:
    """Accounts of any owner, by number: for whoever trades on them."""
    found: list[Account] = []
    for start in range(0, len(numbers), MANY):
        found += unit.session.exec(select(Account).where(col(Account.id).in_(numbers[start : start + MANY]))).all()
    return found


def waiting(unit: UnitOfWork) -> list[Waiting]:
    """Every command without an outcome, in the order in which those of an instance are carried out."""
    chosen = choose(
        col(Command.id), col(Command.strategy_instance_id), col(Command.owner_id), col(Command.kind),
        col(Command.sequence), col(Command.expires_at),
    ).where(col(Command.outcome).is_(None))  # fmt: skip
    ordered = chosen.order_by(col(Command.strategy_instance_id), col(Command.sequence))
    return [Waiting(*cast("tuple[Any, ...]", row)) for row in unit.connection.execute(ordered)]


def _wants(unit: UnitOfWork, chosen: Executable) -> list[Want]:
    return [
        # Thousands are kept: words that all of them share are kept once.
        Want(number, account, owner, intern(desired), revision, generation, epoch, intern(epoch_owner))
        for number, account, owner, desired, revision, generation, epoch, epoch_owner in unit.connection.execute(chosen)
    ]


class Worth(NamedTuple):
    """What an instance is worth at a moment: a row of `EquityPoint`, which thousands are made of at once."""

    strategy_instance_id: int
    at: datetime
    owner_id: int
    equity: int
    realised: int
    unrealised: int
    fees: int


def add_equity(unit: UnitOfWork, points: Sequence[Worth]) -> None:
    """Keep a point of many instances at once."""
    unit.connection.execute(insert(EquityPoint), [point._asdict() for point in points])
