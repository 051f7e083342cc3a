"""The venue of a module, and an account of it for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.faults.bench import OPTIONS, Bench, bench
from tests.simulator_process import SimulatorProcess, simulator_process


@pytest.fixture(scope="package")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("faults"), *OPTIONS) as process:
        yield process


@pytest.fixture
def spot(venue: SimulatorProcess, tmp_path: Path) -> Iterator[Bench]:
    with bench(venue, tmp_path, "spot") as found:
        yield found


@pytest.fixture
def futures(venue: SimulatorProcess, tmp_path: Path) -> Iterator[Bench]:
    with bench(venue, tmp_path, "futures") as found:
        yield found


@pytest.fixture
def venue_pair(venue: SimulatorProcess, tmp_path: Path) -> Iterator[tuple[Bench, Bench]]:
    with bench(venue, tmp_path) as one, bench(venue, tmp_path) as other:
        yield one, other


@pytest.fixture(params=["spot", pytest.param("futures", marks=pytest.mark.acceptance)])
def either(request: pytest.FixtureRequest, venue: SimulatorProcess, tmp_path: Path) -> Iterator[Bench]:
    """Where the two markets differ little, the second one is for the long run."""
    with bench(venue, tmp_path, request.param) as found:
        yield found


@pytest.fixture(params=["spot", "futures"])
def both(request: pytest.FixtureRequest, venue: SimulatorProcess, tmp_path: Path) -> Iterator[Bench]:
    with bench(venue, tmp_path, request.param) as found:
        yield found
