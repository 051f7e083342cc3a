"""What can be said of a database by its address, before anything relies on it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from db.database import opened
from db.migrate import current_revision, head_revision
from domain.errors import Transient


class DatabaseDown(Transient):
    """The database cannot be reached; start it, or correct its address."""


class Health(NamedTuple):
    """How a database stands."""

    #: Its address without the password.
    address: str
    #: False for an embedded database that nobody has made yet.
    exists: bool
    #: Its schema, and the one this program needs.
    found: str
    wanted: str


def shown(url: str) -> str:
    """An address of any kind of server, without its password."""
    return make_url(url).render_as_string(hide_password=True)


def look(url: str) -> Health:
    """Whether the database is there, and at which schema; `DatabaseDown` says what its driver says."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        return Health(shown(url), False, "", head_revision())
    try:
        with opened(url) as engine:
            return Health(shown(url), True, current_revision(engine), head_revision())
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise DatabaseDown(f"{shown(url)}: {reason}") from error
