"""A small GitHub: the addresses that the sign-in proxy asks, with whoever is signed in chosen by the test."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from aiohttp import web

from tests.services import free_port


@dataclass(slots=True)
class IdentityProvider:
    """Hands out codes and tokens for the person who is at the keyboard."""

    login: str = "ann"
    email: str = "ann@example.org"
    port: int = field(default_factory=free_port)
    _codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[IdentityProvider]:
        application = web.Application()
        application.add_routes(
            [
                web.get("/login/oauth/authorize", self._authorize),
                web.post("/login/oauth/access_token", self._redeem),
                web.get("/api/v3/user", self._user),
                web.get("/api/v3/user/emails", self._emails),
                web.get("/api/v3/user/orgs", self._none),
                web.get("/api/v3/user/teams", self._none),
                web.get("/api/v3/", self._none),
            ]
        )
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _authorize(self, request: web.Request) -> NoReturn:
        code = secrets.token_hex(8)
        self._codes[code] = (self.login, self.email)
        back = f"{request.query['redirect_uri']}?code={code}&state={request.query['state']}"
        raise web.HTTPFound(back)

    async def _redeem(self, request: web.Request) -> web.Response:
        form = await request.post()
        token = secrets.token_hex(8)
        self._tokens[token] = self._codes.pop(str(form["code"]))
        return web.json_response({"access_token": token, "token_type": "bearer", "scope": "user:email"})

    async def _user(self, request: web.Request) -> web.Response:
        login, email = self._person(request)
        return web.json_response({"login": login, "email": email, "id": 7})

    async def _emails(self, request: web.Request) -> web.Response:
        _, email = self._person(request)
        return web.json_response([{"email": email, "primary": True, "verified": True}])

    async def _none(self, request: web.Request) -> web.Response:
        self._person(request)
        return web.json_response([])

    def _person(self, request: web.Request) -> tuple[str, str]:
        token = request.headers.get("Authorization", "").split(" ")[-1]
        if token not in self._tokens:
            raise web.HTTPUnauthorized
        return self._tokens[token]
