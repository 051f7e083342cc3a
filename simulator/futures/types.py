"""The words of the USD-M futures exchange: orders, algo orders, positions, wallets and the events it publishes.

Texts such as "BUY", "GTX" or "FILLED" are the venue's own and go on the wire unchanged. Amounts are quanta.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from simulator.market.types import Side

PositionSide = Literal["BOTH", "LONG", "SHORT"]
OrderType = Literal[
    "LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET", "LIQUIDATION"
]
TimeInForce = Literal["GTC", "IOC", "FOK", "GTX", "GTD"]
OrderStatus = Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"]
ExecutionType = Literal["NEW", "CANCELED", "CALCULATED", "EXPIRED", "TRADE", "AMENDMENT"]
WorkingType = Literal["CONTRACT_PRICE", "MARK_PRICE"]
MarginType = Literal["CROSSED", "ISOLATED"]
SelfTradePrevention = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]
AlgoStatus = Literal["NEW", "CANCELED", "TRIGGERING", "TRIGGERED", "FINISHED", "REJECTED", "EXPIRED"]
IncomeType = Literal["TRANSFER", "REALIZED_PNL", "FUNDING_FEE", "COMMISSION", "INSURANCE_CLEAR"]
UpdateReason = Literal[
    "DEPOSIT", "WITHDRAW", "ORDER", "FUNDING_FEE", "ADJUSTMENT", "INSURANCE_CLEAR", "MARGIN_TRANSFER"
]


@dataclass(slots=True)
class NewOrder:
    """A request for an order (ordinary or algo), parsed but not yet checked; None means it was not sent."""

    symbol: str
    side: Side
    type: OrderType
    position_side: PositionSide = "BOTH"
    time_in_force: TimeInForce | None = None
    quantity: int | None = None
    price: int | None = None
    price_match: str | None = None
    trigger_price: int | None = None
    callback_rate: int | None = None
    """Percent in quanta (1 % is 100,000,000)."""
    activate_price: int | None = None
    working_type: WorkingType = "CONTRACT_PRICE"
    price_protect: bool = False
    reduce_only: bool = False
    close_position: bool = False
    client_order_id: str | None = None
    self_trade_prevention: SelfTradePrevention | None = None
    good_till_ms: int | None = None


@dataclass(slots=True)
class Fill:
    """One account's half of a trade."""

    trade_id: int
    order_id: int
    symbol: str
    side: Side
    position_side: PositionSide
    price: int
    quantity: int
    quote: int
    commission: int
    commission_asset: str
    realized_pnl: int
    time_ms: int
    is_maker: bool


@dataclass(slots=True, eq=False)
class FuturesOrder:
    """An ordinary order, from acceptance to its end. Compared by identity."""

    order_id: int
    account_id: int
    symbol: str
    side: Side
    position_side: PositionSide
    type: OrderType
    original_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    client_order_id: str
    time_ms: int
    status: OrderStatus = "NEW"
    executed: int = 0
    executed_quote: int = 0
    trigger_price: int = 0
    reduce_only: bool = False
    close_position: bool = False
    working_type: WorkingType = "CONTRACT_PRICE"
    price_protect: bool = False
    price_match: str = "NONE"
    self_trade_prevention: SelfTradePrevention = "EXPIRE_MAKER"
    good_till_ms: int = 0
    update_ms: int = 0
    activate_price: int = 0
    callback_rate: int = 0
    ahead: int = 0
    """Background quantity that stands before it at its price (queue position)."""
    algo_id: int = 0
    realized_pnl: int = 0
    fills: list[Fill] = field(default_factory=list)
    amends: int = 0

    @property
    def remaining(self) -> int:
        """Quantity not yet executed."""
        return self.quantity - self.executed

    @property
    def is_open(self) -> bool:
        """Whether it can still trade or be cancelled."""
        return self.status in ("NEW", "PARTIALLY_FILLED")


@dataclass(slots=True, eq=False)
class AlgoOrder:
    """A conditional order of the algo service; once triggered an ordinary order carries on."""

    algo_id: int
    account_id: int
    symbol: str
    side: Side
    position_side: PositionSide
    type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    trigger_price: int
    client_algo_id: str
    time_ms: int
    status: AlgoStatus = "NEW"
    reduce_only: bool = False
    close_position: bool = False
    working_type: WorkingType = "CONTRACT_PRICE"
    price_protect: bool = False
    price_match: str = "NONE"
    self_trade_prevention: SelfTradePrevention = "EXPIRE_MAKER"
    activate_price: int = 0
    callback_rate: int = 0
    good_till_ms: int = 0
    update_ms: int = 0
    trigger_ms: int = 0
    extreme_price: int = 0
    """Best price since a trailing stop was activated, 0 before."""
    order: FuturesOrder | None = None
    """The ordinary order it became."""
    reject_reason: str = ""


@dataclass(slots=True)
class Position:
    """One position of an account: a symbol and a side."""

    account_id: int
    symbol: str
    position_side: PositionSide
    quantity: int = 0
    """Signed: short below zero."""
    cost: int = 0
    """Signed entry notional in quote quanta; entry price = cost / quantity. Kept exact through partial closes."""
    isolated_wallet: int = 0
    break_even_cost: int = 0
    realized: int = 0
    """Profit realised so far, before fees (`cr` of ACCOUNT_UPDATE)."""
    update_ms: int = 0


@dataclass(slots=True)
class SymbolSettings:
    """What an account has chosen for one symbol."""

    leverage: int = 20
    margin_type: MarginType = "CROSSED"


@dataclass(slots=True)
class Wallet:
    """Cross wallet balance of one asset."""

    balance: int = 0
    update_ms: int = 0


@dataclass(slots=True)
class Income:
    """One line of the income history."""

    account_id: int
    symbol: str
    income_type: IncomeType
    amount: int
    asset: str
    time_ms: int
    transaction_id: int
    trade_id: str = ""
    info: str = ""


@dataclass(slots=True)
class OrderUpdate:
    """ORDER_TRADE_UPDATE: something happened to an order. The order is live: read it before you return."""

    order: FuturesOrder
    execution: ExecutionType
    time_ms: int
    fill: Fill | None = None


@dataclass(slots=True)
class AccountUpdate:
    """ACCOUNT_UPDATE: wallets and positions that changed, and why. Positions are live."""

    account_id: int
    reason: UpdateReason
    wallets: dict[str, tuple[int, int]]
    """Asset -> (wallet balance, balance change without PnL and fee)."""
    positions: list[Position]
    time_ms: int
    symbol: str = ""
    cross_wallets: dict[str, int] = field(default_factory=dict)
    """Asset -> cross wallet balance (`cw`), for the same assets."""


@dataclass(slots=True)
class AlgoUpdate:
    """ALGO_UPDATE."""

    algo: AlgoOrder
    time_ms: int


@dataclass(slots=True)
class ConfigUpdate:
    """ACCOUNT_CONFIG_UPDATE: a symbol's leverage, or the multi-assets mode."""

    account_id: int
    time_ms: int
    symbol: str = ""
    leverage: int = 0
    multi_assets: bool = False


@dataclass(slots=True)
class MarginCall:
    """MARGIN_CALL: positions near liquidation."""

    account_id: int
    cross_wallet: int
    positions: list[Position]
    time_ms: int


@dataclass(slots=True)
class Liquidation:
    """Public forceOrder event."""

    order: FuturesOrder
    time_ms: int


FuturesEvent = OrderUpdate | AccountUpdate | AlgoUpdate | ConfigUpdate | MarginCall | Liquidation
