"""Views of the venue's truth: balances, orders, positions, books, totals. Nothing here changes anything."""

from __future__ import annotations

from typing import Any

from simulator.admin.context import MARKETS, Context, verb
from simulator.admin.fields import BadField, Fields
from simulator.admin.views import account_view, instrument_view, plain
from simulator.errors import VenueError
from simulator.units import trim_quanta


@verb("GET", "/accounts/{account}")
def show_account(context: Context, fields: Fields) -> object:
    """One account: keys, spot balances, USD-M wallets."""
    account = context.account(fields)
    fields.done()
    number = account.account_id
    futures = context.venue.futures
    wallets = {asset: trim_quanta(futures.wallets.balance(number, asset)) for asset in futures.wallets.assets(number)}
    return account_view(account, context.venue.accounts.keys_of(number)) | {
        "spot": plain(context.venue.spot.balances(number)),
        "futures": wallets,
    }


@verb("GET", "/orders")
def show_orders(context: Context, fields: Fields) -> object:
    """Open orders of a market: of one account or all, of one symbol or all; `all` needs both and gives history too."""
    market = fields.choice("market", MARKETS, "spot")
    accounts = [context.account(fields)] if fields.has("account") else context.venue.accounts.all()
    symbol = context.instrument(fields, market).symbol if fields.has("symbol") else None
    wants_all = fields.boolean("all", False)
    fields.done()
    if wants_all and symbol is None:
        raise BadField("symbol", "is needed together with all")
    reader: Any = context.venue.spot if market == "spot" else context.venue.futures.history
    found: list[object] = []
    for account in accounts:
        if wants_all:
            found += reader.all_orders(account.account_id, symbol, limit=1_000)
        else:
            found += reader.open_orders(account.account_id, symbol)
    return plain(found)


@verb("GET", "/trades")
def show_trades(context: Context, fields: Fields) -> object:
    """The last fills of an account on a symbol, oldest first."""
    market = fields.choice("market", MARKETS, "spot")
    account = context.account(fields)
    symbol = context.instrument(fields, market).symbol
    fields.done()
    reader: Any = context.venue.spot if market == "spot" else context.venue.futures.history
    return plain(reader.trades(account.account_id, symbol, limit=1_000))


@verb("GET", "/positions")
def show_positions(context: Context, fields: Fields) -> object:
    """USD-M positions of an account that are not flat."""
    account = context.account(fields)
    fields.done()
    found = context.venue.futures.reports.positions(account.account_id)
    return plain([position for position in found if position.quantity])


@verb("GET", "/book")
def show_book(context: Context, fields: Fields) -> object:
    """The visible book of a symbol, and whose orders rest in it with what stands ahead of them."""
    market = fields.choice("market", MARKETS, "spot")
    symbol = context.instrument(fields, market).symbol
    limit = fields.optional_integer("limit", 1, 5_000) or 20
    fields.done()
    book = context.venue.exchange(market).book(symbol)
    bids, asks = book.depth(limit)
    return {
        "update_id": book.update_id,
        "bids": [[trim_quanta(price), trim_quanta(quantity)] for price, quantity in bids],
        "asks": [[trim_quanta(price), trim_quanta(quantity)] for price, quantity in asks],
        "orders": [
            {
                "order_id": order.order_id,
                "account_id": order.account_id,
                "side": order.side,
                "price": trim_quanta(order.price),
                "remaining": trim_quanta(order.remaining),
                "ahead": trim_quanta(order.ahead),
            }
            for order in book.user_orders()
        ],
    }


@verb("GET", "/symbols")
def show_symbols(context: Context, fields: Fields) -> object:
    """Every listed symbol with its filters and last price."""
    fields.done()
    found = []
    for market, symbol, source in context.venue.markets():
        view = instrument_view(context.venue.exchange(market).instruments[symbol])
        found.append((view if isinstance(view, dict) else {}) | {"last_price": trim_quanta(source.last_price)})
    return found


@verb("GET", "/totals")
def show_totals(context: Context, fields: Fields) -> object:
    """Sums over all accounts by market and asset: what was ever paid in, less what was paid out."""
    fields.done()
    return {market: plain(context.venue.exchange(market).totals()) for market in MARKETS}


@verb("POST", "/orders/cancel")
def cancel_order(context: Context, fields: Fields) -> object:
    """The venue, or the customer by another program, cancels an order."""
    market = fields.choice("market", MARKETS, "spot")
    account = context.account(fields)
    symbol = context.instrument(fields, market).symbol
    order_id = fields.integer("order_id", 1, 2**62)
    fields.done()
    try:
        return plain(context.venue.exchange(market).cancel(account.account_id, symbol, order_id, None))
    except VenueError as error:
        raise BadField("order_id", error.message) from None
