"""A backup that any of the databases can be filled from: every table as lines of JSON, in one consistent moment.

A zip file: `manifest.json` says which schema it was made with, how many rows each table has and their SHA-256; then
one `TABLE.jsonl` each. Amounts, moments and bytes are written so that they read back the same on SQLite, MySQL and
MariaDB. Credentials are in it as they are stored: encrypted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, Table, func, select, update

from db import migrate
from db.database import for_reading
from db.models import METADATA
from db.unit_of_work import UnitOfWork, committed
from domain.errors import Refused
from domain.money import to_wire

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_ROWS: Final = 500
#: Numbers of strategies that are passed over after a restore: as many may have been given since the backup.
ROOM: Final = 10_000
#: Sign-ins and nodes belong to the installation that the backup was made of.
_LEFT_OUT: Final = frozenset({"sessions", "login_links", "nodes"})


class BadBackup(Refused):
    """This file is not a whole backup made by this program; nothing was restored."""


class NotEmpty(Refused):
    """The database holds rows already; restore into an empty one."""


class Summary(NamedTuple):
    """What a backup holds."""

    revision: str
    made_at: str
    #: Table -> rows.
    rows: dict[str, int]


def save(engine: Engine, path: Path, now: datetime) -> Summary:
    """Write every table as it is at one moment; the file appears whole or not at all."""
    migrate.require_current_schema(engine)
    draft = path.with_name(path.name + ".part")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    rows, hashes = {}, {}
    with UnitOfWork(for_reading(engine)) as unit, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in _tables():
            hashed, count = hashlib.sha256(), 0
            with archive.open(f"{table.name}.jsonl", "w") as file:
                for row in unit.connection.execute(select(table).order_by(*table.primary_key.columns)):
                    line = json.dumps([_plain(value) for value in row], separators=(",", ":")).encode() + b"\n"
                    hashed.update(line)
                    file.write(line)
                    count += 1
            rows[table.name], hashes[table.name] = count, hashed.hexdigest()
        summary = Summary(migrate.head_revision(), now.isoformat(), rows)
        columns = {table.name: table.columns.keys() for table in _tables()}
        manifest = {"format": FORMAT, **summary._asdict(), "sha256": hashes, "columns": columns}
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    draft.replace(path)
    return summary


def look(path: Path) -> Summary:
    """What a backup holds, once every line of it has been checked; `BadBackup` says what is wrong."""
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        for name, wanted in manifest["sha256"].items():
            hashed = hashlib.sha256()
            with archive.open(f"{name}.jsonl") as file:
                for line in file:
                    hashed.update(line)
            if hashed.hexdigest() != wanted:
                raise BadBackup(f"{path}: the table {name} is damaged; take another backup.")
    return Summary(manifest["revision"], manifest["made_at"], manifest["rows"])


def restore(engine: Engine, path: Path) -> Summary:
    """Fill an empty database from a backup: all of it or nothing. The schema is brought to this program's first."""
    summary = look(path)
    if summary.revision != migrate.head_revision():
        wanted = migrate.head_revision()
        raise BadBackup(
            f"{path} was made at schema {summary.revision} and this program has {wanted}; use that version."
        )
    migrate.upgrade(engine)
    with committed(engine) as unit, _opened(path) as archive:
        for table in _tables():
            if unit.connection.execute(select(func.count()).select_from(table)).scalar_one():
                raise NotEmpty(f"the table {table.name} holds rows already; restore into an empty database.")
        columns = _manifest(archive, path)["columns"]
        for table in _tables():
            for rows in _batches(archive, table, columns[table.name]):
                unit.connection.execute(table.insert(), rows)
    return summary


def leave_room(engine: Engine, now: datetime) -> None:
    """After a restore: names of orders that were given after the backup are not given again.

    The names carry the number of the strategy and its generation. Numbers of strategies that were made since are
    passed over, and strategies that had not begun begin in another generation than they may have since.
    """
    accounts, instances, states = (METADATA.tables[n] for n in ("accounts", "strategy_instances", "strategy_states"))
    with committed(engine) as unit:
        begun = select(states.c.strategy_instance_id)
        later = {"generation": instances.c.generation + 1}
        unit.connection.execute(update(instances).where(instances.c.id.not_in(begun)).values(later))
        newest = unit.connection.execute(select(func.max(instances.c.id))).scalar_one() or 0
        account = unit.connection.execute(select(accounts).order_by(accounts.c.id).limit(1)).mappings().first()
        if account is None:
            return
        mark = {
            "id": newest + ROOM, "owner_id": account["owner_id"], "account_id": account["id"], "strategy_type": "none",
            "name": f"numbers before this were given until {now:%Y-%m-%d %H:%M:%S.%f}", "symbol": "", "limits": "{}",
            "kline_interval": "1m", "parameters": "{}", "desired_state": "stopped", "owner": "", "generation": 0,
            "epoch": 0, "revision": 0, "paper": account["paper"], "created_at": now, "updated_at": now,
            "removed_at": now,
        }  # fmt: skip
        unit.connection.execute(instances.insert(), [mark])


def _tables() -> list[Table]:
    """In the order in which they refer to one another."""
    return [table for table in METADATA.sorted_tables if table.name not in _LEFT_OUT]


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadBackup(f"{path} cannot be read as a backup: {error}.") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
        if manifest["format"] != FORMAT or set(manifest["sha256"]) != {table.name for table in _tables()}:
            raise BadBackup(f"{path} was made by another version of this program; restore it with that one.")
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadBackup(f"{path} has no readable {MANIFEST}.") from error
    return manifest


def _batches(archive: zipfile.ZipFile, table: Table, columns: list[str]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    with archive.open(f"{table.name}.jsonl") as file:
        for line in file:
            batch.append(dict(zip(columns, map(_value, json.loads(line)), strict=True)))
            if len(batch) == _ROWS:
                yield batch
                batch = []
    if batch:
        yield batch


def _plain(value: Any) -> Any:
    """A column's value as JSON; what JSON has no word for is an object with its kind."""
    if isinstance(value, Decimal):
        return {"decimal": to_wire(value)}
    if isinstance(value, datetime):
        return {"moment": value.isoformat(timespec="microseconds")}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    return value


def _value(plain: Any) -> Any:
    if not isinstance(plain, dict):
        return plain
    ((kind, text),) = plain.items()
    return _READERS[kind](text)


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "decimal": Decimal,
    "moment": datetime.fromisoformat,
    "bytes": base64.b64decode,
}
