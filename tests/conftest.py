from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.services import Service, create_schema, mariadb_server, redis_server

ROOT = Path(__file__).resolve().parent.parent

# One fixed set of examples for everyone: the sample in CI is the sample on a desk.
settings.register_profile("sample", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("exhaustive", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("ARES_HYPOTHESIS_PROFILE", "sample"))


#: Files that take minutes, the longest first: whoever began with one at the end would be left alone with it.
LONGEST = (
    "acceptance/test_up.py",
    "web/test_browser.py",
    "property/test_backtest_is_the_law.py",
    "acceptance/crash/test_crash_sweep.py",
    "acceptance/test_lockstep.py",
    "integration/api/test_openapi.py",
    "property/test_trades_are_walked_alike.py",
    "simulator/conformance/test_openapi.py",
    "docs/test_blocks.py",
    "chaos/test_deaths.py",
    "acceptance/test_backup.py",
    "integration/api/test_ownership.py",
)
#: Folders of files that take half a minute each begin next.
LONG = ("acceptance", "chaos", "web", "platform", "property")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by how long files take; within one the order stays as it was drawn, but for what has to come last."""
    tests, files = ROOT / "tests", {path: n for n, path in enumerate(dict.fromkeys(item.path for item in items))}

    def place(item: pytest.Item) -> tuple[int, int, bool]:
        path = item.path.relative_to(tests)
        is_last = item.get_closest_marker("last") is not None
        if path.as_posix() in LONGEST:
            return LONGEST.index(path.as_posix()), 0, is_last
        return len(LONGEST) + (path.parts[0] not in LONG), files[item.path], is_last

    items.sort(key=place)


@pytest.fixture(scope="session")
def redis_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with redis_server(tmp_path_factory.mktemp("redis")) as service:
        yield service


@pytest.fixture(scope="session")
def mariadb_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with mariadb_server(tmp_path_factory.mktemp("mariadb")) as service:
        yield service


@pytest.fixture
def redis_url(redis_service: Service) -> str:
    return f"redis://127.0.0.1:{redis_service.port}/0"


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once on each of the two engines the house supports."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    return create_schema(request.getfixturevalue("mariadb_service"), "ares_test")


@pytest.fixture
def recorded_data() -> Path:
    """The folder of recorded market data, named by ARES_DATA_DIR."""
    folder = os.environ.get("ARES_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("ARES_DATA_DIR does not name a folder of recorded market data")
    return Path(folder)
