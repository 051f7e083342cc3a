"""What worker nodes ask and keep of copying: masters' positions, relationships, what followers hold and are to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, or_, update
from sqlalchemy import select as choose
from sqlmodel import col, select

from db.models import (
    Account,
    FollowerAccount,
    FollowRelationship,
    FollowResult,
    FollowTarget,
    Master,
    MasterPosition,
    MasterSignal,
    StrategyInstance,
    TrackingError,
    TradeLog,
    VirtualPosition,
)
from db.queries import instances
from db.queries.fleet import MANY
from db.unit_of_work import UnitOfWork
from db.upsert import add, change, held, put
from domain.errors import Refused

#: The kind of instance that trades for relationships.
COPY = instances.COPY
#: Relationships that a worker has nothing left to do for.
_OVER = "stopped"


class NotWatchable(Refused):
    """A paper account has no venue of its own to watch; follow a strategy on it instead."""


class Overtaken(NamedTuple):
    """Accounts of which nothing was kept: another worker has them, or one of their relationships was edited."""

    accounts: frozenset[int]


class Kept(NamedTuple):
    """What one account has to keep. Rows are complete, those of log changes excepted."""

    account: int
    epoch: int
    #: Relationship -> the revision that was decided by: nothing is kept that contradicts what a person has wished.
    revisions: dict[int, int]
    positions: list[dict[str, Any]]
    targets: list[dict[str, Any]]
    logs: list[dict[str, Any]]
    log_changes: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    #: What relationships have come to, all symbols together.
    results: Sequence[dict[str, Any]] = ()


def relationships(unit: UnitOfWork, since: datetime | None = None) -> list[FollowRelationship]:
    """Relationships that were changed since a moment, or all that a worker may have something to do for."""
    chosen = select(FollowRelationship)
    if since is not None:
        return list(unit.session.exec(chosen.where(col(FollowRelationship.updated_at) >= since)).all())
    alive = or_(col(FollowRelationship.desired_state) != _OVER, col(FollowRelationship.state) != _OVER)
    return list(unit.session.exec(chosen.where(alive, col(FollowRelationship.removed_at).is_(None))).all())


def of_accounts(unit: UnitOfWork, accounts: Sequence[int]) -> list[FollowRelationship]:
    """Every relationship of these accounts that was not removed."""
    found: list[FollowRelationship] = []
    for start in range(0, len(accounts), MANY):
        mine = col(FollowRelationship.account_id).in_(accounts[start : start + MANY])
        chosen = select(FollowRelationship).where(mine, col(FollowRelationship.removed_at).is_(None))
        found += unit.session.exec(chosen).all()
    return found


def masters(unit: UnitOfWork, numbers: Sequence[int]) -> list[Master]:
    """These masters."""
    found: list[Master] = []
    for start in range(0, len(numbers), MANY):
        found += unit.session.exec(select(Master).where(col(Master.id).in_(numbers[start : start + MANY]))).all()
    return found


def watched(unit: UnitOfWork) -> list[Master]:
    """Masters that somebody has to watch: accounts and strategies that have not ended."""
    chosen = select(Master).where(
        col(Master.kind).in_(("account", "strategy")), col(Master.state) != "ended", col(Master.removed_at).is_(None)
    )
    return list(unit.session.exec(chosen).all())


def positions(unit: UnitOfWork, numbers: Sequence[int]) -> list[MasterPosition]:
    """What these masters hold now."""
    found: list[MasterPosition] = []
    for start in range(0, len(numbers), MANY):
        mine = col(MasterPosition.master_id).in_(numbers[start : start + MANY])
        found += unit.session.exec(select(MasterPosition).where(mine)).all()
    return found


def published_since(unit: UnitOfWork, moment: datetime) -> list[MasterPosition]:
    """Positions that were published since a moment, of any master."""
    return list(unit.session.exec(select(MasterPosition).where(col(MasterPosition.published_at) >= moment)).all())


def baseline(unit: UnitOfWork, master: int, version: int) -> list[MasterSignal]:
    """What a master held of each symbol at a version: the newest signal of each that is not newer."""
    chosen = select(MasterSignal).where(col(MasterSignal.master_id) == master, col(MasterSignal.version) <= version)
    newest: dict[str, MasterSignal] = {}
    for signal in unit.session.exec(chosen.order_by(col(MasterSignal.version))):
        newest[signal.symbol] = signal
    return list(newest.values())


def raise_epochs(unit: UnitOfWork, accounts: Sequence[int], owner: str, now: datetime) -> dict[int, FollowerAccount]:
    """Become the owner of follower accounts: account -> its row with the new epoch. Others are fenced from here on."""
    found: dict[int, FollowerAccount] = {}
    for start in range(0, len(accounts), MANY):
        mine = col(FollowerAccount.account_id).in_(accounts[start : start + MANY])
        for row in unit.session.exec(select(FollowerAccount).where(mine).with_for_update()):
            row.epoch, row.runner, row.updated_at = row.epoch + 1, owner, now
            found[row.account_id] = row
    unit.session.flush()
    return found


def followers(unit: UnitOfWork, accounts: Sequence[int]) -> list[FollowerAccount]:
    """What these accounts may hold."""
    found: list[FollowerAccount] = []
    for start in range(0, len(accounts), MANY):
        mine = col(FollowerAccount.account_id).in_(accounts[start : start + MANY])
        found += unit.session.exec(select(FollowerAccount).where(mine)).all()
    return found


def instance_for(
    unit: UnitOfWork, account: int, symbol: str, parameters: str, limits: str, now: datetime
) -> StrategyInstance:
    """The instance that trades a symbol for an account's relationships; made when there is none."""
    owner = unit.session.get(Account, account, with_for_update=True)
    mine = (
        col(StrategyInstance.account_id) == account, col(StrategyInstance.symbol) == symbol,
        col(StrategyInstance.strategy_type) == COPY, col(StrategyInstance.removed_at).is_(None),
    )  # fmt: skip
    found = unit.session.exec(select(StrategyInstance).where(*mine)).first()
    if found is not None or owner is None:
        assert found is not None  # noqa: S101 - an account with relationships has a row
        return found
    made = StrategyInstance(
        owner_id=owner.owner_id, account_id=account, name=f"copy {symbol} on account {account}", strategy_type=COPY,
        symbol=symbol, kline_interval="1m", parameters=parameters, limits=limits, desired_state="running",
        paper=owner.paper, created_at=now, updated_at=now,
    )  # fmt: skip
    unit.session.add(made)
    unit.session.flush()
    return made


def holdings(unit: UnitOfWork, accounts: Sequence[int]) -> tuple[list[VirtualPosition], list[FollowTarget]]:
    """What the relationships of these accounts hold, and what the accounts are to hold."""
    held: list[VirtualPosition] = []
    targets: list[FollowTarget] = []
    for start in range(0, len(accounts), MANY):
        some = accounts[start : start + MANY]
        held += unit.session.exec(select(VirtualPosition).where(col(VirtualPosition.account_id).in_(some))).all()
        targets += unit.session.exec(select(FollowTarget).where(col(FollowTarget.account_id).in_(some))).all()
    return held, targets


def sequences(unit: UnitOfWork, accounts: Sequence[int]) -> dict[tuple[int, str], int]:
    """The last step of each tracking-error ledger of these accounts, by relationship and symbol."""
    found: dict[tuple[int, str], int] = {}
    row = TrackingError
    for start in range(0, len(accounts), MANY):
        mine = col(FollowRelationship.account_id).in_(accounts[start : start + MANY])
        chosen = (
            choose(col(row.relationship_id), col(row.symbol), func.max(col(row.sequence)))
            .join(FollowRelationship, col(FollowRelationship.id) == col(row.relationship_id))
            .where(mine)
            .group_by(col(row.relationship_id), col(row.symbol))
        )
        found.update({(number, symbol): last for number, symbol, last in unit.connection.execute(chosen)})
    return found


def pending_logs(unit: UnitOfWork, accounts: Sequence[int]) -> list[TradeLog]:
    """Signals of these accounts whose orders have not come to an end."""
    found: list[TradeLog] = []
    for start in range(0, len(accounts), MANY):
        mine = col(TradeLog.account_id).in_(accounts[start : start + MANY])
        found += unit.session.exec(select(TradeLog).where(mine, col(TradeLog.status) == "pending")).all()
    return found


#: One signal of a relationship, as changes of its record name it.
_SIGNAL = ("relationship_id", "master_version")


def keep(unit: UnitOfWork, kept: Sequence[Kept]) -> Overtaken:
    """Keep what many accounts have decided and traded, in one transaction; accounts that were taken over are left."""
    epochs = held(unit, FollowerAccount, "account_id", "epoch", [one.account for one in kept])
    # Locked, so that an edit comes before what is kept here, or after it.
    numbers = sorted(number for one in kept for number in one.revisions)
    newest = held(unit, FollowRelationship, "id", "revision", numbers)
    mine = [
        one for one in kept
        if epochs.get(one.account) == one.epoch and all(newest.get(n) == seen for n, seen in one.revisions.items())
    ]  # fmt: skip
    put(unit, VirtualPosition, [row for one in mine for row in one.positions])
    put(unit, FollowTarget, [row for one in mine for row in one.targets])
    add(unit, TradeLog, [row for one in mine for row in one.logs])
    change(unit, TradeLog, _SIGNAL, (row for one in mine for row in one.log_changes))
    add(unit, TrackingError, [row for one in mine for row in one.errors])
    put(unit, FollowResult, [row for one in mine for row in one.results])
    return Overtaken(frozenset(one.account for one in kept) - {one.account for one in mine})


def report(unit: UnitOfWork, relationship: int, revision: int, changes: Mapping[str, Any]) -> None:
    """What a worker says of a relationship, unless it was edited since that revision."""
    mine = (col(FollowRelationship.id) == relationship, col(FollowRelationship.revision) == revision)
    unit.connection.execute(update(FollowRelationship).where(*mine).values(**changes))


def report_account(unit: UnitOfWork, account: int, changes: Mapping[str, Any]) -> None:
    """What a worker says of a follower account."""
    unit.connection.execute(
        update(FollowerAccount).where(col(FollowerAccount.account_id) == account).values(**changes)
    )  # fmt: skip


def report_master(unit: UnitOfWork, master: int, changes: Mapping[str, Any]) -> None:
    """What a worker says of a master that it watches."""
    unit.connection.execute(update(Master).where(col(Master.id) == master).values(**changes))
