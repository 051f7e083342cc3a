"""A venue small enough to see through, behind the real server: a few endpoints that keep orders in a list."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from simulator.accounts import AccountBook, ApiKey
from simulator.clock import MarketClock, ProtocolClock
from simulator.errors import ORDER_NOT_FOUND, VenueError, cancel_rejected
from simulator.events import Bus
from simulator.faults import FaultBoard
from simulator.instruments import Market
from simulator.tape import Tape
from simulator.wire.endpoint import Call, Registry, endpoint
from simulator.wire.limits import Limits
from simulator.wire.server import WireServer

if TYPE_CHECKING:
    from simulator.venue import Venue

KEY, SECRET = "a-key-of-the-tests", "a-secret-of-the-tests"
START_MS = 1_700_000_000_000


class SettableClock(ProtocolClock):
    """Protocol time that stands where the test puts it, or runs with the machine while `at` is None."""

    at: int | None = None

    def now_ms(self) -> int:
        return super().now_ms() if self.at is None else self.at + self.step_ms

    def now_us(self) -> int:
        return super().now_us() if self.at is None else (self.at + self.step_ms) * 1000


@dataclass
class FakeExchange:
    instruments: dict[str, object] = field(default_factory=lambda: {"BTCUSDT": object(), "ETHUSDT": object()})
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)

    def open(self, symbol: str | None) -> list[dict[str, Any]]:
        return [
            order for order in self.orders.values() if order["status"] == "NEW" and symbol in (None, order["symbol"])
        ]


class FakeVenue:
    """The attributes the wire needs, and two exchanges that only remember orders."""

    def __init__(self) -> None:
        self.clock = MarketClock(START_MS)
        self.protocol = SettableClock()
        self.accounts = AccountBook()
        self.tape = Tape(self.clock)
        self.bus = Bus()
        self.faults = FaultBoard()
        self.limits = Limits(self.protocol)
        self.exchanges: dict[str, FakeExchange] = {"spot": FakeExchange(), "futures": FakeExchange()}
        account = self.accounts.create("tester")
        self.accounts.add_key(ApiKey(KEY, SECRET, account.account_id))

    def exchange(self, market: Market) -> FakeExchange:
        return self.exchanges[market]

    @property
    def orders(self) -> list[dict[str, Any]]:
        return list(self.exchanges["spot"].orders.values())

    def as_venue(self) -> Venue:
        return cast("Venue", self)


def exchange_of(call: Call) -> FakeExchange:
    return cast("FakeExchange", call.venue.exchange(call.endpoint.market))


def place(call: Call) -> object:
    orders, params = exchange_of(call).orders, call.params
    symbol = params.symbol()
    client_id = params.client_id("newClientOrderId")
    params.choice("side", ("BUY", "SELL"))
    params.optional_decimal("price")
    params.finish()
    if client_id == "refuse-me":
        raise VenueError(-2010, "Account has insufficient balance for requested action.")
    order = {"symbol": symbol, "orderId": len(orders) + 1, "clientOrderId": client_id, "status": "NEW"}
    orders[len(orders) + 1] = order
    return dict(order)


def find(call: Call) -> dict[str, Any]:
    number = call.params.optional_integer("orderId")
    client_id = call.params.optional_text("origClientOrderId")
    for order in exchange_of(call).orders.values():
        if number == order["orderId"] or (client_id is not None and client_id == order["clientOrderId"]):
            return order
    raise VenueError(*ORDER_NOT_FOUND)


def query(call: Call) -> object:
    return dict(find(call))


def cancel(call: Call) -> object:
    order = find(call)
    if order["status"] != "NEW":
        raise cancel_rejected()
    order["status"] = "CANCELED"
    return dict(order)


def open_orders(call: Call) -> object:
    return [dict(order) for order in exchange_of(call).open(call.params.optional_symbol())]


def cancel_all(call: Call) -> object:
    found = exchange_of(call).open(call.params.symbol())
    for order in found:
        order["status"] = "CANCELED"
    return [dict(order) for order in found]


def batch(call: Call) -> object:
    items = cast("list[dict[str, str]]", call.params.json_list("batchOrders") or [])
    orders = exchange_of(call).orders
    for item in items:
        orders[len(orders) + 1] = {"orderId": len(orders) + 1, **item, "status": "NEW"}
    return [{"orderId": len(orders) - len(items) + place, **item} for place, item in enumerate(items)]


def endpoints() -> Registry:
    found = Registry()
    for market, root in (("spot", "/api/v3"), ("futures", "/fapi/v1")):
        _declare(found, cast("Market", market), root)
    endpoint("POST /fapi/v1/batchOrders", market="futures", security="TRADE", into=found)(batch)
    endpoint("POST /api/v3/order/cancelReplace", market="spot", security="TRADE", orders=1, into=found)(place)
    endpoint("GET /api/v3/keyed", market="spot", security="STREAM", into=found)(lambda call: {})
    return found


def _declare(found: Registry, market: Market, root: str) -> None:
    endpoint(f"GET {root}/ping", market=market, into=found)(lambda call: {})
    endpoint(f"GET {root}/heavy", market=market, weight=500, into=found)(lambda call: {})
    endpoint(f"GET {root}/time", market=market, into=found)(lambda call: {"serverTime": call.now_ms})
    free: dict[str, Any] = {"market": market, "security": "TRADE", "free_on_success": True, "into": found}
    endpoint(f"POST {root}/order", ws="order.place", orders=1, **free)(place)
    endpoint(f"DELETE {root}/order", **free)(cancel)
    endpoint(f"DELETE {root}/openOrders", **free)(cancel_all)
    read: dict[str, Any] = {"market": market, "security": "USER_DATA", "into": found}
    endpoint(f"GET {root}/order", weight=4, **read)(query)
    endpoint(f"GET {root}/openOrders", weight=6, **read)(open_orders)


@dataclass
class Client:
    """Signs and sends as a trader's program does."""

    url: str
    session: aiohttp.ClientSession
    venue: FakeVenue
    key: str = KEY
    secret: str = SECRET

    def sign(self, **params: object) -> str:
        params.setdefault("timestamp", self.venue.protocol.now_ms())
        text = urlencode({name: value for name, value in params.items() if value is not None})
        return f"{text}&signature={hmac.digest(self.secret.encode(), text.encode(), 'sha256').hex()}"

    async def send(self, method: str, path: str, **params: object) -> tuple[int, Any]:
        answer = await self.raw(method, f"{path}?{self.sign(**params)}")
        return answer.status, await answer.json(content_type=None)

    async def raw(self, method: str, path: str, data: str | bytes | BytesIO | None = None) -> aiohttp.ClientResponse:
        headers = {"X-MBX-APIKEY": self.key} if self.key else {}
        answer = await self.session.request(
            method, URL(self.url + path, encoded=True), data=data, headers=headers, timeout=aiohttp.ClientTimeout(180)
        )
        await answer.read()
        return answer

    async def place(self, client_id: str = "one", **params: object) -> tuple[int, Any]:
        given = {"symbol": "BTCUSDT", "side": "BUY", "newClientOrderId": client_id}
        return await self.send("POST", "/api/v3/order", **given, **params)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[FakeVenue, Client, WireServer]]:
    """A fake venue behind the real server on a free port, and a client that signs."""
    venue = FakeVenue()
    server = WireServer(venue.as_venue(), endpoints=endpoints())
    port = await server.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield venue, Client(f"http://127.0.0.1:{port}", session, venue), server
    finally:
        await server.stop()
