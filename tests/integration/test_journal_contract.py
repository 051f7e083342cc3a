from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest

from core.clock import SystemTime
from db.journal import GroupCommitJournal
from tests.contract.journal_contract import ACCOUNTS, JournalBench, JournalContract
from tests.fakes.memory_journal import MemoryJournal
from tests.journal_database import address, prepare, reset


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def bench(self) -> JournalBench:
        journal = MemoryJournal()
        for instance, account in ACCOUNTS.items():
            journal.add(instance, account)
        return JournalBench(journal, journal.reset)


@pytest.mark.services
class TestGroupCommitJournal(JournalContract):
    @pytest.fixture
    async def bench(self, database_url: str) -> AsyncIterator[JournalBench]:
        engine = prepare(database_url)
        journal = GroupCommitJournal(address(engine), SystemTime())
        yield JournalBench(journal, partial(reset, engine))
        await journal.close()
        engine.dispose()
