"""A backup of a running installation on SQLite goes on in MariaDB: the same bots, orders and books."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from db.database import for_reading, open_database
from db.models import METADATA
from db.unit_of_work import UnitOfWork
from tests.embedded import Up, ares, up, wait_for
from tests.services import Service, create_schema

pytestmark = [pytest.mark.services, pytest.mark.timeout(1200)]


def all_run(running: Up) -> bool:
    return all((one["live"] or {}).get("status") == "running" for one in running.strategies())


def ledger(database: str) -> dict[tuple[str, str], int]:
    """(ledger account, asset) -> quanta, from the postings as they stand in the database."""
    engine, sums = open_database(database), dict[tuple[str, str], int]()
    postings = METADATA.tables["postings"]
    try:
        with UnitOfWork(for_reading(engine)) as unit:
            columns = (postings.c.ledger_account, postings.c.asset, postings.c.amount)
            for account, asset, amount in unit.connection.execute(postings.select().with_only_columns(*columns)):
                sums[account, asset] = sums.get((account, asset), 0) + amount
    finally:
        engine.dispose()
    return sums


def trades(running: Up, number: int) -> dict[str, Any]:
    return {one["trade_id"]: one for one in running.client().pages(f"/api/strategies/{number}/fills")}


def test_a_backup_of_a_running_installation_goes_on_in_mariadb(tmp_path: Path, mariadb_service: Service) -> None:
    sqlite, server = f"sqlite:///{tmp_path / 'a' / 'ares.sqlite3'}", create_schema(mariadb_service, "goes_on")
    backup = tmp_path / "backup.zip"
    with up(tmp_path / "a", sqlite) as first:
        numbers = [one["id"] for one in first.strategies()]
        wait_for(lambda: all_run(first) and trades(first, numbers[0]), "fills of a running bot")
        said = ares(tmp_path / "a", sqlite, "backup", str(backup))
        assert said.returncode == 0, said.stderr
    refused = ares(tmp_path / "a", sqlite, "restore", str(backup))
    assert (refused.returncode, "holds rows already" in refused.stderr) == (1, True)
    restored = ares(tmp_path / "b", server, "restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    before = ledger(server)
    # What has no counterpart is zero: the books balance, whichever database they stand in.
    assert {asset: sum(amount for (_, each), amount in before.items() if each == asset) for _, asset in before} == {
        asset: 0 for _, asset in before
    }
    key = (tmp_path / "a" / "encryption.key").read_text().strip()
    with up(tmp_path / "b", server, ENCRYPTION_KEY=key) as second:
        assert [one["id"] for one in second.strategies()] == numbers
        wait_for(lambda: all_run(second), "the restored bots running")
        for number in numbers:
            pnl = second.client().get(f"/api/strategies/{number}/pnl")
            parts = [Decimal(pnl[name]) for name in ("capital", "realised", "unrealised", "transfers")]
            assert sum(parts) - Decimal(pnl["fees"]) == Decimal(pnl["equity"])
            assert pnl["adds_up"] is True
    after = ledger(server)
    assert before.keys() <= after.keys()
    assert {asset: sum(amount for (_, each), amount in after.items() if each == asset) for _, asset in after} == {
        asset: 0 for _, asset in after
    }
