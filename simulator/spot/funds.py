"""What an order would give away: how much it must lock, and what a market order will get from the book."""

from __future__ import annotations

from typing import NamedTuple

from simulator.errors import INSUFFICIENT_BALANCE, filter_failure, rejected
from simulator.spot.desk import Desk, Listing
from simulator.spot.types import SpotOrder
from simulator.units import ONE, notional


class Plan(NamedTuple):
    """What a market order would trade now."""

    quantity: int
    quote: int
    is_short: bool
    """Whether the book ends before the order has all it wants."""


def given_asset(listing: Listing, order: SpotOrder) -> str:
    """The asset the order gives away: quote when it buys, base when it sells."""
    return listing.instrument.quote if order.side == "BUY" else listing.instrument.base


def need(listing: Listing, order: SpotOrder) -> int:
    """What the order must lock of the asset it gives, so that it can never lack funds.

    A stop without limit price that buys locks its quantity at the stop price (at the last price when it only trails);
    that is settled anew when it is triggered.
    """
    if not order.price and (order.type == "MARKET" or order.is_working):
        return _market_need(listing, order)
    if order.side == "SELL":
        return order.remaining
    return notional(order.price or order.stop_price or listing.market.last_price, order.remaining)


def _market_need(listing: Listing, order: SpotOrder) -> int:
    if order.quote_quantity and order.side == "BUY":
        return order.quote_quantity
    if not order.quote_quantity and order.side == "SELL":
        return order.quantity
    plan = market_plan(listing, order)
    return plan.quote if order.side == "BUY" else plan.quantity


def market_plan(listing: Listing, order: SpotOrder) -> Plan:
    """What the order would get from the book as it stands, its account's own orders passed over unless STP is NONE."""
    lot = listing.instrument.filters.lot
    quantity = quote = 0
    for price, offered in listing.book.levels(order.side, own_orders_of(order)):
        piece = min(offered, _wanted(order, price, lot, quantity, quote))
        quantity += piece
        quote += notional(price, piece)
        if _wanted(order, price, lot, quantity, quote) <= 0:
            return Plan(quantity, quote, is_short=False)
    return Plan(quantity, quote, is_short=True)


def own_orders_of(order: SpotOrder) -> int:
    """The account whose orders the order may not trade with; 0 is nobody."""
    return 0 if order.self_trade_prevention == "NONE" else order.account_id


def _wanted(order: SpotOrder, price: int, lot: int, executed: int, executed_quote: int) -> int:
    """How much more a taker wants at a price, given what it already has; a quote amount buys whole lots only."""
    if not order.quote_quantity:
        return order.quantity - executed
    return (order.quote_quantity - executed_quote) * ONE // price // lot * lot


def check_funds(desk: Desk, listing: Listing, order: SpotOrder) -> int:
    """What the order must lock; refuses with -2010 when the account has less."""
    amount = need(listing, order)
    if desk.ledger.free(order.account_id, given_asset(listing, order)) < amount:
        raise rejected(INSUFFICIENT_BALANCE)
    return amount


def plan_quote_order(listing: Listing, order: SpotOrder) -> None:
    """Give an order by quote amount its quantity: whole lots that the book sells for at most that amount.

    A book that is too thin makes it one lot more than there is, so that the order expires and is not taken for filled.
    """
    if listing.book.next_match(order.side, None, ONE) is None:
        raise rejected("Order book liquidity is less than symbol minimum quantity.")
    filters = listing.instrument.filters
    plan = market_plan(listing, order)
    if plan.quantity < filters.minimum_quantity:
        raise rejected("Order book liquidity is less than LOT_SIZE filter minimum quantity.")
    if filters.market_maximum_quantity and plan.quantity > filters.market_maximum_quantity:
        raise filter_failure("MARKET_LOT_SIZE")
    order.quantity = plan.quantity + (filters.lot if plan.is_short else 0)
