"""Which orders may stand in a list, where, and at what prices; refusals in the venue's codes and words."""

from __future__ import annotations

from simulator.errors import VenueError, rejected
from simulator.spot.types import NewList, NewOrder

_PRICE_RELATION = "The relationship of the prices for the orders is not correct."
_TYPES = ("LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


def check_list(new: NewList, last: int) -> None:
    """Refuse impossible lists; `last` is the last price."""
    if new.kind == "OCO":
        above, below = new.orders
        check_pair(above, below)
        _check_prices(above, below, last)
        return
    working, *pending = new.orders
    if working.type not in ("LIMIT", "LIMIT_MAKER"):
        raise VenueError(-1130, "Data sent for parameter 'workingType' is not valid.")
    if any(order.quote_quantity is not None for order in pending):
        raise VenueError(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if len(pending) == 2:
        check_pair(pending[0], pending[1])
        _check_prices(pending[0], pending[1], None)


def check_pair(above: NewOrder, below: NewOrder) -> None:
    """One half takes profit or rests (the favourable side), the other stops the loss; both for one quantity."""
    for order in (above, below):
        if order.type not in _TYPES:
            raise VenueError(-1158, "Order type not supported in OCO.")
    if above.type == below.type == "LIMIT_MAKER":
        raise VenueError(-1168, "At least one OCO order must be contingent.")
    if above.side == "SELL":
        _refuse_at(below, "LIMIT_MAKER", -1166, "A limit order in a sell OCO must be above.")
        _refuse_at(above, "STOP_LOSS", -1197, "A stop loss order in a sell OCO must be below.")
        _refuse_at(below, "TAKE_PROFIT", -1199, "A take profit order in a sell OCO must be above.")
    else:
        _refuse_at(above, "LIMIT_MAKER", -1165, "A limit order in a buy OCO must be below.")
        _refuse_at(below, "STOP_LOSS", -1196, "A stop loss order in a buy OCO must be above.")
        _refuse_at(above, "TAKE_PROFIT", -1198, "A take profit order in a buy OCO must be below.")


def _refuse_at(order: NewOrder, kind: str, code: int, text: str) -> None:
    if order.type.startswith(kind):
        raise VenueError(code, text)


def _check_prices(above: NewOrder, below: NewOrder, last: int | None) -> None:
    """Above stands over below, and the last price between them when the pair starts at once."""
    high, low = _decisive_price(above), _decisive_price(below)
    if high is not None and low is not None and high <= low:
        raise rejected(_PRICE_RELATION)
    if last is None:
        return
    if (high is not None and high <= last) or (low is not None and low >= last):
        raise rejected(_PRICE_RELATION)


def _decisive_price(order: NewOrder) -> int | None:
    """The price at which the order acts; None for one that only trails."""
    if order.type in ("LIMIT_MAKER", "TAKE_PROFIT_LIMIT"):
        return order.price
    return order.stop_price
