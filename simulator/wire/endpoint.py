"""What an endpoint is: one function that serves REST and the WebSocket API alike, and the registry that finds it.

A module of `simulator.spot_api` or `simulator.futures_api` declares its endpoints with `@endpoint`; importing the
module registers them. Handlers are synchronous, raise `VenueError` to refuse, and must check everything before they
change anything: call `call.params.finish()` once all parameters are read, then act.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeVar

from simulator.errors import INVALID_SYMBOL, VenueError
from simulator.instruments import Instrument, Market
from simulator.wire.params import Params

if TYPE_CHECKING:
    from simulator.accounts import Account, ApiKey
    from simulator.venue import Venue

Security = Literal["NONE", "MARKET", "STREAM", "USER_DATA", "TRADE"]
"""NONE: anyone. MARKET, STREAM: an API key. USER_DATA: signed, READING. TRADE: signed, permission of the market."""

Via = Literal["rest", "ws"]
SIGNED: frozenset[str] = frozenset({"USER_DATA", "TRADE"})
PACKAGES = ("simulator.spot_api", "simulator.futures_api")


@dataclass(slots=True)
class Reply:
    """An answer with a status or headers of its own; a handler may also return the bare body."""

    body: object
    """Serialised by orjson; bytes go out as they are."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"


@dataclass(slots=True)
class Call:
    """One accepted request, as its handler sees it: checked, signed, within its limits."""

    venue: Venue
    endpoint: Endpoint
    params: Params
    key: ApiKey | None
    via: Via
    ip: str
    now_ms: int
    """Protocol time."""
    connection: object | None = None
    """The WebSocket API connection it came on; None over REST."""

    @property
    def account(self) -> Account:
        """The account of the key; refused with -2014 where the request carries no key."""
        if self.key is None:
            raise VenueError(-2014, "API-key format invalid.", 401)
        return self.venue.accounts.account(self.key.account_id)

    @property
    def account_id(self) -> int:
        """Number of the account of the key."""
        return self.account.account_id

    def instrument(self, name: str = "symbol") -> Instrument:
        """The symbol named by a mandatory parameter; -1121 when the market does not list it."""
        return self._listed(self.params.symbol(name))

    def optional_instrument(self, name: str = "symbol") -> Instrument | None:
        """The same where the parameter may be left out."""
        symbol = self.params.optional_symbol(name)
        return None if symbol is None else self._listed(symbol)

    def _listed(self, symbol: str) -> Instrument:
        found: Instrument | None = self.venue.exchange(self.endpoint.market).instruments.get(symbol)
        if found is None:
            raise VenueError(*INVALID_SYMBOL)
        return found


Handler = Callable[[Call], object]
Weight = int | Callable[[Params], int]
"""A fixed weight, or one read with `params.peek` (which neither raises nor counts as reading)."""
HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route of the venue. `path` is empty for methods that only the WebSocket API knows, `ws` for REST only."""

    method: str
    path: str
    market: Market
    handler: Handler
    ws: str = ""
    security: Security = "NONE"
    weight: Weight = 1
    free_on_success: bool = False
    """Success weighs nothing, a refusal is charged (orders since April 2026)."""
    orders: Weight = 0
    """How many unfilled orders a success adds to the ORDERS limits."""
    orders_longer: int | None = None
    """How many of them count in the longer of the two ORDERS windows; None is all."""
    quota: str = ""
    """A limit of requests it shares with others, beside the weight; see `Limits.admit`."""
    reads_bars: bool = False
    """Whether it shows klines, which may need much of the past to be computed first (`history.bars_are_ready`)."""
    home: Registry | None = field(default=None, repr=False)
    """The registry it stands in, where faults find its sister endpoints."""

    @property
    def is_signed(self) -> bool:
        """Whether timestamp and signature are required."""
        return self.security in SIGNED

    @property
    def name(self) -> str:
        """`METHOD /path`, or the WebSocket API's method name."""
        return f"{self.method} {self.path}" if self.path else self.ws


class Registry:
    """Endpoints by path and method, and by market and WebSocket API name."""

    def __init__(self) -> None:
        self.rest: dict[str, dict[str, Endpoint]] = {}
        """Path -> method -> endpoint."""
        self.ws: dict[tuple[Market, str], Endpoint] = {}

    def add(self, item: Endpoint) -> None:
        """Register one endpoint; raises ValueError when its route is taken."""
        if item.path:
            methods = self.rest.setdefault(item.path, {})
            if item.method in methods:
                raise ValueError(f"{item.name} is declared twice; give one of the two another path")
            methods[item.method] = item
        if item.ws:
            if (item.market, item.ws) in self.ws:
                raise ValueError(f"{item.market} method {item.ws} is declared twice; keep ws= on one of the routes")
            self.ws[item.market, item.ws] = item

    def find(self, method: str, path: str) -> Endpoint | None:
        """The REST endpoint of exactly this method and path."""
        return self.rest.get(path, {}).get(method)


DECLARED = Registry()
"""Where `@endpoint` registers by default."""


def endpoint(
    route: str = "",
    *,
    market: Market,
    ws: str = "",
    security: Security = "NONE",
    weight: Weight = 1,
    free_on_success: bool = False,
    orders: Weight = 0,
    orders_longer: int | None = None,
    quota: str = "",
    reads_bars: bool = False,
    into: Registry = DECLARED,
) -> Callable[[HandlerT], HandlerT]:
    """Declare a handler for `route` ("POST /api/v3/order"), for the WebSocket API method `ws`, or for both.

    The function is returned unchanged, so declarations stack: one handler may serve /v1, /v2 and /v3.
    """
    method, _, path = route.partition(" ")
    if not (path.startswith("/") or (not route and ws)):
        raise ValueError(f"route '{route}' is not 'METHOD /path', and there is no ws name either")

    def declare(handler: HandlerT) -> HandlerT:
        counts = (weight, free_on_success, orders, orders_longer, quota)
        into.add(Endpoint(method, path, market, handler, ws, security, *counts, reads_bars, into))
        return handler

    return declare


@cache
def registry() -> Registry:
    """Every endpoint of the venue, after importing all modules of the API packages."""
    for package_name in PACKAGES:
        package = importlib.import_module(package_name)
        for module in pkgutil.iter_modules(package.__path__, f"{package_name}."):
            importlib.import_module(module.name)
    return DECLARED
