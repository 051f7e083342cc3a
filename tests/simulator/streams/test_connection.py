from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from simulator.streams.timing import Timing
from tests.simulator.streams.fakes import FakeVenue, Harness, running, until


async def _pings(harness: Harness, timing_of_reading: int) -> list[bytes]:
    client = await harness.connect("/ws", autoping=False)
    return [bytes((await client.next_frame()).data) for _ in range(timing_of_reading)]


async def test_the_server_pings_with_its_time_as_payload() -> None:
    async with running(FakeVenue(Timing(ping_seconds=0.02))) as harness:
        before = harness.venue.protocol.now_ms()
        payloads = await _pings(harness, 2)
        assert all(before <= int(payload) <= harness.venue.protocol.now_ms() for payload in payloads)


async def test_a_client_that_does_not_answer_pings_is_disconnected() -> None:
    async with running(FakeVenue(Timing(ping_seconds=0.03, pong_seconds=0.1))) as harness:
        client = await harness.connect("/ws", autoping=False)
        assert await client.close_code() == 1008


async def test_an_unsolicited_pong_does_not_count() -> None:
    async with running(FakeVenue(Timing(ping_seconds=0.05, pong_seconds=0.15))) as harness:
        client = await harness.connect("/market/ws", autoping=False)
        await client.next_frame()
        await client.socket.pong(b"")
        await client.socket.pong(b"12345")
        assert await client.close_code() == 1008


async def test_a_client_that_answers_with_the_payload_stays() -> None:
    async with running(FakeVenue(Timing(ping_seconds=0.25, pong_seconds=2.0))) as harness:
        client = await harness.connect("/ws", autoping=False)
        for _ in range(10):  # longer than the first may stay unanswered
            message = await client.next_frame()
            assert message.type is aiohttp.WSMsgType.PING
            await client.socket.pong(message.data)


async def test_a_client_is_not_blamed_for_time_in_which_the_venue_itself_stood_still() -> None:
    async with running(FakeVenue(Timing(ping_seconds=0.05, pong_seconds=2.0))) as harness:
        client = await harness.connect("/ws", autoping=False)
        first = await client.next_frame()
        time.sleep(3)  # noqa: ASYNC251 - the venue's loop is this one
        await client.socket.pong(first.data)
        for _ in range(5):
            message = await client.next_frame()
            assert message.type is aiohttp.WSMsgType.PING
            await client.socket.pong(message.data)


async def test_a_clients_ping_is_answered_with_its_payload(harness: Harness) -> None:
    client = await harness.connect("/ws", autoping=False)
    await client.socket.ping(b"are you there")
    message = await client.next_frame()
    assert (message.type, bytes(message.data)) == (aiohttp.WSMsgType.PONG, b"are you there")


async def test_a_connection_ends_after_its_life_and_says_so_before() -> None:
    async with running(FakeVenue(Timing(life_seconds=0.2, notice_seconds=0.15))) as harness:
        client = await harness.connect("/stream")
        notice = await client.receive()
        assert notice["stream"] == "!serverShutdown"
        assert notice["data"]["e"] == "serverShutdown"
        assert await client.close_code() == 1001


@pytest.mark.parametrize(("path", "allowed"), [("/ws", 5), ("/market/ws", 10)])
async def test_too_many_messages_in_a_second_end_the_connection(harness: Harness, path: str, allowed: int) -> None:
    client = await harness.connect(path, autoping=False)
    for number in range(allowed):
        await (client.socket.ping(b"") if number % 2 else client.socket.pong(b""))
    await client.socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
    assert await client.close_code() == 1008


async def test_the_websocket_api_takes_more_messages_than_a_stream(harness: Harness) -> None:
    client = await harness.connect("/ws-api/v3")
    for number in range(50):
        await client.socket.send_str(f'{{"id":{number},"method":"session.status"}}')
    assert [(await client.receive())["id"] for _ in range(50)] == list(range(50))


async def test_a_slow_consumer_is_closed_and_others_go_on() -> None:
    venue = FakeVenue(Timing(farewell_seconds=0.1))
    async with running(venue) as harness:
        slow = await harness.connect("/ws/btcusdt@depth20@100ms")
        quick = await harness.connect("/ws/btcusdt@trade")
        await harness.opened(2)
        (stuck, _) = venue.hub.connections
        frame = b"\x81\x7e\xff\xff" + b"x" * 65_535
        for _ in range(400):
            stuck.put(frame)
            await asyncio.sleep(0)
        assert stuck.is_closing
        venue.trade("spot", 61_800)
        assert (await quick.receive())["e"] == "trade"
        await until(lambda: len(venue.hub.connections) == 1)
        await slow.socket.close()


async def test_an_oversized_message_ends_only_its_own_connection(harness: Harness) -> None:
    big, other = await harness.connect("/ws"), await harness.connect("/ws/btcusdt@trade")
    await harness.opened(2)
    await big.socket.send_str("x" * (2 * 1024 * 1024))
    assert await big.close_code() in (1009, 1006)
    harness.venue.trade("spot", 61_800)
    assert (await other.receive())["e"] == "trade"


async def test_a_client_that_closes_gets_its_code_back(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@trade")
    await harness.opened()
    await client.socket.close(code=4001)
    assert client.socket.close_code == 4001
    await until(lambda: not harness.venue.hub.connections)
    assert not harness.venue.hub.watches("spot", "BTCUSDT")


async def test_a_path_that_serves_no_websocket_is_not_found(harness: Harness) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
        await harness.connect("/nothing")


async def test_a_handshake_without_a_key_is_a_bad_request(harness: Harness) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", harness.port)
    writer.write(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_two_hundred_clients_hear_every_event_in_order(harness: Harness) -> None:
    clients = [await harness.connect("/ws/btcusdt@trade") for _ in range(200)]
    await harness.opened(200)
    for _ in range(20):
        harness.venue.trade("spot", 61_800)
    for client in clients:
        assert [(await client.receive())["t"] for _ in range(20)] == list(range(1, 21))
