"""Pointing an unmodified ccxt at the simulated venue, as its users do: by replacing hosts in `urls['api']`."""

from __future__ import annotations

import re
from typing import Any

from tests.simulator_process import SimulatorProcess


def point_at(exchange: Any, venue: SimulatorProcess) -> Any:
    """Send every request and socket of a ccxt exchange to the venue; paths stay."""
    exchange.urls["api"] = _moved(exchange.urls["api"], venue)
    if "ws" in exchange.urls["api"]:
        # ccxt.pro knows a spot stream by "stream" in its address, as in the venue's own host.
        exchange.urls["api"]["ws"]["spot"] = f"{venue.stream}/stream/ws"
    return exchange


def _moved(value: Any, venue: SimulatorProcess) -> Any:
    if isinstance(value, dict):
        return {name: _moved(item, venue) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    root = venue.stream if value.startswith("ws") else venue.rest
    return re.sub(r"^\w+://[^/]+", root, value)
