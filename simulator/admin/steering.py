"""The market's course and the symbols' rules, by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from simulator.admin.context import MARKETS, Context, verb
from simulator.admin.fields import BadField, Fields, parse_amount
from simulator.admin.views import instrument_view
from simulator.instruments import Filters, Market, Status
from simulator.market.steering import BadSteering

if TYPE_CHECKING:
    from simulator.market.symbol_market import SymbolMarket

logger = logging.getLogger("simulator.admin")

STATUSES: tuple[Status, ...] = get_args(Status)
WHERE: tuple[str, ...] = (*MARKETS, "both")
_LONGEST_MS = 30 * 86_400_000
_COUNTS = frozenset(
    {
        "maximum_orders",
        "maximum_algo_orders",
        "maximum_order_lists",
        "maximum_amends",
        "iceberg_parts",
        "trailing_minimum",
        "trailing_maximum",
    }
)


@verb("POST", "/market/move")
def move(context: Context, fields: Fields) -> object:
    """The price moves by `percent` evenly within `over_ms` of market time."""
    markets, percent = _chosen(context, fields), _change(fields)
    over_ms = fields.integer("over_ms", 1, _LONGEST_MS)
    fields.done()
    _move(markets, percent, over_ms)
    return _prices(markets)


@verb("POST", "/market/gap")
def gap(context: Context, fields: Fields) -> object:
    """The price jumps by `percent` at the next print."""
    markets, percent = _chosen(context, fields), _change(fields)
    fields.done()
    _move(markets, percent, 0)
    return _prices(markets)


@verb("POST", "/market/freeze")
def freeze(context: Context, fields: Fields) -> object:
    """The price stands still (`on` true), or goes on."""
    markets, on = _chosen(context, fields), fields.boolean("on")
    fields.done()
    for _, market in markets:
        market.helm.freeze(on)
    return _prices(markets)


@verb("POST", "/market/pump")
def pump(context: Context, fields: Fields) -> object:
    """Up by `percent` within `up_ms`, `hold_ms` at the top, and back to where it was within `down_ms`."""
    markets, percent = _chosen(context, fields), _change(fields)
    up_ms = fields.integer("up_ms", 1, _LONGEST_MS)
    hold_ms = fields.optional_integer("hold_ms", 0, _LONGEST_MS) or 0
    down_ms = fields.integer("down_ms", 1, _LONGEST_MS)
    fields.done()
    back = -percent * 1_000_000 // (1_000_000 + percent)
    _move(markets, percent, up_ms)

    def come_back() -> None:
        try:
            _move(markets, back, down_ms)
        except BadField as error:  # other moves since then leave no room to come back
            logger.warning("the way back of a pump is left out: %s", error)

    context.agenda.add(context.venue.clock.now_ms() + up_ms + hold_ms, come_back)
    return _prices(markets)


@verb("POST", "/market/status")
def set_status(context: Context, fields: Fields) -> object:
    """Trading status of a symbol: HALT, BREAK, CANCEL_ONLY, TRADING again, CLOSE when it is delisted."""
    market = fields.choice("market", MARKETS)
    instrument = context.instrument(fields, market)
    status = fields.choice("status", STATUSES)
    fields.done()
    changed = instrument.with_status(status)
    context.venue.exchange(market).set_instrument(changed)
    return instrument_view(changed)


@verb("POST", "/market/delist")
def delist(context: Context, fields: Fields) -> object:
    """A symbol is taken off: open orders of everybody are cancelled, then its status is CLOSE."""
    market = fields.choice("market", MARKETS)
    instrument = context.instrument(fields, market)
    fields.done()
    exchange = context.venue.exchange(market)
    for account in context.venue.accounts.all():
        if any(order.account_id == account.account_id for order in exchange.book(instrument.symbol).user_orders()):
            exchange.cancel_all(account.account_id, instrument.symbol)
    changed = instrument.with_status("CLOSE")
    exchange.set_instrument(changed)
    return instrument_view(changed)


@verb("POST", "/market/filters")
def set_filters(context: Context, fields: Fields) -> object:
    """Other trading rules, by the names that `GET /admin/symbols` shows; amounts as decimal texts."""
    market = fields.choice("market", MARKETS)
    instrument = context.instrument(fields, market)
    changes = {name: _rule(name, value) for name, value in fields.mapping("filters").items()}
    fields.done()
    try:
        changed = instrument.with_filters(**changes)
    except ValueError as error:
        raise BadField("filters", str(error)) from None
    context.venue.exchange(market).set_instrument(changed)
    return instrument_view(changed)


def _move(markets: list[tuple[Market, SymbolMarket]], percent: int, over_ms: int) -> None:
    """Move all of them, or none when one of them cannot be moved so."""
    try:
        for _, market in markets:
            market.helm.check_move(percent, over_ms)
    except BadSteering as error:
        raise BadField("percent", str(error)) from None
    for _, market in markets:
        market.helm.move(percent, over_ms)


def _rule(name: str, value: object) -> int:
    if name not in Filters.__dataclass_fields__:
        raise BadField(f"filters.{name}", f"is not a rule; known are {', '.join(Filters.__dataclass_fields__)}")
    if name in _COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
            raise BadField(f"filters.{name}", "must be a whole number from 0 to 1000000")
        return value
    return 0 if value in ("0", 0) else parse_amount(f"filters.{name}", value)


def _chosen(context: Context, fields: Fields) -> list[tuple[Market, SymbolMarket]]:
    where = fields.choice("market", WHERE, "both")
    symbol = fields.text("symbol")
    found = list(_matching(context, where, symbol))
    if not found:
        raise BadField("symbol", f"{symbol} is not listed there")
    return found


def _matching(context: Context, where: str, symbol: str) -> Iterator[tuple[Market, SymbolMarket]]:
    for market, name, source in context.venue.markets():
        if name == symbol and where in (market, "both"):
            yield market, source


def _change(fields: Fields) -> int:
    percent = fields.percent("percent")
    if not -999_000 <= percent <= 50_000_000:
        raise BadField("percent", "must be from -99.9 to 5000")
    return percent


def _prices(markets: list[tuple[Market, SymbolMarket]]) -> object:
    return [{"market": market, "symbol": source.symbol} for market, source in markets]
