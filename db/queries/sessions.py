"""Login links and signed-in browsers. Tokens are handed out once and kept as hashes only."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import col, select

from db.models import LoginLink, LoginSession, User
from db.unit_of_work import UnitOfWork
from domain.errors import Refused

_TOKEN_BYTES = 32


class LinkSpent(Refused):
    """This login link is unknown, used, or too old; make a new one with `ares login`."""


def make_link(unit: UnitOfWork, owner: int, now: datetime, lifetime: timedelta) -> str:
    """A token that signs its user in once."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    unit.session.add(LoginLink(token_hash=hash_of(token), owner_id=owner, expires_at=now + lifetime))
    unit.connection.execute(delete(LoginLink).where(col(LoginLink.expires_at) < now))
    unit.session.flush()
    return token


def spend_link(unit: UnitOfWork, token: str, now: datetime) -> int:
    """The owner of a link, which is spent by asking; `LinkSpent` for the second who asks."""
    hashed = hash_of(token)
    fresh = col(LoginLink.used_at).is_(None), col(LoginLink.expires_at) >= now
    spent = update(LoginLink).where(col(LoginLink.token_hash) == hashed, *fresh).values(used_at=now)
    if unit.connection.execute(spent).rowcount != 1:
        raise LinkSpent
    return unit.session.exec(select(LoginLink.owner_id).where(col(LoginLink.token_hash) == hashed)).one()


def begin(unit: UnitOfWork, owner: int, now: datetime, lifetime: timedelta) -> str:
    """Sign a user in; gives the token for the browser's cookie. Sessions that have ended are swept out."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session = LoginSession(token_hash=hash_of(token), owner_id=owner, created_at=now, expires_at=now + lifetime)
    unit.connection.execute(delete(LoginSession).where(col(LoginSession.expires_at) < now))
    unit.session.add(session)
    unit.session.flush()
    return token


def user_of(unit: UnitOfWork, token: str, now: datetime) -> User | None:
    """Who is signed in with this token; nobody when it has ended or its user is disabled."""
    chosen = (
        select(User)
        .join(LoginSession, col(LoginSession.owner_id) == col(User.id))
        .where(col(LoginSession.token_hash) == hash_of(token), col(LoginSession.expires_at) >= now)
    )
    found = unit.session.exec(chosen).first()
    return None if found is None or found.disabled else found


def end(unit: UnitOfWork, token: str) -> None:
    """Sign a browser out."""
    unit.connection.execute(delete(LoginSession).where(col(LoginSession.token_hash) == hash_of(token)))


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
