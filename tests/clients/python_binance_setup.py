"""Pointing an unmodified python-binance at the simulated venue: by the class attributes that hold its hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from binance import AsyncClient, BinanceSocketManager, Client
from binance.ws.reconnecting_websocket import ReconnectingWebsocket

from tests.clients.conftest import Customer
from tests.simulator_process import SimulatorProcess


def point_at(venue: SimulatorProcess, patch: pytest.MonkeyPatch) -> None:
    """Clients made from now on talk to the venue."""
    for client in (Client, AsyncClient):
        patch.setattr(client, "API_URL", f"{venue.rest}/api")
        patch.setattr(client, "MARGIN_API_URL", f"{venue.rest}/sapi")
        patch.setattr(client, "FUTURES_URL", f"{venue.rest}/fapi")
        patch.setattr(client, "FUTURES_DATA_URL", f"{venue.rest}/futures/data")
        patch.setattr(client, "WS_API_URL", f"{venue.stream}/ws-api/v3")
        patch.setattr(client, "WS_FUTURES_URL", f"{venue.stream}/ws-fapi/v1")
    # A closing socket waits so long for one more message.
    patch.setattr(ReconnectingWebsocket, "TIMEOUT", 2)
    patch.setattr(BinanceSocketManager, "STREAM_URL", f"{venue.stream}/")
    patch.setattr(BinanceSocketManager, "FSTREAM_URL", f"{venue.stream}/")


@asynccontextmanager
async def connected(venue: SimulatorProcess, customer: Customer, **options: Any) -> AsyncIterator[Any]:
    """An asynchronous client of the venue with its sockets, closed at the end."""
    with pytest.MonkeyPatch.context() as patch:
        point_at(venue, patch)
        client = await AsyncClient.create(customer.key, customer.secret, **options)
        try:
            yield client
        finally:
            await client.close_connection()
            await client.ws_future.close()
