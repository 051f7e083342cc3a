"""F-DB-05, F-DB-14: the database is older than what the venue has executed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from db import archive
from db.database import open_database
from domain.client_order_id import is_ours
from engine.engine_manager import InstanceSpec
from tests.acceptance.faults.bench import Bench, Node, bench
from tests.acceptance.stored import Stored
from tests.simulator_process import SimulatorProcess

TRAILING = {"grid_levels": 3, "offset_percent": "0.5", "sell_offset_percent": "0.5", "quantity": "0.01"}


def specs(of: Bench) -> list[InstanceSpec]:
    """Both forms of grid, and purchases at fixed times."""
    rebuys: dict[str, Any] = {"amount": "600", "interval_minutes": 1, "take_profit_percent": "1"}
    return [
        of.grid(levels=3), of.spec("trailing_grid", {**TRAILING, "reprice_percent": "1"}, 2),
        of.spec("dca", rebuys, 3),
    ]  # fmt: skip


async def trade(on: Bench, up: Node) -> None:
    """Down through bids, up through offers and a reprice, and down again; purchases fall due on the way."""
    for percent in ("-1.2", "1.5", "2", "-1", "1"):
        on.gap(percent)
        on.pass_time(61_000)
        await on.quiet(up)
        await on.settled(up)


class Restored(Bench):
    """What was placed and cancelled after the backup without executing anything shows nowhere at the venue."""

    def complaints(self, stored: Stored, up: Node) -> list[str]:
        found = super().complaints(stored, up)
        idle = {name for name, end in self.tape.orders.items() if end == ("CANCELED", Decimal(0))}
        return [one for one in found if not (one.endswith("has no intent") and one.split()[1] in idle)]


@pytest.fixture(params=["spot", "futures"])
def three(request: pytest.FixtureRequest, venue: SimulatorProcess, tmp_path: Path) -> Iterator[Restored]:
    with bench(venue, tmp_path, request.param, (1, 2, 3)) as found:
        yield Restored(**{each.name: getattr(found, each.name) for each in fields(found)})


async def test_a_restored_backup_sends_nothing_again_and_catches_up_with_the_venue(
    three: Restored, tmp_path: Path
) -> None:
    wanted, backup = specs(three), tmp_path / "backup.zip"
    async with three.node(*wanted) as up:
        three.gap("-0.6")
        await three.quiet(up)
        await three.settled(up)
        archive.save(three.database, backup, datetime(2026, 1, 1, tzinfo=UTC))
        kept = up.engine().instance.trades
        await trade(three, up)
        assert up.engine().instance.trades > kept + 2
        assert up.engine(2).instance.trades > 2
    three.database.dispose()
    three.database = open_database(f"sqlite:///{tmp_path / 'restored.sqlite3'}")
    archive.restore(three.database, backup)
    async with three.node(*wanted) as up:
        await three.quiet(up)
        stored = await three.settled(up)
        assert any("older than what the exchange has done" in text for text in up.alarms())
        await trade(three, up)
        await three.settled(up)
    three.database.dispose()
    names = Counter(
        line["params"].get("newClientOrderId")
        for line in three.read_tape()
        if line["kind"] == "request" and line["method"] == "POST" and line["account"] == three.account
    )
    assert {name: times for name, times in names.items() if name and is_ours(name) and times > 1} == {}
    assert stored.fills
