from __future__ import annotations

import pytest

from tests.simulator.futures_api.harness import Customer, FuturesVenue


@pytest.fixture
def venue() -> FuturesVenue:
    return FuturesVenue()


@pytest.fixture
def anna(venue: FuturesVenue) -> Customer:
    return venue.customer("anna")
