from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.api_node import ApiNode, api_node


@pytest.fixture
def node(tmp_path: Path, redis_url: str) -> Iterator[ApiNode]:
    """A node on SQLite and real Redis."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    with api_node(f"sqlite:///{tmp_path / 'ares.sqlite3'}", redis_url, tmp_path) as opened:
        yield opened
