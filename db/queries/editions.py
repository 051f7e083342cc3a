"""What the database says of builds: its schema, and the newest law that has traded by it."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from db.models import PlatformSetting
from db.unit_of_work import UnitOfWork
from domain.errors import Broken

LAW: Final = "law"


class BadLaw(Broken):
    """The setting that keeps the newest law is not a number; run `ares migrate --back` on the right build."""


class Recorded(NamedTuple):
    """What a build has to be to take strategies up."""

    schema: str
    #: 0 when nothing ever traded.
    law: int


def recorded(unit: UnitOfWork) -> Recorded:
    """As the database stands: two small reads, meant to be asked every second; either may change under a program."""
    revision = unit.connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return Recorded(str(revision or ""), _law(unit.session.get(PlatformSetting, LAW)))


def note_law(unit: UnitOfWork, law: int, now: datetime) -> None:
    """A build of this law begins to trade: older ones take nothing up from here on."""
    row = unit.session.get(PlatformSetting, LAW, with_for_update=True)
    if row is None or _law(row) < law:
        _write(unit, row, law, now)


def go_back(unit: UnitOfWork, law: int, now: datetime) -> None:
    """A person has decided for an older build: its law counts as the newest again."""
    _write(unit, unit.session.get(PlatformSetting, LAW, with_for_update=True), law, now)


def _write(unit: UnitOfWork, row: PlatformSetting | None, law: int, now: datetime) -> None:
    row = row or PlatformSetting(name=LAW, value="0", updated_at=now)
    row.value, row.updated_at = str(law), now
    unit.session.add(row)
    unit.session.flush()


def _law(row: PlatformSetting | None) -> int:
    try:
        return int(row.value) if row is not None else 0
    except ValueError as error:
        raise BadLaw from error
