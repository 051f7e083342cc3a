"""SQLite's write-ahead log is brought into the database beside the commits, not inside one of them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from core.clock import SystemTime
from db.journal import GroupCommitJournal
from db.journal.checkpoints import LONGEST_LOG, ROWS
from tests.contract.journal_contract import order, step
from tests.journal_database import address, prepare

PATIENCE_SECONDS = 180


async def test_the_log_is_brought_in_although_no_commit_does_it(tmp_path: Path) -> None:
    engine = prepare(f"sqlite:///{tmp_path}/log.sqlite3", exactly=True)
    database = Path(str(engine.url.database))
    journal = GroupCommitJournal(address(engine), SystemTime())
    before, deadline = database.stat().st_mtime_ns, time.monotonic() + PATIENCE_SECONDS
    for number in range(ROWS):
        await journal.commit(step(intents=[order(slot=number)]))
    log_pages = database.with_name(f"{database.name}-wal").stat().st_size // 4096
    assert log_pages < LONGEST_LOG, "the commits themselves may have brought it in"
    while database.stat().st_mtime_ns == before:
        assert time.monotonic() < deadline, "the log stayed where it was"
        await asyncio.sleep(0.05)
    assert len((await journal.load(1)).orders) == ROWS
    await journal.close()
    engine.dispose()
