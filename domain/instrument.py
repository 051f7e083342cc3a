"""What is traded, and the only doors between decimals and the ticks and lots of the law."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from domain.errors import Broken, Refused
from domain.money import from_units, multiply, to_units, to_wire
from domain.sentences import say

#: Compiled integers wrap silently at 2^63; four times below 2^62 leaves room for the sums of a day.
LARGEST_PRODUCT = 2**60


class UnsafeInstrument(Broken):
    """The instrument's largest position at its highest price does not fit the law's integers."""


class OutOfRange(Refused):
    """The price or quantity is beyond what the instrument allows."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable symbol of a venue. Refuses to exist when its numbers could overflow in compiled code."""

    symbol: str
    base: str
    quote: str
    #: Smallest step of the price, in quote per base.
    tick_size: Decimal
    #: Smallest step of the quantity, in base.
    lot_size: Decimal
    #: Highest price and largest position, either way, that may ever be held.
    max_price: Decimal
    max_position: Decimal
    #: The venue's finest unit of each asset: the ledger counts in these.
    base_quantum: Decimal = Decimal("0.00000001")
    quote_quantum: Decimal = Decimal("0.00000001")
    #: The smallest and largest order the venue takes.
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    max_ticks: int = field(init=False)
    max_lots: int = field(init=False)
    #: Base quanta in one lot, and quote quanta in one tick times one lot: both whole, or the instrument is refused.
    base_per_lot: int = field(init=False)
    tick_lot: int = field(init=False)

    def __post_init__(self) -> None:
        max_ticks = to_units(self.max_price, self.tick_size)
        max_lots = to_units(self.max_position, self.lot_size)
        if max_ticks <= 0 or max_lots <= 0 or max_ticks * max_lots > LARGEST_PRODUCT:
            raise UnsafeInstrument(
                say(
                    "instrument_too_large",
                    "{symbol}: {max_lots} lots at {max_ticks} ticks is outside 1..2^60; lower its highest "
                    "price or its largest position.",
                    symbol=self.symbol,
                    max_lots=max_lots,
                    max_ticks=max_ticks,
                )
            )
        object.__setattr__(self, "base_per_lot", to_units(self.lot_size, self.base_quantum))
        object.__setattr__(self, "tick_lot", to_units(multiply(self.tick_size, self.lot_size), self.quote_quantum))
        object.__setattr__(self, "max_ticks", max_ticks)
        object.__setattr__(self, "max_lots", max_lots)

    def to_ticks(self, price: Decimal) -> int:
        """The price in ticks; refused when it is negative, too high, or between two ticks."""
        ticks = to_units(price, self.tick_size)
        if not 0 <= ticks <= self.max_ticks:
            raise OutOfRange(
                say(
                    "price_out_of_range",
                    "{symbol}: price {price} is outside 0..{max_price}.",
                    symbol=self.symbol,
                    price=to_wire(price),
                    max_price=to_wire(self.max_price),
                )
            )
        return ticks

    def from_ticks(self, ticks: int) -> Decimal:
        """The price of so many ticks."""
        return from_units(ticks, self.tick_size)

    def to_lots(self, quantity: Decimal) -> int:
        """The quantity in lots, negative when short; refused when too large or between two lots."""
        lots = to_units(quantity, self.lot_size)
        if abs(lots) > self.max_lots:
            limit = to_wire(self.max_position)
            raise OutOfRange(
                say(
                    "quantity_out_of_range",
                    "{symbol}: quantity {quantity} is outside -{limit}..{limit}.",
                    symbol=self.symbol,
                    quantity=to_wire(quantity),
                    limit=limit,
                )
            )
        return lots

    def from_lots(self, lots: int) -> Decimal:
        """The quantity of so many lots."""
        return from_units(lots, self.lot_size)

    def notional(self, ticks: int, lots: int) -> Decimal:
        """Price times quantity in the quote asset, exact; negative for a short position."""
        return multiply(self.from_ticks(ticks), self.from_lots(lots))
