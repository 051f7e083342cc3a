"""Whatever a client sends, the answer is the venue's, nobody else is disturbed, and the venue's state is kept."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote_from_bytes

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.wire.fakes import KEY, Client, FakeVenue, serving

PATHS = ["/api/v3/order", "/api/v3/openOrders", "/fapi/v1/order", "/fapi/v1/batchOrders", "/api/v3/ping", "/x", "*", ""]
NAMES = ["symbol", "side", "price", "timestamp", "signature", "recvWindow", "newClientOrderId", "batchOrders", "", "%"]
values = st.one_of(
    st.binary(max_size=30), st.sampled_from([b"BTCUSDT", b"BUY", b"1.5", b"1700000000000", b"%", b"[[["])
)
pairs = st.lists(st.tuples(st.sampled_from(NAMES), values, st.booleans()), max_size=6)
methods = st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "G\xe4T"])

Send = Callable[[bytes], Awaitable[bytes]]


def form(items: list[tuple[str, bytes, bool]]) -> bytes:
    parts = [
        f"{name}=".encode() + (quote_from_bytes(value).encode() if quoted else value) for name, value, quoted in items
    ]
    return b"&".join(parts)


def exchange_bytes(requests: list[bytes]) -> tuple[list[bytes], bytes, FakeVenue]:
    """What comes back to each sender, and to a well-behaved client whose connection stood the whole time."""

    async def run() -> tuple[list[bytes], bytes, FakeVenue]:
        async with serving() as (venue, client, _):
            port = int(client.url.rsplit(":", 1)[1])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"}")
            answers = [await send(port, request) for request in requests]
            writer.write(b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n")
            bystander = await asyncio.wait_for(reader.readuntil(b"}"), 180)
            writer.close()
            await check_still_trading(client)
            return answers, bystander, venue

    return uvloop.run(run())


async def check_still_trading(client: Client) -> None:
    status, _ = await client.place("still-here")
    assert status == 200


async def send(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 180)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@settings(max_examples=60)
@given(st.lists(st.tuples(methods, st.sampled_from(PATHS), pairs, pairs), min_size=1, max_size=5))
def test_malformed_requests_are_refused_and_nothing_else_happens(
    requests: list[tuple[str, str, list[tuple[str, bytes, bool]], list[tuple[str, bytes, bool]]]],
) -> None:
    wires = []
    for method, path, query, body in requests:
        content = form(body)
        head = f"{method} {path}?".encode("latin-1") + form(query) + b" HTTP/1.1\r\nHost: x\r\n"
        head += f"X-MBX-APIKEY: {KEY}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()
        wires.append(head + content)
    answers, bystander, venue = exchange_bytes(wires)
    for answer in answers:
        assert not re.match(rb"HTTP/1\.[01] 5", answer), answer
    assert b'"serverTime"' in bystander
    assert [order["clientOrderId"] for order in venue.orders] == ["still-here"]


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_bytes_that_are_no_http_hurt_nobody(requests: list[bytes]) -> None:
    answers, bystander, venue = exchange_bytes(requests)
    for answer in answers:
        assert not re.match(rb"HTTP/1\.[01] 5", answer), answer
    assert b'"serverTime"' in bystander
    assert len(venue.orders) == 1
