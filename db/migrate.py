"""Bringing a database to the schema that this program was written for, from one place and one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from db.models import METADATA
from db.unit_of_work import UnitOfWork
from domain.errors import Refused, Transient

FOLDER = Path(__file__).resolve().parent / "migrations"
LOCK = "ares_migration"
LOCK_SECONDS = 60


class SchemaDiffers(Refused):
    """The database has another schema than this program; run `upgrade`, or start the version that belongs to it."""


class SchemaIsNewer(Refused):
    """The database belongs to a newer build than this program; start that one, or restore a backup of before."""


class MigrationRuns(Transient):
    """Another process is changing the schema; try again when it has finished."""


def head_revision() -> str:
    """The revision this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or ""


def current_revision(engine: Engine) -> str:
    """The revision of the database; empty when it has none."""
    with UnitOfWork(engine) as unit:
        return MigrationContext.configure(unit.connection).get_current_revision() or ""


def schema_is_current(engine: Engine) -> bool:
    """Whether the database has exactly the schema of this program; otherwise it must not trade."""
    return current_revision(engine) == head_revision()


def require_current_schema(engine: Engine) -> None:
    """`SchemaDiffers`, with both revisions, unless the schema is this program's."""
    found, wanted = current_revision(engine), head_revision()
    if found != wanted:
        raise SchemaDiffers(f"the database is at {found or 'no revision'} and this program needs {wanted}.")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Go forward to a revision. Several processes may ask at once: one does it, the others find it done.

    `SchemaIsNewer` when the database is at a revision that this program does not know.
    """
    with UnitOfWork(engine) as unit, _alone(unit.connection):
        _require_known(unit.connection)
        command.upgrade(_config(unit.connection), revision)
        unit.commit()


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to a revision; "base" is an empty database."""
    with UnitOfWork(engine) as unit, _alone(unit.connection):
        command.downgrade(_config(unit.connection), revision)
        unit.commit()


def drift(engine: Engine) -> list[Any]:
    """What differs between the tables in the database and those the program declares; empty when all is well."""
    with UnitOfWork(engine) as unit:
        context = MigrationContext.configure(unit.connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))


def _require_known(connection: Connection) -> None:
    found = MigrationContext.configure(connection).get_current_revision() or ""
    known = {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found and found not in known:
        raise SchemaIsNewer(
            f"the database is at {found}, of a newer build; this one ends at {head_revision()}. Start that one, or"
            " restore a backup of before into an empty database."
        )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the migration lock. On SQLite the transaction itself is one: it began with BEGIN IMMEDIATE."""
    if connection.dialect.name == "sqlite":
        yield
        return
    name = {"name": LOCK}
    if connection.execute(text(f"SELECT GET_LOCK(:name, {LOCK_SECONDS})"), name).scalar_one() != 1:
        raise MigrationRuns
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), name)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
