from __future__ import annotations

from fractions import Fraction

import pytest

from simulator.config import AccountSpec, SimulatorConfig, Speed
from simulator.units import ONE
from simulator.venue import Venue
from tests.simulator.spot_api.harness import Customer, SpotVenue, WholeVenue


@pytest.fixture
def venue() -> SpotVenue:
    return SpotVenue()


@pytest.fixture
def anna(venue: SpotVenue) -> Customer:
    """A customer with 100,000 USDT and 5 BTC."""
    return venue.customer()


WHOLE = SimulatorConfig(
    market="generated:7",
    symbols=("BTCUSDT", "ETHUSDT"),
    speed=Speed(Fraction(0)),
    accounts=(AccountSpec("key-of-carol", "secret-of-carol", (("USDT", 1_000_000 * ONE), ("BTC", 10 * ONE))),),
    lift_limits=True,
)


@pytest.fixture(scope="module")
def whole() -> WholeVenue:
    """A complete venue, half an hour and some seconds after its start. Shared: tests read it, or trade and clear up."""
    venue = Venue(WHOLE)
    venue.advance_to(venue.clock.now_ms() + 1_823_456)
    return WholeVenue(venue)


@pytest.fixture(scope="module")
def carol(whole: WholeVenue) -> Customer:
    """A customer of the complete venue."""
    return whole.customer()
