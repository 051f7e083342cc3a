"""How USD-M writes amounts: fixed decimals of the symbol for orders, eight decimals for money."""

from __future__ import annotations

from simulator.futures import positions
from simulator.futures.types import FuturesOrder, Position
from simulator.instruments import Instrument
from simulator.units import DECIMALS, ONE, format_quanta, trim_quanta


def divide(numerator: int, denominator: int) -> int:
    """Quotient in quanta, rounded to the nearest (half away from zero); 0 when the denominator is 0."""
    if denominator == 0:
        return 0
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    top, bottom = abs(numerator) * ONE, abs(denominator)
    return sign * ((2 * top + bottom) // (2 * bottom))


def average_price(instrument: Instrument, quote: int, quantity: int) -> str:
    """Average price of a quantity, with the decimals of price and quantity together (0.00000 when nothing traded)."""
    decimals = min(DECIMALS, instrument.price_decimals + instrument.quantity_decimals)
    return format_quanta(divide(quote, quantity), decimals)


def quote_amount(instrument: Instrument, quote: int) -> str:
    """Traded quote amount of an order."""
    return format_quanta(quote, min(DECIMALS, instrument.price_decimals + instrument.quantity_decimals))


def money(value: int) -> str:
    """A wallet amount: always eight decimals."""
    return format_quanta(value)


def short(value: int) -> str:
    """The shortest decimal text, sign kept: -1.5 for -150,000,000."""
    return trim_quanta(value)


def entry_price(position: Position) -> str:
    """Entry price of a position, 0.0 when there is none."""
    return short(positions.entry_price(position)) if position.quantity else "0.0"


def break_even_price(position: Position) -> str:
    """Price at which closing would bring neither profit nor loss after fees, 0.0 without a position."""
    return short(positions.break_even_price(position)) if position.quantity else "0.0"


def callback_rate(order: FuturesOrder) -> str:
    """callbackRate in percent as it was sent."""
    return short(order.callback_rate)
