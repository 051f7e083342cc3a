"""The one way into the venue, for REST and the WebSocket API alike.

Ban and limits, key, permission, signature, time window, handler, weight, tape: `execute` does it at once, `perform`
lets the faults have their say in between. Use `perform` wherever a client may be waiting.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.accounts import ApiKey
from simulator.errors import VenueError
from simulator.wire import auth
from simulator.wire.endpoint import Call, Endpoint, Reply, Via
from simulator.wire.history import bars_are_ready
from simulator.wire.params import Params

if TYPE_CHECKING:
    from simulator.venue import Venue

Wire = Literal["send", "reset", "fin", "hang", "cut_length", "cut_chunked"]
"""What becomes of a reply: sent; connection reset or closed instead; nothing at all; sent, but not to its end."""


@dataclass(slots=True)
class Incoming:
    """One request as it came in, whichever way."""

    endpoint: Endpoint
    params: Params
    via: Via
    ip: str
    key_text: str | None = None
    """Text of the API key: the X-MBX-APIKEY header, or the parameter apiKey."""
    payload: bytes = b""
    """What the signature covers (`auth.rest_payload`, `auth.ws_payload`); only looked at on signed endpoints."""
    session_key: ApiKey | None = None
    """Key of a logged-on WebSocket API session: neither apiKey nor signature is needed then."""
    connection: object | None = None


@dataclass(slots=True)
class Outcome:
    """The reply, and what becomes of it on the wire.

    Over the WebSocket API: `hang` sends nothing, `reset` and `fin` drop the connection, a cut reply is sent as broken
    JSON, a body of bytes as it is.
    """

    reply: Reply
    wire: Wire = "send"
    hang_ms: int | None = None


@dataclass(slots=True)
class Admission:
    """A request that has passed every check and waits for its handler."""

    incoming: Incoming
    key: ApiKey | None
    weight: int


def execute(venue: Venue, incoming: Incoming) -> Reply:
    """Check and carry out one request now; every refusal of the venue is a Reply, nothing is raised."""
    try:
        admission = admit(venue, incoming)
    except VenueError as error:
        return refused_at_the_gate(venue, incoming, error)
    return carry_out(venue, admission)


async def perform(venue: Venue, incoming: Incoming) -> Outcome:
    """The same with the faults that stand on the board: late, lost, swallowed, answered wrongly."""
    endpoint = incoming.endpoint
    while endpoint.reads_bars and not bars_are_ready(venue, endpoint.market, incoming.params):  # noqa: ASYNC110
        await asyncio.sleep(0)
    if not venue.faults.has_request_rules:
        return Outcome(execute(venue, incoming))
    from simulator.wire import effects  # stands on this module

    return await effects.perform(venue, incoming)


def admit(venue: Venue, incoming: Incoming, check_time: bool = True) -> Admission:
    """Every check on receipt; raises VenueError. Weight is charged for a refusal by `refused_at_the_gate`."""
    endpoint = incoming.endpoint
    weight = endpoint.weight if isinstance(endpoint.weight, int) else endpoint.weight(incoming.params)
    charged = 0 if endpoint.free_on_success else weight
    venue.limits.admit(endpoint.market, incoming.ip, charged, endpoint.quota)
    key = _authenticate(venue, incoming, check_time) if endpoint.security != "NONE" else None
    return Admission(incoming, key, weight)


def _authenticate(venue: Venue, incoming: Incoming, check_time: bool) -> ApiKey:
    endpoint, params = incoming.endpoint, incoming.params
    key = incoming.session_key
    if key is not None:
        auth.check_key(endpoint, key, incoming.ip)
    else:
        key = auth.find_key(venue, endpoint, incoming.key_text, incoming.ip)
    if endpoint.is_signed:
        if incoming.session_key is None:
            params.text("signature")
            params.text("timestamp")
            auth.check_signature(key, incoming.payload, params)
        if check_time:
            auth.check_time(params, venue.protocol.now_us())
    return key


def carry_out(venue: Venue, admission: Admission, check_time: bool = False) -> Reply:
    """Run the handler of an admitted request, charge its weight, put it on the tape."""
    incoming, key = admission.incoming, admission.key
    endpoint = incoming.endpoint
    orders = endpoint.orders if isinstance(endpoint.orders, int) else endpoint.orders(incoming.params)
    account_id = key.account_id if key is not None else 0
    reserved = 0
    try:
        if key is not None and key.revoked:
            raise auth.rejected_key()
        if check_time and endpoint.is_signed:
            auth.check_time(incoming.params, venue.protocol.now_us())
        if orders:
            venue.limits.reserve_orders(endpoint.market, account_id, orders, endpoint.orders_longer)
            reserved = orders
        body = endpoint.handler(call_of(venue, admission))
        reply = body if isinstance(body, Reply) else Reply(body)
    except VenueError as error:
        reply = refusal(error, incoming.via, venue.protocol.now_ms())
    if reserved and reply.status >= 400 and not _has_placed(reply):
        venue.limits.give_back_orders(endpoint.market, account_id, reserved, endpoint.orders_longer)
    _settle(venue, admission, reply)
    return reply


def _has_placed(reply: Reply) -> bool:
    """Whether a half-failed cancelReplace has placed its new order all the same."""
    data = reply.body.get("data") if isinstance(reply.body, dict) else None
    return isinstance(data, dict) and data.get("newOrderResult") == "SUCCESS"


def call_of(venue: Venue, admission: Admission) -> Call:
    """What the handler gets to see."""
    incoming = admission.incoming
    return Call(
        venue,
        incoming.endpoint,
        incoming.params,
        admission.key,
        incoming.via,
        incoming.ip,
        venue.protocol.now_ms(),
        incoming.connection,
    )


def _settle(venue: Venue, admission: Admission, reply: Reply) -> None:
    """Weight, headers and tape of a request that was carried out."""
    incoming, endpoint = admission.incoming, admission.incoming.endpoint
    if reply.status >= 400 or not endpoint.free_on_success:
        venue.limits.charge(endpoint.market, incoming.ip, admission.weight)
    if admission.key is not None and endpoint.is_signed:
        if endpoint.orders:
            reply.headers.update(venue.limits.order_headers(endpoint.market, admission.key.account_id))
        record(venue, incoming, reply, admission.key.account_id)


def refused_at_the_gate(venue: Venue, incoming: Incoming, error: VenueError) -> Reply:
    """The reply to a request that failed a check: it weighs one, and is on the tape if it was a signed one."""
    reply = refusal(error, incoming.via, venue.protocol.now_ms())
    if error.code != -1003:
        venue.limits.charge(incoming.endpoint.market, incoming.ip, 1)
    if incoming.endpoint.is_signed:
        key = incoming.session_key or venue.accounts.key(incoming.key_text or "")
        record(venue, incoming, reply, key.account_id if key else 0)
    return reply


def refusal(error: VenueError, via: Via, now_ms: int) -> Reply:
    """A VenueError as it goes out: Retry-After over REST, `data.retryAfter` (a timestamp) over the WebSocket API."""
    body: dict[str, object] = {"code": error.code, "msg": error.message}
    data = error.data
    if not isinstance(data, dict) or "retry_after" not in data:
        if data is not None:
            body["data"] = data
        return Reply(body, error.status)
    seconds = int(data["retry_after"])
    if via == "ws":
        body["data"] = {"serverTime": now_ms, "retryAfter": now_ms + seconds * 1000}
    return Reply(body, error.status, {"Retry-After": str(seconds)})


def record(venue: Venue, incoming: Incoming, reply: Reply, account_id: int) -> None:
    """One `request` line: who asked what, and the answer's status and code. Never key, signature or times."""
    body = reply.body
    code = body.get("code") if reply.status >= 400 and isinstance(body, dict) else None
    endpoint = incoming.endpoint
    venue.tape.append(
        "request",
        account=account_id,
        market=endpoint.market,
        via=incoming.via,
        method=endpoint.method or "WS",
        path=endpoint.path or endpoint.ws,
        params=incoming.params.shown(),
        status=reply.status,
        code=code if isinstance(code, int) else None,
    )
