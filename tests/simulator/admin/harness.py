"""A real venue in stepped time behind its real ports, with a client for both."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

import aiohttp

from simulator.config import SimulatorConfig, Speed, parse_account
from simulator.server import RunningSimulator, running

SECRET = "a-secret-of-the-tests"


@dataclass
class Desk:
    """One operator and one trader."""

    simulator: RunningSimulator
    session: aiohttp.ClientSession

    async def admin(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an operator's verb."""
        url = f"{self.simulator.admin_url}/admin{path}"
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post(self, path: str, /, **body: object) -> tuple[int, Any]:
        return await self.admin("POST", path, body)

    async def get(self, path: str) -> Any:
        status, body = await self.admin("GET", path)
        assert status == 200, body
        return body

    async def trade(
        self, method: str, path: str, key: str = "trader", secret: str = SECRET, **params: object
    ) -> tuple[int, Any]:
        """Status and JSON of a signed request on the trading port."""
        params["timestamp"] = self.simulator.venue.protocol.now_ms()
        text = urlencode(params)
        signature = hmac.digest(secret.encode(), text.encode(), "sha256").hex()
        url = f"{self.simulator.rest_url}{path}?{text}&signature={signature}"
        async with self.session.request(method, url, headers={"X-MBX-APIKEY": key}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def rest(self, price: str = "1000.00", symbol: str = "BTCUSDT") -> dict[str, Any]:
        """A buy order far below the market, so that it rests."""
        price = await self.price_below() if price == "far" else price
        status, body = await self.trade(
            "POST", "/api/v3/order", symbol=symbol, side="BUY", type="LIMIT", timeInForce="GTC",
            quantity="0.01", price=price,
        )  # fmt: skip
        assert status == 200, body
        found: dict[str, Any] = body
        return found

    async def price_below(self) -> str:
        """Nine tenths of the best bid, on the grid."""
        book = await self.get("/book?market=spot&symbol=BTCUSDT")
        return f"{int(float(book['bids'][0][0]) * 0.9)}.00"


@asynccontextmanager
async def desk(**options: Any) -> AsyncIterator[Desk]:
    config = SimulatorConfig(
        speed=options.pop("speed", Speed(Fraction(0))),
        symbols=("BTCUSDT", "ETHUSDT"),
        accounts=(parse_account(f"trader:{SECRET}:USDT=100000,BTC=1"),),
        **options,
    )
    async with running(config) as simulator, aiohttp.ClientSession() as session:
        yield Desk(simulator, session)
