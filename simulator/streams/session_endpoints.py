"""Methods about the connection itself, which only the WebSocket API knows: the session and spot user data.

USD-M's `userDataStream.start/ping/stop` are the listen-key endpoints of REST under another name.
"""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.streams.ws_api import ApiSession
from simulator.wire.endpoint import Call, endpoint


def _session(call: Call) -> ApiSession:
    if not isinstance(call.connection, ApiSession):
        raise VenueError(-1020, "This operation is not supported.")
    return call.connection


def _status(call: Call, session: ApiSession) -> dict[str, object]:
    return {
        "apiKey": None if session.key is None else session.key.key,
        "authorizedSince": session.authorized_ms,
        "connectedSince": session.connected_ms,
        "returnRateLimits": session.return_rate_limits,
        "serverTime": call.now_ms,
        "userDataStream": session.subscriptions.has_session,
    }


@endpoint(market="spot", ws="session.logon", security="USER_DATA", weight=2)
@endpoint(market="futures", ws="session.logon", security="USER_DATA", weight=2)
def log_on(call: Call) -> object:
    """Authenticate the connection with an Ed25519 key; other requests then need neither key nor signature."""
    session = _session(call)
    call.params.finish()
    if call.key is None or call.key.kind != "ED25519":
        kind = "RSA" if call.key is not None and call.key.kind == "RSA" else "HMAC_SHA256"
        raise VenueError(-4056, f"{kind} API key is not supported.")
    session.log_on(call.key, call.now_ms)
    return _status(call, session)


@endpoint(market="spot", ws="session.status", weight=2)
@endpoint(market="futures", ws="session.status", weight=2)
def session_status(call: Call) -> object:
    """Which key the connection is authenticated with, if any."""
    call.params.finish()
    return _status(call, _session(call))


@endpoint(market="spot", ws="session.logout", weight=2)
@endpoint(market="futures", ws="session.logout", weight=2)
def log_out(call: Call) -> object:
    """Forget the session's key; the connection stays open."""
    session = _session(call)
    call.params.finish()
    session.log_out()
    return _status(call, session)


@endpoint(market="spot", ws="userDataStream.subscribe", weight=2)
def subscribe(call: Call) -> object:
    """User data of the logged-on account on this connection."""
    session = _session(call)
    call.params.finish()
    if session.key is None or session.key.revoked:
        raise VenueError(-1002, "You are not authorized to execute this request.", 401)
    return {"subscriptionId": session.subscriptions.add(session.key.account_id, by_session=True)}


@endpoint(market="spot", ws="userDataStream.subscribe.signature", security="USER_DATA", weight=2)
def subscribe_by_signature(call: Call) -> object:
    """User data of the account that signed, without a logon; any kind of key."""
    session = _session(call)
    call.params.finish()
    number = session.subscriptions.add(call.account_id, by_session=False)
    session.take_account(call.account_id)
    return {"subscriptionId": number}


@endpoint(market="spot", ws="userDataStream.unsubscribe", weight=2)
def unsubscribe(call: Call) -> object:
    """End one subscription of this connection, or all of them."""
    session = _session(call)
    number = call.params.optional_integer("subscriptionId", 0)
    call.params.finish()
    if number is None:
        session.announce_end(session.subscriptions.end_all())
    else:
        session.subscriptions.end(number)
        session.announce_end([number])
    return {}


@endpoint(market="spot", ws="session.subscriptions", weight=2)
def subscriptions(call: Call) -> object:
    """Numbers of this connection's subscriptions."""
    session = _session(call)
    call.params.finish()
    return [{"subscriptionId": number} for number in session.subscriptions.numbers]
