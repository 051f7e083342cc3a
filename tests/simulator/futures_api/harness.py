"""A USD-M venue in one process, called through the pipeline that the servers use."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

import orjson

from simulator.accounts import AccountBook, ApiKey
from simulator.catalogue import instrument_for
from simulator.clock import MarketClock, ProtocolClock
from simulator.events import Bus, Event
from simulator.faults import FaultBoard
from simulator.futures.exchange import FuturesExchange
from simulator.futures_api import user_events
from simulator.instruments import Market
from simulator.market.types import Print, Side
from simulator.streams.listen_keys import ListenKeys
from simulator.tape import Tape
from simulator.units import parse_quanta
from simulator.wire import auth
from simulator.wire.endpoint import registry
from simulator.wire.limits import Limits
from simulator.wire.params import Params, load_exact, merge, texts_of
from simulator.wire.pipeline import Incoming, execute
from tests.simulator.futures_api.market import ShownMarket

if TYPE_CHECKING:
    from simulator.venue import Venue

START_MS = 1_746_374_400_000
"""2025-05-04 16:00 UTC, eight hours before a funding time."""


@dataclass
class Answer:
    """What came back: status, parsed JSON, headers."""

    status: int
    body: object
    headers: dict[str, str]

    @property
    def fields(self) -> dict[str, object]:
        assert isinstance(self.body, dict), self.body
        return cast("dict[str, object]", self.body)

    @property
    def rows(self) -> list[dict[str, object]]:
        assert isinstance(self.body, list), self.body
        return cast("list[dict[str, object]]", self.body)

    @property
    def refusal(self) -> tuple[object, object]:
        """(code, text) of a refusal."""
        assert self.status >= 400, self.body
        return self.fields["code"], self.fields["msg"]


@dataclass
class FuturesVenue:
    """The parts of a venue that the USD-M endpoints touch, all real, with markets that the test moves."""

    symbols: tuple[tuple[str, str], ...] = (("BTCUSDT", "50000"), ("ETHUSDT", "2500"))
    clock: MarketClock = field(default_factory=lambda: MarketClock(START_MS))
    protocol: ProtocolClock = field(default_factory=ProtocolClock)
    bus: Bus = field(default_factory=Bus)
    accounts: AccountBook = field(default_factory=AccountBook)
    faults: FaultBoard = field(default_factory=FaultBoard)

    def __post_init__(self) -> None:
        self.tape = Tape(self.clock)
        self.limits = Limits(self.protocol, lifted=False)
        self.listen_keys = ListenKeys(self.protocol)
        self.futures = FuturesExchange(self.clock, self.bus, self.tape, self.accounts)
        for symbol, price in self.symbols:
            instrument = instrument_for("futures", symbol, parse_quanta(price))
            self.futures.list_symbol(instrument, ShownMarket(instrument, parse_quanta(price), START_MS).as_market())
        self.events: list[dict[str, object]] = []
        """Every user event as it would go out, all accounts together."""
        self.bus.join(self._listen)

    def exchange(self, market: Market) -> FuturesExchange:
        assert market == "futures"
        return self.futures

    def _listen(self, event: Event) -> None:
        if type(event).__module__ == "simulator.futures.types":
            payload = user_events.payload(event, self.as_venue())  # type: ignore[arg-type]
            if payload is not None:
                self.events.append(orjson.loads(orjson.dumps(payload)))

    def as_venue(self) -> Venue:
        return cast("Venue", self)

    def customer(self, name: str = "anna", usdt: str = "100000") -> Customer:
        """A funded account with a key."""
        account = self.accounts.create(name)
        key = ApiKey(f"key-of-{name}", f"secret-of-{name}", account.account_id)
        self.accounts.add_key(key)
        self.futures.deposit(account.account_id, "USDT", parse_quanta(usdt))
        return Customer(self, key)

    def print_at(self, price: str, quantity: str = "0.001", taker: Side = "BUY", symbol: str = "BTCUSDT") -> None:
        """The background market trades."""
        self.clock.move_to(self.clock.now_ms() + 1000)
        trade = Print(self.clock.now_ms(), parse_quanta(price), parse_quanta(quantity), taker)
        self.futures.on_print(symbol, trade)

    def advance(self, milliseconds: int) -> None:
        """Let market time pass, timer by timer, with nothing traded."""
        until = self.clock.now_ms() + milliseconds
        while self.clock.now_ms() < until:
            step = min(self.futures.next_timer_ms(self.clock.now_ms()), until)
            self.clock.move_to(step)
            self.futures.on_time(step)

    def of_kind(self, kind: str) -> list[dict[str, object]]:
        """User events of one kind so far."""
        return [event for event in self.events if event["e"] == kind]


@dataclass
class Customer:
    """Calls the venue with a key, over REST or the WebSocket API."""

    venue: FuturesVenue
    key: ApiKey

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
        endpoint = registry().find(method, path)
        assert endpoint is not None, f"{method} {path} is not there"
        texts = {
            name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in params.items()
        }
        if endpoint.is_signed:
            texts["timestamp"] = str(self.venue.protocol.now_ms())
        query = urlencode(texts)
        if endpoint.is_signed:
            query += "&signature=" + hmac.digest(self.key.secret.encode(), query.encode(), "sha256").hex()
        incoming = Incoming(
            endpoint,
            Params(merge(query, ""), "futures"),
            "rest",
            "127.0.0.1",
            self.key.key,
            auth.rest_payload(query, ""),
        )
        return self._execute(incoming)

    def ws(self, method: str, **params: object) -> Answer:
        """One request of the WebSocket API; the answer's body is its `result`."""
        endpoint = registry().ws["futures", method]
        values = dict(params)
        if endpoint.is_signed:
            values |= {"apiKey": self.key.key, "timestamp": self.venue.protocol.now_ms()}
        texts = texts_of(cast("dict[str, object]", load_exact(orjson.dumps(values))))
        payload = auth.ws_payload(texts)
        if endpoint.is_signed:
            texts["signature"] = hmac.digest(self.key.secret.encode(), payload, "sha256").hex()
        incoming = Incoming(endpoint, Params(texts, "futures"), "ws", "127.0.0.1", self.key.key, payload)
        return self._execute(incoming)

    def _execute(self, incoming: Incoming) -> Answer:
        reply = execute(self.venue.as_venue(), incoming)
        return Answer(reply.status, orjson.loads(orjson.dumps(reply.body)), reply.headers)

    def order(self, side: str, quantity: str, price: str | None = None, **more: object) -> Answer:
        """An order on BTCUSDT: LIMIT GTC with a price, MARKET without."""
        fields: dict[str, object] = {"symbol": "BTCUSDT", "side": side, "quantity": quantity}
        if price is None:
            fields["type"] = "MARKET"
        else:
            fields |= {"type": "LIMIT", "price": price, "timeInForce": "GTC"}
        return self.post("/fapi/v1/order", **(fields | more))


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
