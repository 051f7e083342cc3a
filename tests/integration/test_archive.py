"""A backup of one database fills another, of another kind, and everything in it is the same."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlmodel import col
from sqlmodel import select as choose

from db import archive, migrate
from db.archive import BadBackup, NotEmpty
from db.bootstrap import bootstrap
from db.database import open_database
from db.models import METADATA, Account, StrategyInstance
from db.queries import accounts, fleet
from db.unit_of_work import UnitOfWork
from tests.services import Service, create_schema

NOW = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


def content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with UnitOfWork(engine) as unit:
        return {
            table.name: [tuple(row) for row in unit.connection.execute(select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
        }


def filled(url: str) -> Engine:
    engine = open_database(url)
    migrate.upgrade(engine)
    with UnitOfWork(engine) as unit:
        instance = bootstrap(unit, NOW)
        assert instance is not None
        account = unit.session.get_one(Account, instance.account_id)
        secret = accounts.Ciphertext(b"\x00\xff key", b"\x01 secret", None, "key-1")
        accounts.set_credentials(unit, instance.account_id, account.owner_id, secret, NOW)
        unit.commit()
    return engine


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Engine]:
    engine = filled(f"sqlite:///{tmp_path / 'source.sqlite3'}")
    yield engine
    engine.dispose()


def empty(url: str) -> Engine:
    return open_database(url)


def test_a_backup_restores_into_another_sqlite_database(source: Engine, tmp_path: Path) -> None:
    summary = archive.save(source, tmp_path / "backup.zip", NOW)
    assert (summary.rows["users"], summary.rows["strategy_instances"]) == (1, 1)
    target = empty(f"sqlite:///{tmp_path / 'target.sqlite3'}")
    assert archive.restore(target, tmp_path / "backup.zip") == summary
    assert content(target) == content(source)
    target.dispose()


@pytest.mark.services
def test_a_backup_of_sqlite_restores_into_mariadb_and_back(
    source: Engine, tmp_path: Path, mariadb_service: Service
) -> None:
    archive.save(source, tmp_path / "backup.zip", NOW)
    server = empty(create_schema(mariadb_service, "restored"))
    archive.restore(server, tmp_path / "backup.zip")
    assert content(server) == content(source)
    archive.save(server, tmp_path / "again.zip", NOW)
    back = empty(f"sqlite:///{tmp_path / 'back.sqlite3'}")
    archive.restore(back, tmp_path / "again.zip")
    assert content(back) == content(source)
    server.dispose()
    back.dispose()


def test_a_database_with_rows_is_left_as_it_is(source: Engine, tmp_path: Path) -> None:
    archive.save(source, tmp_path / "backup.zip", NOW)
    other = filled(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    before = content(other)
    with pytest.raises(NotEmpty, match="holds rows already"):
        archive.restore(other, tmp_path / "backup.zip")
    assert content(other) == before
    other.dispose()


def test_a_changed_line_is_found_before_anything_is_restored(source: Engine, tmp_path: Path) -> None:
    archive.save(source, tmp_path / "backup.zip", NOW)
    with zipfile.ZipFile(tmp_path / "backup.zip") as whole, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for name in whole.namelist():
            bad.writestr(name, whole.read(name).replace(b'"local"', b'"other"'))
    with pytest.raises(BadBackup, match="the table users is damaged"):
        archive.restore(empty(f"sqlite:///{tmp_path / 'target.sqlite3'}"), tmp_path / "bad.zip")


@pytest.mark.parametrize("bytes_of_it", [b"", b"not a zip", None])
def test_what_is_not_a_backup_is_refused_by_name(tmp_path: Path, bytes_of_it: bytes | None) -> None:
    path = tmp_path / "backup.zip"
    if bytes_of_it is not None:
        path.write_bytes(bytes_of_it)
    with pytest.raises(BadBackup, match=r"backup\.zip"):
        archive.look(path)


def test_a_backup_is_readable_by_its_owner_alone(source: Engine, tmp_path: Path) -> None:
    archive.save(source, tmp_path / "backup.zip", NOW)
    assert (tmp_path / "backup.zip").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("where", ["sqlite", pytest.param("mariadb", marks=pytest.mark.services)])
def test_numbers_and_names_given_after_the_backup_are_not_given_again(
    source: Engine, tmp_path: Path, where: str, request: pytest.FixtureRequest
) -> None:
    archive.save(source, tmp_path / "backup.zip", NOW)
    url = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    if where == "mariadb":
        url = create_schema(request.getfixturevalue("mariadb_service"), "room")
    target = empty(url)
    archive.restore(target, tmp_path / "backup.zip")
    before = {table: rows for table, rows in content(target).items() if table != "strategy_instances"}
    archive.leave_room(target, NOW)
    assert {table: rows for table, rows in content(target).items() if table != "strategy_instances"} == before
    with UnitOfWork(target) as unit:
        (first,) = unit.session.exec(choose(StrategyInstance).where(col(StrategyInstance.removed_at).is_(None))).all()
        assert (first.id, first.generation) == (1, 1), "it had not begun"
        assert [one for one in fleet.everything_wanted(unit) if one.instance != 1] == []
        made = StrategyInstance(**first.model_dump(exclude={"id", "name"}), name="a new one")
        unit.session.add(made)
        unit.commit()
        assert made.id is not None
        assert made.id > archive.ROOM
    target.dispose()
