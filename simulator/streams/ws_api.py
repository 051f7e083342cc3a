"""The WebSocket API: requests and responses in frames, through the same pipeline as REST.

A malformed message is answered with `id` null where none can be read, and never ends the connection. Frames of
requests that a fault delays may be answered out of order, as on the venue.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import orjson

from simulator.accounts import ApiKey
from simulator.errors import VenueError
from simulator.streams.commands import RequestId
from simulator.streams.frames import MICROSECONDS, TEXT, Message, encode_frame, text_frame
from simulator.streams.paths import Entrance
from simulator.streams.users import Subscriptions
from simulator.wire import auth
from simulator.wire.endpoint import Endpoint, Registry, Reply, registry
from simulator.wire.params import Params, load_exact, texts_of
from simulator.wire.pipeline import Incoming, Outcome, execute, perform, refusal
from simulator.wire.time_unit import in_microseconds

if TYPE_CHECKING:
    from simulator.streams.connection import Connection
    from simulator.streams.hub import StreamHub
    from simulator.venue import Venue

_NOT_JSON = "Invalid JSON Request: the message is not a JSON object."
_NO_OBJECT = "Invalid 'params' in JSON request; expected an object."
_PLAIN = frozenset({str, int, bool, type(None)})
"""Types whose text is the same however they were written."""
_UNKNOWN_METHOD = (-1020, "This operation is not supported.")


class ApiSession:
    """One connection to the WebSocket API: its logon, its subscriptions, its requests."""

    def __init__(
        self,
        hub: StreamHub,
        venue: Venue,
        connection: Connection,
        entrance: Entrance,
        ip: str,
        endpoints: Registry | None = None,
    ) -> None:
        self.key: ApiKey | None = None
        """Key of the logged-on session."""
        self.authorized_ms: int | None = None
        self.return_rate_limits = entrance.return_rate_limits
        self.subscriptions = Subscriptions(hub.users, self)
        self._hub = hub
        self._venue = venue
        self._connection = connection
        self._market = entrance.market
        self._variant = MICROSECONDS * entrance.in_microseconds
        self._ip = ip
        self._endpoints = endpoints or registry()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected_ms(self) -> int:
        """Protocol time of the handshake."""
        return self._connection.opened_ms

    # Requests

    def on_text(self, text: str) -> None:
        """Answer one request."""
        request_id: RequestId = None
        try:
            request = _read_object(text)
            request_id = _read_id(request.get("id"))
            endpoint = self._find(request.get("method"))
            params = _read_params(request, text)
            wants_limits = self._wants_limits(params)
        except VenueError as error:
            self._refuse(request_id, error)
            return
        incoming = self._incoming(endpoint, params)
        if self._venue.faults.has_request_rules or endpoint.reads_bars:
            task = asyncio.get_running_loop().create_task(self._perform(request_id, incoming, wants_limits))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._answer(request_id, execute(self._venue, incoming), incoming, wants_limits)

    def _refuse(self, request_id: RequestId, error: VenueError) -> None:
        """Answer what never became a request; it counts against the limits all the same."""
        limits, now = self._venue.limits, self._venue.protocol.now_ms()
        try:
            limits.admit(self._market, self._ip, 1)
            limits.charge(self._market, self._ip, 1)
        except VenueError as full:
            error = full
        self._answer(request_id, refusal(error, "ws", now), None, self.return_rate_limits)

    def _find(self, method: object) -> Endpoint:
        """The endpoint of a method, which may carry the version of its API in front (`v3/order.place`)."""
        if not isinstance(method, str) or not method:
            raise VenueError(-1102, "Mandatory parameter 'method' was not sent, was empty/null, or malformed.")
        found = self._endpoints.ws.get((self._market, method))
        if found is None:
            prefix, _, bare = method.partition("/")
            if prefix == ("v3" if self._market == "spot" else "v1"):
                found = self._endpoints.ws.get((self._market, bare))
        if found is None:
            raise VenueError(*_UNKNOWN_METHOD)
        return found

    def _wants_limits(self, params: dict[str, str]) -> bool:
        """Take `returnRateLimits` out of the parameters: it is about the answer, and on logon about all answers."""
        asked = params.get("returnRateLimits")
        if asked not in (None, "true", "false"):
            raise VenueError(-1130, "Data sent for parameter 'returnRateLimits' is not valid.")
        return self.return_rate_limits if asked is None else asked == "true"

    def _incoming(self, endpoint: Endpoint, values: dict[str, str]) -> Incoming:
        key_text = values.get("apiKey")
        session_key = self.key if key_text is None and endpoint.ws != "session.logon" else None
        payload = auth.ws_payload(values) if endpoint.is_signed and session_key is None else b""
        values.pop("returnRateLimits", None)
        params = Params(values, self._market)
        return Incoming(endpoint, params, "ws", self._ip, key_text, payload, session_key, self)

    async def _perform(self, request_id: RequestId, incoming: Incoming, wants_limits: bool) -> None:
        self._hub.in_flight += 1
        try:
            self._send(request_id, await perform(self._venue, incoming), incoming, wants_limits)
        finally:
            self._hub.in_flight -= 1

    def _send(self, request_id: RequestId, outcome: Outcome, incoming: Incoming, wants_limits: bool) -> None:
        if outcome.wire == "hang":
            return
        if outcome.wire in ("reset", "fin"):
            self._connection.close(1006)
        elif outcome.wire == "send":
            self._answer(request_id, outcome.reply, incoming, wants_limits)
        else:
            self._answer_in_half(request_id, outcome)

    def _answer(self, request_id: RequestId, reply: Reply, incoming: Incoming | None, wants_limits: bool) -> None:
        if isinstance(reply.body, bytes):
            self._connection.put(encode_frame(TEXT, reply.body))
            return
        body: dict[str, object] = {"id": request_id, "status": reply.status}
        content = in_microseconds(reply.body) if self._variant & MICROSECONDS else reply.body
        body["result" if reply.status < 400 else "error"] = content
        if wants_limits:
            body["rateLimits"] = self._limits(incoming)
        self._connection.put(text_frame(body))

    def _answer_in_half(self, request_id: RequestId, outcome: Outcome) -> None:
        body = outcome.reply.body
        whole = orjson.dumps({"id": request_id, "status": 200, "result": None if isinstance(body, bytes) else body})
        self._connection.put(encode_frame(TEXT, whole[: len(whole) // 2]))

    def _limits(self, incoming: Incoming | None) -> list[dict[str, object]]:
        account_id = None
        if incoming is not None and incoming.endpoint.orders:
            key = incoming.session_key or self._venue.accounts.key(incoming.key_text or "")
            account_id = None if key is None else key.account_id
        return self._venue.limits.report(self._market, self._ip, account_id)

    # The session

    def log_on(self, key: ApiKey, now_ms: int) -> None:
        """Authenticate the connection; a session of another account ends first."""
        if self.key is not None and self.key.account_id != key.account_id:
            self.log_out()
        self.key = key
        self.authorized_ms = now_ms
        self._connection.scope.account = key.account_id

    def log_out(self) -> None:
        """End the session and what it subscribed to; subscriptions by signature go on."""
        self.key = self.authorized_ms = None
        self.announce_end(self.subscriptions.end_all(only_session=True))

    def take_account(self, account_id: int) -> None:
        """Faults name connections by account: the latest that was heard of here."""
        self._connection.scope.account = account_id

    def announce_end(self, numbers: list[int]) -> None:
        """Say `eventStreamTerminated` for subscriptions that have ended."""
        for number in numbers:
            event = {"e": "eventStreamTerminated", "E": self._venue.clock.now_ms()}
            self.receive_user_event(Message("", {"subscriptionId": number, "event": event}), "eventStreamTerminated")

    def receive_user_event(self, message: Message, event: str) -> None:
        """Send an account's event on."""
        self._connection.send_event(message.frame(self._variant), event)

    # The connection

    def on_closed(self) -> None:
        """Forget everything; requests that are under way go on, as the venue's do."""
        self.subscriptions.end_all()

    def end_subscriptions(self) -> None:
        """End all user data of the connection, as a fault wants."""
        self.announce_end(self.subscriptions.end_all())

    def shutdown_frame(self) -> bytes:
        """The notice that the server is about to go."""
        event = {"e": "serverShutdown", "E": self._venue.protocol.now_ms()}
        return Message("", {"event": event}).frame(self._variant)


def _read_object(text: str) -> dict[str, object]:
    try:
        request = orjson.loads(text)
    except (ValueError, UnicodeError, RecursionError):
        raise VenueError(-1135, _NOT_JSON) from None
    if not isinstance(request, dict):
        raise VenueError(-1135, _NOT_JSON)
    return request


def _read_id(value: object) -> RequestId:
    """Any integer, text or null; the venue does not interpret it."""
    if value is None or isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise VenueError(-1130, "Data sent for parameter 'id' is not valid.")


def _read_params(request: dict[str, object], text: str) -> dict[str, str]:
    """Parameters as texts. Numbers with a point are read once more, to have them as they were written."""
    params = request.get("params")
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise VenueError(-1135, _NO_OBJECT)
    kinds = {type(value) for value in params.values()}
    if kinds <= _PLAIN:
        return texts_of({name: str(value) if type(value) is int else value for name, value in params.items()})
    exact = cast("dict[str, dict[str, object]]", load_exact(text))
    return texts_of(exact["params"])
