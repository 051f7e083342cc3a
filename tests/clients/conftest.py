from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.simulator_process import SimulatorProcess, simulator_process

FUNDS = "USDT=100000,BTC=2,ETH=20,BNB=10"
LARGE_FUNDS = "USDT=50000000,BTC=500,ETH=5000,BNB=100"
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
    """A lively generated market, a little faster than life so that its slower streams are heard soon."""
    folder = tmp_path_factory.mktemp("venue")
    pace = ["--prints-per-minute", "600", "--speed", "5"]
    with simulator_process(folder, *_options(customer, FUNDS), *pace) as process:
        yield process


@pytest.fixture(scope="module")
def stepped(customer: Customer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A market that moves only when it is told to, and a customer rich enough to empty its levels."""
    folder = tmp_path_factory.mktemp("stepped")
    with simulator_process(folder, *_options(customer, LARGE_FUNDS), "--speed", "0") as process:
        yield process


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    """A market in which a minute takes half a second; nobody trades there."""
    folder = tmp_path_factory.mktemp("swift")
    with simulator_process(folder, "--market", "generated:7", "--symbols", SYMBOLS, "--speed", "120") as process:
        yield process


def _options(customer: Customer, funds: str) -> list[str]:
    account = f"{customer.key}:{customer.secret}:{funds}"
    return ["--market", "generated:7", "--symbols", SYMBOLS, "--account", account]
