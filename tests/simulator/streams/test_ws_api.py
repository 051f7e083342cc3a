from __future__ import annotations

import base64
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulator.spot.types import AccountPosition
from simulator.wire.endpoint import DECLARED, Call, Registry, endpoint
from tests.simulator.streams.fakes import START_MS, Client, FakeVenue, Harness, running

_EXTRA = Registry()
_ED = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_ED_PEM = _ED.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()  # fmt: skip


@endpoint(market="spot", ws="echo", weight=3, into=_EXTRA)
def _echo(call: Call) -> object:
    return {"quantity": call.params.text("quantity"), "now": call.now_ms > 0}


@endpoint(market="spot", ws="whoami", security="USER_DATA", into=_EXTRA)
def _whoami(call: Call) -> object:
    return {"account": call.account_id}


def _endpoints() -> Registry:
    """The methods about the connection, and two of the test's own."""
    both = Registry()
    for name, item in DECLARED.ws.items():
        if name[1].startswith(("session.", "userDataStream.")) and name[0] == "spot":
            both.ws[name] = item
    both.ws.update(_EXTRA.ws)
    return both


@pytest.fixture
async def harness() -> Any:
    async with running(FakeVenue(), _endpoints()) as started:
        yield started


async def _request(client: Client, method: str, params: dict[str, Any] | None = None, request_id: Any = 1) -> Any:
    body: dict[str, Any] = {"id": request_id, "method": method}
    if params is not None:
        body["params"] = params
    return await client.ask(body)


def _signed(harness: Harness, key: str, **params: Any) -> dict[str, Any]:
    """HMAC with the secret `s`, or Ed25519 for keys named ed..."""
    params |= {"apiKey": key, "timestamp": harness.venue.protocol.now_ms()}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()
    if key.startswith("ed"):
        return params | {"signature": base64.b64encode(_ED.sign(payload)).decode()}
    return params | {"signature": hmac.digest(b"s", payload, "sha256").hex()}


async def _logged_on(harness: Harness) -> tuple[Client, int]:
    account_id = harness.venue.account("ed", "ED25519", _ED_PEM)
    client = await harness.connect("/ws-api/v3")
    answer = await _request(client, "session.logon", _signed(harness, "ed"))
    assert answer["status"] == 200
    return client, account_id


def _publish(harness: Harness, account_id: int) -> None:
    harness.venue.bus.publish(AccountPosition(account_id, {}, START_MS))


async def test_an_answer_repeats_the_id_and_reports_the_limits(harness: Harness) -> None:
    client = await harness.connect("/ws-api/v3")
    answer = await _request(client, "echo", {"quantity": "1.50"}, "order.place of ü, the 40th character and on")
    assert answer["id"] == "order.place of ü, the 40th character and on"
    assert (answer["status"], answer["result"]["quantity"]) == (200, "1.50")
    (limit,) = answer["rateLimits"]
    assert (limit["rateLimitType"], limit["count"]) == ("REQUEST_WEIGHT", 3)


async def test_the_limits_can_be_left_out_of_an_answer(harness: Harness) -> None:
    client = await harness.connect("/ws-api/v3")
    assert "rateLimits" not in await _request(client, "echo", {"quantity": 1, "returnRateLimits": False})
    quiet = await harness.connect("/ws-api/v3?returnRateLimits=false")
    assert "rateLimits" not in await _request(quiet, "echo", {"quantity": 1})
    assert "rateLimits" in await _request(quiet, "echo", {"quantity": 1, "returnRateLimits": True})


@pytest.mark.parametrize(("written", "read"), [("0.10000000", "0.10000000"), ("1e3", "1e3"), ("12", "12")])
async def test_a_number_is_read_exactly_as_it_was_written(harness: Harness, written: str, read: str) -> None:
    client = await harness.connect("/ws-api/v3")
    answer = await client.ask(f'{{"id":1,"method":"echo","params":{{"quantity":{written}}}}}')
    assert answer["result"]["quantity"] == read


async def test_a_method_may_carry_the_version_of_its_api(harness: Harness) -> None:
    client = await harness.connect("/ws-api/v3")
    assert (await _request(client, "v3/echo", {"quantity": "1"}))["status"] == 200
    assert (await _request(client, "v9/echo", {"quantity": "1"}))["status"] == 400


@pytest.mark.parametrize(
    ("text", "code", "request_id"),
    [
        ("hello", -1135, None),
        ("[]", -1135, None),
        ('{"id":5}', -1102, 5),
        ('{"id":5,"method":7}', -1102, 5),
        ('{"id":5,"method":"no.such"}', -1020, 5),
        ('{"id":5,"method":"echo","params":[]}', -1135, 5),
        ('{"id":{"a":1},"method":"echo"}', -1130, None),
        ('{"id":5,"method":"echo"}', -1102, 5),
    ],
)
async def test_a_malformed_request_is_answered_and_the_connection_stays(
    harness: Harness, text: str, code: int, request_id: int | None
) -> None:
    client = await harness.connect("/ws-api/v3")
    answer = await client.ask(text)
    assert (answer["id"], answer["status"], answer["error"]["code"]) == (request_id, 400, code)
    assert (await _request(client, "session.status"))["status"] == 200


async def test_a_signature_is_checked_over_the_sorted_parameters(harness: Harness) -> None:
    account_id = harness.venue.account("k", "HMAC", "s")
    client = await harness.connect("/ws-api/v3")
    signed = _signed(harness, "k", zeta="äö", alpha=3)
    assert (await _request(client, "whoami", signed))["result"] == {"account": account_id}
    wrong = signed | {"alpha": 4}
    assert (await _request(client, "whoami", wrong))["error"]["code"] == -1022


async def test_a_logged_on_session_needs_neither_key_nor_signature(harness: Harness) -> None:
    client, account_id = await _logged_on(harness)
    now = harness.venue.protocol.now_ms()
    assert (await _request(client, "whoami", {"timestamp": now}))["result"] == {"account": account_id}
    status = (await _request(client, "session.status"))["result"]
    assert (status["apiKey"], status["userDataStream"]) == ("ed", False)
    assert status["connectedSince"] <= status["authorizedSince"] <= status["serverTime"]


async def test_a_request_may_be_signed_by_another_key_than_the_sessions(harness: Harness) -> None:
    client, _ = await _logged_on(harness)
    other = harness.venue.account("k", "HMAC", "s")
    assert (await _request(client, "whoami", _signed(harness, "k")))["result"] == {"account": other}


async def test_only_an_ed25519_key_may_log_on(harness: Harness) -> None:
    harness.venue.account("k", "HMAC", "s")
    client = await harness.connect("/ws-api/v3")
    answer = await _request(client, "session.logon", _signed(harness, "k"))
    assert answer["error"] == {"code": -4056, "msg": "HMAC_SHA256 API key is not supported."}


async def test_after_logout_the_key_is_forgotten(harness: Harness) -> None:
    client, _ = await _logged_on(harness)
    status = (await _request(client, "session.logout"))["result"]
    assert (status["apiKey"], status["authorizedSince"]) == (None, None)
    answer = await _request(client, "whoami", {"timestamp": harness.venue.protocol.now_ms()})
    assert answer["error"]["code"] == -2014


async def test_a_subscription_needs_a_session(harness: Harness) -> None:
    client = await harness.connect("/ws-api/v3")
    assert (await _request(client, "userDataStream.subscribe"))["error"]["code"] == -1002


async def test_events_come_in_an_envelope_with_the_subscriptions_number(harness: Harness) -> None:
    client, account_id = await _logged_on(harness)
    assert (await _request(client, "userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
    _publish(harness, account_id + 1)
    _publish(harness, account_id)
    event = await client.receive()
    assert event["subscriptionId"] == 0
    assert event["event"]["e"] == "outboundAccountPosition"


async def test_an_account_is_subscribed_to_once_per_connection(harness: Harness) -> None:
    account_id = harness.venue.account("k", "HMAC", "s")
    client = await harness.connect("/ws-api/v3")
    method = "userDataStream.subscribe.signature"
    assert (await _request(client, method, _signed(harness, "k")))["result"] == {"subscriptionId": 0}
    refused = await _request(client, method, _signed(harness, "k"))
    assert refused["error"] == {"code": -2035, "msg": "User Data Stream subscription already active."}
    other = await harness.connect("/ws-api/v3")
    assert (await _request(other, method, _signed(harness, "k")))["result"] == {"subscriptionId": 0}
    _publish(harness, account_id)
    assert await client.receive() == await other.receive()


async def test_numbers_are_never_used_twice(harness: Harness) -> None:
    harness.venue.account("k", "HMAC", "s")
    client = await harness.connect("/ws-api/v3")
    await _request(client, "userDataStream.subscribe.signature", _signed(harness, "k"))
    await client.socket.send_str('{"id":9,"method":"userDataStream.unsubscribe","params":{"subscriptionId":0}}')
    ended, answer = await client.receive(), await client.receive()
    assert ended["subscriptionId"] == 0
    assert ended["event"]["e"] == "eventStreamTerminated"
    assert answer["result"] == {}
    again = await _request(client, "userDataStream.subscribe.signature", _signed(harness, "k"))
    assert again["result"] == {"subscriptionId": 1}
    listed = await _request(client, "session.subscriptions")
    assert listed["result"] == [{"subscriptionId": 1}]


async def test_ending_a_subscription_that_is_not_there_is_refused(harness: Harness) -> None:
    client = await harness.connect("/ws-api/v3")
    answer = await _request(client, "userDataStream.unsubscribe", {"subscriptionId": 3})
    assert answer["error"]["code"] == -2036


async def test_logout_ends_only_the_sessions_own_subscription(harness: Harness) -> None:
    client, account_id = await _logged_on(harness)
    other = harness.venue.account("k", "HMAC", "s")
    await _request(client, "userDataStream.subscribe")
    await _request(client, "userDataStream.subscribe.signature", _signed(harness, "k"))
    await client.socket.send_str('{"id":9,"method":"session.logout"}')
    ended = await client.receive()
    assert (ended["subscriptionId"], ended["event"]["e"]) == (0, "eventStreamTerminated")
    assert (await client.receive())["id"] == 9
    _publish(harness, account_id)
    _publish(harness, other)
    assert (await client.receive())["subscriptionId"] == 1


async def test_a_closed_connection_is_subscribed_to_nothing(harness: Harness) -> None:
    account_id = harness.venue.account("k", "HMAC", "s")
    client = await harness.connect("/ws-api/v3")
    await _request(client, "userDataStream.subscribe.signature", _signed(harness, "k"))
    await client.socket.close()
    _publish(harness, account_id)
    again = await harness.connect("/ws-api/v3")
    assert (await _request(again, "session.subscriptions"))["result"] == []


async def test_the_end_of_life_is_announced_as_an_event() -> None:
    from simulator.streams.timing import Timing

    async with running(FakeVenue(Timing(life_seconds=0.2, notice_seconds=0.15)), _endpoints()) as harness:
        client = await harness.connect("/ws-api/v3")
        assert (await client.receive())["event"]["e"] == "serverShutdown"
        assert await client.close_code() == 1001


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "reply_status", "path": "echo", "args": {"status": 503, "code": -1008}}, (503, -1008)),
        ({"kind": "rate_limit", "path": "echo"}, (429, -1003)),
    ],
)
async def test_a_fault_on_a_request_is_seen_over_the_websocket_api(
    harness: Harness, fault: dict[str, Any], expected: tuple[int, int]
) -> None:
    client = await harness.connect("/ws-api/v3")
    harness.venue.faults.add(fault)
    answer = await _request(client, "echo", {"quantity": "1"})
    assert (answer["status"], answer["error"]["code"]) == expected


async def test_a_lost_reply_drops_the_connection(harness: Harness) -> None:
    client = await harness.connect("/ws-api/v3")
    harness.venue.faults.add({"kind": "reply_lost", "path": "echo", "args": {"how": "reset"}})
    await client.socket.send_str('{"id":1,"method":"echo","params":{"quantity":"1"}}')
    assert await client.close_code() == 1006
