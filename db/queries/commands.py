"""Commands: kept before they are answered, carried out in order, each with exactly one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, update
from sqlmodel import col, select

from db.models import Command
from db.queries import instances
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

DONE: Final = "done"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
SUPERSEDED: Final = "superseded"
OUTCOMES: Final = (DONE, REJECTED, EXPIRED, SUPERSEDED)


class OtherCommand(Refused):
    """This request key was used for another command; take a new key."""


def give(unit: UnitOfWork, command: Command) -> Command:
    """Keep a command as the next one of its instance. The same request key again gives the command of then."""
    # The instance's row is locked, so two commands cannot take one number.
    instances.hold(unit, command.strategy_instance_id, command.owner_id)
    known = select(Command).where(
        col(Command.owner_id) == command.owner_id, col(Command.request_key) == command.request_key
    )
    if before := unit.session.exec(known).first():
        same = ("strategy_instance_id", "kind", "payload")
        if any(getattr(before, name) != getattr(command, name) for name in same):
            raise OtherCommand
        return before
    of_instance = col(Command.strategy_instance_id) == command.strategy_instance_id
    last = unit.session.exec(select(func.max(Command.sequence)).where(of_instance)).one()
    command.sequence = (last or 0) + 1
    unit.session.add(command)
    unit.session.flush()
    return command


def waiting(unit: UnitOfWork, instance: int) -> Sequence[Command]:
    """Commands without an outcome, in order, expired ones included: they too want an outcome."""
    chosen = select(Command).where(col(Command.strategy_instance_id) == instance, col(Command.outcome).is_(None))
    return unit.session.exec(chosen.order_by(col(Command.sequence))).all()


def finish(unit: UnitOfWork, command: int, outcome: str, detail: str, now: datetime) -> bool:
    """Give a command its outcome; False when it has one already, which stays."""
    if outcome not in OUTCOMES:
        raise Refused(
            say(
                "outcome_not_one_of",
                "{outcome!r} is not one of {choices}.",
                outcome=outcome,
                choices=", ".join(OUTCOMES),
            )
        )
    values = {"outcome": outcome, "detail": detail, "finished_at": now}
    change = update(Command).where(col(Command.id) == command, col(Command.outcome).is_(None)).values(**values)
    return unit.connection.execute(change).rowcount == 1
