"""The symbol's filters. Each refuses with -1013 "Filter failure: <its name>" before the engine sees the order."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.errors import filter_failure
from simulator.instruments import Filters, Instrument
from simulator.spot.triggers import CONTINGENT
from simulator.spot.types import NewOrder, SpotOrder
from simulator.units import ONE, notional


def check_filters(new: NewOrder, instrument: Instrument, average: int) -> None:
    """Refuse what the symbol's rules on price, quantity and notional do not allow.

    `average` is the weighted average price of five minutes, which stands in for the price of a market order.
    """
    filters = instrument.filters
    if not _price_fits(filters, new.price) or not _price_fits(filters, new.stop_price):
        raise filter_failure("PRICE_FILTER")
    if not quantity_fits(filters, new.quantity) or not quantity_fits(filters, new.iceberg_quantity or None):
        raise filter_failure("LOT_SIZE")
    if new.type == "MARKET" and new.quantity is not None and _above(new.quantity, filters.market_maximum_quantity):
        raise filter_failure("MARKET_LOT_SIZE")
    if new.price is not None and not _percent_price_fits(filters, new.price, average):
        raise filter_failure("PERCENT_PRICE_BY_SIDE")
    _check_notional(new, filters, average)
    if new.iceberg_quantity and new.quantity and -(-new.quantity // new.iceberg_quantity) > filters.iceberg_parts:
        raise filter_failure("ICEBERG_PARTS")
    if new.trailing_delta is not None and not (
        filters.trailing_minimum <= new.trailing_delta <= filters.trailing_maximum
    ):
        raise filter_failure("TRAILING_DELTA")


def check_counts(orders: Sequence[NewOrder], filters: Filters, open_orders: dict[int, SpotOrder]) -> None:
    """Refuse orders that would be more than an account may have open on the symbol."""
    if filters.maximum_orders and len(open_orders) + len(orders) > filters.maximum_orders:
        raise filter_failure("MAX_NUM_ORDERS")
    waiting = len([new for new in orders if new.type in CONTINGENT])
    if not waiting or not filters.maximum_algo_orders:
        return
    waiting += sum(order.type in CONTINGENT for order in open_orders.values())
    if waiting > filters.maximum_algo_orders:
        raise filter_failure("MAX_NUM_ALGO_ORDERS")


def check_position(new: NewOrder, filters: Filters, held: int, open_orders: dict[int, SpotOrder]) -> None:
    """Refuse a buy that could take the account above MAX_POSITION; `held` is what it has of the base asset."""
    if not filters.maximum_position or new.side == "SELL":
        return
    bidding = sum(order.remaining for order in open_orders.values() if order.side == "BUY")
    if held + bidding + (new.quantity or 0) > filters.maximum_position:
        raise filter_failure("MAX_POSITION")


def quantity_fits(filters: Filters, quantity: int | None) -> bool:
    """Whether LOT_SIZE allows a quantity; None is none at all."""
    return quantity is None or (
        quantity >= filters.minimum_quantity
        and not _above(quantity, filters.maximum_quantity)
        and quantity % filters.lot == 0
    )


def notional_fits(filters: Filters, value: int) -> bool:
    """Whether NOTIONAL allows a value of an order with a price."""
    return value >= filters.minimum_notional and not _above(value, filters.maximum_notional)


def _above(value: int, bound: int) -> bool:
    """Whether a value exceeds a bound; a bound of 0 is switched off."""
    return bound > 0 and value > bound


def _price_fits(filters: Filters, price: int | None) -> bool:
    return price is None or (
        price >= filters.minimum_price and not _above(price, filters.maximum_price) and price % filters.tick == 0
    )


def _percent_price_fits(filters: Filters, price: int, average: int) -> bool:
    if filters.percent_up and price * ONE > average * filters.percent_up:
        return False
    return not filters.percent_down or price * ONE >= average * filters.percent_down


def _check_notional(new: NewOrder, filters: Filters, average: int) -> None:
    """NOTIONAL: both bounds for orders with a price, the lower one for orders without."""
    if new.quote_quantity is not None:
        value = new.quote_quantity
    else:
        value = notional(new.price or new.stop_price or average, new.quantity or 0)
    fits = notional_fits(filters, value) if new.price is not None else value >= filters.minimum_notional
    if not fits:
        raise filter_failure("NOTIONAL")
