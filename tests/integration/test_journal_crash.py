from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.base_journal import Step
from core.clock import SystemTime
from db.journal import GroupCommitJournal
from domain.fill import Fill
from domain.ledger import Entry
from domain.order import FILLED, PENDING, is_complete
from tests.contract.journal_contract import ACCOUNTS, entry_of, order, step
from tests.journal_child import nth_order
from tests.journal_database import address, prepare

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parent.parent.parent


def killed_after(url: str, lines: int) -> dict[int, int]:
    """Run the child, kill it when it has told of so many steps; instance -> the last step it was told is kept."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.journal_child", url], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert child.stdout is not None
    told = [child.stdout.readline() for _ in range(lines)]
    child.kill()
    told += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    last: dict[int, int] = dict.fromkeys(ACCOUNTS, 0)
    for line in told:
        # The last line may have been cut by the kill.
        if line.endswith(b"\n"):
            instance, k = map(int, line.split())
            last[instance] = max(last[instance], k)
    return last


@pytest.mark.parametrize("lines", [1, 300])
async def test_a_kill_in_the_middle_of_writing_leaves_whole_steps_only(database_url: str, lines: int) -> None:
    engine = prepare(database_url)
    told = killed_after(address(engine), lines)
    assert sum(told.values()) >= lines
    journal = GroupCommitJournal(address(engine), SystemTime())
    for instance in ACCOUNTS:
        # Whoever comes next waits until the server has ended what the dead process began.
        epoch = await journal.raise_epoch(instance, "next")
        assert_whole(engine, instance, told[instance])
        stored = await journal.load(instance)
        assert [entry_of(one, instance) for one in stored.fills] == by_fill(stored.entries, stored.fills)
        assert sum(not is_complete(one) for one in stored.orders) == min(1, len(stored.orders))
        # And goes on where the last whole step ended.
        await journal.commit(next_step(instance, epoch, len(stored.fills)))
    await journal.close()
    engine.dispose()


def by_fill(entries: list[Entry], fills: list[Fill]) -> list[Entry]:
    names = {f"{one.symbol}:{one.trade_id}": place for place, one in enumerate(fills)}
    return sorted(entries, key=lambda one: names[one.reference])


def next_step(instance: int, epoch: int, fills: int) -> Step:
    return step(instance, epoch, intents=[order(instance, slot=99, cycle=fills)])


def assert_whole(engine: Engine, instance: int, told: int) -> None:
    mine = {"id": instance}
    with engine.connect() as connection:

        def ask(question: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(text(question), mine)]

        states = ask("SELECT version, state_data FROM strategy_states WHERE strategy_instance_id = :id")
        steps = states[0][0] if states else 0
        assert steps >= told, "a step that was acknowledged is gone"
        assert states == ([(steps, f"[[{steps}],[{steps / 3!r}]]")] if steps else [])
        placed = ask(
            "SELECT state_version, client_order_id, status, epoch FROM orders "
            "WHERE strategy_instance_id = :id ORDER BY state_version"
        )
        wanted = [(k, nth_order(instance, k).client_order_id, FILLED, 1) for k in range(1, steps)]
        if steps:
            wanted.append((steps, nth_order(instance, steps).client_order_id, PENDING, 1))
        assert placed == wanted
        trades = ask("SELECT trade_id FROM fills WHERE strategy_instance_id = :id")
        assert sorted(trades) == sorted((f"{instance}-{k}",) for k in range(1, steps))
        postings = ask("SELECT reference, asset, amount FROM postings WHERE strategy_instance_id = :id")
        sums: Counter[tuple[int, int]] = Counter()
        for reference, asset, amount in postings:
            sums[(reference, asset)] += int(amount)
        assert set(sums.values()) <= {0}
        assert len(postings) == 6 * len(trades)
