"""The words of the spot exchange: orders, fills, order lists, balances and the events it publishes.

Texts such as "BUY", "GTC" or "FILLED" are the venue's own and go on the wire unchanged. Amounts are quanta.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from simulator.errors import VenueError
from simulator.market.types import Side

OrderType = Literal[
    "LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER"
]
TimeInForce = Literal["GTC", "IOC", "FOK"]
OrderStatus = Literal[
    "NEW", "PENDING_NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"
]
ExecutionType = Literal["NEW", "CANCELED", "REPLACED", "REJECTED", "TRADE", "EXPIRED", "TRADE_PREVENTION"]
SelfTradePrevention = Literal["NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"]
CancelRestriction = Literal["ONLY_NEW", "ONLY_PARTIALLY_FILLED"]
ContingencyType = Literal["OCO", "OTO"]
ListKind = Literal["OCO", "OTO", "OTOCO"]
CancelReplaceMode = Literal["STOP_ON_FAILURE", "ALLOW_FAILURE"]


@dataclass(slots=True)
class NewOrder:
    """A request for an order, parsed but not yet checked; None means the parameter was not sent."""

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce | None = None
    quantity: int | None = None
    quote_quantity: int | None = None
    price: int | None = None
    stop_price: int | None = None
    trailing_delta: int | None = None
    """Basis points."""
    iceberg_quantity: int | None = None
    client_order_id: str | None = None
    self_trade_prevention: SelfTradePrevention | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    uses_sor: bool = False
    """Sent through smart order routing."""


@dataclass(slots=True)
class NewList:
    """A request for an order list; the orders share the symbol.

    `orders` holds [above, below] for OCO, [working, pending] for OTO and [working, above, below] for OTOCO. An OTOCO
    answers with contingency OTO, as on the venue.
    """

    symbol: str
    kind: ListKind
    orders: list[NewOrder]
    client_id: str | None = None


@dataclass(slots=True)
class Fill:
    """One account's half of a trade."""

    trade_id: int
    order_id: int
    symbol: str
    price: int
    quantity: int
    quote: int
    commission: int
    commission_asset: str
    time_ms: int
    is_buyer: bool
    is_maker: bool
    order_list_id: int = -1


@dataclass(slots=True, eq=False)
class SpotOrder:
    """An order of the spot exchange, from acceptance to its end. Compared by identity."""

    order_id: int
    account_id: int
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    quote_quantity: int
    """quoteOrderQty of a MARKET order, else 0."""
    client_order_id: str
    time_ms: int
    status: OrderStatus = "NEW"
    executed: int = 0
    executed_quote: int = 0
    stop_price: int = 0
    trailing_delta: int = 0
    trailing_time_ms: int = -1
    iceberg_quantity: int = 0
    self_trade_prevention: SelfTradePrevention = "EXPIRE_MAKER"
    strategy_id: int = 0
    strategy_type: int = 0
    order_list_id: int = -1
    update_ms: int = 0
    working_ms: int = -1
    """Time it appeared on the book or was matched; -1 while a trigger waits."""
    is_working: bool = False
    locked: int = 0
    """What it still locks, in quanta of the asset it would give away."""
    original_client_order_id: str = ""
    """The order's own id after a cancel or amend gave it a new one."""
    expiry_reason: int = 0
    prevented_quantity: int = 0
    """What self-trade prevention took away."""
    prevented_matches: list[PreventedMatch] = field(default_factory=list)
    extreme_price: int = 0
    """Best price seen since a trailing stop began to follow the market, 0 before."""
    ahead: int = 0
    """Background quantity that stands before it at its price (queue position)."""
    fills: list[Fill] = field(default_factory=list)
    amends: int = 0
    uses_sor: bool = False
    """Sent through smart order routing; it trades on its own symbol's book like any other."""

    @property
    def remaining(self) -> int:
        """Quantity that can still trade."""
        return self.quantity - self.executed - self.prevented_quantity

    @property
    def is_open(self) -> bool:
        """Whether it can still trade or be cancelled."""
        return self.status in ("NEW", "PENDING_NEW", "PARTIALLY_FILLED")


@dataclass(slots=True, eq=False)
class OrderList:
    """Orders that stand or fall together (OCO, OTO, OTOCO)."""

    order_list_id: int
    account_id: int
    symbol: str
    contingency: ContingencyType
    client_id: str
    time_ms: int
    orders: list[SpotOrder]
    status_type: Literal["RESPONSE", "EXEC_STARTED", "UPDATED", "ALL_DONE"] = "EXEC_STARTED"
    order_status: Literal["EXECUTING", "ALL_DONE", "REJECT"] = "EXECUTING"
    locked: int = 0
    """What an OCO pair locks together, until one of the two is triggered or trades."""

    @property
    def is_open(self) -> bool:
        """Whether one of its orders can still trade or be cancelled."""
        return self.order_status == "EXECUTING"


@dataclass(slots=True)
class Balance:
    """What an account holds of one asset."""

    free: int = 0
    locked: int = 0


@dataclass(slots=True)
class PreventedMatch:
    """A trade that self-trade prevention did not let happen."""

    prevented_match_id: int
    symbol: str
    taker_order_id: int
    maker_order_id: int
    trade_group_id: int
    mode: SelfTradePrevention
    price: int
    maker_prevented: int
    """What the maker had left before, 0 when the mode spares it."""
    time_ms: int
    taker_prevented: int = 0


@dataclass(slots=True)
class Amendment:
    """One order.amend.keepPriority that was carried out."""

    symbol: str
    order_id: int
    execution_id: int
    original_client_order_id: str
    new_client_order_id: str
    original_quantity: int
    new_quantity: int
    time_ms: int


@dataclass(slots=True)
class CancelReplaceResult:
    """Both halves of a cancel-replace: what was done, or the refusal; `placed` is None when it was not attempted."""

    cancelled: SpotOrder | VenueError
    placed: SpotOrder | VenueError | None


@dataclass(frozen=True, slots=True)
class Commission:
    """Rates of an account on a symbol in quanta of a fraction (100,000 is 0.1 %)."""

    symbol: str
    maker: int
    taker: int
    discount_enabled: bool
    """Whether the account pays in BNB with the discount while its BNB lasts."""
    discount: int = 25_000_000


@dataclass(slots=True)
class ExecutionReport:
    """Something happened to an order. The order is live: read what you need before you return."""

    order: SpotOrder
    execution: ExecutionType
    time_ms: int
    execution_id: int
    fill: Fill | None = None
    request_client_id: str | None = None
    """Client id of the cancel or amend request, where that is what happened."""
    reject_reason: str = "NONE"
    prevented_match: PreventedMatch | None = None
    last_prevented: int = 0
    """Quantity that this one prevented match took from the order."""


@dataclass(slots=True)
class AccountPosition:
    """outboundAccountPosition: the balances that may have changed."""

    account_id: int
    balances: dict[str, tuple[int, int]]
    """Asset -> (free, locked)."""
    time_ms: int


@dataclass(slots=True)
class BalanceUpdate:
    """A deposit, withdrawal or transfer."""

    account_id: int
    asset: str
    delta: int
    time_ms: int


@dataclass(slots=True)
class ListStatus:
    """Something happened to an order list."""

    order_list: OrderList
    time_ms: int
    reject_reason: str = "NONE"


SpotEvent = ExecutionReport | AccountPosition | BalanceUpdate | ListStatus
