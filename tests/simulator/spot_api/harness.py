"""A spot venue in one process, called through the pipeline that the servers use, with prices the test sets."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlencode

import orjson

from simulator.accounts import AccountBook, ApiKey
from simulator.catalogue import instrument_for
from simulator.clock import MarketClock, ProtocolClock
from simulator.events import Bus, Event
from simulator.faults import FaultBoard
from simulator.futures.exchange import FuturesExchange
from simulator.instruments import Market
from simulator.market.types import Print, Side
from simulator.spot.exchange import SpotExchange
from simulator.spot_api import user_events
from simulator.tape import Tape
from simulator.units import ONE, parse_quanta
from simulator.wire import auth
from simulator.wire.endpoint import registry
from simulator.wire.limits import Limits
from simulator.wire.params import Params, load_exact, merge, texts_of
from simulator.wire.pipeline import Incoming, execute
from tests.simulator.fakes import FakeSymbolMarket

if TYPE_CHECKING:
    from simulator.venue import Venue

START_MS = 1_746_374_400_000
"""2025-05-04 16:00 UTC."""


@dataclass
class Answer:
    """What came back: status, parsed JSON, headers."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def ok(self) -> Any:
        """The body of a success."""
        assert self.status == 200, self.body
        return self.body

    @property
    def refusal(self) -> tuple[int, str]:
        """(code, text) of a refusal."""
        assert self.status >= 400, self.body
        return self.body["code"], self.body["msg"]


class VenueUnderTest(Protocol):
    """What a customer needs of a venue: its real clock, and the venue to hand to the pipeline."""

    @property
    def protocol(self) -> ProtocolClock: ...

    def as_venue(self) -> Venue: ...


@dataclass
class WholeVenue:
    """A complete venue with a generated market of two symbols and one customer of two assets."""

    venue: Venue

    @property
    def protocol(self) -> ProtocolClock:
        return self.venue.protocol

    def as_venue(self) -> Venue:
        return self.venue

    def customer(self) -> Customer:
        """The account the venue was started with."""
        return Customer(self, self.venue.accounts.keys_of(1)[0])


@dataclass
class SpotVenue:
    """The parts of a venue that the spot endpoints touch, all real but the market, whose prints the test makes."""

    clock: MarketClock = field(default_factory=lambda: MarketClock(START_MS))
    protocol: ProtocolClock = field(default_factory=ProtocolClock)
    bus: Bus = field(default_factory=Bus)
    accounts: AccountBook = field(default_factory=AccountBook)
    faults: FaultBoard = field(default_factory=FaultBoard)

    def __post_init__(self) -> None:
        self.tape = Tape(self.clock)
        self.limits = Limits(self.protocol)
        self.bus.join(self.limits.on_event)
        self.spot = SpotExchange(self.clock, self.bus, self.tape, self.accounts)
        self.futures = FuturesExchange(self.clock, self.bus, self.tape, self.accounts)
        for symbol, price in (("BTCUSDT", "50000"), ("BNBUSDT", "600")):
            item = instrument_for("spot", symbol)
            fake = FakeSymbolMarket(symbol, parse_quanta(price), item.filters.tick, ONE)
            self.spot.list_symbol(item, fake.as_market())
        self.events: list[dict[str, Any]] = []
        """Every user event as it would go out, all accounts together."""
        self.bus.join(self._listen)

    def exchange(self, market: Market) -> SpotExchange | FuturesExchange:
        return self.spot if market == "spot" else self.futures

    def _listen(self, event: Event) -> None:
        if type(event).__module__ == "simulator.spot.types":
            payload = user_events.payload(event, self.as_venue())  # type: ignore[arg-type]
            if payload is not None:
                self.events.append(orjson.loads(orjson.dumps(payload)))

    def as_venue(self) -> Venue:
        return cast("Venue", self)

    def customer(self, name: str = "anna", **amounts: str) -> Customer:
        """A funded account with a key; 100,000 USDT and 5 BTC unless amounts are given."""
        account = self.accounts.create(name)
        key = ApiKey(f"key-of-{name}", f"secret-of-{name}", account.account_id)
        self.accounts.add_key(key)
        for asset, amount in (amounts or {"USDT": "100000", "BTC": "5"}).items():
            self.spot.deposit(account.account_id, asset, parse_quanta(amount))
        return Customer(self, key)

    def print_at(self, price: str, quantity: str = "0.001", taker: Side = "BUY", symbol: str = "BTCUSDT") -> None:
        """The background market trades."""
        self.clock.move_to(self.clock.now_ms() + 1000)
        self.spot.on_print(symbol, Print(self.clock.now_ms(), parse_quanta(price), parse_quanta(quantity), taker))

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """User events of one kind so far."""
        return [event for event in self.events if event["e"] == kind]


@dataclass
class Customer:
    """Calls the venue with a key, over REST or the WebSocket API."""

    venue: VenueUnderTest
    key: ApiKey

    @property
    def account_id(self) -> int:
        return self.key.account_id

    def get(self, path: str, **params: object) -> Answer:
        return self.rest("GET", path, **params)

    def post(self, path: str, **params: object) -> Answer:
        return self.rest("POST", path, **params)

    def put(self, path: str, **params: object) -> Answer:
        return self.rest("PUT", path, **params)

    def delete(self, path: str, **params: object) -> Answer:
        return self.rest("DELETE", path, **params)

    def rest(self, method: str, path: str, **params: object) -> Answer:
        """One REST request, signed where the endpoint wants it. Lists go as JSON."""
        route = path if path.startswith("/") else f"/api/v3/{path}"
        endpoint = registry().find(method, route)
        assert endpoint is not None, f"{method} {route} is not there"
        texts = {
            name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in params.items()
        }
        if endpoint.is_signed:
            texts["timestamp"] = str(self.venue.protocol.now_ms())
        query = urlencode(texts)
        if endpoint.is_signed:
            query += "&signature=" + hmac.digest(self.key.secret.encode(), query.encode(), "sha256").hex()
        payload = auth.rest_payload(query, "")
        incoming = Incoming(endpoint, Params(merge(query, "")), "rest", "127.0.0.1", self.key.key, payload)
        return self._execute(incoming)

    def ws(self, method: str, **params: object) -> Answer:
        """One request of the WebSocket API; the answer's body is its `result`."""
        endpoint = registry().ws["spot", method]
        values = dict(params)
        if endpoint.is_signed:
            values |= {"apiKey": self.key.key, "timestamp": self.venue.protocol.now_ms()}
        texts = texts_of(cast("dict[str, object]", load_exact(orjson.dumps(values))))
        payload = auth.ws_payload(texts)
        if endpoint.is_signed:
            texts["signature"] = hmac.digest(self.key.secret.encode(), payload, "sha256").hex()
        return self._execute(Incoming(endpoint, Params(texts), "ws", "127.0.0.1", self.key.key, payload))

    def _execute(self, incoming: Incoming) -> Answer:
        reply = execute(self.venue.as_venue(), incoming)
        is_page = isinstance(reply.body, bytes)
        body = reply.body if is_page else orjson.loads(orjson.dumps(reply.body))
        return Answer(reply.status, body, reply.headers)

    def order(self, side: str, quantity: str, price: str | None = None, **more: object) -> Answer:
        """An order on BTCUSDT: LIMIT GTC with a price, MARKET without."""
        return self.post("order", **order_fields(side, quantity, price), **more)


def order_fields(side: str, quantity: str, price: str | None = None) -> dict[str, object]:
    """Parameters of such an order."""
    fields: dict[str, object] = {"symbol": "BTCUSDT", "side": side, "quantity": quantity, "type": "MARKET"}
    return fields if price is None else fields | {"type": "LIMIT", "price": price, "timeInForce": "GTC"}
