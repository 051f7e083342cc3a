from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.simulator_process import SimulatorProcess, simulator_process

FUNDS = "USDT=100000,BTC=2,ETH=20,BNB=10"
SYMBOLS = "BTCUSDT,ETHUSDT,BNBUSDT"


@dataclass(frozen=True, slots=True)
class Customer:
    """One account of the venue with its HMAC key."""

    key: str
    secret: str


@pytest.fixture(scope="module")
def customer(request: pytest.FixtureRequest) -> Customer:
    """A fresh account for each test module."""
    name = request.module.__name__.rsplit(".", 1)[-1]
    return Customer(f"key-{name}", f"secret-{name}")


@pytest.fixture(scope="module")
def venue(customer: Customer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A lively generated market at normal speed."""
    folder = tmp_path_factory.mktemp("venue")
    account = f"{customer.key}:{customer.secret}:{FUNDS}"
    options = ["--market", "generated:7", "--symbols", SYMBOLS, "--prints-per-minute", "600", "--account", account]
    with simulator_process(folder, *options) as process:
        yield process
