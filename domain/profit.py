"""What a fill does to a position and what it costs: the one place where fees are valued.

A fee in base is a sale of that much at the fill's own price and a fee of what it brings, rounded down. So realised +
unrealised - fees is the change of equity, to the last unit. Fees in other assets are not valued here.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from domain.position_tracker import Position, trade, value_of


class Execution(Protocol):
    """What is needed of a fill."""

    @property
    def side(self) -> int:
        """1 for a purchase, -1 for a sale."""

    @property
    def ticks(self) -> int:
        """Its price."""

    @property
    def lots(self) -> int:
        """Its quantity, never signed."""

    @property
    def fee(self) -> int:
        """Its fee in quanta of the fee's asset."""

    @property
    def fee_asset(self) -> str:
        """What the fee was taken in."""


class Units(NamedTuple):
    """How an instrument counts."""

    base: str
    quote: str
    #: Base quanta in a lot, and quote quanta in a tick times a lot.
    base_per_lot: int
    tick_lot: int


def book(position: Position, fill: Execution, units: Units) -> tuple[Position, int]:
    """The position, in base quanta, after a fill, and the fill's fee in quote quanta."""
    value = fill.lots * fill.ticks * units.tick_lot
    after = trade(position, fill.side * fill.lots * units.base_per_lot, value)
    if fill.fee_asset == units.quote:
        return after, fill.fee
    if fill.fee_asset != units.base:
        return after, 0
    fee = value_of(fill.fee, fill.ticks, units.tick_lot, units.base_per_lot)
    return trade(after, -fill.fee, fee), fee
