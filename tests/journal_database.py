"""A migrated database with the instances of the journal's contract.

With `ARES_TEST_DATABASE=mariadb` every test that would take SQLite takes a real MariaDB instead.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlalchemy import URL, Engine, event, insert, make_url, text

from db import migrate
from db.database import open_database
from db.models import METADATA
from db.unit_of_work import UnitOfWork
from tests.contract.journal_contract import ACCOUNTS
from tests.services import Service, create_schema, mariadb_server

if os.environ.get("ARES_TEST_DATABASE", "sqlite") not in {"sqlite", "mariadb"}:
    raise ValueError("ARES_TEST_DATABASE is neither sqlite nor mariadb; give one of the two, or leave it out.")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT = os.environ.get("ARES_TEST_DATABASE", "sqlite")
_TEMPLATES: dict[str, Path] = {}
#: Addresses of schemas that have been migrated: nobody takes their tables away.
_MIGRATED: set[URL] = set()
#: Alembic works with globals.
_MIGRATING = threading.Lock()
_SERVERS: list[Service] = []
#: Schemas that nobody uses now.
_FREE: list[str] = []
_NUMBERS = count(1)


def prepare(url: str, accounts: dict[int, int] = ACCOUNTS, *, exactly: bool = False) -> Engine:
    """A migrated database with one user, the accounts and the instances (instance -> account).

    Migrating takes long, so it is done once: the SQLite file is copied, the MariaDB schema is emptied and used again.
    Its address is that of the engine: `exactly` the one asked for, or what `ARES_TEST_DATABASE` puts in its place.
    """
    if DEFAULT == "mariadb" and url.startswith("sqlite") and not exactly:
        engine = _borrowed()
    else:
        engine = _copied(make_url(url)) if url.startswith("sqlite") else _emptied(make_url(url))
    if accounts:
        add_instances(engine, accounts)
    return engine


def address(engine: Engine) -> str:
    """Where the database is, as text."""
    return engine.url.render_as_string(hide_password=False)


def _borrowed() -> Engine:
    """An emptied schema of a MariaDB that lives as long as this process; free again when its engine is disposed of."""
    with _MIGRATING:
        if not _SERVERS:
            stack = ExitStack()
            atexit.register(stack.close)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _SERVERS.append(stack.enter_context(mariadb_server(folder)))
        url = _FREE.pop() if _FREE else create_schema(_SERVERS[0], f"ares_default_{next(_NUMBERS)}")
        engine = _emptied(make_url(url))
    event.listen(engine, "engine_disposed", lambda _: None if url in _FREE else _FREE.append(url))
    return engine


def _copied(url: URL) -> Engine:
    with _MIGRATING:
        template = _TEMPLATES.get("sqlite") or _migrated()
    shutil.copy(template, str(url.database))
    return open_database(url.render_as_string())


def _migrated() -> Path:
    template = Path(tempfile.mkdtemp()) / "template.sqlite3"
    engine = open_database(f"sqlite:///{template}")
    migrate.upgrade(engine)
    engine.dispose()
    _TEMPLATES["sqlite"] = template
    return template


def _emptied(url: URL) -> Engine:
    schema = url.set(database=f"{url.database}_journal")
    with open_database(url.render_as_string(hide_password=False)).connect() as connection:
        connection.execute(text(f"CREATE DATABASE IF NOT EXISTS {schema.database} CHARACTER SET utf8mb4"))
        connection.engine.dispose()
    engine = open_database(schema.render_as_string(hide_password=False))
    if schema not in _MIGRATED:
        migrate.upgrade(engine)
        _MIGRATED.add(schema)
    with UnitOfWork(engine) as unit:
        used = [t.name for t in reversed(METADATA.sorted_tables) if unit.connection.execute(t.delete()).rowcount]
        unit.commit()
    with engine.begin() as connection:
        for name in used:  # numbers begin again, as those of a new database do
            connection.execute(text(f"ALTER TABLE {name} AUTO_INCREMENT = 1"))
    return engine


def add_instances(engine: Engine, accounts: dict[int, int]) -> None:
    tables = METADATA.tables
    times = {"created_at": NOW, "updated_at": NOW}
    with UnitOfWork(engine) as unit:
        put = unit.connection.execute
        user = {"id": 1, "login": "ann", "display_name": "", "role": "trader", "disabled": False, "created_at": NOW}
        put(insert(tables["users"]), [user])
        some = {"owner_id": 1, "exchange": "paper", "paper": True, "settings": "{}", "rights": "none", **times}
        put(
            insert(tables["accounts"]),
            [{"id": n, "name": f"account {n}", "disabled": False, **some} for n in sorted(set(accounts.values()))],
        )
        kind = {"owner_id": 1, "strategy_type": "grid", "symbol": "BTCUSDT", "kline_interval": "1m", "paper": True}
        wish = {"parameters": "{}", "limits": "{}", "desired_state": "stopped", "owner": ""}
        counters = {"generation": 0, "epoch": 0, "revision": 0}
        put(
            insert(tables["strategy_instances"]),
            [
                {"id": n, "account_id": account, "name": f"instance {n}", **kind, **wish, **counters, **times}
                for n, account in accounts.items()
            ],
        )
        unit.commit()


def reset(engine: Engine, instance: int) -> None:
    """What a person's reset does: a new generation, without state and units."""
    with UnitOfWork(engine) as unit:
        unit.connection.execute(
            text("UPDATE strategy_instances SET generation = generation + 1, base_asset = NULL WHERE id = :id"),
            {"id": instance},
        )
        unit.connection.execute(
            text("UPDATE strategy_states SET state_data = NULL WHERE strategy_instance_id = :id"), {"id": instance}
        )
        unit.commit()
