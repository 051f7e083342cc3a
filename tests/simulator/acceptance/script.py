"""A fixed list of requests for spot and USD-M, over REST and the WebSocket API, and somebody who sends it."""

from __future__ import annotations

import hmac
import json
import random
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from tests.simulator_process import SimulatorProcess

KEYS = ("anna", "ben")
SECRET = "acceptance-secret"
ACCOUNTS = tuple(f"{key}:{SECRET}:USDT=1000000,BTC=50,ETH=500,BNB=20" for key in KEYS)
SYMBOLS = ("BTCUSDT", "ETHUSDT")
STEPS = 25
PLACING = {"spot": ("POST", "/api/v3/order", "order.place"), "futures": ("POST", "/fapi/v1/order", "order.place")}
CANCELLING = {
    "spot": ("DELETE", "/api/v3/order", "order.cancel"),
    "futures": ("DELETE", "/fapi/v1/order", "order.cancel"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, or a step of the market when `advance_ms` is set."""

    key: str = ""
    market: str = ""
    method: str = ""
    path: str = ""
    ws: str = ""
    """Method of the WebSocket API; empty for REST."""
    params: tuple[tuple[str, str], ...] = ()
    advance_ms: int = 0


def scripted(seed: int, prices: dict[str, float]) -> list[Request]:
    """Some hundred requests around the prices of the start, valid and not, with market steps between."""
    chance = random.Random(seed)
    requests: list[Request] = []
    for step in range(STEPS):
        requests += [_one(chance, prices, f"c{step}-{number}") for number in range(8)]
        if step % 5 == 0:
            requests += _rare(chance)
        requests.append(Request(advance_ms=chance.choice((1, 250, 7_000, 60_000, 1_800_000))))
    return requests


def _one(chance: random.Random, prices: dict[str, float], name: str) -> Request:
    key, market, symbol = chance.choice(KEYS), chance.choice(("spot", "futures")), chance.choice(SYMBOLS)
    params: dict[str, object] = {"symbol": symbol, "newClientOrderId": name}
    method, path, ws = PLACING[market]
    kind = chance.choice(("LIMIT", "LIMIT", "LIMIT", "MARKET", "CANCEL", "WRONG"))
    if kind == "CANCEL":
        method, path, ws = CANCELLING[market]
        params = {"symbol": symbol, "origClientOrderId": f"c{chance.randrange(STEPS)}-{chance.randrange(8)}"}
    else:
        params |= {"side": chance.choice(("BUY", "SELL")), "quantity": chance.choice(("0.01", "0.25", "3"))}
        params["type"] = "LIMIT" if kind == "WRONG" else kind
        if kind != "MARKET":
            price = int(prices[symbol] * chance.uniform(0.99, 1.01))
            params |= {"price": f"{price}.001" if kind == "WRONG" else price}
            params |= {"timeInForce": chance.choice(("GTC", "GTC", "IOC", "FOK"))}
    texts = tuple((name, str(value)) for name, value in params.items())
    return Request(key, market, method, path, ws if chance.random() < 0.5 else "", texts)


def _rare(chance: random.Random) -> list[Request]:
    """Reads, settings, order lists, conditional orders."""
    key = chance.choice(KEYS)
    bitcoin = ("symbol", "BTCUSDT")
    oco = (bitcoin, ("side", "SELL"), ("quantity", "0.01"), ("price", "200000"), ("stopPrice", "20000"))
    stop = (bitcoin, ("side", "SELL"), ("type", "STOP_MARKET"), ("quantity", "0.01"), ("triggerPrice", "30000"))
    return [
        Request(key, "spot", "GET", "/api/v3/account", "account.status"),
        Request(key, "futures", "GET", "/fapi/v3/account"),
        Request(key, "futures", "POST", "/fapi/v1/leverage", params=(bitcoin, ("leverage", "7"))),
        Request(key, "spot", "POST", "/api/v3/order/oco", params=oco),
        Request(key, "futures", "POST", "/fapi/v1/algoOrder", params=(("algoType", "CONDITIONAL"), *stop)),
        Request(key, "spot", "GET", "/api/v3/myTrades", params=(bitcoin,)),
        Request(key, "futures", "GET", "/fapi/v2/positionRisk"),
    ]


class Sender:
    """Sends requests one after the other and waits for each answer."""

    def __init__(self, venue: SimulatorProcess, session: aiohttp.ClientSession) -> None:
        self._venue = venue
        self._session = session
        self._sockets: dict[str, aiohttp.ClientWebSocketResponse] = {}

    async def send(self, request: Request) -> int:
        """Status of the answer; 0 for a step of the market."""
        if request.advance_ms:
            self._venue.post("advance", {"ms": request.advance_ms})
            return 0
        return await (self._by_websocket(request) if request.ws else self._by_rest(request))

    async def _by_rest(self, request: Request) -> int:
        text = urlencode([*request.params, ("timestamp", str(time.time_ns() // 1_000_000))])
        url = f"{self._venue.rest}{request.path}?{text}&signature={_signature(text)}"
        headers = {"X-MBX-APIKEY": request.key}
        async with self._session.request(request.method, URL(url, encoded=True), headers=headers) as answer:
            await answer.read()
            return answer.status

    async def _by_websocket(self, request: Request) -> int:
        if request.market not in self._sockets:
            path = {"spot": "/ws-api/v3", "futures": "/ws-fapi/v1"}[request.market]
            self._sockets[request.market] = await self._session.ws_connect(self._venue.stream + path)
        socket = self._sockets[request.market]
        params: dict[str, Any] = {**dict(request.params), "apiKey": request.key}
        params["timestamp"] = str(time.time_ns() // 1_000_000)
        params["signature"] = _signature("&".join(f"{name}={params[name]}" for name in sorted(params)))
        await socket.send_str(json.dumps({"id": 1, "method": request.ws, "params": params}))
        status: int = (await socket.receive_json(timeout=180))["status"]
        return status


def _signature(text: str) -> str:
    return hmac.digest(SECRET.encode(), text.encode(), "sha256").hex()
