from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

import strategies
from core.base_strategy import STRATEGIES
from core.clock import SystemTime
from tasks.runs import Laboratory
from tests.api_node import ApiNode, api_node
from tests.services import Service


@pytest.fixture
def node(tmp_path: Path, redis_url: str) -> Iterator[ApiNode]:
    """A node on SQLite and real Redis."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    with api_node(f"sqlite:///{tmp_path / 'ares.sqlite3'}", redis_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_node(tmp_path_factory: pytest.TempPathFactory, redis_service: Service) -> Iterator[ApiNode]:
    """One node for every test of a file: for those that change nothing, or look only at what they made."""
    folder = tmp_path_factory.mktemp("api")
    url = f"redis://127.0.0.1:{redis_service.port}/0"
    with redis.Redis.from_url(url) as client:
        client.flushall()
    with api_node(f"sqlite:///{folder / 'ares.sqlite3'}", url, folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def account(module_node: ApiNode) -> int:
    """A paper account of olga on that node."""
    return module_node.add_account(name="shared")


@pytest.fixture
def laboratory(node: ApiNode) -> Laboratory:
    """Who works on the runs of the node, when a test says so."""
    STRATEGIES.scan(strategies)
    return Laboratory(node.engine, SystemTime(), "here")
