"""People: who may do what, who is shut out, and whose address is confirmed anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import col, select

from db.models import User
from db.queries import audit
from db.queries.instances import NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

ADMIN: Final = "admin"


class LastAdministrator(Refused):
    """Nobody could manage people any more; make somebody else an administrator first."""


class PersonEdit(NamedTuple):
    """What changes about a person; None leaves it as it is."""

    role: str | None = None
    disabled: bool | None = None
    #: Take whatever address the sign-in proxy tells next as theirs.
    forget_email: bool = False


def page(unit: UnitOfWork, after: int, limit: int) -> Sequence[User]:
    """People by number, those behind a number."""
    return unit.session.exec(select(User).where(col(User.id) > after).order_by(col(User.id)).limit(limit)).all()


def get(unit: UnitOfWork, number: int) -> User:
    """A person, or `NoSuchRow`."""
    if (found := unit.session.get(User, number)) is None:
        raise NoSuchRow(say("no_person", "there is no person {number}.", number=number))
    return found


def change(unit: UnitOfWork, number: int, edit: PersonEdit, actor: str, now: datetime) -> User:
    """Change what somebody may do, and record who did it. `LastAdministrator` when nobody could undo it.

    Every administrator's row is locked meanwhile, so that no two of them disable each other.
    """
    admins = unit.session.exec(
        select(User)
        .where(col(User.role) == ADMIN, col(User.disabled).is_(False))
        .order_by(col(User.id))
        .with_for_update()
    ).all()
    found = get(unit, number)
    before = (found.role, found.disabled, found.email)
    found.role = found.role if edit.role is None else edit.role
    found.disabled = found.disabled if edit.disabled is None else edit.disabled
    found.email = None if edit.forget_email else found.email
    if admins and not any(one.role == ADMIN and not one.disabled for one in (*admins, found)):
        raise LastAdministrator
    if (found.role, found.disabled, found.email) != before:
        told = {"login": found.login, "role": found.role, "disabled": found.disabled, "email_kept": bool(found.email)}
        audit.record(unit, audit.Deed(actor, "change_person", told, found.id), now)
    return found
