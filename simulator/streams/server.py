"""The door for WebSockets: from a handshake to a session of streams or of the WebSocket API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from simulator.faults import StreamScope
from simulator.streams import session_endpoints
from simulator.streams.connection import Connection
from simulator.streams.paths import Entrance, entrance
from simulator.streams.stream_session import StreamSession
from simulator.streams.timing import bounds_of
from simulator.streams.ws_api import ApiSession
from simulator.wire.endpoint import Registry

if TYPE_CHECKING:
    from simulator.venue import Venue

__all__ = ["session_endpoints", "websocket_handler"]  # importing the endpoints declares them

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def websocket_handler(venue: Venue, endpoints: Registry | None = None) -> Handler:
    """A handler for every WebSocket handshake of a venue; 404 for paths that serve none."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        door = entrance(path, request.query, request.headers.get("Host", ""))
        if door is None:
            return web.Response(status=404)
        return await _serve(venue, request, path, door, endpoints)

    return handle


async def _serve(
    venue: Venue, request: web.BaseRequest, path: str, door: Entrance, endpoints: Registry | None
) -> web.StreamResponse:
    hub = venue.hub
    bounds = bounds_of(door.market, door.is_api, venue.config.lift_limits)
    scope = StreamScope(door.market, "", path=path)
    number = hub.next_connection_number()
    connection = Connection(number, hub.pump, venue.faults, venue.protocol, hub.timing, bounds, scope)
    owner: ApiSession | StreamSession
    if door.is_api:
        owner = ApiSession(hub, venue, connection, door, request.remote or "127.0.0.1", endpoints)
    else:
        owner = StreamSession(hub, connection, door, bounds.streams)

    def opened() -> None:
        hub.connections[connection] = None
        if isinstance(owner, StreamSession):
            owner.start()

    try:
        return await connection.serve(request, owner, opened)
    except web.HTTPException as refused:  # not a handshake after all
        return web.Response(status=refused.status, text=refused.text)
    except ConnectionError:  # gone before the handshake was answered; nobody will read this
        return web.Response(status=400)
    finally:
        hub.connections.pop(connection, None)
