from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.simulator.fault_matrix.customer import Customer, customer
from tests.simulator_process import SimulatorProcess, simulator_process


@pytest.fixture(scope="session")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """One venue for the whole package, in stepped time."""
    folder = tmp_path_factory.mktemp("matrix")
    with simulator_process(folder, "--speed", "0", "--symbols", "BTCUSDT", "--market", "generated:3") as process:
        yield process


@pytest.fixture
async def spot(venue: SimulatorProcess) -> AsyncIterator[Customer]:
    async with customer(venue, "spot") as found:
        yield found


@pytest.fixture
async def futures(venue: SimulatorProcess) -> AsyncIterator[Customer]:
    async with customer(venue, "futures") as found:
        yield found


@pytest.fixture(params=["spot", "futures"])
async def either(venue: SimulatorProcess, request: pytest.FixtureRequest) -> AsyncIterator[Customer]:
    """A customer of spot, then one of USD-M."""
    async with customer(venue, request.param) as found:
        yield found
