"""Through the real nginx and the real sign-in proxy, configured by the deployment's own files."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from yarl import URL

from tests.deployment.conftest import Listening
from tests.deployment.front_door import PROXY_SECRET, FrontDoor
from tests.deployment.identity_provider import IdentityProvider

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

#: Names under which an identity, or a way around the sign-in, might be smuggled in.
SPOOFED = [
    "X-Forwarded-User", "x-forwarded-user", "X_Forwarded_User", "X-Forwarded_User", "X-FORWARDED-USER",
    "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token",
    "X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Ares-Proxy-Secret",
    "X_Ares_Proxy_Secret", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Uri", "Authorization",
]  # fmt: skip
#: Paths and headers that got around a sign-in proxy somewhere once.
AROUND = [
    ("/api/strategies?x=/oauth2/sign_in", {}),
    ("/api/strategies%23/oauth2/", {}),
    ("/api/../api/strategies", {}),
    ("//api/strategies", {}),
    ("/oauth2/../api/strategies", {}),
    ("/oauth2/%2e%2e/api/strategies", {}),
    ("/api/strategies;/oauth2/", {}),
    ("/api/strategies", {"X-Forwarded-Uri": "/oauth2/sign_in"}),
    ("/api/strategies", {"X-Forwarded-Uri": "/healthz"}),
    ("/api/strategies", {"X-Original-URL": "/healthz"}),
    ("/api/strategies", {"User-Agent": "GoogleHC/1.0"}),
    ("/api/strategies", {"User-Agent": "kube-probe/1.30"}),
]


async def sign_in(browser: aiohttp.ClientSession, door: FrontDoor) -> None:
    async with browser.get(f"{door.url}/oauth2/start?rd=/") as page:
        assert page.status == 200, await page.text()
        assert "<title>Ares" in await page.text()


async def test_a_stranger_is_sent_to_sign_in_and_the_api_hears_nothing(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening
) -> None:
    async with browser.get(f"{door.url}/api/strategies") as answer:
        assert answer.status == 401
    async with browser.get(f"{door.url}/strategies/1", allow_redirects=False) as page:
        assert (page.status, page.headers["Location"]) == (302, f"{door.url}/oauth2/sign_in?rd=/strategies/1")
    assert api.seen == []


async def test_after_signing_in_the_api_hears_who_it_is_and_how_it_knows(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening
) -> None:
    await sign_in(browser, door)
    async with browser.get(f"{door.url}/api/strategies") as answer:
        assert (answer.status, await answer.json()) == (200, {"user": "ann"})
    headers = api.seen[-1]["headers"]
    assert headers["x-ares-proxy-secret"] == [PROXY_SECRET]
    assert headers["x-forwarded-email"] == ["ann@example.org"]
    assert "cookie" not in headers
    assert "authorization" not in headers


async def test_an_identity_that_a_browser_sends_never_reaches_the_api(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening, subtests: pytest.Subtests
) -> None:
    for name in SPOOFED:
        with subtests.test("without a session", header=name):
            async with browser.get(f"{door.url}/api/strategies", headers={name: "admin"}) as answer:
                assert answer.status == 401
    assert api.seen == []
    await sign_in(browser, door)
    for name in SPOOFED:
        with subtests.test("with a session", header=name):
            twice = [(name, "admin"), (name, "root")]
            async with browser.get(f"{door.url}/api/strategies", headers=twice) as answer:
                assert answer.status in {200, 400}
    assert api.seen
    for seen in api.seen:
        assert seen["headers"]["x-forwarded-user"] == ["ann"]
        values = [value for values in seen["headers"].values() for value in values]
        assert "admin" not in values
        assert "root" not in values


async def test_no_path_and_no_header_gets_around_the_sign_in(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening, subtests: pytest.Subtests
) -> None:
    for path, headers in AROUND:
        with subtests.test(path, headers=headers):
            async with browser.get(URL(door.url + path, encoded=True), headers=headers) as answer:
                assert answer.status in {302, 400, 401, 403, 404} or "Sign in" in await answer.text()
    assert api.seen == []


async def test_what_is_for_operators_is_not_public(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening, subtests: pytest.Subtests
) -> None:
    await sign_in(browser, door)
    for path in ("/metrics", "/docs", "/openapi.json", "/redoc", "/flower/", "/health", "/.env", "/.git/", "/login"):
        with subtests.test(path):
            async with browser.get(door.url + path) as answer:
                assert answer.status == 404
    assert api.seen == []


async def test_an_event_arrives_while_the_stream_stays_open(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening
) -> None:
    await sign_in(browser, door)
    async with browser.get(f"{door.url}/api/events") as stream, asyncio.timeout(180):
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert await stream.content.readline() == b"id: 1\n"


async def test_signing_out_ends_the_session(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening, provider: IdentityProvider
) -> None:
    await sign_in(browser, door)
    async with browser.get(f"{door.url}/oauth2/sign_out", allow_redirects=False):
        pass
    async with browser.get(f"{door.url}/api/strategies") as answer:
        assert answer.status == 401
    provider.login, provider.email = "bob", "bob@example.org"
    await sign_in(browser, door)
    async with browser.get(f"{door.url}/api/strategies") as answer:
        assert await answer.json() == {"user": "bob"}


async def test_every_answer_carries_the_headers_that_protect_a_browser(
    browser: aiohttp.ClientSession, door: FrontDoor, api: Listening
) -> None:
    for path in ("/healthz", "/api/strategies", "/metrics"):
        async with browser.get(door.url + path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Server"] == "nginx"
