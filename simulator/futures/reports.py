"""What the exchange tells about itself and its accounts: plain results, one class per question of the venue's API.

Amounts are quanta of 1e-8 (prices, quantities and money alike), rates are quanta of a fraction (0.01 % is 10,000),
times are market milliseconds. Margins are rounded up, prices derived by division are rounded down.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.futures.types import MarginType, PositionSide


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One asset of an account: `GET /fapi/v2/balance`, `/fapi/v3/balance`, and `assets` of the account queries."""

    asset: str
    wallet_balance: int
    """Cross wallet and isolated wallets together."""
    cross_wallet_balance: int
    unrealized_profit: int
    cross_unrealized_profit: int
    margin_balance: int
    maintenance_margin: int
    initial_margin: int
    position_initial_margin: int
    open_order_initial_margin: int
    available_balance: int
    maximum_withdraw: int
    margin_available: bool
    update_ms: int


@dataclass(frozen=True, slots=True)
class PositionRisk:
    """One position with its numbers: positionRisk v2/v3, and `positions` of account v2/v3."""

    symbol: str
    position_side: PositionSide
    quantity: int
    entry_price: int
    break_even_price: int
    mark_price: int
    unrealized_profit: int
    liquidation_price: int
    """0 when there is no price at which it would be liquidated."""
    isolated_margin: int
    """Isolated wallet plus unrealised profit; 0 for cross."""
    isolated_wallet: int
    notional: int
    """Signed like the quantity."""
    margin_asset: str
    initial_margin: int
    position_initial_margin: int
    open_order_initial_margin: int
    maintenance_margin: int
    adl_quantile: int
    bid_notional: int
    ask_notional: int
    leverage: int
    margin_type: MarginType
    maximum_notional: int
    """Largest notional allowed at this leverage (`maxNotionalValue`)."""
    update_ms: int


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """The whole account: `GET /fapi/v2/account` and `/fapi/v3/account`; totals are in USDT (multi-assets: USD)."""

    can_trade: bool
    fee_tier: int
    multi_assets: bool
    hedge_mode: bool
    update_ms: int
    total_initial_margin: int
    total_maintenance_margin: int
    total_wallet_balance: int
    total_unrealized_profit: int
    total_margin_balance: int
    total_position_initial_margin: int
    total_open_order_initial_margin: int
    total_cross_wallet_balance: int
    total_cross_unrealized_profit: int
    available_balance: int
    maximum_withdraw: int
    assets: list[BalanceLine]
    positions: list[PositionRisk]
    """Every listed symbol and side (v2 shows all; v3 shows those with a quantity or open orders: `has_content`)."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """One tier of a symbol's leverage table."""

    number: int
    initial_leverage: int
    notional_floor: int
    notional_cap: int
    maintenance_rate: int
    cumulative: int
    """Deducted from notional x rate so that the margin is continuous over tiers (`cum`)."""


@dataclass(frozen=True, slots=True)
class LeverageChange:
    """Answer to `POST /fapi/v1/leverage`."""

    symbol: str
    leverage: int
    maximum_notional: int


@dataclass(frozen=True, slots=True)
class Commission:
    """`GET /fapi/v1/commissionRate`."""

    symbol: str
    maker: int
    taker: int


@dataclass(frozen=True, slots=True)
class SymbolConfig:
    """`GET /fapi/v1/symbolConfig`."""

    symbol: str
    margin_type: MarginType
    auto_add_margin: bool
    leverage: int
    maximum_notional: int


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """`GET /fapi/v1/accountConfig`."""

    fee_tier: int
    can_trade: bool
    can_deposit: bool
    can_withdraw: bool
    hedge_mode: bool
    multi_assets: bool
    update_ms: int


@dataclass(frozen=True, slots=True)
class AdlQuantiles:
    """`GET /fapi/v1/adlQuantile`: 0 (last in line) to 4 for each position side the account holds on a symbol."""

    symbol: str
    quantiles: dict[str, int]
    """Keys BOTH, or LONG, SHORT and HEDGE (present as the venue sends it, to be ignored)."""


@dataclass(frozen=True, slots=True)
class Premium:
    """`GET /fapi/v1/premiumIndex`, and the markPrice stream."""

    symbol: str
    mark_price: int
    index_price: int
    settle_price: int
    last_funding_rate: int
    """The rate that will be charged next, as the venue names it."""
    interest_rate: int
    next_funding_ms: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class FundingRate:
    """One line of `GET /fapi/v1/fundingRate`; `mark_price` is 0 for times before the venue started."""

    symbol: str
    time_ms: int
    rate: int
    mark_price: int


@dataclass(frozen=True, slots=True)
class FundingInfo:
    """`GET /fapi/v1/fundingInfo`."""

    symbol: str
    cap: int
    floor: int
    interval_hours: int


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """`GET /fapi/v1/openInterest`: the customers' long contracts of a symbol."""

    symbol: str
    quantity: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Amendment:
    """One line of `GET /fapi/v1/orderAmendment`."""

    amendment_id: int
    symbol: str
    order_id: int
    client_order_id: str
    time_ms: int
    price_before: int
    price_after: int
    quantity_before: int
    quantity_after: int
    count: int
    """1 for an order's first amendment."""


@dataclass(frozen=True, slots=True)
class MarginChange:
    """One line of `GET /fapi/v1/positionMargin/history`."""

    symbol: str
    kind: int
    """1 adds margin to an isolated position, 2 takes it away."""
    amount: int
    asset: str
    time_ms: int
    position_side: PositionSide
    by_user: bool
    """True for USER_ADJUST, false for the part of a trade."""


def has_content(position: PositionRisk) -> bool:
    """Whether v3 queries list a position: it holds something or has open orders."""
    return bool(
        position.quantity or position.open_order_initial_margin or position.bid_notional or position.ask_notional
    )
