"""From a browser through the real nginx and the real sign-in proxy to the real API node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.api_node import CHANGE, GRID, ApiNode, api_node
from tests.deployment.front_door import PROXY_SECRET, FrontDoor, front_door
from tests.deployment.identity_provider import IdentityProvider
from tests.services import Service

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Platform:
    door: FrontDoor
    node: ApiNode
    provider: IdentityProvider


@pytest.fixture
async def platform(
    tmp_path: Path, oauth2_proxy: Path, provider: IdentityProvider, redis_service: Service
) -> AsyncIterator[Platform]:
    database, redis = f"sqlite:///{tmp_path / 'ares.sqlite3'}", f"redis://127.0.0.1:{redis_service.port}/0"
    api = {"auth": "proxy", "proxy_secret": PROXY_SECRET, "admins": ["boss"], "public_url": "http://127.0.0.1"}
    with api_node(database, redis, tmp_path, api=api) as node:
        port = node.client.base_url.port
        assert port is not None
        with front_door(tmp_path, oauth2_proxy, port, provider) as door:
            yield Platform(door, node, provider)


@pytest.fixture
async def other_browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def sign_in(browser: aiohttp.ClientSession, platform: Platform, login: str) -> None:
    platform.provider.login, platform.provider.email = login, f"{login}@example.org"
    async with browser.get(f"{platform.door.url}/oauth2/start?rd=/") as page:
        assert page.status == 200, await page.text()


async def test_two_people_sign_in_and_each_has_rows_of_their_own(
    browser: aiohttp.ClientSession, other_browser: aiohttp.ClientSession, platform: Platform
) -> None:
    api = f"{platform.door.url}/api"
    await sign_in(browser, platform, "ann")
    await sign_in(other_browser, platform, "boss")
    async with browser.get(f"{api}/session") as answer:
        session = await answer.json()
        assert (session["user"]["login"], session["user"]["role"], session["mode"]) == ("ann", "trader", "proxy")
    async with other_browser.get(f"{api}/session") as answer:
        assert (await answer.json())["user"]["role"] == "admin"
    async with browser.post(f"{api}/accounts", json={"name": "P", "exchange": "paper"}, headers=CHANGE) as answer:
        assert answer.status == 201, await answer.text()
        account = (await answer.json())["id"]
    body = {"name": "g", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account, "parameters": GRID}
    async with browser.post(f"{api}/strategies", json=body, headers=CHANGE) as answer:
        number = (await answer.json())["id"]
    async with (
        other_browser.get(f"{api}/strategies/{number}") as hers,
        other_browser.get(f"{api}/strategies/99999") as no,
    ):
        assert hers.status == no.status == 404
    async with browser.post(f"{api}/strategies", json=body) as answer:
        assert answer.status == 403, "a change needs the header that no foreign page can send"


async def test_the_api_itself_believes_no_name_without_the_proof(platform: Platform) -> None:
    for headers in ({"X-Forwarded-User": "boss"}, {"X-Forwarded-User": "boss", "X-Ares-Proxy-Secret": "guess" * 8}):
        assert platform.node.client.get("/api/session", headers=headers).status_code == 401


async def test_events_of_the_platform_reach_the_browser_at_once(
    browser: aiohttp.ClientSession, platform: Platform
) -> None:
    await sign_in(browser, platform, "ann")
    async with browser.get(f"{platform.door.url}/api/events") as stream, asyncio.timeout(10):
        assert stream.status == 200
        lines = [await stream.content.readline() for _ in range(3)]
        assert any(line.startswith(b"event: hello") for line in lines)
