from __future__ import annotations

import asyncio
import logging

import pytest
from pydantic import SecretStr

from core.base_exchange import Credentials, VenueSettings
from core.clock import system_clock
from exchanges._ccxt import Door, Lost, NotSent, Request
from exchanges._ccxt.scrub import scrub

KEY, SECRET = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP"
CREDENTIALS = Credentials(SecretStr(KEY), SecretStr(SECRET))
SIGNED = f"GET https://api.example.com/api/v3/order?symbol=X&timestamp=1&signature={'ab12' * 16} {KEY} {SECRET}"


def test_nothing_secret_is_left_of_an_error() -> None:
    shown = scrub(SIGNED, CREDENTIALS)
    assert all(secret not in shown for secret in (KEY, SECRET, "ab12ab12", "api.example.com", "timestamp"))


async def test_a_refused_request_says_so_without_its_address() -> None:
    door = Door("binance", VenueSettings(CREDENTIALS, rest_url="http://127.0.0.1:9"), system_clock())
    await door.open()
    with pytest.raises(NotSent) as raised:
        await door.call(Request("private", "GET", "account", {}))
    await door.close()
    assert "signature" not in str(raised.value)
    assert KEY not in repr(raised.value.__dict__)
    assert SECRET not in repr(door)


async def test_ccxt_cannot_write_requests_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    server = await asyncio.start_server(_close, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = Door("binance", VenueSettings(CREDENTIALS, rest_url=f"http://127.0.0.1:{port}"), system_clock())
    await door.open()
    with caplog.at_level(logging.DEBUG), pytest.raises(Lost):
        await door.call(Request("private", "DELETE", "order", {"symbol": "X"}))
    await door.close()
    server.close()
    assert KEY not in caplog.text
    assert "signature" not in caplog.text


async def _close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_a_kept_connection_that_breaks_is_not_tried_again() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = Door("binance", VenueSettings(CREDENTIALS, rest_url=f"http://127.0.0.1:{port}"), system_clock())
    await door.open()
    request = Request("private", "DELETE", "order", {"symbol": "X"})
    assert (await door.call(request)).body == "{}"
    with pytest.raises(Lost):
        await door.call(request)
    await door.close()
    server.close()
    assert len(seen) == 2


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = Door("binance", VenueSettings(CREDENTIALS, rest_url=f"http://127.0.0.1:{port}"), system_clock())
    await door.open()
    assert (await door.call(Request("private", "POST", "order", {"symbol": "X"}))).status == 307
    await door.close()
    server.close()
    assert len(seen) == 1


async def test_two_requests_at_once_are_each_signed_with_their_own_time() -> None:
    signed: dict[str, str] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        query = dict(part.split("=", 1) for part in address.partition("?")[2].split("&"))
        signed[query["symbol"]] = query["timestamp"]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = Door("binance", VenueSettings(CREDENTIALS, rest_url=f"http://127.0.0.1:{port}"), system_clock())
    await door.open()
    door.offset_ms = 5
    moments = {f"S{number}": 1_000 * number for number in range(1, 20)}
    calls = [door.call(Request("private", "GET", "order", {"symbol": s}), ms) for s, ms in moments.items()]
    await asyncio.gather(*calls)
    await door.close()
    server.close()
    assert signed == {symbol: str(ms + 5) for symbol, ms in moments.items()}
