"""The trading port: HTTP in and out, for spot and USD-M alike; WebSocket handshakes are handed on."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

import orjson
from aiohttp import http_exceptions, web

from simulator.errors import VenueError
from simulator.faults import Rule, StreamScope
from simulator.wire import auth, snapshots, transport
from simulator.wire.endpoint import Endpoint, Registry, Reply, registry
from simulator.wire.params import Params, clean, merge
from simulator.wire.pipeline import Incoming, Outcome, perform, refusal
from simulator.wire.time_unit import HEADER, in_microseconds, wants_microseconds

if TYPE_CHECKING:
    from simulator.instruments import Market
    from simulator.venue import Venue

WebSocketHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

BODY_SECONDS = 20.0
"""How long a body may take to arrive."""
MAXIMUM_BODY = 1_048_576
JSON = "application/json;charset=UTF-8"
_FUTURES_PATHS = ("/fapi", "/ws-fapi", "/public", "/market", "/private", "/fstream", "/futures", "/dapi")
_WEBSOCKET_API_WEIGHT: dict[str, int] = {"/ws-api": 2, "/ws-fapi": 5}

logger = logging.getLogger("simulator.wire")


def _drop_client_text(record: logging.LogRecord) -> bool:
    """Malformed requests are the client's affair: their text, which may hold a key, stays out of the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], http_exceptions.HttpProcessingError))


_http_logger = logging.getLogger("simulator.wire.http")
_http_logger.addFilter(_drop_client_text)


async def no_websockets(request: web.BaseRequest) -> web.StreamResponse:
    """The answer to a handshake where nobody serves WebSockets."""
    return web.Response(status=404)


class WireServer:
    """Listens on the trading port of one venue."""

    def __init__(
        self,
        venue: Venue,
        websocket_handler: WebSocketHandler = no_websockets,
        endpoints: Registry | None = None,
    ) -> None:
        self._venue = venue
        self._websocket_handler = websocket_handler
        self.endpoints = endpoints or registry()
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None
        self._address = ("127.0.0.1", 0)
        self._closing = asyncio.Event()
        self.in_flight = 0
        """REST requests that have come in and are not yet answered; requests left hanging by a fault do not count."""
        venue.bus.join(venue.limits.on_event)
        venue.faults.join(self._on_rule)
        venue.faults.steer(venue.protocol)

    # Listening

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port (a free one for 0). Raises OSError when it is taken."""
        server = web.Server(self._handle, access_log=None, logger=_http_logger)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        self._address = (host, port)
        return await self.listen()

    async def listen(self) -> int:
        """Accept connections (again), on the same port as before; gives the port."""
        if self._site is None and self._runner is not None:
            host, port = self._address
            site = web.TCPSite(self._runner, host, port, backlog=1024, reuse_address=True)
            await site.start()
            self._site = site
            if not port:
                self._address = (host, self._runner.addresses[0][1])
        return self._address[1]

    async def stop_listening(self) -> None:
        """Refuse new connections; those that stand go on."""
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()

    async def stop(self) -> None:
        """Close everything."""
        self._closing.set()
        self._venue.faults.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = self._site = None

    # One request

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.in_flight += 1
        try:
            outcome = await self._answer(request)
        except Exception:
            logger.exception("a request could not be handled")
            body = {"code": -1000, "msg": "An unknown error occurred while processing the request."}
            outcome = Outcome(Reply(body, 500))
        finally:
            self.in_flight -= 1
        if isinstance(outcome, web.StreamResponse):
            return outcome
        return await self._send(request, outcome)

    async def _answer(self, request: web.BaseRequest) -> Outcome | web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if "upgrade" in request.headers and request.headers["upgrade"].lower() == "websocket":
            return await self._handshake(request, path)
        methods = self.endpoints.rest.get(path)
        if methods is None:
            methods = self.endpoints.rest.get(_plain(path))
        if methods is None:
            return Outcome(_no_route(request.method, path, 404))
        endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            return Outcome(_other_method(request.method, path, methods))
        if request.body_exists:
            body = await _read_body(request)
            if body is None:
                return Outcome(Reply({"code": -1100, "msg": "The request body is too large or too slow."}, 413))
        else:
            body = ""
        return await self._perform(request, endpoint, query, body)

    async def _perform(self, request: web.BaseRequest, endpoint: Endpoint, query: str, body: str) -> Outcome:
        ip = request.remote or "127.0.0.1"
        try:
            values = merge(query, body)
        except VenueError as error:
            self._venue.limits.charge(endpoint.market, ip, 1)
            return Outcome(refusal(error, "rest", 0))
        if not (query.isascii() and body.isascii()):
            values = {clean(name): clean(value) for name, value in values.items()}
        incoming = Incoming(
            endpoint,
            Params(values, endpoint.market),
            "rest",
            ip,
            request.headers.get("X-MBX-APIKEY"),
            auth.rest_payload(query, body) if endpoint.is_signed else b"",
        )
        outcome = await perform(self._venue, incoming)
        used = str(self._venue.limits.used_weight(endpoint.market, ip))
        headers = outcome.reply.headers
        headers.setdefault("X-MBX-USED-WEIGHT", used)
        headers.setdefault("X-MBX-USED-WEIGHT-1M", used)
        if endpoint.path.startswith("/api/") and wants_microseconds(request.headers.get(HEADER)):
            outcome.reply.body = in_microseconds(outcome.reply.body)
        return outcome

    async def _send(self, request: web.BaseRequest, outcome: Outcome) -> web.StreamResponse:
        reply = outcome.reply
        content = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
        if outcome.wire == "send":
            headers = reply.headers
            headers["Content-Type"] = reply.content_type
            headers["Server"] = "simulator"
            return web.Response(body=content, status=reply.status, headers=headers)
        return await transport.break_off(request, outcome, content, self._closing)

    # WebSocket handshakes

    async def _handshake(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        market, ip = _market_of(path), request.remote or "127.0.0.1"
        rule = self._venue.faults.refuses_websocket(StreamScope(market, "", path=path))
        if rule is not None:
            return web.Response(status=rule.args["status"])
        try:
            self._venue.limits.connect(market, ip)
        except VenueError as error:
            reply = refusal(error, "rest", 0)
            return web.Response(body=orjson.dumps(reply.body), status=reply.status, headers=reply.headers)
        for prefix, weight in _WEBSOCKET_API_WEIGHT.items():
            if path.startswith(prefix):
                self._venue.limits.charge(market, ip, weight)
        self.in_flight -= 1
        try:
            return await self._websocket_handler(request)
        finally:
            self.in_flight += 1

    def _on_rule(self, rule: Rule) -> None:
        self._venue.tape.append("fault_set", rule=rule.id, fault=rule.kind)
        if rule.kind == "stale_lists":
            snapshots.take(self._venue, self.endpoints, rule)


async def _read_body(request: web.BaseRequest) -> str | None:
    """The body as text with every byte kept, None when it is too large or too slow."""
    try:
        if request.content.is_eof():  # it came with its head, as almost always
            raw = await request.read()
        else:
            async with asyncio.timeout(BODY_SECONDS):
                raw = await request.read()
    except (web.HTTPRequestEntityTooLarge, web.RequestPayloadError, TimeoutError):
        return None
    return raw.decode("utf-8", "surrogateescape")


def _market_of(path: str) -> Market:
    return "futures" if path.startswith(_FUTURES_PATHS) else "spot"


def _plain(path: str) -> str:
    """A path as endpoints have it: no percent-encoding, no doubled slashes, no scheme and host in front (RFC 9112)."""
    _, has_scheme, rest = path.partition("://")
    if has_scheme:
        path = "/" + rest.partition("/")[2]
    return re.sub("/{2,}", "/", unquote(path))


def _no_route(method: str, path: str, status: int) -> Reply:
    return Reply({"code": -5000, "msg": f"Path {clean(path)[:200]}, Method {clean(method)[:20]} is invalid"}, status)


def _other_method(method: str, path: str, methods: dict[str, Endpoint]) -> Reply:
    allowed = {"Allow": ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}))}
    if method == "OPTIONS":
        return Reply(b"", 200, allowed)
    reply = _no_route(method, path, 405)
    reply.headers.update(allowed)
    return reply
