from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect, text

from db import migrate
from db.database import open_database
from db.models import METADATA
from db.unit_of_work import UnitOfWork

pytestmark = pytest.mark.services


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url)
    yield opened
    opened.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_an_empty_database_is_not_current_and_a_migrated_one_is(engine: Engine) -> None:
    assert not migrate.schema_is_current(engine)
    with pytest.raises(migrate.SchemaDiffers, match="no revision"):
        migrate.require_current_schema(engine)
    migrate.upgrade(engine)
    assert migrate.schema_is_current(engine)
    migrate.require_current_schema(engine)


def test_the_migrated_schema_is_the_declared_one(engine: Engine) -> None:
    migrate.upgrade(engine)
    assert migrate.drift(engine) == []
    assert tables(engine) == set(METADATA.tables)


def test_every_column_index_and_key_is_the_same_migrated_or_created(engine: Engine) -> None:
    migrate.upgrade(engine)
    migrated = described(engine)
    migrate.downgrade(engine, "base")
    METADATA.create_all(engine)
    assert described(engine) == migrated


def described(engine: Engine) -> dict[str, object]:
    look = inspect(engine)
    found: dict[str, object] = {}
    for table in sorted(METADATA.tables):
        columns = [
            (c["name"], repr(c["type"]), c["nullable"], c["default"], bool(c.get("autoincrement") is True))
            for c in look.get_columns(table)
        ]
        found[table] = (
            columns,
            look.get_pk_constraint(table),
            sorted(look.get_foreign_keys(table), key=lambda item: str(item["name"])),
            sorted(look.get_unique_constraints(table), key=lambda item: str(item["name"])),
            sorted(look.get_indexes(table), key=lambda item: str(item["name"])),
            sorted(look.get_check_constraints(table), key=lambda item: str(item["name"])),
        )
    return found


def test_a_changed_column_is_seen_as_drift(engine: Engine) -> None:
    migrate.upgrade(engine)
    with UnitOfWork(engine) as unit:
        unit.connection.execute(text("ALTER TABLE orders ADD COLUMN stray INTEGER"))
        unit.commit()
    assert [change[0] for change in migrate.drift(engine)] == ["remove_column"]


def test_the_way_back_leaves_nothing_and_the_way_forward_works_again(engine: Engine) -> None:
    migrate.upgrade(engine)
    migrate.downgrade(engine, "base")
    assert tables(engine) == set()
    assert migrate.current_revision(engine) == ""
    migrate.upgrade(engine)
    assert migrate.drift(engine) == []


def test_two_processes_may_migrate_at_once(engine: Engine, database_url: str) -> None:
    failures: list[BaseException] = []

    def go() -> None:
        own = open_database(database_url)
        try:
            migrate.upgrade(own)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)
        finally:
            own.dispose()

    threads = [threading.Thread(target=go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert migrate.schema_is_current(engine)


def test_every_constraint_has_a_name() -> None:
    for table in METADATA.tables.values():
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"


def test_every_row_says_whose_it_is() -> None:
    about_nobody = {"users", "audit_head", "platform_settings", "nodes", "histories", "history_parts"}
    for name, table in METADATA.tables.items():
        assert name in about_nobody or "owner_id" in table.c, name
    of_instances = {"orders", "fills", "ledger_entries", "postings", "strategy_states"}
    for name in of_instances | {"risk_metrics", "commands", "audit", "equity_points"}:
        assert "strategy_instance_id" in METADATA.tables[name].c, name
