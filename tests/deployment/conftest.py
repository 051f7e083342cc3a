from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.deployment.front_door import FrontDoor, build_oauth2_proxy, front_door
from tests.deployment.identity_provider import IdentityProvider


@dataclass(slots=True)
class Listening:
    """Stands where the API stands, and keeps what reaches it."""

    port: int
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers: dict[str, list[str]] = {}
        for name, value in request.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        self.seen.append({"path": request.path_qs, "method": request.method, "headers": headers})
        if request.path == "/api/events":
            return await self._stream(request)
        return web.json_response({"user": request.headers.get("X-Forwarded-User", "")})

    @staticmethod
    async def _stream(request: web.Request) -> web.StreamResponse:
        """One event at once, and then silence for as long as the reader stays."""
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(b"id: 1\nevent: hello\ndata: {}\n\n")
        try:
            while True:
                line = await request.content.read(1)
                if not line:
                    return stream
        except ConnectionResetError:
            return stream


@pytest.fixture(scope="session")
def oauth2_proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_oauth2_proxy(tmp_path_factory.mktemp("oauth2-proxy"))


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider().running() as running:
        yield running


@pytest.fixture
async def api(unused_tcp_port: int) -> AsyncIterator[Listening]:
    listening = Listening(unused_tcp_port)
    application = web.Application()
    application.add_routes([web.route("*", "/{path:.*}", listening.answer)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    yield listening
    await runner.cleanup()


@pytest.fixture
async def door(
    tmp_path: Path, oauth2_proxy: Path, api: Listening, provider: IdentityProvider
) -> AsyncIterator[FrontDoor]:
    with front_door(tmp_path, oauth2_proxy, api.port, provider) as opened:
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session
