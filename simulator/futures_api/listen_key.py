"""The listenKey that opens a user data stream: one per account, sixty minutes of protocol time."""

from __future__ import annotations

from simulator.wire.endpoint import Call, endpoint


@endpoint("POST /fapi/v1/listenKey", market="futures", ws="userDataStream.start", security="STREAM")
def open_listen_key(call: Call) -> object:
    """The account's key, new or extended; stray parameters are ignored."""
    return {"listenKey": call.venue.listen_keys.open(call.account_id)}


@endpoint("PUT /fapi/v1/listenKey", market="futures", ws="userDataStream.ping", security="STREAM")
def extend_listen_key(call: Call) -> object:
    """Sixty more minutes; -1125 when the account has no living key."""
    return {"listenKey": call.venue.listen_keys.extend(call.account_id)}


@endpoint("DELETE /fapi/v1/listenKey", market="futures", ws="userDataStream.stop", security="STREAM")
def close_listen_key(call: Call) -> object:
    """End the account's stream."""
    call.venue.listen_keys.close(call.account_id)
    return {}
