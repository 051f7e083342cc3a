from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulator.streams.timing import Timing
from tests.simulator.streams.fakes import FakeVenue, Harness, running


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    """A fake venue behind the streams, with the real one's figures of time but for a short farewell."""
    async with running(FakeVenue(Timing(farewell_seconds=0.05))) as started:
        yield started
