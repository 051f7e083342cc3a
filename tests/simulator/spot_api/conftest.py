from __future__ import annotations

import pytest

from tests.simulator.spot_api.harness import Customer, SpotVenue


@pytest.fixture
def venue() -> SpotVenue:
    return SpotVenue()


@pytest.fixture
def anna(venue: SpotVenue) -> Customer:
    """A customer with 100,000 USDT and 5 BTC."""
    return venue.customer()
