from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from db.unit_of_work import UnitOfWork
from tests.journal_database import prepare


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated database with the rows that journals need, once on each of the two engines."""
    opened = prepare(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def unit(engine: Engine) -> Iterator[UnitOfWork]:
    with UnitOfWork(engine) as opened:
        yield opened
