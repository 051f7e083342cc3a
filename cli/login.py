"""Signing in on this machine: whoever may read its database may sign in as its user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from core.clock import system_clock, utc_from_ms
from core.config import Config
from db.bootstrap import LOCAL_USER
from db.database import opened
from db.migrate import require_current_schema
from db.queries import accounts, sessions
from db.unit_of_work import UnitOfWork, committed
from domain.errors import Refused

LINK_MINUTES: Final = 10
SESSION_HOURS: Final = 12


class NoSuchUser(Refused):
    """There is no user of this name; `ares up` makes the local one."""


def link(config: Config, page: str, login: str = LOCAL_USER) -> str:
    """An address that signs the user in once."""
    with _database(config) as (unit, now):
        token = sessions.make_link(unit, _user(unit, login), now, timedelta(minutes=LINK_MINUTES))
    return f"{page}/login?token={token}"


def session(config: Config, login: str = LOCAL_USER) -> str:
    """A session's token, as a browser would get it."""
    with _database(config) as (unit, now):
        return sessions.begin(unit, _user(unit, login), now, timedelta(hours=SESSION_HOURS))


@contextmanager
def _database(config: Config) -> Iterator[tuple[UnitOfWork, datetime]]:
    with opened(config.database.url.get_secret_value()) as engine:
        require_current_schema(engine)
        with committed(engine) as unit:
            yield unit, utc_from_ms(system_clock().machine.now_ms())


def _user(unit: UnitOfWork, login: str) -> int:
    found = accounts.user_named(unit, login)
    if found is None or found.id is None:
        raise NoSuchUser(f"there is no user {login!r}; `ares up` makes the local one.")
    return found.id
