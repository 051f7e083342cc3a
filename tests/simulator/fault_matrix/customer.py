"""A customer of a venue in a process of its own: plain aiohttp, and the operator's port for faults and steering."""

from __future__ import annotations

import asyncio
import hmac
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from tests.simulator_process import SimulatorProcess

Market = Literal["spot", "futures"]
SECRET = "matrix-secret"
PATIENCE = 180.0
ROOTS: dict[Market, str] = {"spot": "/api/v3", "futures": "/fapi/v1"}
_numbers = itertools.count(1)


@dataclass(slots=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int | None:
        """The venue's error code."""
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass
class Customer:
    """One fresh account. Faults it asks for concern this account only."""

    venue: SimulatorProcess
    session: aiohttp.ClientSession
    market: Market
    account: int
    key: str

    def fault(self, kind: str, times: int | None = 1, **rule: Any) -> int:
        """Set a rule for this account; gives its number."""
        limit = {} if times is None else {"times": times}
        found: int = self.venue.post("faults", {"kind": kind, "account": self.account, **limit, **rule})["id"]
        return found

    def lift(self, rule: int) -> None:
        self.venue.delete(f"faults/{rule}")

    def sign(self, **params: object) -> str:
        params.setdefault("timestamp", time.time_ns() // 1_000_000)
        text = urlencode({name: value for name, value in params.items() if value is not None})
        return f"{text}&signature={hmac.digest(SECRET.encode(), text.encode(), 'sha256').hex()}"

    async def send(self, method: str, path: str, **params: object) -> Answer:
        """A signed request below the market's root, such as ("GET", "order")."""
        url = f"{self.venue.rest}{ROOTS[self.market]}/{path}?{self.sign(**params)}"
        headers = {"X-MBX-APIKEY": self.key}
        timeout = aiohttp.ClientTimeout(PATIENCE)
        async with self.session.request(method, URL(url, encoded=True), headers=headers, timeout=timeout) as answer:
            content = await answer.read()
            is_json = content[:1] in (b"{", b"[")
            body = await answer.json(content_type=None) if is_json else content.decode()
            return Answer(answer.status, body, dict(answer.headers))

    async def place(self, name: str = "mine", **params: object) -> Answer:
        """A bid far below the market that rests, unless told otherwise."""
        given: dict[str, object] = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        given |= {"quantity": "0.01", "price": self.price(-5), "newClientOrderId": name}
        return await self.send("POST", "order", **given | params)

    async def market_order(self, name: str = "mine", side: str = "BUY", **params: object) -> Answer:
        given = {"type": "MARKET", "timeInForce": None, "price": None, "side": side, "newOrderRespType": "RESULT"}
        return await self.place(name, **given | params)

    async def query(self, name: str = "mine") -> Answer:
        return await self.send("GET", "order", symbol="BTCUSDT", origClientOrderId=name)

    async def cancel(self, name: str = "mine") -> Answer:
        return await self.send("DELETE", "order", symbol="BTCUSDT", origClientOrderId=name)

    async def open_names(self) -> list[str]:
        """Client ids of the open orders, as the venue tells."""
        answer = await self.send("GET", "openOrders", symbol="BTCUSDT")
        return [order["clientOrderId"] for order in answer.body]

    def price(self, percent: int) -> str:
        """So far from the best bid, in whole dollars."""
        book = self.venue.get(f"book?market={self.market}&symbol=BTCUSDT&limit=1")
        return str(int(float(book["bids"][0][0])) * (100 + percent) // 100)

    def orders(self) -> list[str]:
        """Client ids of all orders this account ever had, as the operator sees them: the truth."""
        query = f"market={self.market}&account={self.account}&symbol=BTCUSDT&all=true"
        return [order["client_order_id"] for order in self.venue.get(f"orders?{query}")]

    def pass_time(self, milliseconds: int = 1000) -> None:
        self.venue.post("advance", {"ms": milliseconds})

    def jump(self, percent: str) -> None:
        """The market trades at another price."""
        self.venue.post("market/gap", {"market": self.market, "symbol": "BTCUSDT", "percent": percent})
        self.pass_time(10_000)

    async def listen(self) -> aiohttp.ClientWebSocketResponse:
        """A socket that delivers this account's events."""
        if self.market == "futures":
            key = (await self.send("POST", "listenKey")).body["listenKey"]
            return await self.session.ws_connect(f"{self.venue.stream}/private/ws/{key}", max_msg_size=0)
        socket = await self.session.ws_connect(f"{self.venue.stream}/ws-api/v3", max_msg_size=0)
        params: dict[str, object] = {"apiKey": self.key, "timestamp": time.time_ns() // 1_000_000}
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()
        params["signature"] = hmac.digest(SECRET.encode(), payload, "sha256").hex()
        await socket.send_json({"id": 1, "method": "userDataStream.subscribe.signature", "params": params})
        assert (await socket.receive_json(timeout=PATIENCE))["status"] == 200
        return socket


@asynccontextmanager
async def customer(venue: SimulatorProcess, market: Market) -> AsyncIterator[Customer]:
    """A fresh account with money on both markets; its faults are lifted in the end."""
    key = f"matrix-{next(_numbers)}"
    balances = {"USDT": "10000000", "BTC": "100"}
    account = venue.post("accounts", {"key": key, "secret": SECRET, "balances": balances})["account_id"]
    async with aiohttp.ClientSession() as session:
        try:
            yield Customer(venue, session, market, account, key)
        finally:
            venue.delete("faults")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def order_reports(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    """The next so many order events, spot and futures in the same letters."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = await socket.receive_json(timeout=PATIENCE)
        event = frame.get("event", frame)
        if event["e"] == "executionReport":
            found.append(event)
        elif event["e"] == "ORDER_TRADE_UPDATE":
            found.append(event["o"])
    return found
