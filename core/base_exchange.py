"""The contract of a venue: one account's trading, and public market data, in the law's integers.

An adapter translates and decides nothing. It never retries a write. Whatever happens to a request that places or
cancels, the answer is an `Outcome`: accepted, rejected, or unknown; reads raise `Transient` (ask again), `Refused`
(the key or the request is wrong) or `Broken` (the venue answers something that makes no sense).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple, Protocol, runtime_checkable

from pydantic import SecretStr

from core.base_pace import BasePace
from core.clock import Clock
from core.registry import Registry
from domain.errors import Refused
from domain.fill import Fill
from domain.funding import FundingPayment
from domain.instrument import Instrument
from domain.order import Order, OrderReport
from domain.outcome import Outcome

#: A rejection whose reason begins so means the key: revoked, or not allowed from this address. Stop, tell the user.
KEY_REFUSED: Final = "the key was refused"

#: A rejection whose reason begins so never left this machine: the venue cannot be reached.
NOTHING_SENT: Final = "nothing was sent"

#: A rejection whose reason begins so was signed too long ago, or by a wrong clock, when it came: it says nothing of the
#: order, which may be tried again under its next attempt.
CAME_LATE: Final = "the request came after its time"

# Priorities of a request, most urgent first: what is taken from the shared budget first when little is left.
CANCEL: Final = 0
REDUCE: Final = 1
PLACE: Final = 2
READ: Final = 3


class KeyRefused(Refused):
    """The venue does not accept the key: it was revoked, or is not allowed from this address."""


class BaseBudget(Protocol):
    """The request weight that everything behind one IP address shares at a venue."""

    async def take(self, weight: int, priority: int) -> None:
        """Wait until so much weight may be spent; call before an intent is committed, never after."""

    def note_used(self, weight: int) -> None:
        """The venue says this much of the current window is used, whoever used it."""

    def note_limit(self, weight: int) -> None:
        """The venue allows this much in a window."""

    async def pause(self, milliseconds: int, *, banned: bool) -> None:
        """The venue wants silence for so long; unless banned, cancels and orders that reduce risk still go out."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue can do; the engine asks this and never the venue's name."""

    #: "spot" or "futures" (linear, margined in the quote asset).
    market: str
    #: Most orders in one batch request; 1 when there is no batch.
    batch_orders: int = 1
    #: Whether a signed request carries a time window that the venue enforces before matching.
    has_time_window: bool = False
    #: Seconds a new owner waits before its first order on a venue without such a window.
    takeover_wait_seconds: int = 0
    has_post_only: bool = True
    #: Whether the venue itself holds a stop order; without it the engine watches the price.
    has_stop: bool = True
    #: Whether a position may be short.
    can_short: bool = False
    #: Most orders that may rest on one symbol; 0 when the venue tells per instrument.
    max_open_orders: int = 200
    #: Whether private events arrive on a stream; without it they are polled.
    has_user_stream: bool = True
    #: Weight to take from the budget before placing or cancelling.
    order_weight: int = 1


class TradingRules(NamedTuple):
    """What a venue allows on a symbol now, beside its instrument's steps. 0 and the empty text are no limit."""

    #: Why no new order may be placed, and what to do next; empty while the symbol trades.
    halt: str = ""
    #: Most orders of an account that may rest on the symbol.
    max_open_orders: int = 0
    #: Lowest and highest prices of bids and asks, in parts per million of the market's.
    bid_floor_ppm: int = 0
    bid_ceiling_ppm: int = 0
    ask_floor_ppm: int = 0
    ask_ceiling_ppm: int = 0


class OpenOrder(NamedTuple):
    """An order resting at the venue, ours or not."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: int
    ticks: int
    lots: int
    filled: int
    time_ms: int


class VenueOrder(NamedTuple):
    """An order of the account as the venue holds it, ended or not."""

    report: OrderReport
    side: int
    #: As in `domain.order`: LIMIT, MARKET, POST_ONLY or STOP_MARKET.
    type: int
    #: Limit price in ticks; 0 for a market order.
    ticks: int
    lots: int


class Balance(NamedTuple):
    """What an account holds of an asset, in the asset's quanta."""

    free: int
    locked: int


class VenuePosition(NamedTuple):
    """A futures position as the venue shows it."""

    symbol: str
    #: "BOTH", "LONG" or "SHORT".
    side: str
    lots: int
    entry_price: Decimal
    liquidation_price: Decimal
    leverage: int


class Bar(NamedTuple):
    """A closed bar, in ticks and lots."""

    symbol: str
    interval: str
    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class PriceUpdate(NamedTuple):
    """The price now, in ticks, and the venue's time of it."""

    symbol: str
    last: int
    bid: int
    ask: int
    #: Of the last trade, where the venue gives the book no time of its own.
    time_ms: int
    #: Lots of the trade that this update tells of; 0 when only the book has changed.
    traded: int = 0
    #: Lots shown at the best prices, when they last moved; 0 where they are not known.
    bid_lots: int = 0
    ask_lots: int = 0


class StreamGap(NamedTuple):
    """Private events may have been missed since `since_ms`; whoever listens closes the gap from trades by id."""

    since_ms: int
    reason: str


class BalanceChange(NamedTuple):
    """An asset's balance after something happened to it, in quanta."""

    asset: str
    balance: Balance
    time_ms: int


class FundingCharged(NamedTuple):
    """Funding was paid or charged; what it came to is read: see `TellsFunding`."""

    time_ms: int


UserEvent = OrderReport | Fill | BalanceChange | FundingCharged | StreamGap
MarketEvent = PriceUpdate | Bar


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs requests. Never logged: the texts are masked."""

    key: SecretStr
    secret: SecretStr
    #: Some venues want a third word.
    passphrase: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """Where and how to reach a venue."""

    credentials: Credentials | None = None
    #: Replaces scheme and host of REST addresses; empty means the venue's own.
    rest_url: str = ""
    #: The same for WebSockets.
    stream_url: str = ""
    sandbox: bool = False
    #: Milliseconds in which a signed request must reach the matching engine.
    receive_window_ms: int = 1_200
    timeout_seconds: float = 10.0
    #: A private stream that is silent for so long, its answers to pings included, is taken for dead, and one that does
    #: not tell of an order or a trade within so long after the venue told of it by REST.
    silence_seconds: float = 30.0
    report_seconds: float = 5.0
    #: Shared by every process behind the same address; without one nothing is held back.
    budget: BaseBudget | None = None
    #: The account's own; without one orders are not counted.
    pace: BasePace | None = None
    #: For paper venues only.
    paper: PaperSettings | None = None


class PaperStore(Protocol):
    """Where a paper account keeps its book, so that it outlives the process."""

    async def load(self) -> list[bytes]:
        """Every record kept so far, oldest first."""

    async def append(self, record: bytes) -> None:
        """Keep one record; it is durable when this returns."""

    async def replace(self, records: list[bytes]) -> None:
        """Keep these instead of everything before, all or nothing."""


#: Takes a price, and may not wait.
TakePrice = Callable[[PriceUpdate], None]


class SharedMarket(Protocol):
    """A venue's public market, followed once for everyone who trades on it on paper."""

    venue: BaseExchange

    async def open(self) -> None:
        """One more uses it."""

    async def close(self) -> None:
        """One fewer uses it."""

    def follow(self, symbol: str, take: TakePrice) -> None:
        """Hand every price of the symbol to `take`, in order."""

    def leave(self, take: TakePrice) -> None:
        """Hand it nothing any more."""

    async def refresh_instruments(self) -> None:
        """Read the venue's rules again, as often as they are worth it."""


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """What a paper account trades on, with and where its book is kept."""

    #: Name of the venue whose market it follows.
    feed: str
    #: Asset -> amount it starts with.
    funds: Mapping[str, Decimal]
    store: PaperStore
    #: "touch", "through" or "queue": when a resting order counts as filled.
    fill_model: str = "queue"
    #: Fees in parts per million of what is received.
    maker_fee_ppm: int = 1_000
    taker_fee_ppm: int = 1_000
    #: Milliseconds between placing an order and its arrival at the simulated book.
    latency_ms: int = 0
    #: The market of `feed`, where a process has it for all its paper accounts; None has the account open its own.
    market: SharedMarket | None = None


class BaseExchange(Protocol):
    """One account at one venue."""

    name: str
    capabilities: Capabilities

    async def open(self) -> None:
        """Connect, measure the clock offset, load instruments; `Refused` when the key does not work."""

    async def close(self) -> None:
        """Close every connection; nothing is cancelled."""

    def instrument(self, symbol: str) -> Instrument:
        """A symbol's rules; `Refused` names the nearest symbol when there is none."""

    def max_open_orders(self, symbol: str) -> int:
        """Most orders that may rest on the symbol; 0 when the venue does not limit them."""

    def trading_rules(self, symbol: str) -> TradingRules:
        """What the venue allows on a symbol, as last read."""

    async def refresh_instruments(self) -> None:
        """Read the rules again; they may change while orders rest.

        An instrument that was handed out keeps its units: where the venue's new ones do not fit them, the symbol's
        trading rules say that nothing may be placed any more.
        """

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Send an order once, signed with the machine time at which its intent was committed."""

    async def place_batch(self, orders: Sequence[Order], committed_ms: int) -> list[Outcome]:
        """Send several; one outcome each, in order. What the answer leaves out is unknown."""

    async def cancel(self, order: Order) -> Outcome:
        """Ask to cancel; accepted: it is taken. The order's end comes as a report, if the answer lacks it."""

    async def query(self, order: Order) -> OrderReport | None:
        """What the venue says of an order by its client order id; None when it knows of none (weak evidence)."""

    async def open_orders(self, symbol: str | None = None) -> list[OpenOrder]:
        """Everything that rests on the account, ours and foreign."""

    async def fills_since(self, symbol: str, after_trade_id: str, since_ms: int) -> list[Fill]:
        """The account's trades after a trade id (empty: from `since_ms`), oldest first, all pages."""

    async def balances(self) -> dict[str, Balance]:
        """Asset -> what the account holds, in quanta."""

    async def positions(self) -> list[VenuePosition]:
        """Futures positions that are not flat; empty on spot."""

    def user_events(self) -> AsyncIterator[UserEvent]:
        """Private events for as long as it is iterated; reconnects by itself and then tells of a gap."""

    async def last_price(self, symbol: str) -> PriceUpdate:
        """The price now, by REST."""

    async def bars(self, symbol: str, interval: str, since_ms: int, limit: int) -> list[Bar]:
        """Closed bars from `since_ms`, oldest first, by REST."""

    async def watch_market(
        self, prices: set[str], bars: set[tuple[str, str]], deliver: Callable[[MarketEvent], Awaitable[None] | None]
    ) -> None:
        """Stream prices of symbols and closed bars of (symbol, interval) until cancelled; raises when it breaks."""

    def clock_offset_ms(self) -> int:
        """Venue time less machine time, as last measured."""


ExchangeFactory = Callable[[VenueSettings, Clock], BaseExchange]

EXCHANGES: Registry[ExchangeFactory] = Registry("exchange")


class KeyRights(NamedTuple):
    """What a key may do, as the venue tells."""

    can_trade: bool
    can_withdraw: bool


@runtime_checkable
class TellsRights(Protocol):
    """A venue that tells what a key may do."""

    async def key_rights(self) -> KeyRights:
        """Ask the venue. Raises what reads raise."""


@runtime_checkable
class TellsFunding(Protocol):
    """A venue whose futures pay funding, and that lists it."""

    capabilities: Capabilities

    async def funding_since(self, symbols: Collection[str], since_ms: int) -> list[FundingPayment]:
        """Every payment for these symbols from a time on, oldest first; none on spot. Raises what reads raise."""


@runtime_checkable
class DescribesOrders(Protocol):
    """A venue that tells of an order not only what became of it, but what it was."""

    async def describe(self, order: Order) -> VenueOrder | None:
        """What the venue holds under the name of an order; None when it knows of none. Raises what reads raise."""
