"""The limits of a strategy instance as people give them: decimals and seconds, each with title, unit and bounds.

Stored as JSON in the instance's row, checked at the border, turned into the law's integers once the instrument is
known. An amount between two lots is rounded down: a limit is never wider than what was asked for.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Refused
from domain.instrument import Instrument
from domain.risk_manager import RiskLimits
from domain.sentences import say

PARTS_PER_PERCENT: Final = 10_000
MILLISECONDS: Final = 1_000

Amount = Annotated[Decimal, Field(ge=0, max_digits=36, decimal_places=18, allow_inf_nan=False)]
Capital = Annotated[Decimal, Field(gt=0, max_digits=36, decimal_places=18, allow_inf_nan=False)]


class ForeignCapital(Refused):
    """The capital of an instance is in the two assets it trades."""


class Limits(BaseModel):
    """What an instance may do, and what it owns. 0 switches a limit off unless its description says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capital: dict[str, Capital] = Field(
        default_factory=dict, title="Capital", description="Asset and amount that the strategy owns from the start."
    )
    max_leverage: int = Field(
        1, title="Leverage", description="Futures: how many times the capital may be tied up.", ge=1, le=125
    )
    max_positions: int = Field(0, title="Positions", description="Levels that may hold at once.", ge=0, le=10_000)
    max_position_quantity: Amount = Field(
        Decimal(0), title="Largest position", description="In base, every order filled."
    )
    max_position_notional: Amount = Field(
        Decimal(0), title="Largest position value", description="In quote, every order filled."
    )
    max_order_quantity: Amount = Field(Decimal(0), title="Largest order", description="In base.")
    max_order_notional: Amount = Field(Decimal(0), title="Largest order value", description="In quote.")
    max_open_orders: int = Field(0, title="Open orders", description="Orders that may work at once.", ge=0, le=10_000)
    collar_percent: Decimal = Field(
        Decimal(5), title="Price collar (%)", description="How far to the worse side of the price an order may be.",
        ge=0, le=100, max_digits=9, decimal_places=4,
    )  # fmt: skip
    max_price_age_seconds: int = Field(
        5, title="Oldest price (seconds)", description="An older price starts no order; never off.", ge=1, le=3_600
    )
    max_daily_loss: Amount = Field(Decimal(0), title="Daily loss", description="In quote, after fees: entries stop.")
    max_daily_trades: int = Field(0, title="Daily trades", description="Fills of one day.", ge=0, le=1_000_000)
    cool_down_losses: int = Field(
        0, title="Losses in a row", description="After so many losing trades entries rest.", ge=0, le=1_000
    )
    cool_down_seconds: int = Field(0, title="Rest (seconds)", description="How long they rest.", ge=0, le=2_592_000)
    max_messages_per_second: int = Field(20, title="Requests a second", description="Throttle.", ge=0, le=1_000)
    max_rejections: int = Field(
        3, title="Rejections in a row", description="Then entries wait for a person.", ge=0, le=1_000
    )

    def to_law(self, instrument: Instrument) -> RiskLimits:
        """The same in ticks, lots, quanta, milliseconds and parts per million."""
        return RiskLimits(
            max_positions=self.max_positions,
            max_position_lots=_floor(self.max_position_quantity, instrument.lot_size),
            max_position_notional=_floor(self.max_position_notional, instrument.quote_quantum),
            max_order_lots=_floor(self.max_order_quantity, instrument.lot_size),
            max_order_notional=_floor(self.max_order_notional, instrument.quote_quantum),
            max_open_orders=self.max_open_orders,
            collar_ppm=int(self.collar_percent * PARTS_PER_PERCENT),
            max_price_age_ms=self.max_price_age_seconds * MILLISECONDS,
            max_daily_loss=_floor(self.max_daily_loss, instrument.quote_quantum),
            max_daily_trades=self.max_daily_trades,
            cool_down_losses=self.cool_down_losses,
            cool_down_ms=self.cool_down_seconds * MILLISECONDS,
            max_messages=self.max_messages_per_second,
            max_rejections=self.max_rejections,
            capital=_floor(self.capital.get(instrument.quote, Decimal(0)), instrument.quote_quantum),
            max_leverage=self.max_leverage,
        )

    def allotment(self, instrument: Instrument) -> tuple[tuple[str, int], ...]:
        """Asset and quanta that are booked to the instance when it is first started."""
        quanta = {instrument.base: instrument.base_quantum, instrument.quote: instrument.quote_quantum}
        for asset in self.capital:
            if asset not in quanta:
                raise ForeignCapital(
                    say(
                        "capital_in_foreign_asset",
                        "{symbol} trades {assets}, not {asset}.",
                        symbol=instrument.symbol,
                        assets=" and ".join(quanta),
                        asset=asset,
                        field="capital",
                    )
                )
        return tuple((asset, _floor(amount, quanta[asset])) for asset, amount in self.capital.items())


def _floor(amount: Decimal, unit: Decimal) -> int:
    """Whole units in an amount; one unit when there is something but less than that, because 0 means no limit."""
    whole = int((amount / unit).to_integral_value(ROUND_FLOOR))
    return max(whole, 1) if amount > 0 else 0
