from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.services import free_port, nginx_server

pytestmark = pytest.mark.services


async def answer(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "path": request.path_qs,
            "host": request.host,
            "forwarded": request.headers["X-Forwarded-For"],
            "body": await request.text(),
        }
    )


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"echo {message.data}")
    return socket


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[str]:
    """Address of nginx in front of a small application."""
    application, port = web.Application(), free_port()
    application.add_routes([web.get("/stream", echo), web.route("*", "/{path:.*}", answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    with nginx_server(tmp_path, upstream=port) as service:
        yield f"127.0.0.1:{service.port}"
    await runner.cleanup()


async def test_a_request_passes_through_unchanged(proxied: str) -> None:
    async with aiohttp.ClientSession() as session:
        reply = await session.post(f"http://{proxied}/api/v3/order?symbol=BTCUSDT&price=0.10", data="x=1")
        assert await reply.json() == {
            "path": "/api/v3/order?symbol=BTCUSDT&price=0.10",
            "host": proxied,
            "forwarded": "127.0.0.1",
            "body": "x=1",
        }


async def test_a_websocket_passes_through_both_ways(proxied: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{proxied}/stream") as socket:
        for text in ("one", "two"):
            await socket.send_str(text)
            assert await socket.receive_str(timeout=180) == f"echo {text}"
