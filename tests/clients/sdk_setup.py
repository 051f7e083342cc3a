"""Pointing the venue's own, unmodified clients at the simulated venue: by the addresses of their configurations."""

from __future__ import annotations

from typing import Any

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures
from binance_sdk_spot.spot import Spot

from tests.clients.inbox import Inbox
from tests.simulator_process import SimulatorProcess

TIMEOUT_MS = 60_000


def spot_client(venue: SimulatorProcess, **identity: str) -> Any:
    """Spot by REST, WebSocket API and streams; `identity` is api_key with api_secret or private_key."""
    return Spot(
        ConfigurationRestAPI(base_path=venue.rest, timeout=TIMEOUT_MS, retries=0, **identity),
        ConfigurationWebSocketAPI(stream_url=f"{venue.stream}/ws-api/v3", **identity),
        ConfigurationWebSocketStreams(stream_url=venue.stream),
    )


def futures_client(venue: SimulatorProcess, **identity: str) -> Any:
    """The same for USD-M."""
    return DerivativesTradingUsdsFutures(
        ConfigurationRestAPI(base_path=venue.rest, timeout=TIMEOUT_MS, retries=0, **identity),
        ConfigurationWebSocketAPI(stream_url=f"{venue.stream}/ws-fapi/v1", **identity),
        ConfigurationWebSocketStreams(stream_url=venue.stream),
    )


def heard(handle: Any) -> Inbox:
    """An inbox for what a subscription delivers."""
    inbox = Inbox()
    handle.on("message", inbox.put)
    return inbox


def events(inbox: Inbox, model: str) -> list[Any]:
    """User events that the client read as this model; an event it could not read has none."""
    found = [message.actual_instance for message in inbox.messages]
    unread = [event for event in found if event is None or type(event) is dict]
    assert unread == [], "the client could not read these events"
    return [event for event in found if type(event).__name__ == model]
