"""What is traded: symbols with their filters, and the catalogue a venue starts with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from simulator.units import ONE, format_quanta, notional, trim_quanta

Market = Literal["spot", "futures"]
"""Spot, or USD-M futures: two exchanges on one port."""

Status = Literal["TRADING", "HALT", "BREAK", "CANCEL_ONLY", "SETTLING", "PENDING_TRADING", "CLOSE"]


@dataclass(frozen=True, slots=True)
class Filters:
    """Trading rules of a symbol; amounts in quanta, 0 switches a bound off."""

    tick: int
    lot: int
    minimum_price: int
    maximum_price: int
    minimum_quantity: int
    maximum_quantity: int
    market_maximum_quantity: int
    minimum_notional: int
    maximum_notional: int = 9_000_000 * ONE
    percent_up: int = 5 * ONE
    """Highest price as a multiple of the average price (quanta: 5 * ONE is fivefold)."""
    percent_down: int = ONE // 5
    maximum_orders: int = 200
    maximum_algo_orders: int = 5
    maximum_order_lists: int = 20
    maximum_amends: int = 10
    iceberg_parts: int = 100
    maximum_position: int = 0
    """MAX_POSITION of the base asset on spot; 0 leaves the filter out."""
    trailing_minimum: int = 10
    trailing_maximum: int = 2000
    """Bounds of trailingDelta in basis points."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol of one market. Frozen: a change of rules makes a new one (`with_filters`, `with_status`)."""

    market: Market
    symbol: str
    base: str
    quote: str
    filters: Filters
    status: Status = "TRADING"
    price_decimals: int = 8
    """Decimals shown on the wire (spot always 8; futures pricePrecision)."""
    quantity_decimals: int = 8
    onboard: int = 1_569_398_400_000
    maintenance_rate: int = ONE // 250
    """Lowest maintenance-margin rate of a futures symbol (0.4 %), in quanta."""
    maximum_leverage: int = 125
    permissions: tuple[str, ...] = field(default=("SPOT",))

    def __post_init__(self) -> None:
        """Refuse rules whose notionals would not be whole quanta."""
        if self.filters.tick <= 0 or self.filters.lot <= 0:
            raise ValueError(f"{self.symbol}: tick and lot must be above zero")
        if self.filters.tick * self.filters.lot % ONE:
            raise ValueError(
                f"{self.symbol}: tick {trim_quanta(self.filters.tick)} x lot {trim_quanta(self.filters.lot)} "
                "is finer than 1e-8 of the quote asset; use a coarser tick or lot"
            )

    def notional(self, price: int, quantity: int) -> int:
        """Quote quanta of a quantity at a price."""
        return notional(price, quantity)

    def format_price(self, price: int) -> str:
        """Price as the venue writes it."""
        return format_quanta(price, self.price_decimals)

    def format_quantity(self, quantity: int) -> str:
        """Quantity as the venue writes it."""
        return format_quanta(quantity, self.quantity_decimals)

    def with_filters(self, **changes: int) -> Instrument:
        """The same symbol with some trading rules changed."""
        return replace(self, filters=replace(self.filters, **changes))

    def with_status(self, status: Status) -> Instrument:
        """The same symbol in another trading status."""
        return replace(self, status=status)
