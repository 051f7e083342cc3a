from __future__ import annotations

import asyncio
import hmac
import logging
from io import BytesIO
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from simulator.accounts import ApiKey
from simulator.errors import VenueError
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params
from simulator.wire.server import WireServer
from tests.simulator.wire.fakes import KEY, SECRET, FakeVenue, endpoints, serving

MISSING_SIGNATURE = "Mandatory parameter 'signature' was not sent, was empty/null, or malformed."
BAD_KEY = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}


async def test_an_order_is_placed_from_query_body_or_both() -> None:
    async with serving() as (venue, client, _):
        signed = client.sign(symbol="BTCUSDT", side="BUY", newClientOrderId="in-query")
        assert (await client.raw("POST", f"/api/v3/order?{signed}")).status == 200
        signed = client.sign(symbol="BTCUSDT", side="BUY", newClientOrderId="in-body")
        assert (await client.raw("POST", "/api/v3/order", signed.encode())).status == 200
        query = "symbol=BTCUSDT&side=BUY"
        body = f"newClientOrderId=split&timestamp={venue.protocol.now_ms()}"
        signature = signature_of(query + body)
        assert (await client.raw("POST", f"/api/v3/order?{query}", f"{body}&signature={signature}")).status == 200
        assert [order["clientOrderId"] for order in venue.orders] == ["in-query", "in-body", "split"]


def signature_of(text: str) -> str:
    return hmac.digest(SECRET.encode(), text.encode(), "sha256").hex()


async def test_the_query_wins_over_the_body() -> None:
    async with serving() as (venue, client, _):
        query, body = "symbol=BTCUSDT&side=BUY", f"symbol=ETHUSDT&timestamp={venue.protocol.now_ms()}"
        answer = await client.raw("POST", f"/api/v3/order?{query}", f"{body}&signature={signature_of(query + body)}")
        assert (await answer.json())["symbol"] == "BTCUSDT"


async def test_the_signature_covers_the_bytes_as_they_were_sent() -> None:
    async with serving() as (venue, client, _):
        encoded = f"symbol=%42TCUSDT&side=BUY&timestamp={venue.protocol.now_ms()}"
        plain = encoded.replace("%42", "B")
        good = await raw_request(client.url, f"POST /api/v3/order?{encoded}&signature={signature_of(encoded)}")
        bad = await raw_request(client.url, f"POST /api/v3/order?{encoded}&signature={signature_of(plain)}")
        assert b'"symbol":"BTCUSDT"' in good
        assert b'{"code":-1022,"msg":"Signature for this request is not valid."}' in bad


async def raw_request(url: str, line: str, more: str = f"X-MBX-APIKEY: {KEY}\r\nContent-Length: 0\r\n") -> bytes:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n".encode("utf-8", "surrogateescape"))
    answer = await asyncio.wait_for(reader.read(), 180)
    writer.close()
    return answer


async def test_keys_are_checked_with_the_venues_codes() -> None:
    async with serving() as (venue, client, _):
        path = f"/api/v3/openOrders?{client.sign()}"
        for key, status, body in (
            ("", 401, {"code": -2014, "msg": "API-key format invalid."}),
            ("with blank", 401, {"code": -2014, "msg": "API-key format invalid."}),
            ("nobody", 401, BAD_KEY),
        ):
            client.key = key
            answer = await client.raw("GET", path)
            assert (answer.status, await answer.json()) == (status, body)
        client.key = KEY
        found = venue.accounts.key(KEY)
        assert found is not None
        found.ip_addresses = ("10.1.1.1",)
        assert (await client.send("GET", "/api/v3/openOrders"))[1] == BAD_KEY
        found.ip_addresses = ("127.0.0.1",)
        found.permissions = frozenset({"READING", "FUTURES"})
        assert (await client.send("GET", "/api/v3/openOrders"))[0] == 200
        assert (await client.place())[1] == BAD_KEY
        assert (await client.send("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY"))[0] == 200
        found.permissions = frozenset({"SPOT"})
        assert (await client.send("GET", "/api/v3/openOrders"))[1] == BAD_KEY
        found.revoked = True
        assert (await client.place())[1] == BAD_KEY
        assert venue.orders == []


async def test_a_keyed_endpoint_needs_the_key_and_no_signature() -> None:
    async with serving() as (_, client, _):
        assert (await client.raw("GET", "/api/v3/keyed")).status == 200
        client.key = ""
        assert (await client.raw("GET", "/api/v3/keyed")).status == 401


async def test_signed_requests_need_signature_and_time() -> None:
    async with serving() as (venue, client, _):
        answer = await client.raw("GET", f"/api/v3/openOrders?timestamp={venue.protocol.now_ms()}")
        assert await answer.json() == {"code": -1102, "msg": MISSING_SIGNATURE}
        wrong = await client.raw("GET", f"/api/v3/openOrders?{client.sign()}0")
        assert (wrong.status, (await wrong.json())["code"]) == (400, -1022)
        now = venue.protocol.now_ms()
        late = await client.send("GET", "/api/v3/openOrders", timestamp=now - 6_000)
        assert late == (400, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."})
        early = await client.send("GET", "/api/v3/openOrders", timestamp=now + 90_000)
        assert early[1]["msg"] == "Timestamp for this request was 1000ms ahead of the server's time."
        wide = await client.send("GET", "/api/v3/openOrders", recvWindow=60_001)
        assert wide[1] == {"code": -1131, "msg": "recvWindow must be less than 60000."}


async def test_orders_weigh_nothing_unless_they_are_refused() -> None:
    async with serving() as (venue, client, _):
        venue.protocol.at = 1_700_000_000_000
        answer = await client.raw("POST", f"/api/v3/order?{client.sign(symbol='BTCUSDT', side='BUY')}")
        assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "0"
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        assert answer.headers["X-MBX-ORDER-COUNT-1D"] == "1"
        await client.place("refuse-me")
        refused = await client.raw("POST", f"/api/v3/order?{client.sign(symbol='BTCUSDT', side='NOPE')}")
        assert refused.headers["X-MBX-USED-WEIGHT-1M"] == refused.headers["X-MBX-USED-WEIGHT"] == "2"
        assert venue.limits.order_report("spot", 1)[0]["count"] == 1
        read = await client.raw("GET", f"/api/v3/order?{client.sign(symbol='BTCUSDT', orderId=1)}")
        assert read.headers["X-MBX-USED-WEIGHT-1M"] == "6"


async def test_too_much_weight_is_answered_with_the_time_to_wait() -> None:
    async with serving() as (venue, client, _):
        venue.protocol.at = 1_700_000_040_000 + 40_000
        for _ in range(4):
            assert (await client.raw("GET", "/fapi/v1/heavy")).status == 200
        refused = await client.raw("GET", "/fapi/v1/heavy")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "20")
        assert (await refused.json())["msg"] == (
            "Too many requests; current limit is 2400 requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
        for _ in range(10):
            refused = await client.raw("GET", "/fapi/v1/heavy")
        assert (refused.status, refused.headers["Retry-After"]) == (418, "120")
        assert (await client.raw("GET", "/api/v3/heavy")).status == 200


async def test_too_many_orders_are_answered_with_1015() -> None:
    async with serving() as (venue, client, _):
        venue.protocol.at = 1_700_000_000_000
        venue.limits.set_limit("spot", "ORDERS", "SECOND", 10, 2)
        assert [(await client.place(f"c{number}"))[0] for number in range(3)] == [200, 200, 429]
        status, body = await client.place("again")
        assert (status, body["code"]) == (429, -1015)
        assert len(venue.orders) == 2


async def test_signed_requests_are_on_the_tape_without_anything_secret() -> None:
    async with serving() as (venue, client, _):
        await client.place("one")
        await client.place("refuse-me", recvWindow=5000)
        await client.raw("GET", "/api/v3/ping")
        lines = list(venue.tape.records(kind="request"))
        assert [(line["account"], line["path"], line["status"], line["code"]) for line in lines] == [
            (1, "/api/v3/order", 200, None),
            (1, "/api/v3/order", 400, -2010),
        ]
        assert lines[1]["params"] == {"symbol": "BTCUSDT", "side": "BUY", "newClientOrderId": "refuse-me"}
        everything = b"".join(venue.tape.lines())
        assert KEY.encode() not in everything
        assert SECRET.encode() not in everything


async def test_unknown_paths_and_wrong_methods_are_refused() -> None:
    async with serving() as (_, client, _):
        unknown = await client.raw("GET", "/fapi/v1/nothing")
        assert unknown.status == 404
        assert await unknown.json() == {"code": -5000, "msg": "Path /fapi/v1/nothing, Method GET is invalid"}
        wrong = await client.raw("PUT", "/api/v3/ping")
        assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        options = await client.raw("OPTIONS", "/api/v3/order")
        assert (options.status, options.headers["Allow"]) == (200, "DELETE, GET, HEAD, OPTIONS, POST")
        head = await client.raw("HEAD", "/api/v3/time")
        assert (head.status, await head.read()) == (200, b"")


async def test_repeated_parameters_are_refused() -> None:
    async with serving() as (_, client, _):
        answer = await client.raw("GET", "/api/v3/ping?a=1&a=2")
        assert await answer.json() == {"code": -1101, "msg": "Duplicate values for a parameter detected."}


async def test_a_huge_body_is_refused_and_the_server_goes_on() -> None:
    async with serving() as (_, client, _):
        answer = await client.raw("POST", "/api/v3/order", BytesIO(b"a=" + b"x" * 2_000_000))
        assert answer.status == 413
        assert (await client.place())[0] == 200


@pytest.mark.parametrize(
    "line",
    [
        "\x00\x01\x02",
        "GET",
        "GET  /api/v3/ping",
        "GET /api/v3/ping\udcff?a=\udcfe",
        "GET //x/%zz?%zz=%",
        "GET http://elsewhere/api/v3/ping",
        "BREW /api/v3/ping",
        "GET /api/v3/ping?" + "a" * 20_000,
    ],
)
async def test_malformed_http_hurts_nobody_else(line: str) -> None:
    async with serving() as (_, client, _):
        await client.raw("GET", "/api/v3/ping")
        answer = await raw_request(client.url, line)
        assert not answer.startswith(b"HTTP/1.1 5")
        assert (await client.raw("GET", "/api/v3/ping")).status == 200


async def test_a_failing_handler_is_one_500_without_details(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (venue, client, _):
        del venue.exchanges["spot"]
        with caplog.at_level(logging.CRITICAL):
            status, body = await client.place()
        assert (status, body["code"]) == (500, -1000)
        assert body["msg"] == "An unknown error occurred while processing the request."


async def test_handshakes_are_handed_on_counted_and_refused_by_fault() -> None:
    seen: list[str] = []

    async def greet(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.path)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket

    venue = FakeVenue()
    server = WireServer(venue.as_venue(), greet, endpoints())
    port = await server.start("127.0.0.1", 0)
    url = f"ws://127.0.0.1:{port}/ws-api/v3"
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert venue.limits.used_weight("spot", "127.0.0.1") == 2
        venue.faults.add({"kind": "refuse_ws", "times": 1, "args": {"status": 502}})
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(url)
        assert caught.value.status == 502
        venue.limits.set_limit("spot", "CONNECTIONS", "MINUTE", 5, 1)
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(url)
        assert caught.value.status == 429
    await server.stop()
    assert seen == ["/ws-api/v3"]


async def test_listening_can_stop_and_start_on_the_same_port() -> None:
    async with serving() as (_, client, server):
        await server.stop_listening()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.raw("GET", "/api/v3/ping")
        await server.listen()
        assert (await client.raw("GET", "/api/v3/ping")).status == 200


async def test_two_endpoints_may_not_share_a_route() -> None:
    found = endpoints()
    with pytest.raises(ValueError, match="declared twice"):
        endpoint("GET /api/v3/ping", market="spot", into=found)(lambda call: {})
    with pytest.raises(ValueError, match="is not 'METHOD /path'"):
        endpoint("GET", market="spot", into=found)


async def test_a_key_without_account_data_may_not_ask_for_its_account() -> None:
    venue = FakeVenue()
    call = Call(venue.as_venue(), endpoints().rest["/api/v3/ping"]["GET"], Params({}), None, "rest", "x", 0)
    with pytest.raises(VenueError, match="-2014"):
        call.account_id  # noqa: B018
    call.key = ApiKey("k", "s", 1)
    assert call.account_id == 1
