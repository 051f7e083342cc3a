"""How long things last on a WebSocket, in real seconds; tests give shorter ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.instruments import Market


@dataclass(frozen=True, slots=True)
class Timing:
    """The venue's own figures (web-socket-streams.md, General WSS information)."""

    ping_seconds: float = 20.0
    pong_seconds: float = 60.0
    """A ping that has not been answered for so long ends the connection."""
    life_seconds: float = 24 * 3600.0
    notice_seconds: float = 600.0
    """How long before the end of its life a connection is told with `serverShutdown`."""
    farewell_seconds: float = 2.0
    """How long a peer may take to answer a close frame."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one connection may ask for, or leave unread."""

    messages_per_second: int | None
    """Inbound frames, pings and pongs included; None is unbounded."""
    streams: int = 1024
    outbox_bytes: int = 16 * 1024 * 1024
    """Events a slow consumer may leave unread before it is closed."""
    frame_bytes: int = 1024 * 1024
    """Largest inbound message; a larger one is answered with close code 1009."""


SPOT_STREAMS = Bounds(messages_per_second=5)
FUTURES_STREAMS = Bounds(messages_per_second=10)
"""USD-M documents ten messages a second and 1024 streams; the 200 of some clients is their own caution."""
API = Bounds(messages_per_second=None)


def bounds_of(market: Market, is_api: bool, lifted: bool = False) -> Bounds:
    """The bounds of a kind of connection; with limits lifted a client may send as often as it likes."""
    if is_api:
        return API
    bounds = SPOT_STREAMS if market == "spot" else FUTURES_STREAMS
    return replace(bounds, messages_per_second=None) if lifted else bounds
