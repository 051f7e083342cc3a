"""`ares migrate`, and the way back to an older build, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from cli.app import program
from core import editions as builds
from core.clock import system_clock, utc_from_ms
from db import migrate
from db.database import open_database
from db.queries import editions
from db.unit_of_work import UnitOfWork, committed, reading
from domain.errors import Refused

ARES = program()

pytestmark = pytest.mark.services


@pytest.fixture
def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An empty database, and a terminal that is configured for it."""
    monkeypatch.setenv("ARES_DATABASE__URL", database_url)
    opened = open_database(database_url)
    yield opened
    opened.dispose()


def law_of(engine: Engine) -> int:
    with reading(engine) as unit:
        return editions.recorded(unit).law


def a_newer_build_trades(engine: Engine) -> None:
    with committed(engine) as unit:
        editions.note_law(unit, builds.LAW + 3, utc_from_ms(system_clock().machine.now_ms()))


def say(*words: str) -> str:
    done = CliRunner().invoke(ARES, ["migrate", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_an_older_build_takes_up_what_a_newer_one_has_run_only_once_a_person_says_so(engine: Engine) -> None:
    assert "was none" in say()
    a_newer_build_trades(engine)
    assert "The schema is" in say()
    assert law_of(engine) == builds.LAW + 3
    say("--back")
    assert law_of(engine) == builds.LAW
    say("--back")
    assert law_of(engine) == builds.LAW
    a_newer_build_trades(engine)
    assert law_of(engine) == builds.LAW + 3
    with UnitOfWork(engine) as unit:
        unit.connection.execute(text("UPDATE platform_settings SET value = 'seven' WHERE name = 'law'"))
        unit.commit()
    with pytest.raises(editions.BadLaw, match="--back"):
        law_of(engine)
    say("--back")
    assert law_of(engine) == builds.LAW


def test_a_schema_of_a_newer_build_is_left_as_it_is_and_named(engine: Engine) -> None:
    say()
    a_newer_build_trades(engine)
    with UnitOfWork(engine) as unit:
        unit.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        unit.commit()
    for words in ([], ["--back"]):
        with pytest.raises(Refused, match="9999, of a newer build"):
            CliRunner().invoke(ARES, ["migrate", *words], catch_exceptions=False)
    assert migrate.current_revision(engine) == "9999"
    with UnitOfWork(engine) as unit:
        assert editions.recorded(unit).law == builds.LAW + 3
